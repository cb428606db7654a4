/* SPDX-License-Identifier: MIT */
#include "core/metainfo/magnet.h"

#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/metainfo_arena.h"
#include "core/metainfo/path_name.h"

#include <string.h>

static uint8_t ascii_lower(uint8_t character)
{
    return character >= 'A' && character <= 'Z' ? (uint8_t)(character + 32) : character;
}

/* Takes a prefix off, whatever its case (`prefix` is lower case). */
static bool take_prefix(struct bytes *text, const char *prefix)
{
    size_t length = strlen(prefix);
    if (text->length < length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (ascii_lower(text->data[i]) != (uint8_t)prefix[i])
            return false;
    text->data += length;
    text->length -= length;
    return true;
}

/* Takes all up to the separator (or the end) off the front, the separator too. */
static struct bytes take_until(struct bytes *text, uint8_t separator)
{
    struct bytes taken = {text->data, 0};
    while (taken.length < text->length && text->data[taken.length] != separator)
        taken.length++;
    size_t used = taken.length + (taken.length < text->length);
    text->data += used;
    text->length -= used;
    return taken;
}

/* Percent escapes undone; what is no escape stays as it is. */
static struct bytes decode_percent(struct metainfo_arena *arena, struct bytes text)
{
    uint8_t *decoded = metainfo_arena_array(arena, text.length + 1, 1);
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
#ifdef FRESHET_PLANTED_BUG
        if (byte == '%' && bytes_from_hex((struct bytes){text.data + i + 1, 2}, &byte, 1))
#else
        if (byte == '%' && text.length - i > 2 &&
            bytes_from_hex((struct bytes){text.data + i + 1, 2}, &byte, 1))
#endif
            i += 2;
        decoded[length++] = byte;
    }
    return (struct bytes){decoded, length};
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    return true;
}

static bool decode_base32(struct bytes text, uint8_t ret_hash[SHA1_SIZE])
{
    uint8_t hash[SHA1_SIZE];
    if (text.length != 32)
        return false;
    uint64_t bits = 0;
    for (size_t i = 0; i < 32; i++) {
        uint8_t character = ascii_lower(text.data[i]);
        unsigned digit;
        if (character >= 'a' && character <= 'z')
            digit = character - (unsigned)'a';
        else if (character >= '2' && character <= '7')
            digit = character - (unsigned)'2' + 26;
        else
            return false;
        bits = bits << 5 | digit;
        if (i % 8 == 7) /* 8 digits are 5 bytes */
            for (size_t j = 0; j < 5; j++)
                hash[i / 8 * 5 + j] = (uint8_t)(bits >> (32 - 8 * j));
    }
    memcpy(ret_hash, hash, sizeof hash);
    return true;
}

static bool decode_v1(struct bytes text, uint8_t ret_hash[SHA1_SIZE])
{
    return bytes_from_hex(text, ret_hash, SHA1_SIZE) || decode_base32(text, ret_hash);
}

static enum freshet_error fail(char *reason, enum freshet_error error, const char *text)
{
    size_t length = strlen(text);
    memcpy(reason, text, length + 1);
    return error;
}

static enum freshet_error take_hash(bool *has, uint8_t *hash, const uint8_t *found, size_t size,
                                    char *reason)
{
    if (*has && memcmp(hash, found, size) != 0)
        return fail(reason, FRESHET_ERROR_CONFLICT, "magnet: names two different torrents");
    memcpy(hash, found, size);
    *has = true;
    return FRESHET_OK;
}

/* xt=urn:btih:... and urn:btmh:...; other name spaces are none of ours. */
static enum freshet_error read_topic(struct magnet *magnet, struct bytes value, char *reason)
{
    uint8_t hash[SHA256_SIZE];
    if (take_prefix(&value, "urn:btih:")) {
        if (!decode_v1(value, hash))
            return fail(reason, FRESHET_ERROR_SYNTAX,
                        "magnet: btih must be 40 hex or 32 base32 digits");
        return take_hash(&magnet->has_v1, magnet->info_hash_v1, hash, SHA1_SIZE, reason);
    }
    if (take_prefix(&value, "urn:btmh:")) {
        if (!take_prefix(&value, "1220"))
            return fail(reason, FRESHET_ERROR_UNSUPPORTED,
                        "magnet: btmh must be a SHA-256 multihash (1220...)");
        if (!bytes_from_hex(value, hash, SHA256_SIZE))
            return fail(reason, FRESHET_ERROR_SYNTAX,
                        "magnet: btmh must be 1220 and 64 hex digits");
        return take_hash(&magnet->has_v2, magnet->info_hash_v2, hash, SHA256_SIZE, reason);
    }
    return FRESHET_OK;
}

static void read_name(struct magnet *magnet, struct bytes value)
{
    uint8_t *plain = metainfo_arena_array(magnet->arena, value.length + 1, 1);
    for (size_t i = 0; i < value.length; i++)
        plain[i] = value.data[i] == '+' ? ' ' : value.data[i];
    struct bytes decoded = decode_percent(magnet->arena, (struct bytes){plain, value.length});
    struct buffer safe = {0};
    path_name_clean(decoded, &safe);
    magnet->name = metainfo_arena_text(magnet->arena, buffer_bytes(&safe));
    buffer_deinit(&safe);
}

static void read_url(struct magnet *magnet, struct bytes value, const char **urls,
                     uint32_t urls_max, uint32_t *url_count)
{
    struct bytes url = decode_percent(magnet->arena, value);
    if (*url_count == urls_max || url.length == 0 || url.length > LIMIT_URL_LENGTH ||
        !is_printable(url))
        return;
    urls[(*url_count)++] = metainfo_arena_text(magnet->arena, url);
}

static bool take_number(struct bytes *text, uint64_t most, uint32_t *ret_number)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < text->length && text->data[digits] >= '0' && text->data[digits] <= '9';
         digits++) {
        number = number * 10 + (text->data[digits] - (unsigned)'0');
        if (number > most)
            return false;
    }
    text->data += digits;
    text->length -= digits;
    *ret_number = (uint32_t)number;
    return digits > 0;
}

/* "host:port" with a port of at least 1; IPv6 in brackets. */
static bool is_peer(struct bytes peer)
{
    size_t colon = peer.length;
    while (colon > 0 && peer.data[colon - 1] != ':')
        colon--;
    if (colon < 2 || colon - 1 > LIMIT_HOST_LENGTH || !is_printable(peer))
        return false;
    struct bytes host = {peer.data, colon - 1};
    struct bytes port = {peer.data + colon, peer.length - colon};
    uint32_t number;
    if (!take_number(&port, UINT16_MAX, &number) || number == 0 || port.length != 0)
        return false;
    bool bracketed = host.data[0] == '[' && host.data[host.length - 1] == ']';
    return bracketed || memchr(host.data, ':', host.length) == NULL;
}

static void read_peer(struct magnet *magnet, struct bytes value)
{
    struct bytes peer = decode_percent(magnet->arena, value);
    if (magnet->peer_count < LIMIT_MAGNET_PEERS && is_peer(peer))
        magnet->peers[magnet->peer_count++] = metainfo_arena_text(magnet->arena, peer);
}

/* BEP 53: "0,2,4-7". */
static enum freshet_error read_ranges(struct magnet *magnet, struct bytes value, char *reason)
{
    struct bytes rest = decode_percent(magnet->arena, value);
    while (rest.length) {
        struct bytes item = take_until(&rest, ',');
        struct magnet_range range;
        if (!take_number(&item, UINT32_MAX - 1, &range.first))
            return fail(reason, FRESHET_ERROR_SYNTAX, "magnet: so must be like 0,2,4-7");
        range.last = range.first;
        if (item.length && take_prefix(&item, "-") &&
            !take_number(&item, UINT32_MAX - 1, &range.last))
            return fail(reason, FRESHET_ERROR_SYNTAX, "magnet: so must be like 0,2,4-7");
        if (item.length || range.last < range.first)
            return fail(reason, FRESHET_ERROR_SYNTAX, "magnet: so must be like 0,2,4-7");
        if (magnet->range_count == LIMIT_MAGNET_RANGES)
            return fail(reason, FRESHET_ERROR_LIMIT, "magnet: so has too many ranges");
        magnet->ranges[magnet->range_count++] = range;
    }
    return FRESHET_OK;
}

/* A key may carry a number ("tr.1"). */
static bool is_key(struct bytes key, const char *name)
{
    return take_prefix(&key, name) && (key.length == 0 || key.data[0] == '.');
}

static enum freshet_error read_parameter(struct magnet *magnet, struct bytes parameter,
                                         char *reason)
{
    struct bytes key = take_until(&parameter, '=');
    if (is_key(key, "xt"))
        return read_topic(magnet, decode_percent(magnet->arena, parameter), reason);
    if (is_key(key, "so"))
        return read_ranges(magnet, parameter, reason);
    if (is_key(key, "dn"))
        read_name(magnet, parameter);
    else if (is_key(key, "tr"))
        read_url(magnet, parameter, magnet->trackers, LIMIT_TRACKERS_MAX, &magnet->tracker_count);
    else if (is_key(key, "ws"))
        read_url(magnet, parameter, magnet->web_seeds, LIMIT_WEB_SEEDS_MAX,
                 &magnet->web_seed_count);
    else if (is_key(key, "x.pe"))
        read_peer(magnet, parameter);
    return FRESHET_OK;
}

static enum freshet_error read_link(struct magnet *magnet, struct bytes text, char *reason)
{
    while (text.length) {
        enum freshet_error error = read_parameter(magnet, take_until(&text, '&'), reason);
        if (error != FRESHET_OK)
            return error;
    }
    if (!magnet->has_v1 && !magnet->has_v2)
        return fail(reason, FRESHET_ERROR_MISSING, "magnet: has no BitTorrent hash (xt=urn:btih:)");
    return FRESHET_OK;
}

static enum freshet_error read_bare_hash(struct magnet *magnet, struct bytes text, char *reason)
{
    magnet->has_v1 = decode_v1(text, magnet->info_hash_v1);
    magnet->has_v2 = bytes_from_hex(text, magnet->info_hash_v2, SHA256_SIZE);
    if (magnet->has_v1 || magnet->has_v2)
        return FRESHET_OK;
    return fail(reason, FRESHET_ERROR_SYNTAX, "neither a magnet link nor an info-hash");
}

bool magnet_is(struct bytes text)
{
    return take_prefix(&text, "magnet:?");
}

enum freshet_error magnet_parse(struct bytes text, struct magnet **ret_magnet,
                                char reason[METAINFO_REASON_SIZE])
{
    reason[0] = '\0';
    if (text.length > LIMIT_MAGNET_LENGTH)
        return fail(reason, FRESHET_ERROR_LIMIT, "magnet: longer than 64 KiB");
    struct metainfo_arena *arena = metainfo_arena_new();
    struct magnet *magnet = memory_new(sizeof *magnet);
    magnet->arena = arena;
    magnet->trackers = metainfo_arena_array(arena, LIMIT_TRACKERS_MAX, sizeof(char *));
    magnet->web_seeds = metainfo_arena_array(arena, LIMIT_WEB_SEEDS_MAX, sizeof(char *));
    magnet->peers = metainfo_arena_array(arena, LIMIT_MAGNET_PEERS, sizeof(char *));
    magnet->ranges = metainfo_arena_array(arena, LIMIT_MAGNET_RANGES, sizeof(struct magnet_range));
    enum freshet_error error = take_prefix(&text, "magnet:?")
                                   ? read_link(magnet, text, reason)
                                   : read_bare_hash(magnet, text, reason);
    if (error != FRESHET_OK)
        magnet_free(magnet);
    else
        *ret_magnet = magnet;
    return error;
}

void magnet_free(struct magnet *magnet)
{
    if (magnet == NULL)
        return;
    metainfo_arena_free(magnet->arena);
    memory_free(magnet);
}

bool magnet_selects(const struct magnet *magnet, file_index file)
{
    for (uint32_t i = 0; i < magnet->range_count; i++)
        if (file >= magnet->ranges[i].first && file <= magnet->ranges[i].last)
            return true;
    return magnet->range_count == 0;
}

static void append_escaped(struct buffer *out, struct bytes text)
{
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = text.data[i];
        uint8_t lower = ascii_lower(byte);
        bool plain = (lower >= 'a' && lower <= 'z') || (byte >= '0' && byte <= '9') ||
                     byte == '-' || byte == '.' || byte == '_' || byte == '~';
        char hex[3];
        bytes_to_hex(&byte, 1, hex);
        if (plain)
            buffer_append_u8(out, byte);
        else
            buffer_append_u8(out, '%');
        if (!plain)
            buffer_append(out, hex, 2);
    }
}

static void append_parameter(struct buffer *out, const char *key, struct bytes value)
{
    buffer_append_u8(out, '&');
    buffer_append_text(out, key);
    buffer_append_u8(out, '=');
    append_escaped(out, value);
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* v1 or v2 may be NULL. */
static void append_topics(struct buffer *out, const uint8_t *v1, const uint8_t *v2)
{
    char hex[2 * SHA256_SIZE + 1];
    buffer_append_text(out, "magnet:?");
    if (v1) {
        bytes_to_hex(v1, SHA1_SIZE, hex);
        buffer_append_text(out, "xt=urn:btih:");
        buffer_append_text(out, hex);
    }
    if (v2) {
        bytes_to_hex(v2, SHA256_SIZE, hex);
        buffer_append_text(out, v1 ? "&xt=urn:btmh:1220" : "xt=urn:btmh:1220");
        buffer_append_text(out, hex);
    }
}

static void append_ranges(struct buffer *out, const struct magnet *magnet)
{
    for (uint32_t i = 0; i < magnet->range_count; i++) {
        const struct magnet_range *range = &magnet->ranges[i];
        buffer_append_text(out, i ? "," : "&so=");
        buffer_append_i64(out, range->first);
        if (range->last == range->first)
            continue;
        buffer_append_u8(out, '-');
        buffer_append_i64(out, range->last);
    }
}

void magnet_format(const struct magnet *magnet, struct buffer *out)
{
    append_topics(out, magnet->has_v1 ? magnet->info_hash_v1 : NULL,
                  magnet->has_v2 ? magnet->info_hash_v2 : NULL);
    if (magnet->name)
        append_parameter(out, "dn", bytes_of(magnet->name));
    for (uint32_t i = 0; i < magnet->tracker_count; i++)
        append_parameter(out, "tr", bytes_of(magnet->trackers[i]));
    for (uint32_t i = 0; i < magnet->web_seed_count; i++)
        append_parameter(out, "ws", bytes_of(magnet->web_seeds[i]));
    for (uint32_t i = 0; i < magnet->peer_count; i++)
        append_parameter(out, "x.pe", bytes_of(magnet->peers[i]));
    append_ranges(out, magnet);
}

void magnet_format_metainfo(const struct metainfo *metainfo, struct buffer *out)
{
    append_topics(out, metainfo->has_v1 ? metainfo->info_hash_v1 : NULL,
                  metainfo->has_v2 ? metainfo->info_hash_v2 : NULL);
    append_parameter(out, "dn", bytes_of(metainfo->name));
    for (uint32_t i = 0; i < metainfo->tracker_count; i++)
        append_parameter(out, "tr", metainfo->trackers[i]);
    for (uint32_t i = 0; i < metainfo->web_seed_count; i++)
        append_parameter(out, "ws", metainfo->web_seeds[i]);
}

bool magnet_matches(const struct magnet *magnet, const struct metainfo *metainfo)
{
    if (magnet->has_v1 &&
        !(metainfo->has_v1 && memcmp(magnet->info_hash_v1, metainfo->info_hash_v1, SHA1_SIZE) == 0))
        return false;
    return !magnet->has_v2 ||
           (metainfo->has_v2 &&
            memcmp(magnet->info_hash_v2, metainfo->info_hash_v2, SHA256_SIZE) == 0);
}
