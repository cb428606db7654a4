/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_allow_list.h"

#include "core/base/limits.h"
#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, TRACKER_HASH_SIZE);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static struct bytes trim(struct bytes line)
{
    while (line.length > 0 && is_space(line.data[0]))
        line = (struct bytes){line.data + 1, line.length - 1};
    while (line.length > 0 && is_space(line.data[line.length - 1]))
        line.length--;
    return line;
}

static bool to_hash(struct bytes line, uint8_t hash[TRACKER_HASH_SIZE])
{
    if (line.length < 2 * TRACKER_HASH_SIZE)
        return false;
    if (line.length > 2 * TRACKER_HASH_SIZE && !is_space(line.data[2 * TRACKER_HASH_SIZE]))
        return false;
    return bytes_from_hex((struct bytes){line.data, 2 * TRACKER_HASH_SIZE}, hash,
                          TRACKER_HASH_SIZE);
}

static enum freshet_error add(struct tracker_allow_list *list, uint32_t *capacity,
                              struct bytes line)
{
    uint8_t hash[TRACKER_HASH_SIZE];
    if (line.length == 0 || line.data[0] == '#')
        return FRESHET_OK;
    if (!to_hash(line, hash))
        return FRESHET_ERROR_SYNTAX;
    if (list->count == LIMIT_TRACKER_ALLOWED)
        return FRESHET_ERROR_LIMIT;
    if (list->count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 16;
        list->hashes = memory_resize_array(list->hashes, *capacity, TRACKER_HASH_SIZE);
    }
    memcpy(list->hashes[list->count++], hash, TRACKER_HASH_SIZE);
    return FRESHET_OK;
}

static void sort(struct tracker_allow_list *list)
{
    uint32_t kept = 0;
    if (list->count == 0)
        return;
    qsort(list->hashes, list->count, TRACKER_HASH_SIZE, compare);
    for (uint32_t i = 0; i < list->count; i++)
        if (kept == 0 || compare(list->hashes[kept - 1], list->hashes[i]) != 0)
            memmove(list->hashes[kept++], list->hashes[i], TRACKER_HASH_SIZE);
    list->count = kept;
}

enum freshet_error tracker_allow_list_parse(struct bytes text, struct tracker_allow_list *ret_list,
                                            size_t *ret_line)
{
    uint32_t capacity = 0;
    size_t line = 0;
    *ret_list = (struct tracker_allow_list){0};
    for (size_t at = 0; at < text.length;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.length - at);
        size_t length = end ? (size_t)(end - text.data) - at : text.length - at;
        line++;
        enum freshet_error error =
            add(ret_list, &capacity, trim((struct bytes){text.data + at, length}));
        if (error != FRESHET_OK) {
            tracker_allow_list_deinit(ret_list);
            *ret_line = line;
            return error;
        }
        at += length + 1;
    }
    sort(ret_list);
    return FRESHET_OK;
}

void tracker_allow_list_deinit(struct tracker_allow_list *list)
{
    memory_free(list->hashes);
    *list = (struct tracker_allow_list){0};
}

bool tracker_allow_list_has(const struct tracker_allow_list *list,
                            const uint8_t info_hash[TRACKER_HASH_SIZE])
{
    return list->count > 0 &&
           bsearch(info_hash, list->hashes, list->count, TRACKER_HASH_SIZE, compare) != NULL;
}
