/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_udp.h"

#include <string.h>

enum { OPTION_END, OPTION_NOP, OPTION_URL_DATA };

void tracker_udp_write_connect(struct writer *writer, uint32_t transaction_id)
{
    writer_u64(writer, TRACKER_UDP_MAGIC);
    writer_u32(writer, TRACKER_UDP_CONNECT);
    writer_u32(writer, transaction_id);
}

/* BEP 41: as many options as the text needs, 255 bytes each. */
static void write_url_data(struct writer *writer, struct bytes text)
{
    size_t left = text.length < TRACKER_UDP_URL_DATA_MAX ? text.length : TRACKER_UDP_URL_DATA_MAX;
    const uint8_t *at = text.data;
    while (left > 0) {
        size_t take = left < 255 ? left : 255;
        writer_u8(writer, OPTION_URL_DATA);
        writer_u8(writer, (uint8_t)take);
        writer_bytes(writer, at, take);
        at += take;
        left -= take;
    }
}

/* BEP 15 has no number for paused: a partial seed is then an ordinary announce. */
static uint32_t event_number(enum tracker_event event)
{
    return event <= TRACKER_EVENT_STOPPED ? (uint32_t)event : TRACKER_EVENT_NONE;
}

void tracker_udp_write_announce(struct writer *writer, uint64_t connection_id,
                                uint32_t transaction_id, const struct tracker_announce *announce,
                                struct bytes path_and_query)
{
    writer_u64(writer, connection_id);
    writer_u32(writer, TRACKER_UDP_ANNOUNCE);
    writer_u32(writer, transaction_id);
    writer_bytes(writer, announce->info_hash, TRACKER_HASH_SIZE);
    writer_bytes(writer, announce->peer_id, TRACKER_PEER_ID_SIZE);
    writer_u64(writer, announce->downloaded);
    writer_u64(writer, announce->left);
    writer_u64(writer, announce->uploaded);
    writer_u32(writer, event_number(announce->event));
    writer_u32(writer, 0);
    writer_u32(writer, announce->key);
    writer_u32(writer, (uint32_t)announce->numwant);
    writer_u16(writer, announce->port);
    write_url_data(writer, path_and_query);
}

void tracker_udp_write_scrape(struct writer *writer, uint64_t connection_id,
                              uint32_t transaction_id, const uint8_t *hashes, uint32_t hash_count)
{
    writer_u64(writer, connection_id);
    writer_u32(writer, TRACKER_UDP_SCRAPE);
    writer_u32(writer, transaction_id);
    uint32_t count = hash_count < LIMIT_SCRAPE_HASHES ? hash_count : LIMIT_SCRAPE_HASHES;
    writer_bytes(writer, hashes, (size_t)count * TRACKER_HASH_SIZE);
}

enum freshet_error tracker_udp_parse_head(struct bytes packet, struct tracker_udp_head *ret_head)
{
    struct cursor cursor;
    cursor_init(&cursor, packet);
    struct tracker_udp_head head = {0};
    uint32_t action = cursor_u32(&cursor);
    head.transaction_id = cursor_u32(&cursor);
    if (cursor.failed)
        return FRESHET_ERROR_TRUNCATED;
    if (action > TRACKER_UDP_ERROR)
        return FRESHET_ERROR_RANGE;
    head.action = (enum tracker_udp_action)action;
    head.body = cursor_bytes(&cursor, cursor_left(&cursor));
    if (head.action == TRACKER_UDP_CONNECT) {
        cursor_init(&cursor, head.body);
        head.connection_id = cursor_u64(&cursor);
        if (cursor.failed)
            return FRESHET_ERROR_TRUNCATED;
    }
    *ret_head = head;
    return FRESHET_OK;
}

enum freshet_error tracker_udp_parse_announce(const struct tracker_udp_head *head,
                                              enum address_family family,
                                              struct tracker_reply *ret_reply)
{
    tracker_reply_init(ret_reply);
    if (head->action == TRACKER_UDP_ERROR) {
        ret_reply->failed = true;
        tracker_reply_set_text(ret_reply, head->body);
        return FRESHET_OK;
    }
    if (head->action != TRACKER_UDP_ANNOUNCE)
        return FRESHET_ERROR_PROTOCOL;
    struct cursor cursor;
    cursor_init(&cursor, head->body);
    uint32_t interval = cursor_u32(&cursor);
    uint32_t incomplete = cursor_u32(&cursor);
    uint32_t complete = cursor_u32(&cursor);
    if (cursor.failed)
        return FRESHET_ERROR_TRUNCATED;
    ret_reply->interval_s = interval <= INT32_MAX ? interval : 0;
    ret_reply->has_counts = true;
    ret_reply->counts.incomplete = incomplete;
    ret_reply->counts.complete = complete;
    /* Bytes that make no whole peer are not worth losing the others for. */
    (void)tracker_reply_add_compact(ret_reply, cursor_bytes(&cursor, cursor_left(&cursor)),
                                    family == ADDRESS_IPV6 ? 18 : 6);
    return FRESHET_OK;
}

enum freshet_error tracker_udp_parse_scrape(const struct tracker_udp_head *head, uint32_t index,
                                            struct tracker_counts *ret_counts)
{
    if (head->action == TRACKER_UDP_ERROR)
        return FRESHET_ERROR_REFUSED;
    if (head->action != TRACKER_UDP_SCRAPE)
        return FRESHET_ERROR_PROTOCOL;
    if (index >= LIMIT_SCRAPE_HASHES)
        return FRESHET_ERROR_RANGE;
    struct cursor cursor;
    cursor_init(&cursor, head->body);
#ifdef FRESHET_PLANTED_BUG
    cursor.end = cursor.at + (size_t)(index + 1) * 12;
#endif
    (void)cursor_bytes(&cursor, (size_t)index * 12);
    struct tracker_counts counts = {0};
    counts.complete = cursor_u32(&cursor);
    counts.downloaded = cursor_u32(&cursor);
    counts.incomplete = cursor_u32(&cursor);
    if (cursor.failed)
        return FRESHET_ERROR_TRUNCATED;
    *ret_counts = counts;
    return FRESHET_OK;
}

/* Unknown options carry their length, so that they can be skipped; a cut one ends the list. */
static void read_options(struct cursor *cursor, struct tracker_udp_request *request)
{
    while (cursor_left(cursor) > 0) {
        uint8_t type = cursor_u8(cursor);
        if (type == OPTION_END)
            return;
        if (type == OPTION_NOP)
            continue;
        struct bytes option = cursor_bytes(cursor, cursor_u8(cursor));
        if (type != OPTION_URL_DATA || option.length == 0)
            continue;
        size_t room = TRACKER_UDP_URL_DATA_MAX - request->url_data_length;
        size_t take = option.length < room ? option.length : room;
        memcpy(request->url_data + request->url_data_length, option.data, take);
        request->url_data_length += take;
    }
}

static void read_announce(struct cursor *cursor, struct tracker_udp_request *request)
{
    struct tracker_announce *announce = &request->announce;
    struct bytes hash = cursor_bytes(cursor, TRACKER_HASH_SIZE);
    struct bytes peer_id = cursor_bytes(cursor, TRACKER_PEER_ID_SIZE);
    announce->downloaded = cursor_u64(cursor);
    announce->left = cursor_u64(cursor);
    announce->uploaded = cursor_u64(cursor);
    uint32_t event = cursor_u32(cursor);
    struct bytes ip = cursor_bytes(cursor, 4);
    announce->key = cursor_u32(cursor);
    announce->numwant = (int32_t)cursor_u32(cursor);
    announce->port = cursor_u16(cursor);
    if (cursor->failed)
        return;
    memcpy(announce->info_hash, hash.data, TRACKER_HASH_SIZE);
    memcpy(announce->peer_id, peer_id.data, TRACKER_PEER_ID_SIZE);
    announce->event =
        event <= TRACKER_EVENT_STOPPED ? (enum tracker_event)event : TRACKER_EVENT_NONE;
    announce->is_compact = true;
    struct address said = address_ipv4(ip.data, 0);
    if (!address_is_unspecified(&said))
        announce->ip = said;
    read_options(cursor, request);
}

enum freshet_error tracker_udp_parse_request(struct bytes packet,
                                             struct tracker_udp_request *ret_request)
{
    struct cursor cursor;
    cursor_init(&cursor, packet);
    struct tracker_udp_request *request = ret_request;
    memset(request, 0, sizeof *request);
    uint64_t first = cursor_u64(&cursor);
    uint32_t action = cursor_u32(&cursor);
    request->transaction_id = cursor_u32(&cursor);
    if (cursor.failed)
        return FRESHET_ERROR_TRUNCATED;
    if (action >= TRACKER_UDP_ERROR)
        return FRESHET_ERROR_RANGE;
    request->action = (enum tracker_udp_action)action;
    if (request->action == TRACKER_UDP_CONNECT)
        return first == TRACKER_UDP_MAGIC ? FRESHET_OK : FRESHET_ERROR_SYNTAX;
    request->connection_id = first;
    if (request->action == TRACKER_UDP_ANNOUNCE) {
        if (cursor_left(&cursor) < TRACKER_UDP_ANNOUNCE_SIZE - TRACKER_UDP_CONNECT_SIZE)
            return FRESHET_ERROR_TRUNCATED;
        read_announce(&cursor, request);
        return FRESHET_OK;
    }
    size_t count = cursor_left(&cursor) / TRACKER_HASH_SIZE;
    if (count == 0)
        return FRESHET_ERROR_TRUNCATED;
    request->has_too_many = count > LIMIT_SCRAPE_HASHES;
    if (request->has_too_many)
        count = LIMIT_SCRAPE_HASHES;
    request->hashes = cursor_bytes(&cursor, count * TRACKER_HASH_SIZE);
    return FRESHET_OK;
}

void tracker_udp_write_connect_reply(struct writer *writer, uint32_t transaction_id,
                                     uint64_t connection_id)
{
    writer_u32(writer, TRACKER_UDP_CONNECT);
    writer_u32(writer, transaction_id);
    writer_u64(writer, connection_id);
}

void tracker_udp_write_announce_reply(struct writer *writer, uint32_t transaction_id,
                                      uint32_t interval_s, const struct tracker_counts *counts,
                                      enum address_family family, const struct address *peers,
                                      uint32_t peer_count)
{
    writer_u32(writer, TRACKER_UDP_ANNOUNCE);
    writer_u32(writer, transaction_id);
    writer_u32(writer, interval_s);
    writer_u32(writer, counts->incomplete);
    writer_u32(writer, counts->complete);
    for (uint32_t i = 0; i < peer_count; i++) {
        uint8_t compact[18];
        if (peers[i].family != family)
            continue;
        size_t length = address_to_compact(&peers[i], compact);
        writer_bytes(writer, compact, length);
    }
}

void tracker_udp_write_scrape_reply(struct writer *writer, uint32_t transaction_id,
                                    const struct tracker_counts *counts, uint32_t count)
{
    writer_u32(writer, TRACKER_UDP_SCRAPE);
    writer_u32(writer, transaction_id);
    for (uint32_t i = 0; i < count; i++) {
        writer_u32(writer, counts[i].complete);
        writer_u32(writer, counts[i].downloaded);
        writer_u32(writer, counts[i].incomplete);
    }
}

void tracker_udp_write_error(struct writer *writer, uint32_t transaction_id, struct bytes text)
{
    writer_u32(writer, TRACKER_UDP_ERROR);
    writer_u32(writer, transaction_id);
    size_t room = (size_t)(writer->end - writer->at);
    writer_bytes(writer, text.data, text.length < room ? text.length : room);
}
