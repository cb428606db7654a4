/* SPDX-License-Identifier: MIT */
/* A tracker with real sockets on loopback, asked with plain system calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/tracker/tracker_http.h"
#include "core/tracker/tracker_udp.h"
#include "host/socket_address.h"
#include "host/tracker_service.h"

/* The service runs in a thread of its own; the test talks to it as peers do. */
struct world {
    struct tracker_service *service;
    struct address http, udp;
    pthread_t thread;
    uv_async_t stop;
};

static void on_stop(uv_async_t *stop)
{
    tracker_service_stop(stop->data);
    uv_close((uv_handle_t *)stop, NULL);
}

static void *run(void *context)
{
    tracker_service_run(context);
    return NULL;
}

static void start(struct world *world, const char *address)
{
    struct address any;
    char text[TRACKER_SERVICE_TEXT_SIZE];
    struct tracker_service_socket bound;
    assert_true(address_from_text(address, false, &any));
    struct tracker_service_socket sockets[] = {{TRACKER_TRANSPORT_HTTP, any, false},
                                               {TRACKER_TRANSPORT_UDP, any, false}};
    struct tracker_service_options options = {
        .sockets = sockets, .socket_count = 2, .interval_s = 60};
    assert_int_equal(tracker_service_new(&options, text, &world->service), FRESHET_OK);
    assert_true(tracker_service_socket_at(world->service, 0, &bound));
    world->http = bound.address;
    assert_true(tracker_service_socket_at(world->service, 1, &bound));
    world->udp = bound.address;
    assert_false(tracker_service_socket_at(world->service, 2, &bound));
    assert_int_not_equal(world->http.port, 0);
    assert_int_not_equal(world->udp.port, 0);
    uv_async_init(tracker_service_loop(world->service), &world->stop, on_stop);
    world->stop.data = world->service;
    assert_int_equal(pthread_create(&world->thread, NULL, run, world->service), 0);
}

static void finish(struct world *world)
{
    uv_async_send(&world->stop);
    pthread_join(world->thread, NULL);
    tracker_service_free(world->service);
}

static int connect_to(const struct address *address, int type)
{
    struct sockaddr_storage to;
    struct timeval limit = {.tv_sec = 20};
    socklen_t length = socket_address_to(address, false, &to);
    int fd = socket(to.ss_family, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, length), 0);
    return fd;
}

/* One request on a connection of its own; the whole response, NUL-terminated. */
static size_t talk(const struct address *address, const char *request, size_t request_length,
                   char *response, size_t size)
{
    int fd = connect_to(address, SOCK_STREAM);
    assert_int_equal(send(fd, request, request_length, MSG_NOSIGNAL), (ssize_t)request_length);
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = recv(fd, response + length, size - 1 - length, 0)) > 0)
        length += (size_t)got;
    response[length] = '\0';
    close(fd);
    return length;
}

static void announce_http(const struct world *world, char id, const char *rest,
                          struct tracker_reply *ret_reply)
{
    char request[512], response[8192];
    int length = snprintf(request, sizeof request,
                          "GET /announce?info_hash=%%00%%ff%%20%%26aaaaaaaaaaaaaaaa"
                          "&peer_id=-TT0001-aaaaaaaaaaa%c&%s HTTP/1.1\r\nHost: x\r\n"
                          "Connection: close\r\n\r\n",
                          id, rest);
    size_t got = talk(&world->http, request, (size_t)length, response, sizeof response);
    assert_memory_equal(response, "HTTP/1.1 200 OK\r\n", 17);
    const char *body = strstr(response, "\r\n\r\n");
    assert_non_null(body);
    body += 4;
    assert_int_equal(
        tracker_http_parse_reply(
            (struct bytes){(const uint8_t *)body, got - (size_t)(body - response)}, ret_reply),
        FRESHET_OK);
}

static void announce_udp(const struct world *world, char id, struct tracker_reply *ret_reply)
{
    uint8_t packet[2048];
    struct writer writer;
    struct tracker_udp_head head;
    int fd = connect_to(&world->udp, SOCK_DGRAM);
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_connect(&writer, 5);
    assert_int_equal(send(fd, packet, 16, 0), 16);
    assert_int_equal(recv(fd, packet, sizeof packet, 0), 16);
    assert_int_equal(tracker_udp_parse_head((struct bytes){packet, 16}, &head), FRESHET_OK);
    struct tracker_announce announce = {.left = 5, .port = 2000, .numwant = -1};
    memcpy(announce.info_hash, "\x00\xff &aaaaaaaaaaaaaaaa", 20);
    memset(announce.peer_id, id, 20);
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_announce(&writer, head.connection_id, 6, &announce, (struct bytes){NULL, 0});
    assert_int_equal(send(fd, packet, writer_length(&writer), 0), 98);
    ssize_t got = recv(fd, packet, sizeof packet, 0);
    assert_true(got >= 20);
    assert_int_equal(tracker_udp_parse_head((struct bytes){packet, (size_t)got}, &head),
                     FRESHET_OK);
    assert_int_equal(
        tracker_udp_parse_announce(&head, (enum address_family)world->udp.family, ret_reply),
        FRESHET_OK);
    close(fd);
}

static void service_introduces_peers_over_both_transports(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct tracker_reply reply;
        start(&world, addresses[i]);
        announce_http(&world, 'a', "port=1000&left=0&compact=1", &reply);
        assert_int_equal(reply.interval_s, 60);
        assert_int_equal(reply.peer_count, 0);
        assert_int_equal(reply.external_ip.family, world.http.family);
        assert_true(address_is_loopback(&reply.external_ip));
        tracker_reply_deinit(&reply);
        announce_udp(&world, 'b', &reply);
        assert_int_equal(reply.peer_count, 1);
        assert_int_equal(reply.peers[0].port, 1000);
        assert_true(address_is_loopback(&reply.peers[0]));
        tracker_reply_deinit(&reply);
        announce_http(&world, 'a', "port=1000&left=0&compact=1", &reply);
        assert_int_equal(reply.peer_count, 1);
        assert_int_equal(reply.peers[0].port, 2000);
        tracker_reply_deinit(&reply);
        finish(&world);
    }
}

static void service_keeps_connections_and_answers_in_order(void **state)
{
    (void)state;
    struct world world;
    char response[8192];
    start(&world, "127.0.0.1:0");
    static const char request[] = "GET /scrape?info_hash=aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n"
                                  "Host: x\r\n\r\n"
                                  "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /scrape HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    talk(&world.http, request, sizeof request - 1, response, sizeof response);
    const char *first = strstr(response, "d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei0e");
    const char *second = strstr(response, "HTTP/1.1 404");
    const char *third = strstr(response, "info_hash is missing");
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(third);
    assert_true(first < second);
    assert_true(second < third);
    finish(&world);
}

static void service_refuses_other_methods_and_nonsense(void **state)
{
    (void)state;
    struct world world;
    char response[8192];
    start(&world, "127.0.0.1:0");
    static const char post[] = "POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                               "Connection: close\r\n\r\nhello";
    talk(&world.http, post, sizeof post - 1, response, sizeof response);
    assert_memory_equal(response, "HTTP/1.1 405", 12);
    static const char nonsense[] = "\x16\x03\x01 nonsense\r\n\r\n";
    talk(&world.http, nonsense, sizeof nonsense - 1, response, sizeof response);
    assert_true(response[0] == '\0' || strstr(response, "HTTP/1.1 4") != NULL);
    /* A line that is longer than any announce. */
    static char line[60000];
    memset(line, 'a', sizeof line);
    memcpy(line, "GET /announce?", 14);
    int fd = connect_to(&world.http, SOCK_STREAM);
    (void)!send(fd, line, sizeof line, MSG_NOSIGNAL);
    close(fd);
    struct tracker_reply reply;
    announce_http(&world, 'a', "port=1000&left=0&compact=1", &reply);
    assert_false(reply.failed);
    tracker_reply_deinit(&reply);
    finish(&world);
}

static void service_answers_no_datagram_that_is_no_request(void **state)
{
    (void)state;
    struct world world;
    struct tracker_reply reply;
    start(&world, "127.0.0.1:0");
    int fd = connect_to(&world.udp, SOCK_DGRAM);
    static const uint8_t rubbish[] = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
    assert_int_equal(send(fd, rubbish, sizeof rubbish, 0), sizeof rubbish);
    assert_int_equal(send(fd, rubbish, 0, 0), 0);
    uint8_t packet[64];
    announce_udp(&world, 'b', &reply); /* the service has read what came before */
    tracker_reply_deinit(&reply);
    assert_int_equal(recv(fd, packet, sizeof packet, MSG_DONTWAIT), -1);
    close(fd);
    finish(&world);
}

/* The kernel would answer from 127.0.0.1; a peer that asked 127.0.0.3 does not listen to that. */
static void service_answers_from_the_address_that_was_asked(void **state)
{
    (void)state;
    static const char *const bound[] = {"0.0.0.0:0", "[::]:0"};
    static const char *const asked[] = {"127.0.0.3:0", "[::1]:0"};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct tracker_reply reply;
        start(&world, bound[i]);
        uint16_t port = world.udp.port;
        assert_true(address_from_text(asked[i], false, &world.udp));
        world.udp.port = port;
        announce_udp(&world, 'b', &reply);
        assert_false(reply.failed);
        assert_int_equal(reply.interval_s, 60);
        tracker_reply_deinit(&reply);
        finish(&world);
    }
}

static void service_takes_both_families_on_one_port(void **state)
{
    (void)state;
    struct world world;
    struct tracker_service *second;
    char text[TRACKER_SERVICE_TEXT_SIZE];
    start(&world, "0.0.0.0:0");
    struct tracker_service_socket sockets[] = {{TRACKER_TRANSPORT_HTTP, world.http, false},
                                               {TRACKER_TRANSPORT_UDP, world.udp, false}};
    sockets[0].address.family = ADDRESS_IPV6;
    sockets[1].address.family = ADDRESS_IPV6;
    struct tracker_service_options options = {.sockets = sockets, .socket_count = 2};
    assert_int_equal(tracker_service_new(&options, text, &second), FRESHET_OK);
    tracker_service_free(second);
    finish(&world);
}

static void service_says_which_address_it_cannot_have(void **state)
{
    (void)state;
    struct world world;
    struct tracker_service *second;
    char text[TRACKER_SERVICE_TEXT_SIZE], address[ADDRESS_TEXT_SIZE];
    start(&world, "127.0.0.1:0");
    struct tracker_service_socket sockets[] = {{TRACKER_TRANSPORT_HTTP, world.http, false}};
    struct tracker_service_options options = {.sockets = sockets, .socket_count = 1};
    assert_int_not_equal(tracker_service_new(&options, text, &second), FRESHET_OK);
    address_to_text(&world.http, address);
    assert_non_null(strstr(text, address));
    sockets[0].is_optional = true;
    assert_int_not_equal(tracker_service_new(&options, text, &second), FRESHET_OK);
    finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(service_introduces_peers_over_both_transports),
        cmocka_unit_test(service_keeps_connections_and_answers_in_order),
        cmocka_unit_test(service_refuses_other_methods_and_nonsense),
        cmocka_unit_test(service_answers_no_datagram_that_is_no_request),
        cmocka_unit_test(service_answers_from_the_address_that_was_asked),
        cmocka_unit_test(service_takes_both_families_on_one_port),
        cmocka_unit_test(service_says_which_address_it_cannot_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
