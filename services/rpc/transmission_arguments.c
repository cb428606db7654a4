/* SPDX-License-Identifier: MIT */
#include "core/base/memory.h"
#include "core/base/utf8.h"
#include "services/rpc/transmission_state.h"

#include <math.h>
#include <string.h>

/* 4 TB/s: what is more is no limit that anybody meant. */
#define RATE_MAX INT64_C(4000000000)

static json_t *canonical_key(const char *key)
{
    char text[64];
    size_t length = 0;
    for (; *key && length + 2 < sizeof text; key++) {
        bool upper = *key >= 'A' && *key <= 'Z';
        if (upper && length > 0)
            text[length++] = '_';
        text[length++] = upper ? (char)(*key - 'A' + 'a') : *key == '-' ? '_' : *key;
    }
    return *key ? NULL : json_stringn(text, length);
}

json_t *transmission_arguments_canonical(json_t *object)
{
    json_t *result = json_object();
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        json_t *name = canonical_key(key); /* NULL: longer than any key of ours */
        if (name)
            json_object_set(result, json_string_value(name), value);
        json_decref(name);
    }
    return result;
}

json_t *transmission_arguments_find(const struct transmission_request *request, const char *key)
{
    json_t *value = json_object_get(request->arguments, key);
    return json_is_null(value) ? NULL : value;
}

/* Old clients send 0 and 1. */
bool transmission_arguments_bool(const struct transmission_request *request, const char *key,
                                 bool *ret_value)
{
    json_t *value = transmission_arguments_find(request, key);
    if (json_is_boolean(value))
        *ret_value = json_is_true(value);
    else if (json_is_integer(value))
        *ret_value = json_integer_value(value) != 0;
    else
        return false;
    return true;
}

bool transmission_arguments_integer(const struct transmission_request *request, const char *key,
                                    int64_t least, int64_t most, int64_t *ret_value)
{
    json_t *value = transmission_arguments_find(request, key);
    int64_t number;
    if (json_is_integer(value)) {
        number = json_integer_value(value);
    } else if (json_is_real(value)) {
        double real = json_real_value(value);
        if (!isfinite(real))
            return false;
        number = real >= (double)most ? most : real <= (double)least ? least : (int64_t)real;
    } else {
        return false;
    }
    *ret_value = number < least ? least : number > most ? most : number;
    return true;
}

bool transmission_arguments_u32(const struct transmission_request *request, const char *key,
                                uint32_t most, uint32_t *ret_value)
{
    int64_t value;
    if (!transmission_arguments_integer(request, key, 0, most, &value))
        return false;
    *ret_value = (uint32_t)value;
    return true;
}

bool transmission_arguments_rate(const struct transmission_request *request, const char *key,
                                 uint64_t *ret_value)
{
    int64_t value;
    if (!transmission_arguments_integer(request, key, 0, RATE_MAX, &value))
        return false;
    *ret_value = (uint64_t)value * 1000;
    return true;
}

bool transmission_arguments_real(const struct transmission_request *request, const char *key,
                                 double *ret_value)
{
    json_t *value = transmission_arguments_find(request, key);
    if (!json_is_number(value) || !isfinite(json_number_value(value)))
        return false;
    *ret_value = json_number_value(value);
    return true;
}

const char *transmission_arguments_text(const struct transmission_request *request, const char *key)
{
    return json_string_value(transmission_arguments_find(request, key));
}

static bool is_label(const char *label)
{
    size_t length = strlen(label);
    if (length == 0 || length >= TRANSMISSION_LABEL_SIZE)
        return false;
    for (; *label; label++)
        if ((unsigned char)*label < ' ' || *label == ',' || *label == 0x7f)
            return false;
    return true;
}

bool transmission_arguments_labels(struct transmission_request *request, const char ***ret_labels,
                                   uint32_t *ret_count)
{
    json_t *list = transmission_arguments_find(request, "labels");
    if (!json_is_array(list))
        return false;
    size_t count = json_array_size(list);
    if (count > TRANSMISSION_LABELS_MAX) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "more than %u labels",
                              TRANSMISSION_LABELS_MAX);
        return false;
    }
    const char **labels = call_arena_take(&request->arena, (count + 1) * sizeof *labels);
    uint32_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const char *label = json_string_value(json_array_get(list, i));
        if (!label || !is_label(label)) {
            transmission_rpc_fail(request, FAULT_ARGUMENTS,
                                  "a label is a text of 1 to %u bytes without commas",
                                  TRANSMISSION_LABEL_SIZE - 1);
            return false;
        }
        bool known = false;
        for (uint32_t other = 0; other < kept; other++)
            known = known || strcmp(labels[other], label) == 0;
        if (!known)
            labels[kept++] = label;
    }
    *ret_labels = labels;
    *ret_count = kept;
    return true;
}

static bool goal_mode(const struct transmission_request *request, const char *key,
                      enum catalog_goal_mode *ret_mode)
{
    int64_t mode;
    if (!transmission_arguments_integer(request, key, 0, 2, &mode))
        return false;
    *ret_mode = (enum catalog_goal_mode)mode;
    return true;
}

bool transmission_arguments_wishes(const struct transmission_request *request,
                                   struct catalog_wishes *wishes)
{
    bool any = false;
    int64_t priority;
    double ratio;
    any |= transmission_arguments_rate(request, "download_limit", &wishes->download_limit);
    any |= transmission_arguments_bool(request, "download_limited", &wishes->download_limited);
    any |= transmission_arguments_rate(request, "upload_limit", &wishes->upload_limit);
    any |= transmission_arguments_bool(request, "upload_limited", &wishes->upload_limited);
    any |= transmission_arguments_bool(request, "honors_session_limits",
                                       &wishes->honors_session_limits);
    any |= transmission_arguments_bool(request, "sequential_download", &wishes->sequential);
    any |= transmission_arguments_u32(request, "peer_limit", 65535, &wishes->peers_max);
    any |= goal_mode(request, "seed_ratio_mode", &wishes->ratio_mode);
    any |= goal_mode(request, "seed_idle_mode", &wishes->idle_mode);
    any |= transmission_arguments_u32(request, "seed_idle_limit", 65535, &wishes->idle_minutes);
    if (transmission_arguments_integer(request, "bandwidth_priority", -1, 1, &priority)) {
        wishes->bandwidth_priority = (int8_t)priority;
        any = true;
    }
    if (transmission_arguments_real(request, "seed_ratio_limit", &ratio)) {
        wishes->ratio = ratio < 0 ? 0 : ratio > 1e9 ? 1e9 : ratio;
        any = true;
    }
    return any;
}

/* One list of files; an empty one means all. */
static bool put_files(struct transmission_request *request, const char *key, uint8_t *priorities,
                      uint32_t file_count, uint8_t priority)
{
    json_t *list = transmission_arguments_find(request, key);
    if (!json_is_array(list))
        return false;
    size_t count = json_array_size(list);
    for (size_t i = 0; i < (count ? count : file_count); i++) {
        json_t *value = json_array_get(list, i);
        int64_t file = count ? json_integer_value(value) : (int64_t)i;
#ifdef FRESHET_PLANTED_BUG
        bool is_there = file >= 0 && file <= file_count;
#else
        bool is_there = file >= 0 && file < file_count;
#endif
        if ((count && !json_is_integer(value)) || !is_there) {
            transmission_rpc_fail(request, FAULT_FILE_INDEX, "file index out of range: %s", key);
            return false;
        }
        /* One number holds both wish and rank: whoever ranks a file that is not wanted does not
         * ask for it, and whoever wants one that is ranked leaves its rank. */
        bool is_wanted = priorities[file] != CATALOG_PRIORITY_UNWANTED;
        bool ranks = strncmp(key, "priority", strlen("priority")) == 0;
        bool wants = strcmp(key, "files_wanted") == 0;
        if ((ranks && is_wanted) || (wants && !is_wanted) || (!ranks && !wants))
            priorities[file] = priority;
    }
    return true;
}

bool transmission_arguments_priorities(struct transmission_request *request, uint8_t *priorities,
                                       uint32_t file_count)
{
    bool any = false;
    any |= put_files(request, "files_unwanted", priorities, file_count, CATALOG_PRIORITY_UNWANTED);
    any |= put_files(request, "files_wanted", priorities, file_count, CATALOG_PRIORITY_NORMAL);
    any |= put_files(request, "priority_low", priorities, file_count, CATALOG_PRIORITY_LOW);
    any |= put_files(request, "priority_normal", priorities, file_count, CATALOG_PRIORITY_NORMAL);
    any |= put_files(request, "priority_high", priorities, file_count, CATALOG_PRIORITY_HIGH);
    return any && request->fault == FAULT_NONE;
}
