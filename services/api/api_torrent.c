/* SPDX-License-Identifier: MIT */
#include "services/api/api_torrent.h"

#include "services/api/api_fields.h"
#include "services/api/api_row.h"

#include <string.h>

#define CONTENT_TRIES 3

static const char *const source_names[PEER_SOURCE_COUNT] = {
    [PEER_SOURCE_USER] = "user",       [PEER_SOURCE_LAN] = "lan",
    [PEER_SOURCE_TRACKER] = "tracker", [PEER_SOURCE_RESUME] = "resume",
    [PEER_SOURCE_INBOUND] = "inbound", [PEER_SOURCE_DHT] = "dht",
    [PEER_SOURCE_PEX] = "pex",
};

struct detail {
    struct api_row row;
    struct catalog_wishes wishes;
    const char *folder, *folder_done, *move_to, *magnet, *comment, *creator, *source;
    char why[256];
    int64_t created_s;
    uint32_t files, pieces, piece_length;
    uint64_t corrupt, wasted, seconds_downloading, seconds_seeding;
    uint32_t peers_by_source[PEER_SOURCE_COUNT];
};

enum service_step api_torrent_content(struct api_call *call, struct api_turn *turn,
                                      struct service_content *ret_content)
{
    struct service_world *world = turn->world;
    *ret_content = (struct service_content){0};
    const struct catalog_torrent *torrent = api_row_of_path(call, turn);
    if (!torrent || torrent->metadata_missing)
        return SERVICE_DONE;
    if (world->content(world->context, call->id, ret_content)) {
        call->waiting = false; /* a later step may have to ask anew */
        return SERVICE_DONE;
    }
    /* What was read may have been let go of by a renaming meanwhile: then once more. */
    const struct service_job *job = turn->job;
    if (call->waiting && (job->error || call->tries++ == CONTENT_TRIES)) {
        call->waiting = false;
        api_fail(call, 500, "what is in the torrent cannot be read: %s",
                 job->error ? job->error_text : "it changes all the time");
        return SERVICE_DONE;
    }
    call->waiting = true;
    *turn->job = (struct service_job){.type = JOB_CONTENT, .id = call->id};
    return SERVICE_JOB;
}

static const char *text_or_null(struct call_arena *arena, struct bytes text)
{
    return text.length > 0 ? call_arena_bytes(arena, text) : NULL;
}

static const char *magnet_of(struct api_call *call, const struct catalog_torrent *torrent,
                             const struct metainfo *metainfo)
{
    struct buffer link = {0};
    if (torrent->magnet)
        buffer_append_text(&link, torrent->magnet);
    else if (metainfo)
        magnet_format_metainfo(metainfo, &link);
    const char *text = call_arena_url(&call->arena, buffer_bytes(&link), call->is_control);
    buffer_deinit(&link);
    return text;
}

enum service_step api_torrent_step(struct api_call *call, struct api_turn *turn)
{
    struct service_content content;
    if (api_torrent_content(call, turn, &content) == SERVICE_JOB)
        return SERVICE_JOB;
    if (api_failed(call))
        return SERVICE_DONE;
    const struct catalog_torrent *torrent = catalog_find(turn->world->catalog, call->id);
    struct call_arena *arena = &call->arena;
    struct detail *detail = call->state = call_arena_take(arena, sizeof *detail);
    *detail = (struct detail){
        .wishes = torrent->wishes,
        .folder = call_arena_text(arena, torrent->folder),
        .folder_done = call_arena_text(arena, torrent->folder_done),
        .move_to = call_arena_text(arena, torrent->move_to),
        .magnet = magnet_of(call, torrent, content.metainfo),
        .files = torrent->file_count,
        .pieces = torrent->piece_count,
        .piece_length = torrent->piece_length,
        .corrupt = torrent->corrupt,
        .seconds_downloading = torrent->seconds_downloading,
        .seconds_seeding = torrent->seconds_seeding,
    };
    api_row_copy(torrent, arena, &detail->row);
    catalog_why(turn->world->catalog, torrent, detail->why);
    if (torrent->open) {
        detail->wasted = torrent->status.wasted;
        memcpy(detail->peers_by_source, torrent->status.peers_by_source,
               sizeof detail->peers_by_source);
    }
    if (content.metainfo) {
        detail->comment = text_or_null(arena, content.metainfo->comment);
        detail->creator = text_or_null(arena, content.metainfo->created_by);
        detail->source = text_or_null(arena, content.metainfo->source);
        detail->created_s = content.metainfo->creation_date;
    }
    return SERVICE_DONE;
}

void api_torrent_write(struct api_call *call, struct json_writer *json)
{
    const struct detail *detail = call->state;
    api_row_write(&detail->row, json);
    api_fields_write(api_fields_wishes, &detail->wishes, json);
    json_writer_put_text(json, "folder", detail->folder);
    api_write_text_or_null(json, "folder_done", detail->folder_done);
    api_write_text_or_null(json, "move_to", detail->move_to);
    json_writer_put_text(json, "why", detail->why);
    json_writer_put_text(json, "magnet", detail->magnet);
    api_write_text_or_null(json, "comment", detail->comment);
    api_write_text_or_null(json, "creator", detail->creator);
    api_write_text_or_null(json, "source", detail->source);
    json_writer_put_i64(json, "created", detail->created_s);
    json_writer_put_u64(json, "files", detail->files);
    json_writer_put_u64(json, "pieces", detail->pieces);
    json_writer_put_u64(json, "piece_length", detail->piece_length);
    json_writer_put_u64(json, "corrupt", detail->corrupt);
    json_writer_put_u64(json, "wasted", detail->wasted);
    json_writer_put_u64(json, "seconds_downloading", detail->seconds_downloading);
    json_writer_put_u64(json, "seconds_seeding", detail->seconds_seeding);
    json_writer_key(json, "peers_by_source");
    json_writer_open(json, '{');
    for (unsigned i = 0; i < PEER_SOURCE_COUNT; i++)
        json_writer_put_u64(json, source_names[i], detail->peers_by_source[i]);
    json_writer_close(json, '}');
}

/* ---- peers ---- */

#define PEERS_MAX 500u

struct peers {
    uint32_t count;
    bool metadata_missing;
    struct peer_status entries[PEERS_MAX];
};

enum service_step api_torrent_peers_step(struct api_call *call, struct api_turn *turn)
{
    const struct catalog_torrent *torrent = api_row_of_path(call, turn);
    if (!torrent)
        return SERVICE_DONE;
    struct peers *peers = call->state = call_arena_take(&call->arena, sizeof *peers);
    peers->count = 0;
    peers->metadata_missing = torrent->metadata_missing;
    if (torrent->open)
        peers->count =
            engine_torrent_peers(turn->world->engine, call->id, peers->entries, PEERS_MAX);
    return SERVICE_DONE;
}

static void write_peer(const struct peer_status *peer, struct json_writer *json)
{
    char address[ADDRESS_TEXT_SIZE];
    address_to_text(&peer->address, address);
    json_writer_open(json, '{');
    json_writer_put_text(json, "address", address);
    json_writer_put_text(json, "client", peer->client);
    json_writer_put_text(json, "source", source_names[peer->source]);
    json_writer_put_bool(json, "inbound", peer->inbound);
    json_writer_put_bool(json, "seed", peer->is_seed);
    json_writer_put_bool(json, "am_choking", peer->am_choking);
    json_writer_put_bool(json, "am_interested", peer->am_interested);
    json_writer_put_bool(json, "peer_choking", peer->peer_choking);
    json_writer_put_bool(json, "peer_interested", peer->peer_interested);
    json_writer_put_bool(json, "snubbed", peer->snubbed);
    json_writer_put_bool(json, "optimistic", peer->optimistic);
    json_writer_put_bool(json, "encrypted", peer->is_encrypted);
    json_writer_put_bool(json, "utp", peer->is_utp);
    json_writer_put_real(json, "progress", peer->progress_permille / 1000.0);
    json_writer_put_u64(json, "requests_out", peer->requests_out);
    json_writer_put_u64(json, "requests_in", peer->requests_in);
    json_writer_put_u64(json, "rate_down", peer->download_rate);
    json_writer_put_u64(json, "rate_up", peer->upload_rate);
    json_writer_put_u64(json, "downloaded", peer->downloaded);
    json_writer_put_u64(json, "uploaded", peer->uploaded);
    json_writer_close(json, '}');
}

void api_torrent_peers_write(struct api_call *call, struct json_writer *json)
{
    const struct peers *peers = call->state;
    json_writer_key(json, "peers");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < peers->count; i++)
        write_peer(&peers->entries[i], json);
    json_writer_close(json, ']');
}

/* ---- trackers ---- */

struct trackers {
    uint32_t count;
    int64_t now, wall_s;
    struct tracker_status *entries;
};

static struct bytes shown_url(struct api_call *call, struct bytes url)
{
    const char *text = call_arena_url(&call->arena, url, call->is_control);
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* Of one that does not run nothing is known but where it is. */
static void tracker_at_rest(struct api_call *call, struct trackers *trackers, struct bytes url,
                            uint32_t tier)
{
    if (trackers->count < LIMIT_TRACKERS_MAX)
        trackers->entries[trackers->count++] = (struct tracker_status){
            .url = shown_url(call, url),
            .tier = tier,
            .announced_ns = INT64_MIN,
            .next_ns = INT64_MAX,
            .scraped_ns = INT64_MIN,
            .seeders = -1,
            .leechers = -1,
            .downloads = -1,
        };
}

/* Each tracker of a link is a tier. */
static void trackers_of_link(struct api_call *call, struct trackers *trackers, const char *link)
{
    struct magnet *magnet;
    char reason[METAINFO_REASON_SIZE];
    if (!link || magnet_parse((struct bytes){(const uint8_t *)link, strlen(link)}, &magnet, reason))
        return;
    for (uint32_t i = 0; i < magnet->tracker_count; i++)
        tracker_at_rest(
            call, trackers,
            (struct bytes){(const uint8_t *)magnet->trackers[i], strlen(magnet->trackers[i])}, i);
    magnet_free(magnet);
}

enum service_step api_torrent_trackers_step(struct api_call *call, struct api_turn *turn)
{
    struct service_content content;
    struct torrent_status status;
    if (api_torrent_content(call, turn, &content) == SERVICE_JOB)
        return SERVICE_JOB;
    if (api_failed(call))
        return SERVICE_DONE;
    const struct catalog_torrent *torrent = catalog_find(turn->world->catalog, call->id);
    struct trackers *trackers = call->state = call_arena_take(&call->arena, sizeof *trackers);
    *trackers = (struct trackers){.now = turn->world->now, .wall_s = turn->world->wall_s};
    trackers->entries =
        call_arena_take(&call->arena, LIMIT_TRACKERS_MAX * sizeof *trackers->entries);
    if (torrent->open && !torrent->closing &&
        engine_torrent_status(turn->world->engine, call->id, &status)) {
        trackers->count = engine_torrent_trackers(turn->world->engine, call->id, trackers->entries,
                                                  LIMIT_TRACKERS_MAX);
        for (uint32_t i = 0; i < trackers->count; i++)
            trackers->entries[i].url = shown_url(call, trackers->entries[i].url);
    } else if (content.metainfo) {
        for (uint32_t i = 0; i < content.metainfo->tracker_count; i++)
            tracker_at_rest(call, trackers, content.metainfo->trackers[i],
                            content.metainfo->tracker_tiers[i]);
    } else {
        trackers_of_link(call, trackers, torrent->magnet);
    }
    return SERVICE_DONE;
}

static const char *tracker_state(const struct tracker_status *tracker)
{
    if (tracker->is_announcing)
        return "announcing";
    if (tracker->is_given_up)
        return "given-up";
    if (tracker->announced_ns == INT64_MIN)
        return "waiting";
    return tracker->announced_ok ? "working" : "failing";
}

static void write_time(const struct trackers *trackers, struct json_writer *json, const char *key,
                       int64_t at_ns)
{
    if (at_ns == INT64_MIN || at_ns == INT64_MAX)
        api_write_null(json, key);
    else
        json_writer_put_i64(json, key, trackers->wall_s + (at_ns - trackers->now) / SECOND_NS);
}

static void write_count(struct json_writer *json, const char *key, int64_t count)
{
    if (count < 0)
        api_write_null(json, key);
    else
        json_writer_put_i64(json, key, count);
}

static void write_tracker(const struct trackers *trackers, const struct tracker_status *tracker,
                          struct json_writer *json)
{
    bool is_known = tracker->announced_ns != INT64_MIN;
    const char *message = tracker->announce_text;
    if (!*message && is_known && !tracker->announced_ok)
        message = error_text(tracker->announce_error);
    json_writer_open(json, '{');
    json_writer_key(json, "url");
    json_writer_bytes(json, tracker->url);
    json_writer_put_u64(json, "tier", tracker->tier);
    json_writer_put_text(json, "state", tracker_state(tracker));
    api_write_text_or_null(json, "message", *message ? message : NULL);
    json_writer_put_u64(json, "failures", tracker->failures);
    write_count(json, "seeds", tracker->seeders);
    write_count(json, "leeches", tracker->leechers);
    write_count(json, "peers", is_known ? (int64_t)tracker->announce_peers : -1);
    write_time(trackers, json, "last", tracker->announced_ns);
    write_time(trackers, json, "next", tracker->next_ns);
    json_writer_close(json, '}');
}

void api_torrent_trackers_write(struct api_call *call, struct json_writer *json)
{
    const struct trackers *trackers = call->state;
    json_writer_key(json, "trackers");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < trackers->count; i++)
        write_tracker(trackers, &trackers->entries[i], json);
    json_writer_close(json, ']');
}
