/* SPDX-License-Identifier: MIT */
/* session-stats: what all torrents do together, and have done. */
#include "core/base/memory.h"
#include "services/rpc/transmission_state.h"

struct transmission_stats {
    uint64_t download_rate, upload_rate;
    uint32_t running, stopped;
};

struct stats_of {
    uint64_t uploaded, downloaded, files, seconds, sessions;
};

static void write_stats(struct json_writer *writer, const struct stats_of *stats, bool is_rpc2)
{
    json_writer_open(writer, '{');
    json_writer_put_u64(writer, is_rpc2 ? "uploaded_bytes" : "uploadedBytes", stats->uploaded);
    json_writer_put_u64(writer, is_rpc2 ? "downloaded_bytes" : "downloadedBytes",
                        stats->downloaded);
    json_writer_put_u64(writer, is_rpc2 ? "files_added" : "filesAdded", stats->files);
    json_writer_put_u64(writer, is_rpc2 ? "session_count" : "sessionCount", stats->sessions);
    json_writer_put_u64(writer, is_rpc2 ? "seconds_active" : "secondsActive", stats->seconds);
    json_writer_close(writer, '}');
}

static void answer(struct transmission_request *request, const struct service_world *world)
{
    const struct transmission_stats *stats = request->work;
    bool is_rpc2 = request->is_rpc2;
    struct stats_of all = {world->bytes_up_all, world->bytes_down_all, world->files_added,
                           world->seconds_active, world->sessions};
    struct stats_of run = {world->bytes_up_run, world->bytes_down_run, world->files_added_run,
                           world->seconds_run, 1};
    struct json_writer writer;
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_put_u64(&writer, is_rpc2 ? "active_torrent_count" : "activeTorrentCount",
                        stats->running);
    json_writer_put_u64(&writer, is_rpc2 ? "unpaused_torrent_count" : "unpausedTorrentCount",
                        stats->running);
    json_writer_put_u64(&writer, is_rpc2 ? "paused_torrent_count" : "pausedTorrentCount",
                        stats->stopped);
    json_writer_put_u64(&writer, is_rpc2 ? "torrent_count" : "torrentCount",
                        (uint64_t)stats->running + stats->stopped);
    json_writer_put_u64(&writer, is_rpc2 ? "download_speed" : "downloadSpeed",
                        stats->download_rate);
    json_writer_put_u64(&writer, is_rpc2 ? "upload_speed" : "uploadSpeed", stats->upload_rate);
    json_writer_key(&writer, is_rpc2 ? "cumulative_stats" : "cumulative-stats");
    write_stats(&writer, &all, is_rpc2);
    json_writer_key(&writer, is_rpc2 ? "current_stats" : "current-stats");
    write_stats(&writer, &run, is_rpc2);
    json_writer_close(&writer, '}');
}

enum service_step transmission_stats_step(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice, struct service_job *job)
{
    (void)job;
    if (!request->work)
        request->work = memory_new(sizeof(struct transmission_stats));
    struct transmission_stats *stats = request->work;
    while (request->at < catalog_count(world->catalog)) {
        const struct catalog_torrent *row = catalog_at(world->catalog, request->at++);
        if (row->phase == CATALOG_REMOVING || row->removing)
            continue;
        stats->stopped += row->phase == CATALOG_STOPPED;
        stats->running += row->phase != CATALOG_STOPPED;
        stats->download_rate += row->open ? row->status.download_rate : 0;
        stats->upload_rate += row->open ? row->status.upload_rate : 0;
        if (transmission_rpc_is_over(slice))
            return SERVICE_AGAIN;
    }
    answer(request, world);
    return SERVICE_DONE;
}

void transmission_stats_release(struct transmission_request *request)
{
    memory_free(request->work);
}
