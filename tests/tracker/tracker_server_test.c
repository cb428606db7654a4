/* SPDX-License-Identifier: MIT */
/* A tracker asked over HTTP and UDP, with pretend time and pretend sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/tracker/tracker_http.h"
#include "core/tracker/tracker_server.h"
#include "core/tracker/tracker_udp.h"

struct world {
    struct tracker_server *server;
    int64_t now;
    struct tracker_server_answer answer;
    struct tracker_reply reply;
};

#define HASH "aaaaaaaaaaaaaaaaaaaa"

static void build_with(struct world *world, const struct tracker_server_options *options)
{
    *world = (struct world){.now = 500 * SECOND_NS + 123};
    struct tracker_server_options own = *options;
    own.seed = 3;
    memset(own.secret, 0x5a, sizeof own.secret);
    world->server = tracker_server_new(&own);
}

static void build(struct world *world)
{
    build_with(world, &(struct tracker_server_options){.interval_s = 900});
}

static void finish(struct world *world)
{
    tracker_server_check(world->server);
    tracker_server_free(world->server);
    buffer_deinit(&world->answer.body);
    tracker_reply_deinit(&world->reply);
}

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, false, &address));
    return address;
}

static void get(struct world *world, const char *from, const char *target)
{
    struct address address = at(from);
    tracker_server_http(world->server, world->now, &address,
                        (struct bytes){(const uint8_t *)target, strlen(target)}, &world->answer);
    tracker_server_check(world->server);
}

/* An announce with what every announce has, the rest as given; the reply is read by our client. */
static void announce(struct world *world, const char *from, char id, const char *rest)
{
    char target[512];
    snprintf(target, sizeof target,
             "/announce?info_hash=" HASH "&peer_id=-TT0001-%c%c%c%c%c%c%c%c%c%c%c%c&%s", id, id, id,
             id, id, id, id, id, id, id, id, id, rest);
    get(world, from, target);
    assert_int_equal(world->answer.status, 200);
    tracker_reply_deinit(&world->reply);
    assert_int_equal(tracker_http_parse_reply(buffer_bytes(&world->answer.body), &world->reply),
                     FRESHET_OK);
}

static void assert_refused(const struct world *world, const char *reason, int64_t retry_s)
{
    assert_true(world->reply.failed);
    assert_true(bytes_is(buffer_bytes(&world->reply.text), reason));
    assert_int_equal(world->reply.retry_s, retry_s);
}

static void assert_peers(const struct world *world, const char *const *expected)
{
    size_t count = 0;
    while (expected[count])
        count++;
    assert_int_equal(world->reply.peer_count, count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        struct address address = at(expected[i]);
        for (uint32_t j = 0; j < world->reply.peer_count; j++)
            found |= address_equal(&world->reply.peers[j], &address);
        assert_true(found);
    }
}

/* --- HTTP --- */

static void server_introduces_peers_over_http(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    announce(&world, "20.0.0.1:50000", 'a', "port=1001&left=0&compact=1&event=started");
    assert_int_equal(world.reply.interval_s, 900);
    assert_int_equal(world.reply.interval_min_s, 300);
    assert_int_equal(world.reply.peer_count, 0);
    assert_int_equal(world.reply.counts.complete, 1);
    announce(&world, "20.0.0.2:50000", 'b', "port=1002&left=5&compact=1&event=started");
    assert_peers(&world, (const char *const[]){"20.0.0.1:1001", NULL});
    char text[ADDRESS_TEXT_SIZE];
    address_ip_to_text(&world.reply.external_ip, text);
    assert_string_equal(text, "20.0.0.2");
    announce(&world, "20.0.0.3:50000", 'c', "port=1003&left=5&compact=1");
    assert_peers(&world, (const char *const[]){"20.0.0.1:1001", "20.0.0.2:1002", NULL});
    announce(&world, "20.0.0.1:50001", 'a', "port=1001&left=0&compact=1");
    assert_peers(&world, (const char *const[]){"20.0.0.2:1002", "20.0.0.3:1003", NULL});
    announce(&world, "20.0.0.2:50000", 'b', "port=1002&left=5&compact=1&event=stopped");
    assert_int_equal(world.reply.peer_count, 0);
    assert_int_equal(world.reply.counts.incomplete, 1);
    finish(&world);
}

static void server_gives_dictionaries_to_who_does_not_say_compact(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    announce(&world, "20.0.0.1:5", 'a', "port=1001&left=0");
    announce(&world, "20.0.0.2:5", 'b', "port=1002&left=9");
    assert_peers(&world, (const char *const[]){"20.0.0.1:1001", NULL});
    const char *expected = "5:peersld2:ip8:20.0.0.17:peer id20:-TT0001-aaaaaaaaaaaa4:porti1001eee";
    char body[512] = {0};
    memcpy(body, world.answer.body.data, world.answer.body.length);
    assert_non_null(
        strstr(body + strlen("d8:completei1e10:downloadedi0e11:external ip4:...."), expected));
    announce(&world, "20.0.0.2:5", 'b', "port=1002&left=9&no_peer_id=1&compact=0");
    memset(body, 0, sizeof body);
    memcpy(body, world.answer.body.data, world.answer.body.length);
    assert_null(strstr(body + 60, "peer id"));
    assert_peers(&world, (const char *const[]){"20.0.0.1:1001", NULL});
    finish(&world);
}

static void server_answers_ipv6_with_ipv6(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    announce(&world, "20.0.0.1:5", 'a', "port=1001&left=0&compact=1");
    announce(&world, "[2a00::1]:5", 'b', "port=1002&left=9&compact=1");
    assert_int_equal(world.reply.peer_count, 0);
    assert_int_equal(world.reply.external_ip.family, ADDRESS_IPV6);
    announce(&world, "[2a00::2]:5", 'c', "port=1003&left=9&compact=1");
    assert_peers(&world, (const char *const[]){"[2a00::1]:1002", NULL});
    announce(&world, "[2a00::2]:5", 'c', "port=1003&left=9");
    assert_peers(&world, (const char *const[]){"[2a00::1]:1002", NULL});
    assert_int_equal(world.reply.counts.complete, 1);
    assert_int_equal(world.reply.counts.incomplete, 2);
    finish(&world);
}

static void server_refuses_incomplete_announces_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *target, *reason;
    } cases[] = {
        {"/announce", "info_hash is missing"},
        {"/announce?peer_id=-TT0001-aaaaaaaaaaaa&port=1", "info_hash is missing"},
        {"/announce?info_hash=abc&port=1", "info_hash must be 20 bytes"},
        {"/announce?info_hash=%zz&port=1", "info_hash must be 20 bytes"},
        {"/announce?info_hash=" HASH "&port=1&left=1", "peer_id is missing"},
        {"/announce?info_hash=" HASH "&peer_id=short&port=1", "peer_id must be 20 bytes"},
        {"/announce?info_hash=" HASH "&peer_id=-TT0001-aaaaaaaaaaaa", "port is missing"},
        {"/announce?info_hash=" HASH "&peer_id=-TT0001-aaaaaaaaaaaa&port=0",
         "port must be 1 to 65535"},
        {"/announce?info_hash=" HASH "&peer_id=-TT0001-aaaaaaaaaaaa&port=65536",
         "port must be 1 to 65535"},
        {"/announce?info_hash=" HASH "&peer_id=-TT0001-aaaaaaaaaaaa&port=x",
         "port must be 1 to 65535"},
        {"/scrape", "info_hash is missing"},
    };
    struct world world;
    build(&world);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        get(&world, "20.0.0.1:5", cases[i].target);
        assert_int_equal(world.answer.status, 200);
        tracker_reply_deinit(&world.reply);
        assert_int_equal(tracker_http_parse_reply(buffer_bytes(&world.answer.body), &world.reply),
                         FRESHET_OK);
        assert_refused(&world, cases[i].reason, TRACKER_RETRY_NEVER);
    }
    struct tracker_server_stats stats;
    tracker_server_stats(world.server, &stats);
    assert_int_equal(stats.peers, 0);
    assert_int_equal(stats.refused, sizeof cases / sizeof *cases);
    finish(&world);
}

static void server_refuses_other_paths_and_long_ones(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    get(&world, "20.0.0.1:5", "/");
    assert_int_equal(world.answer.status, 404);
    get(&world, "20.0.0.1:5", "/announcement?info_hash=" HASH);
    assert_int_equal(world.answer.status, 404);
    get(&world, "20.0.0.1:5", "");
    assert_int_equal(world.answer.status, 404);
    char *target = memory_new(LIMIT_TRACKER_QUERY + 2);
    memset(target, 'a', LIMIT_TRACKER_QUERY + 1);
    memcpy(target, "/announce?", 10);
    get(&world, "20.0.0.1:5", target);
    assert_int_equal(world.answer.status, 414);
    memory_free(target);
    finish(&world);
}

static void server_honours_numwant_up_to_200(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    for (int i = 1; i <= 250; i++) {
        char from[32];
        snprintf(from, sizeof from, "20.0.%d.1:5", i);
        announce(&world, from, (char)('a' + i % 26), "port=1001&left=9&compact=1&numwant=0");
        assert_int_equal(world.reply.peer_count, 0);
    }
    static const struct {
        const char *rest;
        uint32_t expected;
    } cases[] = {
        {"port=9&left=9&compact=1", 50},
        {"port=9&left=9&compact=1&numwant=7", 7},
        {"port=9&left=9&compact=1&numwant=1000", 200},
        {"port=9&left=9&compact=1&numwant=99999999999999999999", 50},
        {"port=9&left=9&compact=1&numwant=-1", 50},
        {"port=9&left=9&numwant=200", 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        announce(&world, "20.9.9.9:5", '0', cases[i].rest);
        assert_int_equal(world.reply.peer_count, cases[i].expected);
    }
    finish(&world);
}

static void server_scrapes_over_http_with_partial_seeds_told_apart(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    announce(&world, "20.0.0.1:5", 'a', "port=1001&left=0");
    announce(&world, "20.0.0.2:5", 'b', "port=1002&left=9");
    announce(&world, "20.0.0.3:5", 'c', "port=1003&left=9&event=paused");
    announce(&world, "20.0.0.2:5", 'b', "port=1002&left=0&event=completed");
    get(&world, "20.0.0.9:5",
        "/scrape?info_hash=" HASH "&info_hash=bbbbbbbbbbbbbbbbbbbb"
        "&info_hash=" HASH);
    const char *expected =
        "d5:filesd20:" HASH "d8:completei2e10:downloadedi1e11:downloadersi0e10:incompletei1ee"
        "20:bbbbbbbbbbbbbbbbbbbbd8:completei0e10:downloadedi0e11:downloadersi0e10:incompletei0e"
        "eee";
    assert_true(bytes_is(buffer_bytes(&world.answer.body), expected));
    finish(&world);
}

static void server_scrapes_74_hashes(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    char target[LIMIT_TRACKER_QUERY] = "/scrape?";
    /* Each twice: what counts is how many different ones there are. */
    for (int i = 0; i < 148; i++) {
        size_t length = strlen(target);
        snprintf(target + length, sizeof target - length, "&info_hash=aaaaaaaaaaaaaaaaaa%02d",
                 (i * 5) % 74);
    }
    get(&world, "20.0.0.9:5", target);
    assert_int_equal(world.answer.status, 200);
    struct tracker_counts counts;
    size_t found = 0;
    for (int i = 0; i < 74; i++) {
        char hash[32];
        snprintf(hash, sizeof hash, "aaaaaaaaaaaaaaaaaa%02d", i);
        found += tracker_http_parse_scrape(buffer_bytes(&world.answer.body), (uint8_t *)hash,
                                           &counts) == FRESHET_OK;
    }
    assert_int_equal(found, 74);
    strcat(target, "&info_hash=aaaaaaaaaaaaaaaaaa74");
    get(&world, "20.0.0.9:5", target);
    assert_int_equal(world.answer.status, 200);
    assert_true(bytes_is(buffer_bytes(&world.answer.body),
                         "d14:failure reason40:a scrape may name at most 74 info-hashes"
                         "8:retry in5:nevere"));
    finish(&world);
}

static void server_ignores_ip_unless_a_trusted_proxy_says_it(void **state)
{
    (void)state;
    struct world world;
    struct address proxy = at("20.5.5.5:0");
    build_with(&world, &(struct tracker_server_options){.proxies = &proxy, .proxy_count = 1});
    announce(&world, "20.0.0.1:5", 'a', "port=1001&left=0&compact=1&ip=9.9.9.9");
    announce(&world, "20.5.5.5:5", 'b', "port=1002&left=0&compact=1&ip=8.8.8.8");
    char text[ADDRESS_TEXT_SIZE];
    address_ip_to_text(&world.reply.external_ip, text);
    assert_string_equal(text, "8.8.8.8");
    announce(&world, "20.5.5.5:5", 'd', "port=1004&left=0&compact=1&ip=no.such.address");
    announce(&world, "20.0.0.3:5", 'c', "port=1003&left=9&compact=1");
    assert_peers(&world,
                 (const char *const[]){"20.0.0.1:1001", "8.8.8.8:1002", "20.5.5.5:1004", NULL});
    finish(&world);
}

static void server_with_a_list_serves_only_that(void **state)
{
    (void)state;
    struct world world;
    struct tracker_allow_list list;
    size_t line;
    build(&world);
    assert_int_equal(tracker_allow_list_parse(BYTES_LITERAL("# mine\n"
                                                            "62626262626262626262626262626262626262"
                                                            "62 a remark\r\n"
                                                            "\n"),
                                              &list, &line),
                     FRESHET_OK);
    tracker_server_allow(world.server, &list);
    announce(&world, "20.0.0.1:5", 'a', "port=1001&left=0");
    assert_refused(&world, "torrent is not served here", 1800);
    get(&world, "20.0.0.1:5", "/scrape?info_hash=" HASH "&info_hash=bbbbbbbbbbbbbbbbbbbb");
    struct tracker_counts counts;
    assert_int_equal(
        tracker_http_parse_scrape(buffer_bytes(&world.answer.body), (const uint8_t *)HASH, &counts),
        FRESHET_ERROR_MISSING);
    assert_int_equal(tracker_http_parse_scrape(buffer_bytes(&world.answer.body),
                                               (const uint8_t *)"bbbbbbbbbbbbbbbbbbbb", &counts),
                     FRESHET_OK);
    get(&world, "20.0.0.1:5",
        "/announce?info_hash=bbbbbbbbbbbbbbbbbbbb"
        "&peer_id=-TT0001-aaaaaaaaaaaa&port=1&left=0");
    tracker_reply_deinit(&world.reply);
    assert_int_equal(tracker_http_parse_reply(buffer_bytes(&world.answer.body), &world.reply),
                     FRESHET_OK);
    assert_false(world.reply.failed);
    finish(&world);
}

static void allow_lists_with_a_wrong_line_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {
        {"6262626262626262626262626262626262626262\nnonsense\n", 2},
        {"626262626262626262626262626262626262626", 1},
        {"\n\n62626262626262626262626262626262626262622\n", 3},
        {"6262626262626262626262626262626262626g62", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tracker_allow_list list;
        size_t line = 0;
        struct bytes text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        assert_int_equal(tracker_allow_list_parse(text, &list, &line), FRESHET_ERROR_SYNTAX);
        assert_int_equal(line, cases[i].line);
    }
}

static void server_says_when_to_come_back_when_it_is_full(void **state)
{
    (void)state;
    struct world world;
    build_with(&world, &(struct tracker_server_options){.peers_max = 1});
    announce(&world, "20.0.0.1:5", 'a', "port=1001&left=0");
    announce(&world, "20.0.0.2:5", 'b', "port=1001&left=0");
    assert_refused(&world, "tracker is full", 600);
    world.now += 2 * 1800 * SECOND_NS + 60 * SECOND_NS;
    assert_int_equal(tracker_server_deadline(world.server), world.now);
    announce(&world, "20.0.0.2:5", 'b', "port=1001&left=0");
    assert_false(world.reply.failed);
    finish(&world);
}

/* --- UDP --- */

struct packet {
    uint8_t bytes[2048];
    size_t length;
};

static struct packet ask(struct world *world, const char *from, const struct packet *request)
{
    struct packet reply;
    struct address address = at(from);
    uint8_t *exact = memory_copy(request->bytes, request->length);
    reply.length = tracker_server_datagram(world->server, world->now, &address,
                                           (struct bytes){exact, request->length}, reply.bytes);
    memory_free(exact);
    assert_true(reply.length <= LIMIT_TRACKER_DATAGRAM);
    return reply;
}

static struct tracker_udp_head head_of(const struct packet *reply)
{
    struct tracker_udp_head head;
    assert_int_equal(tracker_udp_parse_head((struct bytes){reply->bytes, reply->length}, &head),
                     FRESHET_OK);
    return head;
}

static uint64_t connect_from(struct world *world, const char *from)
{
    struct packet request;
    struct writer writer;
    writer_init(&writer, request.bytes, sizeof request.bytes);
    tracker_udp_write_connect(&writer, 1234);
    request.length = writer_length(&writer);
    struct packet reply = ask(world, from, &request);
    struct tracker_udp_head head = head_of(&reply);
    assert_int_equal(head.action, TRACKER_UDP_CONNECT);
    assert_int_equal(head.transaction_id, 1234);
    return head.connection_id;
}

static struct packet announce_packet(uint64_t connection_id, char id, uint64_t left, uint16_t port,
                                     int32_t numwant)
{
    struct packet request;
    struct writer writer;
    struct tracker_announce announced = {.left = left, .port = port, .numwant = numwant};
    memcpy(announced.info_hash, HASH, 20);
    memset(announced.peer_id, id, 20);
    writer_init(&writer, request.bytes, sizeof request.bytes);
    tracker_udp_write_announce(&writer, connection_id, 77, &announced, (struct bytes){NULL, 0});
    request.length = writer_length(&writer);
    return request;
}

static void announce_udp(struct world *world, const char *from, char id, uint64_t left,
                         uint16_t port, int32_t numwant)
{
    struct packet request = announce_packet(connect_from(world, from), id, left, port, numwant);
    struct packet reply = ask(world, from, &request);
    struct tracker_udp_head head = head_of(&reply);
    assert_int_equal(head.transaction_id, 77);
    tracker_reply_deinit(&world->reply);
    assert_int_equal(
        tracker_udp_parse_announce(&head, (enum address_family)at(from).family, &world->reply),
        FRESHET_OK);
    tracker_server_check(world->server);
}

static void server_introduces_peers_over_udp_and_http_alike(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    announce_udp(&world, "20.0.0.1:5", 'a', 0, 1001, -1);
    assert_int_equal(world.reply.interval_s, 900);
    announce(&world, "20.0.0.2:5", 'b', "port=1002&left=9&compact=1");
    assert_peers(&world, (const char *const[]){"20.0.0.1:1001", NULL});
    announce_udp(&world, "20.0.0.3:5", 'c', 9, 1003, -1);
    assert_peers(&world, (const char *const[]){"20.0.0.1:1001", "20.0.0.2:1002", NULL});
    assert_int_equal(world.reply.counts.complete, 1);
    assert_int_equal(world.reply.counts.incomplete, 2);
    announce_udp(&world, "[2a00::1]:5", 'd', 9, 1004, -1);
    assert_int_equal(world.reply.peer_count, 0);
    announce_udp(&world, "[2a00::2]:5", 'e', 9, 1005, -1);
    assert_peers(&world, (const char *const[]){"[2a00::1]:1004", NULL});
    announce_udp(&world, "20.0.0.3:5", 'c', 9, 0, -1);
    assert_true(world.reply.failed);
    finish(&world);
}

static void server_keeps_udp_answers_within_one_packet(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    for (int i = 1; i <= 250; i++) {
        char from[64];
        snprintf(from, sizeof from, "[2a00:%x::1]:5", i);
        announce_udp(&world, from, (char)i, 9, 1001, 0);
    }
    announce_udp(&world, "[2a00:ffff::1]:5", 'z', 9, 1001, 200);
    assert_int_equal(world.reply.peer_count, (LIMIT_TRACKER_DATAGRAM - 20) / 18);
    for (int i = 1; i <= 250; i++) {
        char from[64];
        snprintf(from, sizeof from, "20.0.%d.1:5", i);
        announce_udp(&world, from, (char)i, 9, 1001, 0);
    }
    announce_udp(&world, "20.9.9.9:5", 'z', 9, 1001, 200);
    assert_int_equal(world.reply.peer_count, 200);
    announce_udp(&world, "20.9.9.9:5", 'z', 9, 1001, -1);
    assert_int_equal(world.reply.peer_count, 50);
    finish(&world);
}

static void server_scrapes_74_hashes_over_udp(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    announce_udp(&world, "20.0.0.1:5", 'a', 0, 1001, -1);
    uint8_t hashes[75 * 20];
    for (size_t i = 0; i < 75; i++)
        memcpy(hashes + 20 * i, i % 2 ? HASH : "bbbbbbbbbbbbbbbbbbbb", 20);
    struct packet request;
    struct writer writer;
    writer_init(&writer, request.bytes, sizeof request.bytes);
    tracker_udp_write_scrape(&writer, connect_from(&world, "20.0.0.9:5"), 8, hashes, 74);
    request.length = writer_length(&writer);
    struct packet reply = ask(&world, "20.0.0.9:5", &request);
    assert_int_equal(reply.length, 8 + 74 * 12);
    struct tracker_udp_head head = head_of(&reply);
    for (uint32_t i = 0; i < 74; i++) {
        struct tracker_counts counts;
        assert_int_equal(tracker_udp_parse_scrape(&head, i, &counts), FRESHET_OK);
        assert_int_equal(counts.complete, i % 2);
    }
    /* One more, which our own writer would not send. */
    assert_true(request.length + 20 <= sizeof request.bytes);
    memcpy(request.bytes + request.length, HASH, 20);
    request.length += 20;
    reply = ask(&world, "20.0.0.9:5", &request);
    head = head_of(&reply);
    assert_int_equal(head.action, TRACKER_UDP_ERROR);
    assert_true(bytes_is(head.body, "a scrape may name at most 74 info-hashes"));
    finish(&world);
}

static bool is_accepted(struct world *world, const char *from, uint64_t connection_id)
{
    struct packet request = announce_packet(connection_id, 'a', 0, 1001, -1);
    struct packet reply = ask(world, from, &request);
    return head_of(&reply).action == TRACKER_UDP_ANNOUNCE;
}

static void connection_ids_are_good_for_two_minutes(void **state)
{
    (void)state;
    struct world world;
    build(&world);
    uint64_t id = connect_from(&world, "20.0.0.1:5");
    int64_t start = world.now / SECOND_NS;
    for (int64_t second = 0; second <= 120; second += 10) {
        world.now = (start + second) * SECOND_NS;
        assert_true(is_accepted(&world, "20.0.0.1:5", id));
    }
    static const int64_t late[] = {121, 122, 3600, 65536, 65536 + 60, 2 * 65536};
    for (size_t i = 0; i < sizeof late / sizeof *late; i++) {
        world.now = (start + late[i]) * SECOND_NS;
        assert_false(is_accepted(&world, "20.0.0.1:5", id));
    }
    finish(&world);
}

static void connection_ids_belong_to_an_address(void **state)
{
    (void)state;
    struct world world, other;
    build(&world);
    uint64_t id = connect_from(&world, "20.0.0.1:5");
    assert_true(is_accepted(&world, "20.0.0.1:5", id));
    assert_true(is_accepted(&world, "20.0.0.1:6", id));
    assert_false(is_accepted(&world, "20.0.0.2:5", id));
    assert_false(is_accepted(&world, "[2a00::1]:5", id));
    for (int bit = 0; bit < 64; bit++)
        assert_false(is_accepted(&world, "20.0.0.1:5", id ^ UINT64_C(1) << bit));
    assert_int_not_equal(id, connect_from(&world, "20.0.0.2:5"));
    /* Another secret gives other ids. */
    struct tracker_server_options options = {.interval_s = 900};
    build_with(&other, &options);
    tracker_server_free(other.server);
    memset(options.secret, 1, sizeof options.secret);
    other.server = tracker_server_new(&options);
    assert_int_not_equal(id, connect_from(&other, "20.0.0.1:5"));
    assert_false(is_accepted(&other, "20.0.0.1:5", id));
    finish(&world);
    finish(&other);
}

/* Whatever comes from a source without a good connection id, at every length, no more goes back
 * than came in, and nothing is remembered. */
static void unproven_sources_get_no_more_bytes_than_they_sent(void **state)
{
    (void)state;
    struct world world;
    struct rng rng;
    build(&world);
    rng_init(&rng, 99);
    announce_udp(&world, "20.0.0.1:5", 'a', 0, 1001, -1);
    for (uint32_t action = 0; action < 5; action++)
        for (size_t length = 0; length <= 1600; length++)
            for (int variant = 0; variant < 3; variant++) {
                struct packet request = announce_packet(rng_u64(&rng), 'x', 9, 1002, 200);
                if (variant == 2)
                    rng_fill(&rng, request.bytes, sizeof request.bytes);
                struct writer writer;
                writer_init(&writer, request.bytes, 12);
                writer_u64(&writer, variant == 1 ? TRACKER_UDP_MAGIC : rng_u64(&rng));
                writer_u32(&writer, action);
                request.length = length;
                struct packet reply = ask(&world, "20.6.6.6:5", &request);
                assert_true(reply.length <= length);
            }
    struct tracker_server_stats stats;
    tracker_server_stats(world.server, &stats);
    assert_int_equal(stats.peers, 1);
    assert_int_equal(stats.announces, 1);
    assert_int_equal(stats.scrapes, 0);
    finish(&world);
}

static void refused_torrents_are_refused_over_udp_in_words(void **state)
{
    (void)state;
    struct world world;
    struct tracker_allow_list list;
    size_t line;
    build(&world);
    assert_int_equal(tracker_allow_list_parse((struct bytes){NULL, 0}, &list, &line), FRESHET_OK);
    tracker_server_allow(world.server, &list);
    announce_udp(&world, "20.0.0.1:5", 'a', 0, 1001, -1);
    assert_refused(&world, "torrent is not served here", 0);
    finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_introduces_peers_over_http),
        cmocka_unit_test(server_gives_dictionaries_to_who_does_not_say_compact),
        cmocka_unit_test(server_answers_ipv6_with_ipv6),
        cmocka_unit_test(server_refuses_incomplete_announces_in_words),
        cmocka_unit_test(server_refuses_other_paths_and_long_ones),
        cmocka_unit_test(server_honours_numwant_up_to_200),
        cmocka_unit_test(server_scrapes_over_http_with_partial_seeds_told_apart),
        cmocka_unit_test(server_scrapes_74_hashes),
        cmocka_unit_test(server_ignores_ip_unless_a_trusted_proxy_says_it),
        cmocka_unit_test(server_with_a_list_serves_only_that),
        cmocka_unit_test(allow_lists_with_a_wrong_line_are_refused),
        cmocka_unit_test(server_says_when_to_come_back_when_it_is_full),
        cmocka_unit_test(server_introduces_peers_over_udp_and_http_alike),
        cmocka_unit_test(server_keeps_udp_answers_within_one_packet),
        cmocka_unit_test(server_scrapes_74_hashes_over_udp),
        cmocka_unit_test(connection_ids_are_good_for_two_minutes),
        cmocka_unit_test(connection_ids_belong_to_an_address),
        cmocka_unit_test(unproven_sources_get_no_more_bytes_than_they_sent),
        cmocka_unit_test(refused_torrents_are_refused_over_udp_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
