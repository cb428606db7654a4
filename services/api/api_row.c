/* SPDX-License-Identifier: MIT */
#include "services/api/api_row.h"

const char *api_phase_name(enum catalog_phase phase)
{
    static const char *const names[] = {
        [CATALOG_STOPPED] = "stopped",         [CATALOG_WAIT_CHECK] = "wait-check",
        [CATALOG_CHECKING] = "checking",       [CATALOG_WAIT_DOWNLOAD] = "wait-download",
        [CATALOG_DOWNLOADING] = "downloading", [CATALOG_WAIT_SEED] = "wait-seed",
        [CATALOG_SEEDING] = "seeding",         [CATALOG_MOVING] = "moving",
        [CATALOG_REMOVING] = "removing",
    };
    return names[phase];
}

const char *api_trouble_name(enum catalog_trouble trouble)
{
    static const char *const names[] = {
        [TROUBLE_NONE] = "none",
        [TROUBLE_TRACKER_WARNING] = "tracker-warning",
        [TROUBLE_TRACKER] = "tracker",
        [TROUBLE_LOCAL] = "local",
    };
    return names[trouble];
}

static double share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : part >= whole ? 1 : (double)part / (double)whole;
}

/* Of the check while it is checked, of the metadata while they are fetched. */
double api_row_progress(const struct catalog_torrent *torrent)
{
    const struct torrent_status *status = &torrent->status;
    if (torrent->metadata_missing)
        return torrent->open ? share(status->metadata_bytes, status->metadata_size) : 0;
    if (torrent->phase == CATALOG_CHECKING && torrent->open && status->phase == PHASE_CHECKING)
        return share(status->checked_bytes, status->total_bytes);
    if (torrent->complete)
        return 1;
    return share(torrent->verified_bytes, torrent->wanted_bytes);
}

/* The schema knows none below 0. */
double api_row_ratio(const struct catalog_torrent *torrent)
{
    double ratio = catalog_ratio(torrent);
    return ratio < 0 ? 0 : ratio;
}

int64_t api_row_eta(const struct catalog_torrent *torrent)
{
    uint64_t rate = torrent->open ? torrent->status.download_rate : 0;
    if (torrent->phase != CATALOG_DOWNLOADING || torrent->metadata_missing || rate == 0 ||
        torrent->verified_bytes >= torrent->wanted_bytes)
        return -1;
    return (int64_t)((torrent->wanted_bytes - torrent->verified_bytes) / rate);
}

void api_row_copy(const struct catalog_torrent *torrent, struct call_arena *arena,
                  struct api_row *ret_row)
{
    const struct torrent_status *status = &torrent->status;
    *ret_row = (struct api_row){
        .id = torrent->id,
        .hash = call_arena_text(arena, torrent->hash),
        .name = call_arena_text(arena, torrent->name),
        .trouble_text = call_arena_text(arena, torrent->trouble_text),
        .label_count = torrent->label_count,
        .phase = torrent->phase,
        .trouble = torrent->trouble,
        .running = torrent->wanted_running,
        .complete = torrent->complete,
        .is_private = torrent->is_private,
        .metadata_missing = torrent->metadata_missing,
        .choose_files = torrent->choose_files,
        .progress = api_row_progress(torrent),
        .ratio = api_row_ratio(torrent),
        .total = torrent->total_bytes,
        .wanted = torrent->wanted_bytes,
        .verified = torrent->verified_bytes,
        .downloaded = torrent->downloaded,
        .uploaded = torrent->uploaded,
        .eta_s = api_row_eta(torrent),
        .queue = torrent->queue_position,
        .added_s = torrent->added_s,
        .done_s = torrent->done_s,
        .active_s = torrent->active_s,
    };
    if (torrent->open) {
        ret_row->rate_down = status->download_rate;
        ret_row->rate_up = status->upload_rate;
        ret_row->peers = status->peers;
        ret_row->peers_down = status->peers_uploading;
        ret_row->peers_up = status->peers_downloading;
        ret_row->seeds = status->seeds_known;
    }
    if (torrent->label_count > 0) {
        const char **labels = call_arena_take(arena, torrent->label_count * sizeof *labels);
        for (uint32_t i = 0; i < torrent->label_count; i++)
            labels[i] = call_arena_text(arena, torrent->labels[i]);
        ret_row->labels = labels;
    }
}

void api_write_null(struct json_writer *json, const char *key)
{
    json_writer_key(json, key);
    json_writer_raw(json, BYTES_LITERAL("null"));
}

void api_write_text_or_null(struct json_writer *json, const char *key, const char *text)
{
    if (text)
        json_writer_put_text(json, key, text);
    else
        api_write_null(json, key);
}

void api_row_write(const struct api_row *row, struct json_writer *json)
{
    json_writer_put_u64(json, "id", row->id);
    json_writer_put_text(json, "hash", row->hash);
    json_writer_put_text(json, "name", row->name);
    json_writer_put_text(json, "phase", api_phase_name(row->phase));
    json_writer_put_bool(json, "running", row->running);
    json_writer_put_bool(json, "complete", row->complete);
    json_writer_put_bool(json, "private", row->is_private);
    json_writer_put_bool(json, "metadata_missing", row->metadata_missing);
    json_writer_put_bool(json, "choose_files", row->choose_files);
    json_writer_put_text(json, "trouble", api_trouble_name(row->trouble));
    api_write_text_or_null(json, "trouble_text", row->trouble_text);
    json_writer_key(json, "labels");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < row->label_count; i++)
        json_writer_text(json, row->labels[i]);
    json_writer_close(json, ']');
    json_writer_put_real(json, "progress", row->progress);
    json_writer_put_u64(json, "total", row->total);
    json_writer_put_u64(json, "wanted", row->wanted);
    json_writer_put_u64(json, "verified", row->verified);
    json_writer_put_u64(json, "downloaded", row->downloaded);
    json_writer_put_u64(json, "uploaded", row->uploaded);
    json_writer_put_real(json, "ratio", row->ratio);
    json_writer_put_u64(json, "rate_down", row->rate_down);
    json_writer_put_u64(json, "rate_up", row->rate_up);
    if (row->eta_s < 0)
        api_write_null(json, "eta");
    else
        json_writer_put_i64(json, "eta", row->eta_s);
    json_writer_put_u64(json, "peers", row->peers);
    json_writer_put_u64(json, "peers_down", row->peers_down);
    json_writer_put_u64(json, "peers_up", row->peers_up);
    json_writer_put_u64(json, "seeds", row->seeds);
    json_writer_put_u64(json, "queue", row->queue);
    json_writer_put_i64(json, "added", row->added_s);
    json_writer_put_i64(json, "finished", row->done_s);
    json_writer_put_i64(json, "active", row->active_s);
}
