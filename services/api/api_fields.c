/* SPDX-License-Identifier: MIT */
#include "services/api/api_fields.h"

#include "core/base/memory.h"
#include "core/base/url.h"
#include "core/swarm/peer_mse.h"
#include "core/tracker/tracker_url.h"
#include "services/api/api_row.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define RATE_MAX    INT64_C(1000000000000) /* bytes a second */
#define RATIO_MAX   1000000
#define MINUTES_MAX 10000000
#define TEXTS_MAX   256u
#define TEXT_LENGTH 4096

#define WISH(name, type, member, min, max)                                                         \
    {                                                                                              \
        name, type, offsetof(struct catalog_wishes, member), min, max, 0                           \
    }
#define SETTING(name, type, member, min, max)                                                      \
    {                                                                                              \
        name, type, offsetof(struct catalog_settings, member), min, max, 0                         \
    }

const struct api_field api_fields_wishes[] = {
    WISH("upload_limit", API_FIELD_U64, upload_limit, 0, RATE_MAX),
    WISH("upload_limited", API_FIELD_BOOL, upload_limited, 0, 0),
    WISH("download_limit", API_FIELD_U64, download_limit, 0, RATE_MAX),
    WISH("download_limited", API_FIELD_BOOL, download_limited, 0, 0),
    WISH("honors_session_limits", API_FIELD_BOOL, honors_session_limits, 0, 0),
    WISH("sequential", API_FIELD_BOOL, sequential, 0, 0),
    WISH("super_seed", API_FIELD_BOOL, super_seed, 0, 0),
    WISH("bandwidth_priority", API_FIELD_I8, bandwidth_priority, -1, 1),
    WISH("peers_max", API_FIELD_U32, peers_max, 0, 10000),
    WISH("upload_slots", API_FIELD_U32, upload_slots, 0, 1000),
    WISH("transport", API_FIELD_TRANSPORT, transport, 0, 0),
    WISH("ratio_mode", API_FIELD_GOAL, ratio_mode, 0, 0),
    WISH("ratio_goal", API_FIELD_REAL, ratio, 0, RATIO_MAX),
    WISH("idle_mode", API_FIELD_GOAL, idle_mode, 0, 0),
    WISH("idle_minutes", API_FIELD_U32, idle_minutes, 0, MINUTES_MAX),
    WISH("seed_time", API_FIELD_SECONDS, seed_time_s, 0, INT64_C(10000000000)),
    {NULL, API_FIELD_BOOL, 0, 0, 0, 0},
};

const struct api_field api_fields_settings[] = {
    SETTING("download_folder", API_FIELD_FOLDER, download_folder, 1, TEXT_LENGTH),
    SETTING("incomplete_folder", API_FIELD_FOLDER, incomplete_folder, 0, TEXT_LENGTH),
    SETTING("incomplete_enabled", API_FIELD_BOOL, incomplete_enabled, 0, 0),
    SETTING("part_suffix", API_FIELD_BOOL, part_suffix, 0, 0),
    SETTING("start_added", API_FIELD_BOOL, start_added, 0, 0),
    SETTING("upload_limit", API_FIELD_U64, upload_limit, 0, RATE_MAX),
    SETTING("upload_limited", API_FIELD_BOOL, upload_limited, 0, 0),
    SETTING("download_limit", API_FIELD_U64, download_limit, 0, RATE_MAX),
    SETTING("download_limited", API_FIELD_BOOL, download_limited, 0, 0),
    SETTING("alt_upload_limit", API_FIELD_U64, alt_upload_limit, 0, RATE_MAX),
    SETTING("alt_download_limit", API_FIELD_U64, alt_download_limit, 0, RATE_MAX),
    SETTING("alt_enabled", API_FIELD_BOOL, alt_enabled, 0, 0),
    SETTING("schedule_enabled", API_FIELD_BOOL, schedule.enabled, 0, 0),
    SETTING("schedule_begin", API_FIELD_U32, schedule.begin_minute, 0, 1439),
    SETTING("schedule_end", API_FIELD_U32, schedule.end_minute, 0, 1439),
    SETTING("schedule_days", API_FIELD_U8, schedule.days, 0, 127),
    SETTING("ratio_limited", API_FIELD_BOOL, ratio_limited, 0, 0),
    SETTING("ratio", API_FIELD_REAL, ratio, 0, RATIO_MAX),
    SETTING("idle_limited", API_FIELD_BOOL, idle_limited, 0, 0),
    SETTING("idle_minutes", API_FIELD_U32, idle_minutes, 0, MINUTES_MAX),
    SETTING("download_queue_enabled", API_FIELD_BOOL, download_queue_enabled, 0, 0),
    SETTING("download_queue", API_FIELD_U32, download_queue, 0, 100000),
    SETTING("seed_queue_enabled", API_FIELD_BOOL, seed_queue_enabled, 0, 0),
    SETTING("seed_queue", API_FIELD_U32, seed_queue, 0, 100000),
    SETTING("queue_stalled_enabled", API_FIELD_BOOL, queue_stalled_enabled, 0, 0),
    SETTING("queue_stalled_minutes", API_FIELD_U32, queue_stalled_minutes, 0, MINUTES_MAX),
    SETTING("peers_max", API_FIELD_U32, peers_max, 1, 100000),
    SETTING("peers_per_torrent", API_FIELD_U32, peers_per_torrent, 1, 10000),
    SETTING("upload_slots", API_FIELD_U32, upload_slots, 0, 1000),
    SETTING("peer_port", API_FIELD_U16, peer_port, 1, 65535),
    SETTING("pex", API_FIELD_BOOL, pex, 0, 0),
    SETTING("dht", API_FIELD_BOOL, dht, 0, 0),
    SETTING("lsd", API_FIELD_BOOL, lsd, 0, 0),
    SETTING("utp", API_FIELD_BOOL, utp, 0, 0),
    SETTING("encryption", API_FIELD_ENCRYPTION, encryption, 0, 0),
    SETTING("port_mapping", API_FIELD_BOOL, port_mapping, 0, 0),
    SETTING("blocklist_url", API_FIELD_LINK, blocklist_url, 0, TEXT_LENGTH),
    SETTING("blocklist_enabled", API_FIELD_BOOL, blocklist_enabled, 0, 0),
    {"default_trackers", API_FIELD_TRACKERS, offsetof(struct catalog_settings, default_trackers), 0,
     TEXT_LENGTH, offsetof(struct catalog_settings, default_tracker_count)},
    {NULL, API_FIELD_BOOL, 0, 0, 0, 0},
};

static const char *const goal_names[] = {
    [GOAL_GLOBAL] = "global",
    [GOAL_OWN] = "own",
    [GOAL_UNLIMITED] = "unlimited",
};

static const char *const encryption_names[] = {
    [ENCRYPTION_ALLOW] = "allow",
    [ENCRYPTION_OFF] = "off",
    [ENCRYPTION_PREFER] = "prefer",
    [ENCRYPTION_REQUIRE] = "require",
};
#define ENCRYPTION_COUNT (sizeof encryption_names / sizeof *encryption_names)

static const char *const transport_names[] = {
    [TRANSPORT_ANY] = "any",
    [TRANSPORT_TCP] = "tcp",
    [TRANSPORT_UTP] = "utp",
};

static int64_t number_at(enum api_field_type type, const void *at)
{
    switch (type) {
    case API_FIELD_U8: return *(const uint8_t *)at;
    case API_FIELD_U16: return *(const uint16_t *)at;
    case API_FIELD_U32: return *(const uint32_t *)at;
    case API_FIELD_I8: return *(const int8_t *)at;
    case API_FIELD_SECONDS: return *(const int64_t *)at;
    default: return (int64_t) * (const uint64_t *)at;
    }
}

static void put_number(enum api_field_type type, void *at, int64_t value)
{
    switch (type) {
    case API_FIELD_U8: *(uint8_t *)at = (uint8_t)value; break;
    case API_FIELD_U16: *(uint16_t *)at = (uint16_t)value; break;
    case API_FIELD_U32: *(uint32_t *)at = (uint32_t)value; break;
    case API_FIELD_I8: *(int8_t *)at = (int8_t)value; break;
    case API_FIELD_SECONDS: *(int64_t *)at = value; break;
    default: *(uint64_t *)at = (uint64_t)value;
    }
}

static void write_texts(const struct api_field *field, const char *from, struct json_writer *json)
{
    char *const *texts = *(char *const *const *)(from + field->offset);
    uint32_t count = *(const uint32_t *)(from + field->more);
    json_writer_key(json, field->name);
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        json_writer_text(json, texts[i]);
    json_writer_close(json, ']');
}

void api_fields_write(const struct api_field *fields, const void *from, struct json_writer *json)
{
    for (const struct api_field *field = fields; field->name; field++) {
        const void *at = (const char *)from + field->offset;
        switch (field->type) {
        case API_FIELD_BOOL: json_writer_put_bool(json, field->name, *(const bool *)at); break;
        case API_FIELD_REAL: json_writer_put_real(json, field->name, *(const double *)at); break;
        case API_FIELD_TEXT:
        case API_FIELD_FOLDER:
        case API_FIELD_LINK:
            json_writer_put_text(json, field->name, *(const char *const *)at);
            break;
        case API_FIELD_TRACKERS: write_texts(field, from, json); break;
        case API_FIELD_GOAL:
            json_writer_put_text(json, field->name,
                                 goal_names[*(const enum catalog_goal_mode *)at]);
            break;
        case API_FIELD_ENCRYPTION:
            json_writer_put_text(json, field->name,
                                 encryption_names[*(const uint32_t *)at % ENCRYPTION_COUNT]);
            break;
        case API_FIELD_TRANSPORT:
            json_writer_put_text(json, field->name, transport_names[*(const enum transport *)at]);
            break;
        default:
            if (field->type == API_FIELD_SECONDS && *(const int64_t *)at < 0)
                api_write_null(json, field->name);
            else
                json_writer_put_i64(json, field->name, number_at(field->type, at));
        }
    }
}

static void read_goal(const struct api_field *field, struct api_call *call, const json_t *value,
                      enum catalog_goal_mode *to)
{
    for (unsigned i = 0; i < sizeof goal_names / sizeof *goal_names && json_is_string(value); i++)
        if (strcmp(json_string_value(value), goal_names[i]) == 0) {
            *to = (enum catalog_goal_mode)i;
            return;
        }
    api_fail(call, 400, "%s: global, own or unlimited", field->name);
}

static void read_encryption(const struct api_field *field, struct api_call *call,
                            const json_t *value, uint32_t *to)
{
    for (uint32_t i = 0; i < ENCRYPTION_COUNT && json_is_string(value); i++)
        if (strcmp(json_string_value(value), encryption_names[i]) == 0) {
            *to = i;
            return;
        }
    api_fail(call, 400, "%s: require, prefer, allow or off", field->name);
}

static void read_transport(const struct api_field *field, struct api_call *call,
                           const json_t *value, enum transport *to)
{
    for (unsigned i = 0; i <= TRANSPORT_UTP && json_is_string(value); i++)
        if (strcmp(json_string_value(value), transport_names[i]) == 0) {
            *to = (enum transport)i;
            return;
        }
    api_fail(call, 400, "%s: any, tcp or utp", field->name);
}

static char *heap_text(const json_t *value)
{
    return memory_copy(json_string_value(value), json_string_length(value) + 1);
}

static void read_text(const struct api_field *field, struct api_call *call, const json_t *value,
                      const struct catalog *catalog, char **to)
{
    if (!json_is_string(value) || json_string_length(value) > (size_t)field->max ||
        json_string_length(value) < (size_t)field->min) {
        api_fail(call, 400, "%s: a text of at most %" PRId64 " bytes", field->name, field->max);
        return;
    }
    if (field->type == API_FIELD_FOLDER && json_string_length(value) > 0 && catalog &&
        !api_folder_allowed(call, catalog, field->name, json_string_value(value)))
        return;
    bool is_same = *to && strcmp(*to, json_string_value(value)) == 0;
    if (field->type == API_FIELD_LINK && json_string_length(value) > 0 && !is_same &&
        !url_is_http(json_string_value(value))) {
        api_fail(call, 400, "%s: no http or https URL", field->name);
        return;
    }
    memory_free(*to);
    *to = heap_text(value);
}

static bool is_among(char *const *texts, uint32_t count, const char *text)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

static void read_trackers(const struct api_field *field, struct api_call *call, const json_t *value,
                          char *to)
{
    size_t count = json_array_size(value);
    bool fits = json_is_array(value) && count <= TEXTS_MAX;
    for (size_t i = 0; i < count && fits; i++) {
        const json_t *text = json_array_get(value, i);
        fits = json_is_string(text) && json_string_length(text) <= (size_t)field->max;
    }
    if (!fits) {
        api_fail(call, 400, "%s: a list of at most %u texts", field->name, TEXTS_MAX);
        return;
    }
    char ***texts = (char ***)(to + field->offset);
    uint32_t *old_count = (uint32_t *)(to + field->more);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(value, i));
        if (!tracker_url_is_good(text) && !is_among(*texts, *old_count, text)) {
            api_fail(call, 400, "%s: %.120s is no tracker", field->name, text);
            return;
        }
    }
    for (uint32_t i = 0; i < *old_count; i++)
        memory_free((*texts)[i]);
    memory_free(*texts);
    *texts = memory_new_array(count, sizeof **texts);
    for (size_t i = 0; i < count; i++)
        (*texts)[i] = heap_text(json_array_get(value, i));
    *old_count = (uint32_t)count;
}

static void read_number(const struct api_field *field, struct api_call *call, const json_t *value,
                        void *to)
{
    if (field->type == API_FIELD_SECONDS && json_is_null(value)) {
        put_number(field->type, to, -1);
        return;
    }
    json_int_t number = json_integer_value(value);
    if (json_is_integer(value) && number == number_at(field->type, to))
        return;
    if (!json_is_integer(value) || number < field->min || number > field->max) {
        api_fail(call, 400, "%s: a whole number from %" PRId64 " to %" PRId64, field->name,
                 field->min, field->max);
        return;
    }
    put_number(field->type, to, number);
}

static void read_one(const struct api_field *field, struct api_call *call, const json_t *value,
                     const struct catalog *catalog, void *to)
{
    void *at = (char *)to + field->offset;
    double real;
    switch (field->type) {
    case API_FIELD_BOOL:
        if (json_is_boolean(value))
            *(bool *)at = json_is_true(value);
        else
            api_fail(call, 400, "%s: true or false", field->name);
        break;
    case API_FIELD_REAL:
        real = json_number_value(value);
        if (json_is_number(value) && real >= (double)field->min && real <= (double)field->max)
            *(double *)at = real;
        else
            api_fail(call, 400, "%s: a number from %" PRId64 " to %" PRId64, field->name,
                     field->min, field->max);
        break;
    case API_FIELD_TEXT:
    case API_FIELD_FOLDER:
    case API_FIELD_LINK: read_text(field, call, value, catalog, at); break;
    case API_FIELD_TRACKERS: read_trackers(field, call, value, to); break;
    case API_FIELD_GOAL: read_goal(field, call, value, at); break;
    case API_FIELD_ENCRYPTION: read_encryption(field, call, value, at); break;
    case API_FIELD_TRANSPORT: read_transport(field, call, value, at); break;
    default: read_number(field, call, value, at);
    }
}

void api_fields_read(const struct api_field *fields, struct api_call *call, json_t *body,
                     const struct catalog *catalog, void *to)
{
    for (const struct api_field *field = fields; field->name && !api_failed(call); field++) {
        const json_t *value = json_object_get(body, field->name);
        if (value)
            read_one(field, call, value, catalog, to);
    }
}

bool api_fields_have(const struct api_field *fields, const char *name)
{
    for (const struct api_field *field = fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return true;
    return false;
}
