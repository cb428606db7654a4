/* SPDX-License-Identifier: MIT */
#include "services/intake/intake_rule.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/base/url.h"
#include "core/base/utf8.h"
#include "services/intake/feed_filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX   32u
#define LABEL_LENGTH 128u

static const char *const after_names[] = {
    [INTAKE_KEEP] = "keep", [INTAKE_RENAME] = "rename", [INTAKE_DELETE] = "delete"};

/* What is being read; the first thing that is wrong stays. */
struct reading {
    const json_t *json;
    char *reason;
    bool failed;
    bool is_kept; /* its filters were judged when it was made */
};

__attribute__((format(printf, 2, 3))) static void fail(struct reading *reading, const char *format,
                                                       ...)
{
    va_list arguments;

    if (reading->failed)
        return;
    reading->failed = true;
    va_start(arguments, format);
    vsnprintf(reading->reason, INTAKE_REASON_SIZE, format, arguments);
    va_end(arguments);
}

/* A line: what is shown, stored and logged holds no control characters. */
static bool is_line(const char *text)
{
    for (const char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            return false;
    return utf8_is_valid((struct bytes){(const uint8_t *)text, strlen(text)});
}

static char *read_text(struct reading *reading, const char *name, size_t length_max)
{
    const json_t *value = json_object_get(reading->json, name);

    if (!value || json_is_null(value))
        return NULL;
    if (!json_is_string(value) || json_string_length(value) > length_max ||
        json_string_length(value) == 0 || !is_line(json_string_value(value))) {
        fail(reading, "%s: a text of 1 to %zu bytes without control characters", name, length_max);
        return NULL;
    }
    return memory_copy(json_string_value(value), json_string_length(value) + 1);
}

static bool read_bool(struct reading *reading, const char *name)
{
    const json_t *value = json_object_get(reading->json, name);

    if (value && !json_is_null(value) && !json_is_boolean(value))
        fail(reading, "%s: true or false", name);
    return json_is_true(value);
}

static uint32_t read_number(struct reading *reading, const char *name, uint32_t otherwise,
                            uint32_t least, uint32_t most)
{
    const json_t *value = json_object_get(reading->json, name);
    json_int_t number = json_integer_value(value);

    if (!value || json_is_null(value))
        return otherwise;
    if (!json_is_integer(value) || number < least || number > most) {
        fail(reading, "%s: a whole number from %u to %u", name, least, most);
        return otherwise;
    }
    return (uint32_t)number;
}

static char **read_texts(struct reading *reading, const char *name, size_t count_max,
                         size_t length_max, uint32_t *ret_count)
{
    const json_t *list = json_object_get(reading->json, name);
    size_t count = json_array_size(list);

    *ret_count = 0;
    if (!list || json_is_null(list))
        return NULL;
    if (!json_is_array(list) || count > count_max) {
        fail(reading, "%s: a list of at most %zu", name, count_max);
        return NULL;
    }
    char **texts = memory_new_array(count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const json_t *text = json_array_get(list, i);
        if (!json_is_string(text) || json_string_length(text) == 0 ||
            json_string_length(text) > length_max || !is_line(json_string_value(text))) {
            fail(reading, "%s: texts of 1 to %zu bytes", name, length_max);
            break;
        }
        texts[(*ret_count)++] = memory_copy(json_string_value(text), json_string_length(text) + 1);
    }
    return texts;
}

static void check_names(struct reading *reading, const char *const *names)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)reading->json, name, value)
    {
        size_t i = 0;
        while (names[i] && strcmp(names[i], name) != 0)
            i++;
        if (!names[i])
            fail(reading, "%.60s: is not known here", name);
    }
}

static void read_watch(struct reading *reading, struct intake_rule *rule)
{
    static const char *const names[] = {"id", "folder", "stopped", "labels", "path", "after", NULL};
    const json_t *after = json_object_get(reading->json, "after");
    const char *word = json_string_value(after);

    check_names(reading, names);
    rule->path = read_text(reading, "path", LIMIT_PATH_LENGTH);
    if (!rule->path || rule->path[0] != '/')
        fail(reading, "path: the absolute path of a folder");
    for (int i = INTAKE_KEEP; i <= INTAKE_DELETE && word; i++)
        if (strcmp(after_names[i], word) == 0) {
            rule->after = (enum intake_after)i;
            return;
        }
    if (after && !json_is_null(after))
        fail(reading, "after: keep, rename or delete");
}

static void check_filters(struct reading *reading, const char *name, char *const *filters,
                          uint32_t count)
{
    char reason[FEED_FILTER_REASON_SIZE];

    for (uint32_t i = 0; i < count && !reading->failed && !reading->is_kept; i++)
        if (feed_filter_judge(filters[i], reason))
            fail(reading, "%s: %.60s: %s", name, filters[i], reason);
}

static void read_feed(struct reading *reading, struct intake_rule *rule)
{
    static const char *const names[] = {"id",       "folder",  "stopped", "labels", "url",
                                        "interval", "include", "exclude", "once",   NULL};

    check_names(reading, names);
    rule->url = read_text(reading, "url", LIMIT_URL_LENGTH);
    if (!rule->url || !url_is_http(rule->url))
        fail(reading, "url: an http or https URL");
    rule->interval_s = read_number(reading, "interval", LIMIT_FEED_INTERVAL_S,
                                   LIMIT_FEED_INTERVAL_MIN_S, LIMIT_FEED_INTERVAL_MAX_S);
    rule->includes = read_texts(reading, "include", LIMIT_FEED_FILTERS, LIMIT_FEED_FILTER_LENGTH,
                                &rule->include_count);
    rule->excludes = read_texts(reading, "exclude", LIMIT_FEED_FILTERS, LIMIT_FEED_FILTER_LENGTH,
                                &rule->exclude_count);
    check_filters(reading, "include", rule->includes, rule->include_count);
    check_filters(reading, "exclude", rule->excludes, rule->exclude_count);
    rule->once = read_bool(reading, "once");
}

static enum freshet_error read_rule(enum intake_kind kind, const json_t *json, bool is_kept,
                                    char ret_reason[INTAKE_REASON_SIZE],
                                    struct intake_rule *ret_rule)
{
    struct reading reading = {.json = json, .reason = ret_reason, .is_kept = is_kept};
    struct intake_rule rule = {0};

    ret_reason[0] = '\0';
    if (!json_is_object(json)) {
        fail(&reading, "no object");
        return FRESHET_ERROR_SYNTAX;
    }
    rule.id = read_number(&reading, "id", 0, 1, UINT32_MAX);
    rule.folder = read_text(&reading, "folder", LIMIT_PATH_LENGTH);
    if (rule.folder && rule.folder[0] != '/')
        fail(&reading, "folder: an absolute path");
    rule.stopped = read_bool(&reading, "stopped");
    rule.labels = read_texts(&reading, "labels", LABELS_MAX, LABEL_LENGTH, &rule.label_count);
    if (kind == INTAKE_WATCH)
        read_watch(&reading, &rule);
    else
        read_feed(&reading, &rule);
    if (reading.failed) {
        intake_rule_deinit(&rule);
        return FRESHET_ERROR_SYNTAX;
    }
    *ret_rule = rule;
    return FRESHET_OK;
}

enum freshet_error intake_rule_read(enum intake_kind kind, const json_t *json,
                                    char ret_reason[INTAKE_REASON_SIZE],
                                    struct intake_rule *ret_rule)
{
    return read_rule(kind, json, false, ret_reason, ret_rule);
}

enum freshet_error intake_rule_parse(enum intake_kind kind, const char *text,
                                     char ret_reason[INTAKE_REASON_SIZE],
                                     struct intake_rule *ret_rule)
{
    json_error_t where;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    enum freshet_error error = FRESHET_ERROR_SYNTAX;

    snprintf(ret_reason, INTAKE_REASON_SIZE, "no JSON: %.100s", json ? "" : where.text);
    if (json)
        error = read_rule(kind, json, true, ret_reason, ret_rule);
    json_decref(json);
    return error;
}

static void put_texts(json_t *json, const char *name, char *const *texts, uint32_t count)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    json_object_set_new(json, name, list);
}

json_t *intake_rule_json(const struct intake_rule *rule)
{
    json_t *json = json_object();

    json_object_set_new(json, "id", json_integer(rule->id));
    if (rule->path) {
        json_object_set_new(json, "path", json_string(rule->path));
        json_object_set_new(json, "after", json_string(after_names[rule->after]));
    } else {
        json_object_set_new(json, "url", json_string(rule->url));
        json_object_set_new(json, "interval", json_integer(rule->interval_s));
        put_texts(json, "include", rule->includes, rule->include_count);
        put_texts(json, "exclude", rule->excludes, rule->exclude_count);
        json_object_set_new(json, "once", json_boolean(rule->once));
    }
    json_object_set_new(json, "folder", rule->folder ? json_string(rule->folder) : json_null());
    json_object_set_new(json, "stopped", json_boolean(rule->stopped));
    put_texts(json, "labels", rule->labels, rule->label_count);
    return json;
}

char *intake_rule_text(const struct intake_rule *rule)
{
    json_t *json = intake_rule_json(rule);
    char *dumped = json_dumps(json, JSON_COMPACT), *text;

    CHECK(dumped != NULL); /* all texts are UTF-8: read_text saw to that */
    text = memory_copy(dumped, strlen(dumped) + 1);
    free(dumped);
    json_decref(json);
    return text;
}

static void free_texts(char **texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        memory_free(texts[i]);
    memory_free(texts);
}

void intake_rule_deinit(struct intake_rule *rule)
{
    memory_free(rule->folder);
    memory_free(rule->path);
    memory_free(rule->url);
    free_texts(rule->labels, rule->label_count);
    free_texts(rule->includes, rule->include_count);
    free_texts(rule->excludes, rule->exclude_count);
    memset(rule, 0, sizeof *rule);
}
