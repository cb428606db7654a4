/* SPDX-License-Identifier: MIT */
#include "core/base/memory.h"
#include "core/metainfo/magnet.h"
#include "services/takeover/takeover.h"

#include <stdio.h>
#include <string.h>

#define PEERS_DEFAULT 50 /* what each torrent has that nobody changed */
#define BLOCK         16384u

/* Version 4 writes '_' where version 3 writes '-'. */
static const struct bencode_value *find(const struct bencode_value *dict, const char *key)
{
    const struct bencode_value *value = bencode_find(dict, key);
    char other[32];

    if (value)
        return value;
    size_t length = strlen(key);
    if (length >= sizeof other)
        return NULL;
    for (size_t i = 0; i <= length; i++)
        other[i] = key[i] == '-' ? '_' : key[i];
    return bencode_find(dict, other);
}

static int64_t integer(const struct bencode_value *dict, const char *key)
{
    int64_t number = 0;

    bencode_integer(find(dict, key), &number);
    return number;
}

static uint64_t number(const struct bencode_value *dict, const char *key)
{
    int64_t value = integer(dict, key);

    return value > 0 ? (uint64_t)value : 0;
}

/* ---- where ---- */

static char *folder(const struct bencode_value *root, const char *key)
{
    struct bytes text;

    return bencode_string(find(root, key), &text) ? takeover_folder(text) : NULL;
}

static void read_folders(struct takeover *takeover, const struct bencode_value *root)
{
    char *destination = folder(root, "destination"), *incomplete = folder(root, "incomplete-dir");

    if (!destination)
        takeover_refuse(takeover, "its folder is not told, or no folder of this machine");
    takeover->folder = incomplete ? incomplete : destination;
    takeover->folder_done = incomplete ? destination : NULL;
}

/* Up to version 2.x only the top name is told. */
static void read_names(struct takeover *takeover, const struct bencode_value *root,
                       struct metainfo *metainfo)
{
    const struct bencode_value *files = find(root, "files");
    struct bytes name;

    if (bencode_is(files, BENCODE_LIST) && files->count) {
        takeover_paths(takeover, metainfo, files);
        return;
    }
    if (!bencode_string(find(root, "name"), &name) || bytes_equal(name, metainfo->raw_name) ||
        bytes_is(name, metainfo->name))
        return;
    takeover_note(takeover, "the name that it was given");
}

/* ---- wishes ---- */

static uint8_t rank_priority(int64_t value)
{
    return value < 0   ? CATALOG_PRIORITY_LOW
           : value > 0 ? CATALOG_PRIORITY_HIGH
                       : CATALOG_PRIORITY_NORMAL;
}

static uint8_t rank_unwanted(int64_t value)
{
    return value ? CATALOG_PRIORITY_UNWANTED : CATALOG_PRIORITY_NORMAL;
}

static void read_rate(const struct bencode_value *root, const char *key, uint64_t *ret_limit,
                      bool *ret_limited, bool *honors)
{
    const struct bencode_value *limit = find(root, key);

    if (!bencode_is(limit, BENCODE_DICT))
        return;
    *ret_limit = number(limit, "speed-Bps");
    *ret_limited = integer(limit, "use-speed-limit") != 0;
    if (find(limit, "use-global-speed-limit"))
        *honors = integer(limit, "use-global-speed-limit") != 0;
}

/* "2.500000", in thousandths; what is no such number is 0. */
static double read_ratio(const struct bencode_value *dict)
{
    struct bytes text;
    int64_t whole;
    double value = 0, unit = 1;
    bool fraction = false;

    if (bencode_integer(find(dict, "ratio-limit"), &whole))
        return whole > 0 ? (double)whole : 0;
    if (!bencode_string(find(dict, "ratio-limit"), &text) || text.length > 24)
        return 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '.' && !fraction) {
            fraction = true;
        } else if (text.data[i] >= '0' && text.data[i] <= '9') {
            unit = fraction ? unit / 10 : 1;
            value =
                fraction ? value + unit * (text.data[i] - '0') : 10 * value + (text.data[i] - '0');
        } else {
            return 0;
        }
    }
    return value < 1e9 ? value : 1e9;
}

static enum catalog_goal_mode goal_mode(int64_t mode)
{
    return mode == 1 ? GOAL_OWN : mode == 2 ? GOAL_UNLIMITED : GOAL_GLOBAL;
}

static void read_goals(struct catalog_wishes *wishes, const struct bencode_value *root)
{
    const struct bencode_value *ratio = find(root, "ratio-limit"), *idle = find(root, "idle-limit");
    uint64_t minutes = number(idle, "idle-limit");

    wishes->ratio_mode = goal_mode(integer(ratio, "ratio-mode"));
    wishes->ratio = read_ratio(ratio);
    wishes->idle_mode = goal_mode(integer(idle, "idle-mode"));
    wishes->idle_minutes = minutes < 65535 ? (uint32_t)minutes : 65535;
}

static void read_wishes(struct takeover *takeover, const struct bencode_value *root)
{
    struct catalog_wishes *wishes = &takeover->wishes;
    uint64_t peers = number(root, "max-peers");
    int64_t priority = integer(root, "bandwidth-priority");
    struct bytes group;

    read_rate(root, "speed-limit-up", &wishes->upload_limit, &wishes->upload_limited,
              &wishes->honors_session_limits);
    read_rate(root, "speed-limit-down", &wishes->download_limit, &wishes->download_limited,
              &wishes->honors_session_limits);
    read_goals(wishes, root);
    wishes->bandwidth_priority = (int8_t)(priority < 0 ? -1 : priority > 0);
    if (peers != PEERS_DEFAULT && peers < 65535)
        wishes->peers_max = (uint32_t)peers;
    wishes->sequential =
        integer(root, "sequentialDownload") != 0 || integer(root, "sequential-download") != 0;
    if (bencode_string(find(root, "group"), &group) && group.length)
        takeover_note(takeover, "its group of bandwidth limits");
}

/* ---- history ---- */

static uint64_t count_bits(struct bytes bits)
{
    uint64_t count = 0;

    for (size_t i = 0; i < bits.length; i++)
        count += (uint64_t)__builtin_popcount(bits.data[i]);
    return count;
}

/* A bit for each 16 KiB, or a word. */
static double read_done(const struct bencode_value *root, const struct metainfo *metainfo)
{
    const struct bencode_value *progress = find(root, "progress");
    uint64_t blocks = (metainfo->geometry.total_length + BLOCK - 1) / BLOCK;
    struct bytes have;

    if (!bencode_string(find(progress, "blocks"), &have))
        return -1;
    if (bytes_is(have, "all") || blocks == 0)
        return 1;
    if (bytes_is(have, "none"))
        return 0;
    uint64_t count = count_bits(have);
    return count >= blocks ? 1 : (double)count / (double)blocks;
}

static void read_past(struct catalog_past *past, const struct bencode_value *root)
{
    past->added_s = (int64_t)number(root, "added-date");
    past->done_s = (int64_t)number(root, "done-date");
    past->active_s = (int64_t)number(root, "activity-date");
    past->uploaded = number(root, "uploaded");
    past->downloaded = number(root, "downloaded");
    past->corrupt = number(root, "corrupt");
    past->seconds_downloading = number(root, "downloading-time-seconds");
    past->seconds_seeding = number(root, "seeding-time-seconds");
}

enum freshet_error takeover_transmission_read(struct takeover *takeover, struct bytes resume,
                                              struct metainfo *metainfo,
                                              char reason[METAINFO_REASON_SIZE])
{
    struct bencode document = {0};
    struct bytes label;
    enum freshet_error error = bencode_parse(&document, resume, BENCODE_ANY_ORDER);
    const struct bencode_value *root = bencode_root(&document);

    if (!error && !bencode_is(root, BENCODE_DICT))
        error = FRESHET_ERROR_SYNTAX;
    if (error) {
        snprintf(reason, METAINFO_REASON_SIZE, "is no resume file: %s",
                 document.problem ? document.problem : error_text(error));
        bencode_deinit(&document);
        return error;
    }
    read_folders(takeover, root);
    takeover->stopped = integer(root, "paused") != 0;
    struct bencode_iterator each = bencode_iterate(find(root, "labels"));
    while (bencode_iterate_next(&each))
        if (bencode_string(each.value, &label))
            takeover_label(takeover, label);
    read_wishes(takeover, root);
    read_past(&takeover->past, root);
    if (metainfo) {
        takeover_priorities(takeover, metainfo, find(root, "dnd"), rank_unwanted);
        takeover_priorities(takeover, metainfo, find(root, "priority"), rank_priority);
        takeover->done = read_done(root, metainfo);
        read_names(takeover, root, metainfo);
    }
    bencode_deinit(&document);
    return FRESHET_OK;
}

/* ---- links ---- */

static void put_trackers(const struct bencode_value *root, const char **urls, uint32_t *count)
{
    struct bencode_iterator tiers = bencode_iterate(bencode_find(root, "announce-list"));
    struct bytes url;

    while (bencode_iterate_next(&tiers)) {
        struct bencode_iterator each = bencode_iterate(tiers.value);
        while (*count < LIMIT_TRACKERS_MAX && bencode_iterate_next(&each))
            if (bencode_string(each.value, &url) && (urls[*count] = takeover_text(url, 4096)))
                ++*count;
    }
    if (*count == 0 && bencode_find_string(root, "announce", &url) &&
        (urls[*count] = takeover_text(url, LIMIT_URL_LENGTH)))
        ++*count;
}

bool takeover_transmission_magnet(struct bytes torrent, struct buffer *ret_link)
{
    struct bencode document = {0};
    const char *urls[LIMIT_TRACKERS_MAX];
    struct magnet magnet = {.trackers = urls};
    struct bytes hash, name;
    bool is_magnet = false;

    if (bencode_parse(&document, torrent, BENCODE_ANY_ORDER) == FRESHET_OK) {
        const struct bencode_value *root = bencode_root(&document);
        const struct bencode_value *info = bencode_find_dict(root, "magnet-info");
        is_magnet = bencode_find_string(info, "info_hash", &hash) && hash.length == 20;
        if (is_magnet) {
            char *text = bencode_find_string(info, "display-name", &name)
                             ? takeover_text(name, LIMIT_PATH_ELEMENT)
                             : NULL;
            magnet.has_v1 = true;
            memcpy(magnet.info_hash_v1, hash.data, 20);
            magnet.name = text;
            put_trackers(root, urls, &magnet.tracker_count);
            magnet_format(&magnet, ret_link);
            memory_free(text);
        }
    }
    for (uint32_t i = 0; i < magnet.tracker_count; i++)
        memory_free((void *)(uintptr_t)urls[i]);
    bencode_deinit(&document);
    return is_magnet;
}
