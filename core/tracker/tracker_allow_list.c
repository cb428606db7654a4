/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_allow_list.h"

#include "core/base/limits.h"

#include <string.h>

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

static enum freshet_error add(struct tracker_allow_list *list, struct bytes line)
{
    uint8_t hash[TRACKER_HASH_SIZE];
    if (line.length == 0 || line.data[0] == '#')
        return FRESHET_OK;
    if (!to_hash(line, hash))
        return FRESHET_ERROR_SYNTAX;
    if (list->hashes.length == LIMIT_TRACKER_ALLOWED)
        return FRESHET_ERROR_LIMIT;
    map_put(&list->hashes, hash, list);
    return FRESHET_OK;
}

enum freshet_error tracker_allow_list_parse(struct bytes text, struct tracker_allow_list *ret_list,
                                            size_t *ret_line)
{
    size_t line = 0;
    /* The list is an administrator's: nobody chooses its hashes to collide. */
    map_init(&ret_list->hashes, TRACKER_HASH_SIZE, 0);
    for (size_t at = 0; at < text.length;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.length - at);
        size_t length = end ? (size_t)(end - text.data) - at : text.length - at;
        line++;
        enum freshet_error error = add(ret_list, trim((struct bytes){text.data + at, length}));
        if (error != FRESHET_OK) {
            tracker_allow_list_deinit(ret_list);
            *ret_line = line;
            return error;
        }
        at += length + 1;
    }
    return FRESHET_OK;
}

void tracker_allow_list_deinit(struct tracker_allow_list *list)
{
    map_deinit(&list->hashes);
}

bool tracker_allow_list_has(const struct tracker_allow_list *list,
                            const uint8_t info_hash[TRACKER_HASH_SIZE])
{
    return map_get(&list->hashes, info_hash) != NULL;
}
