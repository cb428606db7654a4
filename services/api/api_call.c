/* SPDX-License-Identifier: MIT */
#include "services/api/api_call.h"

#include "services/rpc/service_folder.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void api_fail(struct api_call *call, unsigned status, const char *format, ...)
{
    if (api_failed(call))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->error, sizeof call->error, format, arguments);
    va_end(arguments);
    call->status = status;
}

bool api_failed(const struct api_call *call)
{
    return call->status >= 400;
}

bool api_late(const struct api_turn *turn)
{
    return turn->clock() >= turn->until_ns;
}

/* A part of a query as forms write it: '+' is a blank. A NUL ends it. */
static const char *decode(struct call_arena *arena, const uint8_t *text, size_t length)
{
    char *decoded = call_arena_take(arena, length + 1);
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        int high = -1, low = -1;
        if (text[i] == '%' && i + 2 < length) {
            high = bytes_hex_digit(text[i + 1]);
            low = bytes_hex_digit(text[i + 2]);
        }
        if (high >= 0 && low >= 0) {
            decoded[at++] = (char)(high * 16 + low);
            i += 2;
        } else {
            decoded[at++] = (char)(text[i] == '+' ? ' ' : text[i]);
        }
    }
    decoded[at] = '\0';
    return decoded;
}

const char *api_parameter(struct api_call *call, const char *name)
{
    size_t name_length = strlen(name);
    const uint8_t *at = call->query.data, *end = at + call->query.length;
    while (at < end) {
        const uint8_t *next = memchr(at, '&', (size_t)(end - at));
        if (!next)
            next = end;
        size_t length = (size_t)(next - at);
        if (length > name_length && at[name_length] == '=' && memcmp(at, name, name_length) == 0)
            return decode(&call->arena, at + name_length + 1, length - name_length - 1);
        at = next == end ? end : next + 1;
    }
    return NULL;
}

uint64_t api_parameter_number(struct api_call *call, const char *name, uint64_t otherwise,
                              uint64_t max)
{
    const char *text = api_parameter(call, name);
    if (!text)
        return otherwise;
    uint64_t value = 0;
    for (const char *at = text; *at || at == text; at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (digit > 9 || value > (max - digit) / 10) {
            api_fail(call, 400, "%s: a whole number of at most %" PRIu64, name, max);
            return otherwise;
        }
        value = value * 10 + digit;
    }
    return value;
}

static json_t *member(struct api_call *call, const char *name)
{
    json_t *value = json_object_get(call->body, name);
    return json_is_null(value) ? NULL : value;
}

const char *api_body_text(struct api_call *call, const char *name, size_t length_max)
{
    json_t *value = member(call, name);
    if (!value)
        return NULL;
    /* jansson refuses a NUL inside a text. */
    if (!json_is_string(value) || json_string_length(value) > length_max) {
        api_fail(call, 400, "%s: a text of at most %zu bytes", name, length_max);
        return NULL;
    }
    return json_string_value(value);
}

bool api_body_bool(struct api_call *call, const char *name, bool otherwise)
{
    json_t *value = member(call, name);
    if (value && !json_is_boolean(value))
        api_fail(call, 400, "%s: true or false", name);
    return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

const json_t *api_body_array(struct api_call *call, const char *name, size_t count_max)
{
    json_t *value = member(call, name);
    if (!value)
        return NULL;
    if (!json_is_array(value) || json_array_size(value) > count_max) {
        api_fail(call, 400, "%s: a list of at most %zu", name, count_max);
        return NULL;
    }
    return value;
}

const char *const *api_body_texts(struct api_call *call, const char *name, size_t count_max,
                                  size_t length_max, uint32_t *ret_count)
{
    const json_t *list = api_body_array(call, name, count_max);
    if (!list)
        return NULL;
    size_t count = json_array_size(list);
    const char **texts = call_arena_take(&call->arena, (count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_string(value) || json_string_length(value) > length_max) {
            api_fail(call, 400, "%s: texts of at most %zu bytes", name, length_max);
            return NULL;
        }
        texts[i] = json_string_value(value);
    }
    *ret_count = (uint32_t)count;
    return texts;
}

const struct catalog_torrent *api_row_of_path(struct api_call *call, struct api_turn *turn)
{
    const struct catalog_torrent *torrent = catalog_find(turn->world->catalog, call->id);
    if (!torrent)
        api_fail(call, 404, "there is no torrent %" PRIu32, call->id);
    return torrent;
}

bool api_folder_allowed(struct api_call *call, const struct catalog *catalog, const char *name,
                        const char *folder)
{
    struct service_folder_question question = {.settings = catalog_settings(catalog),
                                               .folder = folder,
                                               .is_local = call->is_local,
                                               .is_control = call->is_control};
    char why[SERVICE_FOLDER_TEXT];

    if (service_folder_allowed(&question, why))
        return true;
    api_fail(call, 403, "%s: %s", name, why);
    return false;
}

enum service_step api_saved(struct api_call *call, struct api_turn *turn)
{
    if (call->waiting) {
        call->waiting = false;
        if (turn->job->error)
            api_fail(call, 500, "done, but could not be saved: %s", turn->job->error_text);
        return SERVICE_DONE;
    }
    call->waiting = true;
    *turn->job = (struct service_job){
        .type = JOB_SAVED,
        .change = catalog_change(turn->world->catalog),
    };
    return SERVICE_JOB;
}
