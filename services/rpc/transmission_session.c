/* SPDX-License-Identifier: MIT */
/* session-get and session-set: one table of the settings, two names a key. Keys that nobody knows
 * are passed over, as every client expects. */
#include "core/base/memory.h"
#include "core/base/url.h"
#include "services/rpc/transmission_rpc.h"
#include "services/rpc/transmission_trackers.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What Transmission's clients ask for by number: begin with a version that all of them take (Sonarr
 * wants 2.40 at least), then our own. */
#define VERSION_SPOKEN "4.0.0"

enum { STAGE_NEW, STAGE_MEASURED };

enum session_kind {
    SESSION_BOOL,
    SESSION_U32,
    SESSION_U16,
    SESSION_U8,
    SESSION_RATE, /* bytes a second here, kB/s there */
    SESSION_REAL,
    SESSION_TEXT,
    SESSION_OTHER, /* see write_other and set_others */
    SESSION_NO,    /* a feature that we have not: false */
    SESSION_EMPTY, /* the same: "" */
};

struct session_key {
    const char *old_name, *new_name;
    enum session_kind kind;
    size_t offset;
    uint32_t most; /* of numbers */
};

#define SETTING(field)     offsetof(struct catalog_settings, field)
#define MINUTES_OF_DAY_MAX 1439u

static const struct session_key KEYS[] = {
    {"alt-speed-down", "alt_speed_down", SESSION_RATE, SETTING(alt_download_limit), 0},
    {"alt-speed-enabled", "alt_speed_enabled", SESSION_BOOL, SETTING(alt_enabled), 0},
    {"alt-speed-time-begin", "alt_speed_time_begin", SESSION_U32, SETTING(schedule.begin_minute),
     MINUTES_OF_DAY_MAX},
    {"alt-speed-time-day", "alt_speed_time_day", SESSION_U8, SETTING(schedule.days), 127},
    {"alt-speed-time-enabled", "alt_speed_time_enabled", SESSION_BOOL, SETTING(schedule.enabled),
     0},
    {"alt-speed-time-end", "alt_speed_time_end", SESSION_U32, SETTING(schedule.end_minute),
     MINUTES_OF_DAY_MAX},
    {"alt-speed-up", "alt_speed_up", SESSION_RATE, SETTING(alt_upload_limit), 0},
    {"blocklist-enabled", "blocklist_enabled", SESSION_BOOL, SETTING(blocklist_enabled), 0},
    {"blocklist-size", "blocklist_size", SESSION_OTHER, 0, 0},
    {"blocklist-url", "blocklist_url", SESSION_TEXT, SETTING(blocklist_url), 0},
    {"cache-size-mb", "cache_size_mib", SESSION_OTHER, 0, 0},
    {"config-dir", "config_dir", SESSION_EMPTY, 0, 0},
    {"default-trackers", "default_trackers", SESSION_OTHER, 0, 0},
    {"dht-enabled", "dht_enabled", SESSION_BOOL, SETTING(dht), 0},
    {"download-dir", "download_dir", SESSION_TEXT, SETTING(download_folder), 0},
    {"download-dir-free-space", "download_dir_free_space", SESSION_OTHER, 0, 0},
    {"download-queue-enabled", "download_queue_enabled", SESSION_BOOL,
     SETTING(download_queue_enabled), 0},
    {"download-queue-size", "download_queue_size", SESSION_U32, SETTING(download_queue), 100000},
    {"encryption", "encryption", SESSION_OTHER, 0, 0},
    {"idle-seeding-limit", "idle_seeding_limit", SESSION_U32, SETTING(idle_minutes), 65535},
    {"idle-seeding-limit-enabled", "idle_seeding_limit_enabled", SESSION_BOOL,
     SETTING(idle_limited), 0},
    {"incomplete-dir", "incomplete_dir", SESSION_TEXT, SETTING(incomplete_folder), 0},
    {"incomplete-dir-enabled", "incomplete_dir_enabled", SESSION_BOOL, SETTING(incomplete_enabled),
     0},
    {"lpd-enabled", "lpd_enabled", SESSION_BOOL, SETTING(lsd), 0},
    {"peer-limit-global", "peer_limit_global", SESSION_U32, SETTING(peers_max), 65535},
    {"peer-limit-per-torrent", "peer_limit_per_torrent", SESSION_U32, SETTING(peers_per_torrent),
     65535},
    {"peer-port", "peer_port", SESSION_U16, SETTING(peer_port), 65535},
    {"peer-port-random-on-start", "peer_port_random_on_start", SESSION_NO, 0, 0},
    {"pex-enabled", "pex_enabled", SESSION_BOOL, SETTING(pex), 0},
    {"port-forwarding-enabled", "port_forwarding_enabled", SESSION_BOOL, SETTING(port_mapping), 0},
    {"preferredTransports", "preferred_transports", SESSION_OTHER, 0, 0},
    {"queue-stalled-enabled", "queue_stalled_enabled", SESSION_BOOL, SETTING(queue_stalled_enabled),
     0},
    {"queue-stalled-minutes", "queue_stalled_minutes", SESSION_U32, SETTING(queue_stalled_minutes),
     1000000},
    {"rename-partial-files", "rename_partial_files", SESSION_BOOL, SETTING(part_suffix), 0},
    {"reqq", "reqq", SESSION_OTHER, 0, 0},
    {"rpc-version", "rpc_version", SESSION_OTHER, 0, 0},
    {"rpc-version-minimum", "rpc_version_minimum", SESSION_OTHER, 0, 0},
    {"rpc-version-semver", "rpc_version_semver", SESSION_OTHER, 0, 0},
    {"script-torrent-added-enabled", "script_torrent_added_enabled", SESSION_NO, 0, 0},
    {"script-torrent-added-filename", "script_torrent_added_filename", SESSION_EMPTY, 0, 0},
    {"script-torrent-done-enabled", "script_torrent_done_enabled", SESSION_NO, 0, 0},
    {"script-torrent-done-filename", "script_torrent_done_filename", SESSION_EMPTY, 0, 0},
    {"script-torrent-done-seeding-enabled", "script_torrent_done_seeding_enabled", SESSION_NO, 0,
     0},
    {"script-torrent-done-seeding-filename", "script_torrent_done_seeding_filename", SESSION_EMPTY,
     0, 0},
    {"seed-queue-enabled", "seed_queue_enabled", SESSION_BOOL, SETTING(seed_queue_enabled), 0},
    {"seed-queue-size", "seed_queue_size", SESSION_U32, SETTING(seed_queue), 100000},
    {"seedRatioLimit", "seed_ratio_limit", SESSION_REAL, SETTING(ratio), 0},
    {"seedRatioLimited", "seed_ratio_limited", SESSION_BOOL, SETTING(ratio_limited), 0},
    {"session-id", "session_id", SESSION_OTHER, 0, 0},
    {"speed-limit-down", "speed_limit_down", SESSION_RATE, SETTING(download_limit), 0},
    {"speed-limit-down-enabled", "speed_limit_down_enabled", SESSION_BOOL,
     SETTING(download_limited), 0},
    {"speed-limit-up", "speed_limit_up", SESSION_RATE, SETTING(upload_limit), 0},
    {"speed-limit-up-enabled", "speed_limit_up_enabled", SESSION_BOOL, SETTING(upload_limited), 0},
    {"start-added-torrents", "start_added_torrents", SESSION_BOOL, SETTING(start_added), 0},
    {"tcp-enabled", "tcp_enabled", SESSION_OTHER, 0, 0},
    {"trash-original-torrent-files", "trash_original_torrent_files", SESSION_BOOL,
     SETTING(trash_original), 0},
    {"units", "units", SESSION_OTHER, 0, 0},
    {"utp-enabled", "utp_enabled", SESSION_BOOL, SETTING(utp), 0},
    {"version", "version", SESSION_OTHER, 0, 0},
};
#define KEY_COUNT (sizeof KEYS / sizeof KEYS[0])

/* ---- session-get ---- */

struct session_answer {
    const struct transmission_request *request;
    const struct service_world *world;
    const struct catalog_settings *settings;
    int64_t free_space; /* -1: not known */
};

static void write_units(struct json_writer *writer, bool is_rpc2)
{
    static const char *const names[3][2] = {{"speed-units", "speed_units"},
                                            {"size-units", "size_units"},
                                            {"memory-units", "memory_units"}};
    static const char *const bytes[3][2] = {{"speed-bytes", "speed_bytes"},
                                            {"size-bytes", "size_bytes"},
                                            {"memory-bytes", "memory_bytes"}};
    static const char *const units[3][5] = {{"B/s", "kB/s", "MB/s", "GB/s", "TB/s"},
                                            {"B", "kB", "MB", "GB", "TB"},
                                            {"B", "KiB", "MiB", "GiB", "TiB"}};
    json_writer_open(writer, '{');
    for (int i = 0; i < 3; i++) {
        json_writer_key(writer, names[i][is_rpc2]);
        json_writer_open(writer, '[');
        for (int j = 0; j < 5; j++)
            json_writer_text(writer, units[i][j]);
        json_writer_close(writer, ']');
        json_writer_put_i64(writer, bytes[i][is_rpc2], i == 2 ? 1024 : 1000);
    }
    json_writer_close(writer, '}');
}

static void write_default_trackers(struct json_writer *writer,
                                   const struct catalog_settings *settings)
{
    struct buffer text = {0};
    for (uint32_t i = 0; i < settings->default_tracker_count; i++) {
        buffer_append_text(&text, i ? "\n\n" : "");
        buffer_append_text(&text, settings->default_trackers[i]);
    }
    json_writer_bytes(writer, buffer_bytes(&text));
    buffer_deinit(&text);
}

static void write_transports(struct json_writer *writer, const struct catalog_settings *settings)
{
    json_writer_open(writer, '[');
    if (settings->utp)
        json_writer_text(writer, "utp");
    json_writer_text(writer, "tcp");
    json_writer_close(writer, ']');
}

/* Without encryption at all there is no word in these dialects. */
static const char *encryption_word(const struct catalog_settings *settings, bool is_rpc2)
{
    if (settings->encryption == ENCRYPTION_REQUIRE)
        return "required";
    if (settings->encryption == ENCRYPTION_PREFER)
        return "preferred";
    return is_rpc2 ? "allowed" : "tolerated";
}

/* Each dialect is told the version of the specification that it stands in. */
static void write_other(struct json_writer *writer, const struct session_answer *answer,
                        const char *key)
{
    bool is_rpc2 = answer->request->is_rpc2;
    char text[96];
    if (strcmp(key, "blocklist_size") == 0) {
        json_writer_u64(writer, answer->world->blocklist_rules);
    } else if (strcmp(key, "cache_size_mib") == 0) {
        json_writer_u64(writer, (uint64_t)LIMIT_POOL_BLOCKS * LIMIT_BLOCK_SIZE / MIB);
    } else if (strcmp(key, "default_trackers") == 0) {
        write_default_trackers(writer, answer->settings);
    } else if (strcmp(key, "download_dir_free_space") == 0) {
        json_writer_i64(writer, answer->free_space);
    } else if (strcmp(key, "encryption") == 0) {
        json_writer_text(writer, encryption_word(answer->settings, is_rpc2));
    } else if (strcmp(key, "preferred_transports") == 0) {
        write_transports(writer, answer->settings);
    } else if (strcmp(key, "reqq") == 0) {
        json_writer_u64(writer, LIMIT_REQUESTS_IN);
    } else if (strcmp(key, "rpc_version") == 0) {
        json_writer_u64(writer, is_rpc2 ? 18 : 17);
    } else if (strcmp(key, "rpc_version_minimum") == 0) {
        json_writer_u64(writer, 14);
    } else if (strcmp(key, "rpc_version_semver") == 0) {
        json_writer_text(writer, is_rpc2 ? TRANSMISSION_RPC_SEMVER : "5.3.0");
    } else if (strcmp(key, "session_id") == 0) {
        snprintf(text, sizeof text, "%016llx",
                 (unsigned long long)answer->world->session_id_number);
        json_writer_text(writer, text);
    } else if (strcmp(key, "tcp_enabled") == 0) {
        json_writer_bool(writer, true);
    } else if (strcmp(key, "units") == 0) {
        write_units(writer, is_rpc2);
    } else {
        snprintf(text, sizeof text, VERSION_SPOKEN " (freshet %s)", answer->world->version);
        json_writer_text(writer, text);
    }
}

static void write_key(struct json_writer *writer, const struct session_answer *answer,
                      const struct session_key *key)
{
    const char *at = (const char *)answer->settings + key->offset;
    switch (key->kind) {
    case SESSION_BOOL: json_writer_bool(writer, *(const bool *)at); break;
    case SESSION_U32: json_writer_u64(writer, *(const uint32_t *)at); break;
    case SESSION_U16: json_writer_u64(writer, *(const uint16_t *)at); break;
    case SESSION_U8: json_writer_u64(writer, *(const uint8_t *)at); break;
    case SESSION_RATE: json_writer_u64(writer, *(const uint64_t *)at / 1000); break;
    case SESSION_REAL: json_writer_real(writer, *(const double *)at); break;
    case SESSION_TEXT: json_writer_text(writer, *(char *const *)at); break;
    case SESSION_OTHER: write_other(writer, answer, key->new_name); break;
    case SESSION_NO: json_writer_bool(writer, false); break;
    case SESSION_EMPTY: json_writer_text(writer, ""); break;
    }
}

/* The name by which the key is asked for; NULL: it is not. */
static const char *asked_name(const struct transmission_request *request,
                              const struct session_key *key)
{
    json_t *fields = transmission_arguments_find(request, "fields");
    if (!json_is_array(fields))
        return request->is_rpc2 ? key->new_name : key->old_name;
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const char *name = json_string_value(json_array_get(fields, i));
        if (name && strcmp(name, key->old_name) == 0)
            return key->old_name;
        if (name && strcmp(name, key->new_name) == 0)
            return key->new_name;
    }
    return NULL;
}

static bool asks_for_space(const struct transmission_request *request)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(KEYS[i].new_name, "download_dir_free_space") == 0)
            return asked_name(request, &KEYS[i]) != NULL;
    return false;
}

enum service_step transmission_session_get(struct transmission_request *request,
                                           struct service_world *world,
                                           struct transmission_slice *slice,
                                           struct service_job *job)
{
    struct catalog_settings settings = service_settings(world), hidden = {0};
    struct session_answer answer = {request, world, &settings, -1};
    struct json_writer writer;
    (void)slice;
    if (json_array_size(transmission_arguments_find(request, "fields")) > TRANSMISSION_FIELDS_MAX) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "more than %u fields",
                              TRANSMISSION_FIELDS_MAX);
        return SERVICE_DONE;
    }
    if (request->stage == STAGE_NEW && asks_for_space(request) &&
        answer.settings->download_folder) {
        request->stage = STAGE_MEASURED;
        return transmission_rpc_job(
            job, JOB_FREE_SPACE, 0,
            call_arena_text(&request->arena, answer.settings->download_folder));
    }
    if (request->stage == STAGE_MEASURED && job->error == FRESHET_OK)
        answer.free_space = (int64_t)job->ret_free;
    if (!request->is_control) {
        catalog_settings_copy(&settings, &hidden);
        catalog_settings_hide_urls(&hidden);
        answer.settings = &hidden;
    }
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *name = asked_name(request, &KEYS[i]);
        if (!name)
            continue;
        json_writer_key(&writer, name);
        write_key(&writer, &answer, &KEYS[i]);
    }
    json_writer_close(&writer, '}');
    catalog_settings_deinit(&hidden);
    return SERVICE_DONE;
}

/* ---- session-set ---- */

static void set_text(char **at, const char *text)
{
    memory_free(*at);
    *at = memory_copy(text, strlen(text) + 1);
}

static void set_key(const struct transmission_request *request, struct catalog_settings *settings,
                    const struct session_key *key)
{
    char *at = (char *)settings + key->offset;
    const char *name = key->new_name;
    uint32_t number;
    double real;
    if (key->kind == SESSION_BOOL) {
        transmission_arguments_bool(request, name, (bool *)at);
    } else if (key->kind == SESSION_RATE) {
        transmission_arguments_rate(request, name, (uint64_t *)at);
    } else if (key->kind == SESSION_REAL) {
        if (transmission_arguments_real(request, name, &real))
            *(double *)at = real < 0 ? 0 : real > 1e9 ? 1e9 : real;
    } else if (key->kind == SESSION_TEXT) {
        const char *text = transmission_arguments_text(request, name);
        if (text)
            set_text((char **)at, text);
    } else if (key->most && transmission_arguments_u32(request, name, key->most, &number)) {
        if (key->kind == SESSION_U32)
            *(uint32_t *)at = number;
        else if (key->kind == SESSION_U16)
            *(uint16_t *)at = (uint16_t)number;
        else
            *(uint8_t *)at = (uint8_t)number;
    }
}

/* Folders that are given are looked at before anything changes. */
static void check_folders(struct transmission_request *request,
                          const struct catalog_settings *settings)
{
    const char *download = transmission_arguments_text(request, "download_dir");
    const char *incomplete = transmission_arguments_text(request, "incomplete_dir");
    /* Clients send all settings back when one has changed: what stays as it is needs no leave. */
    bool same =
        download && settings->download_folder && strcmp(download, settings->download_folder) == 0;
    if (download && !same)
        transmission_folder_allowed(request, settings, download);
    same = incomplete && settings->incomplete_folder &&
           strcmp(incomplete, settings->incomplete_folder) == 0;
    if (incomplete && incomplete[0] && !same)
        transmission_folder_allowed(request, settings, incomplete);
}

static bool is_tolerance(const char *word)
{
    return strcmp(word, "tolerated") == 0 || strcmp(word, "allowed") == 0;
}

static bool is_encryption_word(const char *word)
{
    return is_tolerance(word) || strcmp(word, "required") == 0 || strcmp(word, "preferred") == 0;
}

/* Who reads "tolerated" where encryption is off, and sends it back, has not asked for it. */
static void set_encryption(const struct transmission_request *request,
                           struct catalog_settings *settings)
{
    const char *word = transmission_arguments_text(request, "encryption");
    if (!word || (is_tolerance(word) && settings->encryption == ENCRYPTION_OFF))
        return;
    settings->encryption = is_tolerance(word)               ? ENCRYPTION_ALLOW
                           : strcmp(word, "preferred") == 0 ? ENCRYPTION_PREFER
                                                            : ENCRYPTION_REQUIRE;
}

static void check_values(struct transmission_request *request)
{
    const char *encryption = transmission_arguments_text(request, "encryption");
    const char *url = transmission_arguments_text(request, "blocklist_url");
    int64_t port;
    if (encryption && !is_encryption_word(encryption))
        transmission_rpc_fail(request, FAULT_ARGUMENTS,
                              "encryption is required, preferred or tolerated");
    if (url && url[0] && !url_is_http(url))
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "blocklist-url is no http or https URL");
    if (transmission_arguments_integer(request, "peer_port", INT64_MIN, INT64_MAX, &port) &&
        (port < 1 || port > 65535))
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "peer-port is a number from 1 to 65535");
}

static void set_default_trackers(struct transmission_request *request,
                                 struct catalog_settings *settings)
{
    const char *text = transmission_arguments_text(request, "default_trackers");
    if (!text)
        return;
    struct transmission_trackers *trackers = memory_new(sizeof *trackers);
    transmission_trackers_parse(request, text, trackers);
    for (uint32_t i = 0; i < settings->default_tracker_count; i++)
        memory_free(settings->default_trackers[i]);
    memory_free(settings->default_trackers);
    settings->default_trackers = memory_new_array(trackers->count, sizeof(char *));
    settings->default_tracker_count = trackers->count;
    for (uint32_t i = 0; i < trackers->count; i++)
        settings->default_trackers[i] =
            memory_copy(trackers->urls[i], strlen(trackers->urls[i]) + 1);
    memory_free(trackers);
}

enum service_step transmission_session_set(struct transmission_request *request,
                                           struct service_world *world,
                                           struct transmission_slice *slice,
                                           struct service_job *job)
{
    const struct catalog_settings *settings = catalog_settings(world->catalog);
    struct catalog_settings changed;
    (void)slice;
    (void)job;
    check_folders(request, settings);
    check_values(request);
    if (request->fault)
        return SERVICE_DONE;
    catalog_settings_copy(settings, &changed);
    for (size_t i = 0; i < KEY_COUNT; i++)
        set_key(request, &changed, &KEYS[i]);
    set_encryption(request, &changed);
    set_default_trackers(request, &changed);
    if (request->fault == FAULT_NONE)
        catalog_set_settings(world->catalog, &changed, world->now);
    catalog_settings_deinit(&changed);
    return SERVICE_DONE;
}
