/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_query.h"

#include <string.h>

#define VALUE_MAX 256u /* decoded bytes of a value; longer ones are of no use to us */

struct value {
    uint8_t bytes[VALUE_MAX];
    size_t length;
};

static enum freshet_error refuse(struct tracker_query *query, enum freshet_error error,
                                 const char *problem)
{
    query->problem = problem;
    return error;
}

static bool decode(struct bytes text, struct value *ret_value)
{
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%') {
            if (text.length - i < 3 ||
                !bytes_from_hex((struct bytes){text.data + i + 1, 2}, &byte, 1))
                return false;
            i += 2;
        } else if (byte == '+') {
            byte = ' ';
        }
#ifndef FRESHET_PLANTED_BUG
        if (length == VALUE_MAX)
            return false;
#endif
        ret_value->bytes[length++] = byte;
    }
    ret_value->length = length;
    return true;
}

static struct bytes value_bytes(const struct value *value)
{
    return (struct bytes){value->bytes, value->length};
}

static bool to_number(const struct value *value, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (value->length == 0)
        return false;
    for (size_t i = 0; i < value->length; i++) {
        uint8_t digit = value->bytes[i];
        if (digit < '0' || digit > '9' || number > (UINT64_MAX - (digit - '0')) / 10)
            return false;
        number = 10 * number + (digit - '0');
    }
    *ret_number = number;
    return true;
}

/* Clients send hex of any length, or whatever they like: it only has to be the same each time. */
static uint32_t to_key(const struct value *value)
{
    uint32_t key = 2166136261u;
    for (size_t i = 0; i < value->length; i++)
        key = (key ^ value->bytes[i]) * 16777619u;
    return key;
}

static enum tracker_event to_event(const struct value *value)
{
    if (bytes_is(value_bytes(value), "started"))
        return TRACKER_EVENT_STARTED;
    if (bytes_is(value_bytes(value), "completed"))
        return TRACKER_EVENT_COMPLETED;
    if (bytes_is(value_bytes(value), "stopped"))
        return TRACKER_EVENT_STOPPED;
    if (bytes_is(value_bytes(value), "paused"))
        return TRACKER_EVENT_PAUSED;
    return TRACKER_EVENT_NONE;
}

static void to_address(const struct value *value, struct address *ret_address)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address address;
    if (value->length == 0 || value->length >= sizeof text)
        return;
    memcpy(text, value->bytes, value->length);
    text[value->length] = '\0';
    if (address_from_text(text, true, &address) && !address_is_unspecified(&address))
        *ret_address = address;
}

/* What has been seen of the keys that an announce must have. */
struct seen {
    bool info_hash, peer_id, port, left;
};

/* Sorted and each once, as the keys of the answer must be: each goes to its place among those that
 * came before, of which there are few. */
static enum freshet_error keep_hash(struct tracker_query *query, const uint8_t *hash)
{
    uint32_t place = query->hash_count;
    int order = 1;
    while (place > 0 && (order = memcmp(query->hashes[place - 1], hash, TRACKER_HASH_SIZE)) > 0)
        place--;
    if (order == 0)
        return FRESHET_OK;
    if (query->hash_count == LIMIT_SCRAPE_HASHES)
        return refuse(query, FRESHET_ERROR_RANGE, TRACKER_SCRAPE_TOO_MANY);
    for (uint32_t i = query->hash_count; i > place; i--)
        memcpy(query->hashes[i], query->hashes[i - 1], TRACKER_HASH_SIZE);
    memcpy(query->hashes[place], hash, TRACKER_HASH_SIZE);
    query->hash_count++;
    return FRESHET_OK;
}

static enum freshet_error take_hash(struct tracker_query *query, const struct value *value,
                                    struct seen *seen)
{
    if (value->length != TRACKER_HASH_SIZE)
        return refuse(query, FRESHET_ERROR_SYNTAX, "info_hash must be 20 bytes");
    if (!seen->info_hash)
        memcpy(query->announce.info_hash, value->bytes, TRACKER_HASH_SIZE);
    seen->info_hash = true;
    return keep_hash(query, value->bytes);
}

static enum freshet_error take_port(struct tracker_query *query, const struct value *value,
                                    struct seen *seen)
{
    uint64_t port;
    if (!to_number(value, &port) || port == 0 || port > UINT16_MAX)
        return refuse(query, FRESHET_ERROR_RANGE, "port must be 1 to 65535");
    query->announce.port = (uint16_t)port;
    seen->port = true;
    return FRESHET_OK;
}

static enum freshet_error take_pair(struct tracker_query *query, struct bytes key,
                                    const struct value *value, struct seen *seen)
{
    struct tracker_announce *announce = &query->announce;
    uint64_t number;
    if (bytes_is(key, "info_hash"))
        return take_hash(query, value, seen);
    if (query->type != TRACKER_QUERY_ANNOUNCE)
        return FRESHET_OK;
    if (bytes_is(key, "peer_id")) {
        if (value->length != TRACKER_PEER_ID_SIZE)
            return refuse(query, FRESHET_ERROR_SYNTAX, "peer_id must be 20 bytes");
        memcpy(announce->peer_id, value->bytes, TRACKER_PEER_ID_SIZE);
        seen->peer_id = true;
    } else if (bytes_is(key, "port")) {
        return take_port(query, value, seen);
    } else if (bytes_is(key, "left")) {
        /* Clients that do not know yet (magnets) say the largest number that they have. */
        announce->left = to_number(value, &number) ? number : UINT64_MAX;
        seen->left = true;
    } else if (bytes_is(key, "uploaded")) {
        announce->uploaded = to_number(value, &number) ? number : 0;
    } else if (bytes_is(key, "downloaded")) {
        announce->downloaded = to_number(value, &number) ? number : 0;
    } else if (bytes_is(key, "event")) {
        announce->event = to_event(value);
    } else if (bytes_is(key, "numwant")) {
        announce->numwant = to_number(value, &number) && number <= INT32_MAX ? (int32_t)number : -1;
    } else if (bytes_is(key, "key")) {
        announce->key = to_key(value);
    } else if (bytes_is(key, "compact")) {
        announce->is_compact = bytes_is(value_bytes(value), "1");
    } else if (bytes_is(key, "no_peer_id")) {
        announce->no_peer_id = bytes_is(value_bytes(value), "1");
    } else if (bytes_is(key, "ip")) {
        to_address(value, &announce->ip);
    }
    return FRESHET_OK;
}

static struct bytes take_until(struct cursor *cursor, uint8_t mark)
{
    size_t left = cursor_left(cursor);
    const uint8_t *found = left ? memchr(cursor->at, mark, left) : NULL;
    struct bytes part = cursor_bytes(cursor, found ? (size_t)(found - cursor->at) : left);
    if (found)
        (void)cursor_u8(cursor);
    return part;
}

static bool ends_with(struct bytes path, const char *word)
{
    size_t length = strlen(word);
    return path.length >= length && memcmp(path.data + path.length - length, word, length) == 0;
}

static enum tracker_query_type type_of(struct bytes path)
{
    if (ends_with(path, "/announce"))
        return TRACKER_QUERY_ANNOUNCE;
    if (ends_with(path, "/scrape"))
        return TRACKER_QUERY_SCRAPE;
    return TRACKER_QUERY_OTHER;
}

static enum freshet_error check_announce(struct tracker_query *query, const struct seen *seen)
{
    if (!seen->peer_id)
        return refuse(query, FRESHET_ERROR_MISSING, "peer_id is missing");
    if (!seen->port)
        return refuse(query, FRESHET_ERROR_MISSING, "port is missing");
    if (!seen->left)
        query->announce.left = UINT64_MAX;
    return FRESHET_OK;
}

enum freshet_error tracker_query_parse(struct bytes target, struct tracker_query *ret_query)
{
    struct tracker_query *query = ret_query;
    struct cursor cursor;
    struct seen seen = {0};
    memset(query, 0, sizeof *query);
    query->announce.numwant = -1;
    if (target.length > LIMIT_TRACKER_QUERY)
        return refuse(query, FRESHET_ERROR_LIMIT, "request is too long");
    cursor_init(&cursor, target);
    query->type = type_of(take_until(&cursor, '?'));
    if (query->type == TRACKER_QUERY_OTHER)
        return refuse(query, FRESHET_ERROR_UNSUPPORTED, "neither /announce nor /scrape");
    while (cursor_left(&cursor) > 0) {
        struct bytes pair = take_until(&cursor, '&');
        struct cursor parts;
        struct value value;
        cursor_init(&parts, pair);
        struct bytes key = take_until(&parts, '=');
        /* A value that is too long or badly encoded belongs to no key that we know. */
        if (!decode(cursor_bytes(&parts, cursor_left(&parts)), &value))
            value.length = 0;
        enum freshet_error error = take_pair(query, key, &value, &seen);
        if (error != FRESHET_OK)
            return error;
    }
    if (!seen.info_hash)
        return refuse(query, FRESHET_ERROR_MISSING, "info_hash is missing");
    return query->type == TRACKER_QUERY_ANNOUNCE ? check_announce(query, &seen) : FRESHET_OK;
}
