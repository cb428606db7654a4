/* SPDX-License-Identifier: MIT */
#include "core/base/memory.h"
#include "core/metainfo/magnet.h"
#include "services/takeover/takeover.h"

#include <stdio.h>
#include <string.h>

/* qBittorrent's goals: thousandths or minutes, and below 0 whose goal holds. */
#define GOAL_OF_ALL (-2)
#define GOAL_NONE   (-1)

static bool text_of(const struct bencode_value *root, const char *key, struct bytes *ret_text)
{
    return bencode_find_string(root, key, ret_text) && ret_text->length > 0;
}

static char *folder(const struct bencode_value *root, const char *key)
{
    struct bytes text;

    return text_of(root, key, &text) ? takeover_folder(text) : NULL;
}

/* save_path is where libtorrent has the data; qBt-savePath where they belong, if that is told. */
static void read_folders(struct takeover *takeover, const struct bencode_value *root)
{
    char *now = folder(root, "save_path"), *then = folder(root, "qBt-savePath");
    struct bytes text;

    takeover->folder = now ? now : then;
    if (!takeover->folder)
        takeover_refuse(takeover, "its folder is not told, or no folder of this machine");
    else if (now && then && strcmp(now, then) != 0 && text_of(root, "qBt-downloadPath", &text))
        takeover->folder_done = then;
    else if (now)
        memory_free(then);
}

/* ---- wishes ---- */

static uint8_t rank(int64_t value)
{
    if (value <= 0)
        return CATALOG_PRIORITY_UNWANTED;
    /* Its 1 is normal, 6 high and 7 highest; libtorrent's own default is 4. */
    return value >= 6 ? CATALOG_PRIORITY_HIGH : CATALOG_PRIORITY_NORMAL;
}

static void read_rate(const struct bencode_value *root, const char *key, uint64_t *ret_limit,
                      bool *ret_limited)
{
    *ret_limit = takeover_number(root, key);
    *ret_limited = *ret_limit > 0;
}

static void read_goals(struct catalog_wishes *wishes, const struct bencode_value *root)
{
    int64_t ratio = GOAL_OF_ALL * 1000, minutes = GOAL_OF_ALL, idle = GOAL_OF_ALL;

    bencode_find_integer(root, "qBt-ratioLimit", &ratio);
    bencode_find_integer(root, "qBt-seedingTimeLimit", &minutes);
    bencode_find_integer(root, "qBt-inactiveSeedingTimeLimit", &idle);
    if (ratio >= 0) {
        wishes->ratio_mode = GOAL_OWN;
        wishes->ratio = (double)ratio / 1000;
    } else if (ratio == GOAL_NONE * 1000) {
        wishes->ratio_mode = GOAL_UNLIMITED;
    }
    if (minutes >= 0)
        wishes->seed_time_s = minutes < INT32_MAX ? 60 * minutes : -1;
    if (idle >= 0) {
        wishes->idle_mode = GOAL_OWN;
        wishes->idle_minutes = idle < 65535 ? (uint32_t)idle : 65535;
    } else if (idle == GOAL_NONE) {
        wishes->idle_mode = GOAL_UNLIMITED;
    }
}

static void read_wishes(struct takeover *takeover, const struct bencode_value *root)
{
    struct catalog_wishes *wishes = &takeover->wishes;

    read_rate(root, "upload_rate_limit", &wishes->upload_limit, &wishes->upload_limited);
    read_rate(root, "download_rate_limit", &wishes->download_limit, &wishes->download_limited);
    read_goals(wishes, root);
    wishes->sequential = takeover_number(root, "sequential_download") != 0;
    wishes->super_seed = takeover_number(root, "super_seeding") != 0;
    if (takeover_number(root, "qBt-firstLastPiecePriority"))
        takeover_note(takeover, "its first and last pieces come first");
    if (takeover_number(root, "upload_mode"))
        takeover_note(takeover, "that it only sends");
    if (takeover_number(root, "share_mode"))
        takeover_note(takeover, "its share mode");
}

/* Stopped is what neither runs nor waits in a queue; who runs outside of the queues is forced. */
static void read_state(struct takeover *takeover, const struct bencode_value *root)
{
    int64_t managed = 1;
    bool paused = takeover_number(root, "paused") != 0;

    bencode_find_integer(root, "auto_managed", &managed);
    takeover->stopped = paused && !managed;
    takeover->forced = !paused && !managed;
}

static void read_labels(struct takeover *takeover, const struct bencode_value *root)
{
    struct bencode_iterator each = bencode_iterate(bencode_find_list(root, "qBt-tags"));
    struct bytes label;

    if (text_of(root, "qBt-category", &label))
        takeover_label(takeover, label);
    while (bencode_iterate_next(&each))
        if (bencode_string(each.value, &label))
            takeover_label(takeover, label);
}

/* ---- history ---- */

static void read_past(struct catalog_past *past, const struct bencode_value *root)
{
    uint64_t active = takeover_number(root, "active_time"),
             seeding = takeover_number(root, "seeding_time");
    uint64_t up = takeover_number(root, "last_upload"),
             down = takeover_number(root, "last_download");

    past->added_s = (int64_t)takeover_number(root, "added_time");
    past->done_s = (int64_t)takeover_number(root, "completed_time");
    past->active_s = (int64_t)(up > down ? up : down);
    past->uploaded = takeover_number(root, "total_uploaded");
    past->downloaded = takeover_number(root, "total_downloaded");
    past->seconds_seeding = seeding;
    past->seconds_downloading = active > seeding ? active - seeding : 0;
}

/* A byte a piece, its lowest bit says that it is there. */
static double read_done(const struct bencode_value *root, const struct metainfo *metainfo)
{
    uint32_t count = metainfo->geometry.piece_count, have = 0;
    struct bytes pieces;

    if (!bencode_find_string(root, "pieces", &pieces) || pieces.length != count)
        return -1;
    for (uint32_t i = 0; i < count; i++)
        have += pieces.data[i] & 1;
    return count ? (double)have / count : 1;
}

/* ---- links ---- */

static bool is_set(struct bytes hash)
{
    for (size_t i = 0; i < hash.length; i++)
        if (hash.data[i])
            return true;
    return false;
}

static void read_magnet(struct takeover *takeover, const struct bencode_value *root)
{
    struct magnet magnet = {.trackers = (const char **)(uintptr_t)takeover->trackers,
                            .tracker_count = takeover->tracker_count};
    struct buffer link = {0};
    struct bytes hash, name;

    if (bencode_find_string(root, "info-hash", &hash) && hash.length == 20 && is_set(hash)) {
        magnet.has_v1 = true;
        memcpy(magnet.info_hash_v1, hash.data, 20);
    }
    if (bencode_find_string(root, "info-hash2", &hash) && hash.length == 32 && is_set(hash)) {
        magnet.has_v2 = true;
        memcpy(magnet.info_hash_v2, hash.data, 32);
    }
    if (!magnet.has_v1 && !magnet.has_v2) {
        takeover_refuse(takeover, "neither its torrent nor its hash is there");
        return;
    }
    char *text = text_of(root, "qBt-name", &name) || text_of(root, "name", &name)
                     ? takeover_text(name, LIMIT_PATH_ELEMENT)
                     : NULL;
    magnet.name = text;
    magnet_format(&magnet, &link);
    buffer_append_u8(&link, 0);
    takeover->magnet = (char *)link.data;
    memory_free(text);
}

/* ---- all of it ---- */

static void note_what_is_lost(struct takeover *takeover, const struct bencode_value *root,
                              const struct metainfo *metainfo)
{
    const struct bencode_value *seeds = bencode_find_list(root, "url-list");
    struct bytes name;

    if (text_of(root, "qBt-name", &name) && !bytes_is(name, metainfo->name) &&
        !bytes_equal(name, metainfo->raw_name))
        takeover_note(takeover, "the name that it was shown by (%.*s)",
                      (int)(name.length > 80 ? 80 : name.length), (const char *)name.data);
    if (seeds && seeds->count > metainfo->web_seed_count)
        takeover_note(takeover, "web seeds that were added to it");
}

static void read_files(struct takeover *takeover, const struct bencode_value *root,
                       struct metainfo *metainfo)
{
    takeover_priorities(takeover, metainfo, bencode_find_list(root, "file_priority"), rank);
    takeover->done = read_done(root, metainfo);
    note_what_is_lost(takeover, root, metainfo);
    takeover_paths(takeover, metainfo, bencode_find_list(root, "mapped_files"));
}

enum freshet_error takeover_qbittorrent_read(struct takeover *takeover, struct bytes fastresume,
                                             struct metainfo *metainfo,
                                             char reason[METAINFO_REASON_SIZE])
{
    struct bencode document = {0};
    enum freshet_error error = bencode_parse(&document, fastresume, BENCODE_ANY_ORDER);
    const struct bencode_value *root = bencode_root(&document);

    if (!error && !bencode_is(root, BENCODE_DICT))
        error = FRESHET_ERROR_SYNTAX;
    if (error) {
        snprintf(reason, METAINFO_REASON_SIZE, "is no resume data: %s",
                 document.problem ? document.problem : error_text(error));
        bencode_deinit(&document);
        return error;
    }
    read_folders(takeover, root);
    read_state(takeover, root);
    read_labels(takeover, root);
    read_wishes(takeover, root);
    read_past(&takeover->past, root);
    takeover_trackers(takeover, bencode_find_list(root, "trackers"));
    if (metainfo)
        read_files(takeover, root, metainfo);
    else
        read_magnet(takeover, root);
    bencode_deinit(&document);
    return FRESHET_OK;
}
