/* SPDX-License-Identifier: MIT */
/* planted: core/tracker/tracker_query.c */
/* finds: tracker_query.c :: runtime error: index :: in decode  */
/* covers: core/tracker/tracker_server.c core/tracker/tracker_query.c core/tracker/peer_store.c */
/* covers: core/tracker/tracker_connection_id.c core/tracker/tracker_allow_list.c */
/* max_len: 4096 */
/*
 * A tracker with little room, driven by a list of steps, so that its states are reached: full, with
 * silent peers, with twins of both families. A step is a byte that says what, a byte that says who,
 * a length of one byte, and that many bytes:
 *     0 HTTP target      1 datagram as it is      2 datagram behind a good connection id
 *     3 time goes on     4 allow list             5 announce: hash, id, port, left, event, numwant
 * No more may go back to an unproven source than came in, and our own client must understand what
 * is said over HTTP.
 */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_http.h"
#include "core/tracker/tracker_server.h"
#include "core/tracker/tracker_udp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct tracker_server *server;
    struct tracker_server_answer answer;
    int64_t now;
};

/* Public, LAN and loopback sources of both families, and a trusted proxy. */
static struct address source_of(uint8_t who)
{
    static const char *const texts[] = {"20.0.0.1:1",  "20.0.0.2:2",  "192.168.0.1:3",
                                        "127.0.0.1:4", "[2a00::1]:5", "[2a00::2]:6",
                                        "[fd00::1]:7", "20.5.5.5:8"};
    struct address address;
    CHECK(address_from_text(texts[who % 8], false, &address));
    address.ip[2] ^= (uint8_t)(who >> 3);
    return address;
}

static void get(struct run *run, const struct address *from, struct bytes target)
{
    struct tracker_reply reply;
    tracker_server_http(run->server, run->now, from, target, &run->answer);
    if (run->answer.status == 200)
        CHECK(tracker_http_parse_reply(buffer_bytes(&run->answer.body), &reply) == FRESHET_OK);
    else
        tracker_reply_init(&reply);
    for (uint32_t i = 0; i < reply.peer_count; i++)
        CHECK(reply.peers[i].family == from->family || from->ip[0] == 20);
    tracker_reply_deinit(&reply);
}

static void send_datagram(struct run *run, const struct address *from, struct bytes bytes,
                          bool is_proven)
{
    uint8_t reply[LIMIT_TRACKER_DATAGRAM], packet[16 + 256];
    size_t length = bytes.length;
    if (is_proven) {
        struct writer writer;
        struct tracker_udp_head head;
        writer_init(&writer, packet, sizeof packet);
        tracker_udp_write_connect(&writer, 1);
        CHECK(tracker_server_datagram(run->server, run->now, from, (struct bytes){packet, 16},
                                      reply) == 16);
        CHECK(tracker_udp_parse_head((struct bytes){reply, 16}, &head) == FRESHET_OK);
        writer_init(&writer, packet, sizeof packet);
        writer_u64(&writer, head.connection_id);
        writer_bytes(&writer, bytes.data, bytes.length);
        bytes = (struct bytes){packet, writer_length(&writer)};
    }
    uint8_t *exact = memory_copy(bytes.data, bytes.length);
    size_t got = tracker_server_datagram(run->server, run->now, from,
                                         (struct bytes){exact, bytes.length}, reply);
    CHECK(is_proven || got <= length);
    memory_free(exact);
}

static void allow(struct run *run, struct bytes text)
{
    struct tracker_allow_list list;
    size_t line = 0;
    if (tracker_allow_list_parse(text, &list, &line) == FRESHET_OK)
        tracker_server_allow(run->server, &list);
    else
        CHECK(line > 0);
}

static void announce(struct run *run, const struct address *from, struct cursor *fields)
{
    static const char *const events[] = {"", "started", "completed", "stopped", "paused"};
    struct buffer target = {0};
    uint8_t hash = (uint8_t)('a' + cursor_u8(fields) % 8),
            id = (uint8_t)('a' + cursor_u8(fields) % 26);
    buffer_append_text(&target, "/announce?info_hash=");
    for (int i = 0; i < 20; i++)
        buffer_append_u8(&target, hash);
    buffer_append_text(&target, "&peer_id=");
    for (int i = 0; i < 20; i++)
        buffer_append_u8(&target, id);
    buffer_append_text(&target, "&key=1&port=");
    buffer_append_i64(&target, cursor_u8(fields) % 4);
    buffer_append_text(&target, "&left=");
    buffer_append_i64(&target, cursor_u8(fields) % 2);
    buffer_append_text(&target, "&event=");
    buffer_append_text(&target, events[cursor_u8(fields) % 5]);
    buffer_append_text(&target, "&numwant=");
    buffer_append_i64(&target, cursor_u8(fields));
    buffer_append_text(&target, cursor_u8(fields) & 1 ? "&compact=1" : "&no_peer_id=1");
    get(run, from, buffer_bytes(&target));
    buffer_deinit(&target);
}

static void step(struct run *run, uint8_t what, uint8_t who, struct bytes bytes)
{
    struct address from = source_of(who);
    struct cursor cursor;
    cursor_init(&cursor, bytes);
    switch (what % 6) {
    case 0: get(run, &from, bytes); break;
    case 1: send_datagram(run, &from, bytes, false); break;
    case 2: send_datagram(run, &from, bytes, true); break;
    case 3: run->now += cursor_u16(&cursor) * SECOND_NS; break;
    case 4: allow(run, bytes); break;
    default: announce(run, &from, &cursor); break;
    }
    tracker_server_check(run->server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address proxy = source_of(7);
    struct tracker_server_options options = {.seed = 1,
                                             .interval_s = 100,
                                             .proxies = &proxy,
                                             .proxy_count = 1,
                                             .peers_max = 24,
                                             .swarms_max = 4};
    struct run run = {.server = tracker_server_new(&options), .now = 1000 * SECOND_NS};
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){data, size});
    while (cursor_left(&cursor) >= 3) {
        uint8_t what = cursor_u8(&cursor), who = cursor_u8(&cursor);
        size_t length = cursor_u8(&cursor), left = cursor_left(&cursor);
        /* Long HTTP requests need more than a byte can say. */
        if (what >= 0xf0)
            length *= 8;
        step(&run, what, who, cursor_bytes(&cursor, length < left ? length : left));
    }
    tracker_server_tick(run.server, tracker_server_deadline(run.server));
    tracker_server_check(run.server);
    tracker_server_free(run.server);
    buffer_deinit(&run.answer.body);
    return 0;
}
