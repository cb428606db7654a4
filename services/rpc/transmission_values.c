/* SPDX-License-Identifier: MIT */
/* Fields that are one value: from the row, the settings and, for a few, the metainfo. */
#include "core/base/memory.h"
#include "services/rpc/transmission_fields.h"

#include <string.h>
#include <strings.h>

/* Transmission's: there is none, it is not known. Its ratios are the catalog's. */
#define ETA_NONE    (-1)
#define ETA_UNKNOWN (-2)

static bool is_running(const struct catalog_torrent *row)
{
    return row->phase == CATALOG_DOWNLOADING || row->phase == CATALOG_SEEDING;
}

static int64_t status_code(const struct catalog_torrent *row)
{
    switch (row->phase) {
    case CATALOG_WAIT_CHECK: return 1;
    case CATALOG_CHECKING: return 2;
    case CATALOG_WAIT_DOWNLOAD: return 3;
    case CATALOG_DOWNLOADING: return 4;
    case CATALOG_WAIT_SEED: return 5;
    case CATALOG_SEEDING: return 6;
    /* Whoever imports what is complete and stopped or seeding has to wait until it has arrived. */
    case CATALOG_MOVING: return 2;
    case CATALOG_STOPPED:
    case CATALOG_REMOVING: break;
    }
    return 0;
}

/* A tracker's failure is told as Transmission tells it: of the only tracker, which has answered.
 * Torrents come with dozens of dead ones, and clients take a text here for a reason not to touch
 * what is complete. `trackerStats` has all of it. */
static bool tells_trouble(const struct transmission_source *source)
{
    const struct catalog_torrent *row = source->row;
    struct tracker_status trackers[2];
    if (row->trouble != TROUBLE_TRACKER)
        return row->trouble != TROUBLE_NONE;
    if (engine_torrent_trackers(source->world->engine, row->id, trackers, 2) != 1)
        return false;
    switch (trackers[0].announce_error) {
    case FRESHET_ERROR_TIMEOUT:
    case FRESHET_ERROR_CONNECTION:
    case FRESHET_ERROR_CLOSED:
    case FRESHET_ERROR_RESOLVE:
    case FRESHET_ERROR_CERTIFICATE: return false;
    default: return true;
    }
}

static int64_t error_code(const struct transmission_source *source)
{
    switch (tells_trouble(source) ? source->row->trouble : TROUBLE_NONE) {
    case TROUBLE_TRACKER_WARNING: return 1;
    case TROUBLE_TRACKER: return 2;
    case TROUBLE_LOCAL: return 3;
    case TROUBLE_NONE: break;
    }
    return 0;
}

/* Bytes that came and are not judged. All of what is missing they never are: who has everything
 * has it checked. */
static uint64_t unchecked_bytes(const struct catalog_torrent *row)
{
    uint64_t unchecked = row->open ? row->status.unchecked_bytes : 0;
    uint64_t missing =
        row->wanted_bytes > row->verified_bytes ? row->wanted_bytes - row->verified_bytes : 0;
    return unchecked < missing ? unchecked : missing ? missing - 1 : 0;
}

static uint64_t left_bytes(const struct catalog_torrent *row)
{
    uint64_t have = row->verified_bytes + unchecked_bytes(row);
    return row->wanted_bytes > have ? row->wanted_bytes - have : 0;
}

static bool idle_goal(const struct transmission_source *source, uint32_t *ret_minutes)
{
    const struct catalog_wishes *wishes = &source->row->wishes;
    const struct catalog_settings *settings = catalog_settings(source->world->catalog);
    *ret_minutes = wishes->idle_mode == GOAL_OWN ? wishes->idle_minutes : settings->idle_minutes;
    return wishes->idle_mode == GOAL_OWN ||
           (wishes->idle_mode == GOAL_GLOBAL && settings->idle_limited);
}

static int64_t seconds_for(uint64_t bytes, uint64_t rate)
{
    return rate == 0 ? ETA_UNKNOWN : (int64_t)(bytes / rate);
}

static int64_t eta(const struct transmission_source *source)
{
    const struct catalog_torrent *row = source->row;
    uint64_t left;
    if (row->phase == CATALOG_DOWNLOADING)
        return row->metadata_missing ? ETA_UNKNOWN
                                     : seconds_for(left_bytes(row), row->status.download_rate);
    if (row->phase != CATALOG_SEEDING || !catalog_ratio_left(source->world->catalog, row, &left))
        return ETA_NONE;
    return left == 0 ? 0 : seconds_for(left, row->status.upload_rate);
}

static int64_t idle_seconds(const struct transmission_source *source)
{
    const struct catalog_torrent *row = source->row;
    if (row->idle_since_ns <= 0 || row->idle_since_ns > source->world->now)
        return 0;
    return (source->world->now - row->idle_since_ns) / SECOND_NS;
}

static int64_t eta_idle(const struct transmission_source *source)
{
    uint32_t minutes;
    if (source->row->phase != CATALOG_SEEDING || !idle_goal(source, &minutes))
        return ETA_NONE;
    int64_t left = (int64_t)minutes * 60 - idle_seconds(source);
    return left < 0 ? 0 : left;
}

static bool is_stalled(const struct transmission_source *source)
{
    const struct catalog_settings *settings = catalog_settings(source->world->catalog);
    return is_running(source->row) && settings->queue_stalled_enabled &&
           idle_seconds(source) >= (int64_t)settings->queue_stalled_minutes * 60;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : part >= whole ? 1 : (double)part / (double)whole;
}

static double percent_done(const struct catalog_torrent *row)
{
    if (row->metadata_missing)
        return 0;
    return row->wanted_bytes == 0
               ? 1
               : share(row->verified_bytes + unchecked_bytes(row), row->wanted_bytes);
}

static double recheck_progress(const struct catalog_torrent *row)
{
    return row->phase == CATALOG_CHECKING && row->open
               ? share(row->status.checked_bytes, row->status.total_bytes)
               : 0;
}

static double metadata_progress(const struct catalog_torrent *row)
{
    if (!row->metadata_missing)
        return 1;
    return row->open ? share(row->status.metadata_bytes, row->status.metadata_size) : 0;
}

/* What is wanted and missing, and a connected peer or a web seed has. With a seed that is all of
 * it, which saves a walk over the pieces. */
static int64_t desired_available(const struct transmission_source *source)
{
    const struct catalog_torrent *row = source->row;
    uint64_t left = left_bytes(row);
    struct torrent_reach reach;
    if (!row->open || left == 0)
        return 0;
    if (row->status.seeds_known)
        return (int64_t)left;
    if (!engine_torrent_reach(source->world->engine, row->id, &reach))
        return 0;
    return (int64_t)(reach.desired_bytes < left ? reach.desired_bytes : left);
}

static int64_t peers_known(const struct catalog_torrent *row)
{
    int64_t count = 0;
    for (int i = 0; i < PEER_SOURCE_COUNT && row->open; i++)
        count += row->status.known_by_source[i];
    return count;
}

static int64_t web_seeds_sending(const struct transmission_part *part)
{
    int64_t count = 0;
    for (uint32_t i = 0; part && i < part->web_seed_count; i++)
        count += part->web_seeds[i].rate > 0;
    return count;
}

static int64_t peer_limit(const struct transmission_source *source)
{
    return source->row->wishes.peers_max
               ? source->row->wishes.peers_max
               : catalog_settings(source->world->catalog)->peers_per_torrent;
}

static int64_t integer_of(const struct transmission_source *source, enum transmission_field field)
{
    const struct catalog_torrent *row = source->row;
    const struct torrent_status *status = &row->status;
    switch (field) {
    case FIELD_ACTIVITY_DATE: return row->active_s;
    case FIELD_ADDED_DATE: return row->added_s;
    case FIELD_BANDWIDTH_PRIORITY: return row->wishes.bandwidth_priority;
    case FIELD_CORRUPT_EVER: return (int64_t)row->corrupt;
    case FIELD_DATE_CREATED: return source->metainfo ? source->metainfo->creation_date : 0;
    case FIELD_DESIRED_AVAILABLE: return desired_available(source);
    case FIELD_DONE_DATE: return row->done_s;
    case FIELD_DOWNLOAD_LIMIT: return (int64_t)(row->wishes.download_limit / 1000);
    case FIELD_DOWNLOADED_EVER: return (int64_t)row->downloaded;
    case FIELD_EDIT_DATE: return row->edited_s;
    case FIELD_ERROR: return error_code(source);
    case FIELD_ETA: return eta(source);
    case FIELD_ETA_IDLE: return eta_idle(source);
    case FIELD_FILE_COUNT: return row->file_count;
    case FIELD_HAVE_UNCHECKED: return (int64_t)unchecked_bytes(row);
    case FIELD_HAVE_VALID: return (int64_t)row->verified_bytes;
    case FIELD_ID: return row->id;
    case FIELD_LEFT_UNTIL_DONE: return (int64_t)left_bytes(row);
    case FIELD_MANUAL_ANNOUNCE_TIME: return -1;
    case FIELD_MAX_CONNECTED_PEERS:
    case FIELD_PEER_LIMIT: return peer_limit(source);
    case FIELD_PEERS_CONNECTED: return row->open ? status->peers : 0;
    case FIELD_PEERS_GETTING_FROM_US: return row->open ? status->peers_downloading : 0;
    case FIELD_PEERS_SENDING_TO_US: return row->open ? status->peers_uploading : 0;
    case FIELD_PEERS_KNOWN: return peers_known(row);
    case FIELD_PIECE_COUNT: return row->piece_count;
    case FIELD_PIECE_SIZE: return row->piece_length;
    case FIELD_QUEUE_POSITION: return row->queue_position;
    case FIELD_RATE_DOWNLOAD: return row->open ? (int64_t)status->download_rate : 0;
    case FIELD_RATE_UPLOAD: return row->open ? (int64_t)status->upload_rate : 0;
    case FIELD_SECONDS_DOWNLOADING: return (int64_t)row->seconds_downloading;
    case FIELD_SECONDS_SEEDING: return (int64_t)row->seconds_seeding;
    case FIELD_SEED_IDLE_LIMIT: return row->wishes.idle_minutes;
    case FIELD_SEED_IDLE_MODE: return row->wishes.idle_mode;
    case FIELD_SEED_RATIO_MODE: return row->wishes.ratio_mode;
    case FIELD_SIZE_WHEN_DONE: return (int64_t)row->wanted_bytes;
    case FIELD_START_DATE: return row->started_s;
    case FIELD_STATUS: return status_code(row);
    case FIELD_TOTAL_SIZE: return (int64_t)row->total_bytes;
    case FIELD_UPLOAD_LIMIT: return (int64_t)(row->wishes.upload_limit / 1000);
    case FIELD_UPLOADED_EVER: return (int64_t)row->uploaded;
    case FIELD_WEB_SEEDS_SENDING: return web_seeds_sending(source->part);
    default: return 0; /* haveUnchecked: bytes count when their piece is checked */
    }
}

static bool bool_of(const struct transmission_source *source, enum transmission_field field)
{
    const struct catalog_torrent *row = source->row;
    switch (field) {
    case FIELD_DOWNLOAD_LIMITED: return row->wishes.download_limited;
    case FIELD_HONORS_SESSION_LIMITS: return row->wishes.honors_session_limits;
    case FIELD_IS_FINISHED: return row->finished;
    case FIELD_IS_FOLDER: return source->metainfo && !source->metainfo->single_file;
    case FIELD_IS_PRIVATE: return row->is_private;
    case FIELD_IS_STALLED: return is_stalled(source);
    case FIELD_SEQUENTIAL_DOWNLOAD: return row->wishes.sequential;
    case FIELD_UPLOAD_LIMITED: return row->wishes.upload_limited;
    default: return false;
    }
}

static double real_of(const struct catalog_torrent *row, enum transmission_field field)
{
    switch (field) {
    case FIELD_METADATA_PERCENT_COMPLETE: return metadata_progress(row);
    case FIELD_PERCENT_COMPLETE:
        return share(row->verified_bytes + unchecked_bytes(row), row->total_bytes);
    case FIELD_PERCENT_DONE: return percent_done(row);
    case FIELD_RECHECK_PROGRESS: return recheck_progress(row);
    case FIELD_SEED_RATIO_LIMIT: return row->wishes.ratio;
    case FIELD_UPLOAD_RATIO: return catalog_ratio(row);
    default: return 0;
    }
}

/* By the last letters of the largest file's name. */
static const char *mime_type(const struct metainfo *metainfo)
{
    static const char *const TYPES[][2] = {
        {"mkv", "video/x-matroska"},
        {"mp4", "video/mp4"},
        {"avi", "video/x-msvideo"},
        {"webm", "video/webm"},
        {"mp3", "audio/mpeg"},
        {"flac", "audio/flac"},
        {"ogg", "audio/ogg"},
        {"opus", "audio/opus"},
        {"pdf", "application/pdf"},
        {"epub", "application/epub+zip"},
        {"zip", "application/zip"},
        {"gz", "application/gzip"},
        {"xz", "application/x-xz"},
        {"iso", "application/x-iso9660-image"},
        {"txt", "text/plain"},
        {"html", "text/html"},
        {"jpg", "image/jpeg"},
        {"png", "image/png"},
        {"img", "application/x-raw-disk-image"},
    };
    uint32_t largest = 0;
    if (!metainfo || metainfo->geometry.file_count == 0)
        return "application/octet-stream";
    for (uint32_t i = 1; i < metainfo->geometry.file_count; i++)
        if (!metainfo->files[i].padding &&
            metainfo->files[i].length > metainfo->files[largest].length)
            largest = i;
    const char *dot = strrchr(metainfo->files[largest].path, '.');
    for (size_t i = 0; dot && i < sizeof TYPES / sizeof TYPES[0]; i++)
        if (strcasecmp(dot + 1, TYPES[i][0]) == 0)
            return TYPES[i][1];
    return "application/octet-stream";
}

static const char *magnet_link(const struct transmission_source *source)
{
    struct buffer link = {0};
    if (source->metainfo)
        magnet_format_metainfo(source->metainfo, &link);
    else if (source->row->magnet)
        buffer_append_text(&link, source->row->magnet);
    const char *text = call_arena_url(source->arena, buffer_bytes(&link), source->shows_urls);
    buffer_deinit(&link);
    return text;
}

static const char *why(const struct transmission_source *source)
{
    char text[256] = "";
    catalog_why(source->world->catalog, source->row, text);
    return call_arena_text(source->arena, text);
}

/* Trouble, or what holds a download, which is no error to clients that look at `error`. Of what is
 * complete or as fast as its peers nothing: some clients take any text here for a warning. */
static const char *error_string(const struct transmission_source *source)
{
    char text[256];
    if (!tells_trouble(source))
        return catalog_why_held(source->world->catalog, source->row, text)
                   ? call_arena_text(source->arena, text)
                   : NULL;
    return source->row->trouble_text ? call_arena_text(source->arena, source->row->trouble_text)
                                     : why(source);
}

/* Ten thousand torrents lie in few folders: a text that the row before has too is not copied. */
static const char *shared_text(const struct transmission_source *source, const char *text,
                               const union transmission_value *before)
{
    if (before && before->text && text && strcmp(before->text, text) == 0)
        return before->text;
    return call_arena_text(source->arena, text);
}

static const char *text_of(const struct transmission_source *source, enum transmission_field field,
                           const union transmission_value *before)
{
    const struct catalog_torrent *row = source->row;
    const struct metainfo *metainfo = source->metainfo;
    switch (field) {
    case FIELD_ANNOUNCE_URL:
        return source->part && source->part->tracker_count ? source->part->trackers[0].url : NULL;
    case FIELD_COMMENT: return metainfo ? call_arena_bytes(source->arena, metainfo->comment) : NULL;
    case FIELD_CREATOR:
        return metainfo ? call_arena_bytes(source->arena, metainfo->created_by) : NULL;
    case FIELD_GROUP: return call_arena_text(source->arena, row->bandwidth_group);
    case FIELD_DOWNLOAD_DIR:
        return shared_text(source, row->folder_done ? row->folder_done : row->folder, before);
    case FIELD_ERROR_STRING: return error_string(source);
    case FIELD_HASH_STRING: return call_arena_text(source->arena, row->hash);
    case FIELD_MAGNET_LINK: return magnet_link(source);
    case FIELD_NAME: return call_arena_text(source->arena, row->name);
    case FIELD_PRIMARY_MIME_TYPE: return mime_type(metainfo);
    case FIELD_WHY: return why(source);
    default: return NULL; /* group: there are none; torrentFile: it is in the state, no file */
    }
}

void transmission_values_copy(const struct transmission_source *source,
                              enum transmission_field field, const union transmission_value *before,
                              union transmission_value *ret_value)
{
    switch (transmission_fields_info(field)->kind) {
    case KIND_INTEGER: ret_value->integer = integer_of(source, field); break;
    case KIND_BOOL: ret_value->integer = bool_of(source, field); break;
    case KIND_REAL: ret_value->real = real_of(source->row, field); break;
    case KIND_TEXT: ret_value->text = text_of(source, field, before); break;
    case KIND_PART: ret_value->part = source->part; break;
    }
}
