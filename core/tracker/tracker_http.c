/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_http.h"

#include "core/base/limits.h"
#include "core/bencode/bencode.h"

#include <string.h>

static bool is_unreserved(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || (byte != 0 && strchr("-._~", byte) != NULL);
}

static void append_percent(struct buffer *out, struct bytes bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < bytes.length; i++) {
        uint8_t byte = bytes.data[i];
        if (is_unreserved(byte)) {
            buffer_append_u8(out, byte);
        } else {
            buffer_append_u8(out, '%');
            buffer_append_u8(out, (uint8_t)digits[byte >> 4]);
            buffer_append_u8(out, (uint8_t)digits[byte & 15]);
        }
    }
}

/* The URL without its fragment, which is never sent. */
static struct bytes without_fragment(struct bytes url)
{
    const uint8_t *mark = url.length ? memchr(url.data, '#', url.length) : NULL;
    if (mark)
        url.length = (size_t)(mark - url.data);
    return url;
}

/* Opens the query, or goes on with the one that the torrent's URL has. */
static void append_url(struct buffer *out, struct bytes url)
{
    buffer_append(out, url.data, url.length);
    bool has_query = url.length && memchr(url.data, '?', url.length) != NULL;
    bool is_open =
        has_query && (url.data[url.length - 1] == '?' || url.data[url.length - 1] == '&');
    if (!has_query)
        buffer_append_u8(out, '?');
    else if (!is_open)
        buffer_append_u8(out, '&');
}

static void append_number(struct buffer *out, const char *key, uint64_t value)
{
    buffer_append_text(out, key);
    buffer_append_i64(out, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static const char *event_text(enum tracker_event event)
{
    switch (event) {
    case TRACKER_EVENT_COMPLETED: return "completed";
    case TRACKER_EVENT_STARTED: return "started";
    case TRACKER_EVENT_STOPPED: return "stopped";
    case TRACKER_EVENT_PAUSED: return "paused";
    default: return NULL;
    }
}

enum freshet_error tracker_http_announce_url(struct bytes url,
                                             const struct tracker_announce *announce,
                                             struct buffer *ret_url)
{
    url = without_fragment(url);
    if (url.length > LIMIT_URL_LENGTH)
        return FRESHET_ERROR_LIMIT;
    append_url(ret_url, url);
    buffer_append_text(ret_url, "info_hash=");
    append_percent(ret_url, (struct bytes){announce->info_hash, TRACKER_HASH_SIZE});
    buffer_append_text(ret_url, "&peer_id=");
    append_percent(ret_url, (struct bytes){announce->peer_id, TRACKER_PEER_ID_SIZE});
    append_number(ret_url, "&port=", announce->port);
    append_number(ret_url, "&uploaded=", announce->uploaded);
    append_number(ret_url, "&downloaded=", announce->downloaded);
    append_number(ret_url, "&left=", announce->left);
    uint8_t key[4] = {(uint8_t)(announce->key >> 24), (uint8_t)(announce->key >> 16),
                      (uint8_t)(announce->key >> 8), (uint8_t)announce->key};
    char key_text[9];
    bytes_to_hex(key, sizeof key, key_text);
    buffer_append_text(ret_url, "&key=");
    buffer_append_text(ret_url, key_text);
    if (announce->numwant >= 0)
        append_number(ret_url, "&numwant=", (uint64_t)announce->numwant);
    buffer_append_text(ret_url, "&compact=1&no_peer_id=1");
    const char *event = event_text(announce->event);
    if (event) {
        buffer_append_text(ret_url, "&event=");
        buffer_append_text(ret_url, event);
    }
    if (announce->tracker_id.length) {
        buffer_append_text(ret_url, "&trackerid=");
        append_percent(ret_url, announce->tracker_id);
    }
    return FRESHET_OK;
}

/* Where the last path element begins, in front of any query; 0 when there is no path. */
static size_t last_element(struct bytes url)
{
    const uint8_t *query = url.length ? memchr(url.data, '?', url.length) : NULL;
    size_t end = query ? (size_t)(query - url.data) : url.length;
    for (size_t i = end; i > 0; i--)
        if (url.data[i - 1] == '/')
            return i;
    return 0;
}

enum freshet_error tracker_http_scrape_url(struct bytes url, const uint8_t *hashes,
                                           uint32_t hash_count, struct buffer *ret_url)
{
    static const size_t word = sizeof "announce" - 1;
    url = without_fragment(url);
    if (url.length > LIMIT_URL_LENGTH)
        return FRESHET_ERROR_LIMIT;
    size_t at = last_element(url);
    if (at == 0 || url.length - at < word || memcmp(url.data + at, "announce", word) != 0)
        return FRESHET_ERROR_UNSUPPORTED;
    struct buffer scrape = {0};
    buffer_append(&scrape, url.data, at);
    buffer_append_text(&scrape, "scrape");
    buffer_append(&scrape, url.data + at + word, url.length - at - word);
    append_url(ret_url, buffer_bytes(&scrape));
    buffer_deinit(&scrape);
    for (uint32_t i = 0; i < hash_count; i++) {
        buffer_append_text(ret_url, i ? "&info_hash=" : "info_hash=");
        append_percent(ret_url,
                       (struct bytes){hashes + (size_t)i * TRACKER_HASH_SIZE, TRACKER_HASH_SIZE});
    }
    return FRESHET_OK;
}

/* A count that a tracker may send as anything: out of range is as good as absent. */
static bool find_count(const struct bencode_value *dict, const char *key, uint32_t *ret_count)
{
    int64_t value;
    if (!bencode_find_integer(dict, key, &value) || value < 0 || value > UINT32_MAX)
        return false;
    *ret_count = (uint32_t)value;
    return true;
}

static int64_t find_seconds(const struct bencode_value *dict, const char *key)
{
    int64_t value;
    if (!bencode_find_integer(dict, key, &value) || value < 0 || value > INT32_MAX)
        return 0;
    return value;
}

/* BEP 31: minutes as an integer (the prose) or as a string (the examples), or "never". */
static int64_t retry_seconds(const struct bencode_value *dict)
{
    int64_t minutes = 0;
    struct bytes text;
    if (bencode_find_string(dict, "retry in", &text)) {
        if (bytes_is(text, "never"))
            return TRACKER_RETRY_NEVER;
        for (size_t i = 0; i < text.length; i++) {
            if (text.data[i] < '0' || text.data[i] > '9' || minutes > INT32_MAX)
                return 0;
            minutes = 10 * minutes + (text.data[i] - '0');
        }
    } else if (!bencode_find_integer(dict, "retry in", &minutes)) {
        return 0;
    }
    if (minutes < 0 || minutes > INT32_MAX)
        return 0;
    return minutes * 60;
}

/* `ip` may be a name, says BEP 3; only numeric ones are taken, as we resolve nothing for peers. */
static void add_dict_peer(struct tracker_reply *reply, const struct bencode_value *peer)
{
    struct bytes ip;
    int64_t port;
    char text[ADDRESS_TEXT_SIZE];
    struct address address;
    if (!bencode_find_string(peer, "ip", &ip) || !bencode_find_integer(peer, "port", &port))
        return;
    if (ip.length == 0 || ip.length >= sizeof text || port < 1 || port > UINT16_MAX)
        return;
    memcpy(text, ip.data, ip.length);
    text[ip.length] = '\0';
    if (!address_from_text(text, true, &address) || address.port != 0)
        return;
    address.port = (uint16_t)port;
    tracker_reply_add_peer(reply, &address);
}

static void read_peers(struct tracker_reply *reply, const struct bencode_value *root)
{
    struct bytes compact;
    if (bencode_find_string(root, "peers", &compact))
        (void)tracker_reply_add_compact(reply, compact, 6);
    struct bencode_iterator each = bencode_iterate(bencode_find_list(root, "peers"));
    while (bencode_iterate_next(&each))
        add_dict_peer(reply, each.value);
    if (bencode_find_string(root, "peers6", &compact))
        (void)tracker_reply_add_compact(reply, compact, 18);
}

static void read_external_ip(struct tracker_reply *reply, const struct bencode_value *root)
{
    struct bytes ip;
    if (!bencode_find_string(root, "external ip", &ip))
        return;
    if (ip.length == 4)
        reply->external_ip = address_ipv4(ip.data, 0);
#ifdef FRESHET_PLANTED_BUG
    else
#else
    else if (ip.length == 16)
#endif
        reply->external_ip = address_ipv6(ip.data, 0);
}

static enum freshet_error read_reply(struct tracker_reply *reply, const struct bencode_value *root)
{
    struct bytes text;
    if (!bencode_is(root, BENCODE_DICT))
        return FRESHET_ERROR_SYNTAX;
    reply->retry_s = retry_seconds(root);
    read_external_ip(reply, root);
    reply->interval_s = find_seconds(root, "interval");
    reply->interval_min_s = find_seconds(root, "min interval");
    if (bencode_find_string(root, "failure reason", &text)) {
        reply->failed = true;
        tracker_reply_set_text(reply, text);
        return FRESHET_OK;
    }
    if (bencode_find_string(root, "warning message", &text))
        tracker_reply_set_text(reply, text);
    if (bencode_find_string(root, "tracker id", &text) && text.length <= LIMIT_TRACKER_ID)
        buffer_append(&reply->tracker_id, text.data, text.length);
    bool complete = find_count(root, "complete", &reply->counts.complete);
    bool incomplete = find_count(root, "incomplete", &reply->counts.incomplete);
    reply->has_downloaded = find_count(root, "downloaded", &reply->counts.downloaded);
    reply->has_counts = complete && incomplete;
    read_peers(reply, root);
    return FRESHET_OK;
}

enum freshet_error tracker_http_parse_reply(struct bytes body, struct tracker_reply *ret_reply)
{
    tracker_reply_init(ret_reply);
    if (body.length > LIMIT_TRACKER_REPLY)
        return FRESHET_ERROR_LIMIT;
    struct bencode document = {0};
    enum freshet_error error = bencode_parse(&document, body, BENCODE_ANY_ORDER | BENCODE_TAIL);
    if (error == FRESHET_OK)
        error = read_reply(ret_reply, bencode_root(&document));
    bencode_deinit(&document);
    return error;
}

static enum freshet_error read_scrape(const struct bencode_value *root, struct bytes info_hash,
                                      struct tracker_counts *ret_counts)
{
    struct bytes text;
    if (!bencode_is(root, BENCODE_DICT))
        return FRESHET_ERROR_SYNTAX;
    const struct bencode_value *files = bencode_find_dict(root, "files");
    const struct bencode_value *file = bencode_find_bytes(files, info_hash);
    if (!bencode_is(file, BENCODE_DICT))
        return bencode_find_string(root, "failure reason", &text) ? FRESHET_ERROR_REFUSED
                                                                  : FRESHET_ERROR_MISSING;
    struct tracker_counts counts = {0};
    (void)find_count(file, "complete", &counts.complete);
    (void)find_count(file, "incomplete", &counts.incomplete);
    (void)find_count(file, "downloaded", &counts.downloaded);
    if (!find_count(file, "downloaders", &counts.downloaders))
        counts.downloaders = counts.incomplete;
    *ret_counts = counts;
    return FRESHET_OK;
}

enum freshet_error tracker_http_parse_scrape(struct bytes body,
                                             const uint8_t info_hash[TRACKER_HASH_SIZE],
                                             struct tracker_counts *ret_counts)
{
    if (body.length > LIMIT_TRACKER_REPLY)
        return FRESHET_ERROR_LIMIT;
    struct bencode document = {0};
    enum freshet_error error = bencode_parse(&document, body, BENCODE_ANY_ORDER | BENCODE_TAIL);
    if (error == FRESHET_OK)
        error = read_scrape(bencode_root(&document), (struct bytes){info_hash, TRACKER_HASH_SIZE},
                            ret_counts);
    bencode_deinit(&document);
    return error;
}
