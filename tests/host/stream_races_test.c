/* SPDX-License-Identifier: MIT */
/* Dials over both transports, to one whose TCP and whose uTP answer when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/socket_address.h"
#include "host/stream_sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STATE       0x21 /* the first byte of packets of BEP 29 */
#define RESET       0x31
#define SYN         0x41
#define PACKET      20
#define FILLERS_MAX 16

struct fixture {
    uv_loop_t loop;
    uv_prepare_t pump;
    uv_timer_t keep_alive;
    struct block_memory memory;
    struct stream_sockets *sockets;
    struct datagram_socket *datagrams;
    uint32_t connected, closed;
    conn_id conn; /* the last that was told of */
    bool is_utp;

    /* the other: one port */
    struct address address;
    int tcp, udp;
    int fillers[FILLERS_MAX]; /* fill the queue of the listener */
    int filler_count;
    uint8_t packet[PACKET]; /* the last of ours */
    struct sockaddr_in from;
};

static void on_event(void *context, struct event *event)
{
    struct fixture *fixture = context;

    fixture->conn = event->conn;
    if (event->type == EVENT_CONNECTED) {
        fixture->connected++;
        fixture->is_utp = event->transport == TRANSPORT_UTP;
        assert_true(address_equal(&event->remote, &fixture->address));
    } else {
        assert_int_equal(event->type, EVENT_CLOSED);
        fixture->closed++;
    }
}

static void on_plan(void *context, conn_id conn, struct receive_plan *ret_plan)
{
    (void)context;
    (void)conn;
    (void)ret_plan;
}

static void on_datagram(void *context, struct event *event)
{
    struct fixture *fixture = context;

    assert_true(utp_streams_input(stream_sockets_utp(fixture->sockets), event));
}

static void on_pump(uv_prepare_t *pump)
{
    struct fixture *fixture = pump->data;

    utp_streams_pump(stream_sockets_utp(fixture->sockets));
}

static void on_keep_alive(uv_timer_t *timer)
{
    (void)timer;
}

/* ---- the other ---- */

static int bound_socket(int type, uint16_t port)
{
    int on = 1, fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in here = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) == 0)
        return fd;
    assert_int_equal(errno, EADDRINUSE);
    close(fd);
    return -1;
}

static void take_port(struct fixture *fixture)
{
    fixture->tcp = -1;
    for (int i = 0; i < 100 && fixture->tcp < 0; i++) {
        if (i)
            close(fixture->udp);
        fixture->udp = bound_socket(SOCK_DGRAM, 0);
        socket_address_of_local(fixture->udp, &fixture->address);
        fixture->tcp = bound_socket(SOCK_STREAM, fixture->address.port);
    }
    assert_true(fixture->tcp >= 0);
}

static bool is_connected(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};

    return poll(&wait, 1, 0) == 1;
}

/* Its queue is full: the system drops each SYN and says nothing. */
static void hush_tcp(struct fixture *fixture)
{
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&fixture->address, false, &to);

    assert_int_equal(listen(fixture->tcp, 0), 0);
    do {
        assert_true(fixture->filler_count < FILLERS_MAX);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fd, (struct sockaddr *)&to, length);
        fixture->fillers[fixture->filler_count++] = fd;
    } while (is_connected(fixture->fillers[fixture->filler_count - 1]));
}

/* Somebody has been accepted. */
static bool accept_one(struct fixture *fixture)
{
    int fd = accept4(fixture->tcp, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void unhush_tcp(struct fixture *fixture)
{
    while (fixture->filler_count > 0)
        close(fixture->fillers[--fixture->filler_count]);
    assert_int_equal(listen(fixture->tcp, 16), 0);
    while (accept_one(fixture))
        continue;
}

/* The next packet of ours that begins so; what was said twice is passed over. */
static void await_packet(struct fixture *fixture, uint8_t first)
{
    do {
        socklen_t length = sizeof fixture->from;
        ssize_t got = recvfrom(fixture->udp, fixture->packet, PACKET, 0,
                               (struct sockaddr *)&fixture->from, &length);
        if (got == PACKET && fixture->packet[0] == first)
            return;
        uv_run(&fixture->loop, UV_RUN_ONCE);
    } while (true);
}

/* An answer to the SYN at hand. */
static void answer_syn(struct fixture *fixture, uint8_t first)
{
    uint8_t answer[PACKET] = {first};

    memcpy(answer + 2, fixture->packet + 2, 2); /* the connection */
    answer[12] = 0x10;                          /* a window */
    answer[16] = 7;                             /* its number */
    memcpy(answer + 18, fixture->packet + 16, 2);
    assert_int_equal(sendto(fixture->udp, answer, PACKET, 0, (struct sockaddr *)&fixture->from,
                            sizeof fixture->from),
                     PACKET);
}

/* ---- ours ---- */

static void fixture_init(struct fixture *fixture)
{
    const struct address here = address_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);

    memset(fixture, 0, sizeof *fixture);
    take_port(fixture);
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->keep_alive);
    uv_timer_start(&fixture->keep_alive, on_keep_alive, 5, 5);
    assert_int_equal(block_memory_init(&fixture->memory, 2), FRESHET_OK);
    struct stream_sockets_options options = {.loop = &fixture->loop,
                                             .pool = &fixture->memory,
                                             .connections_max = 8,
                                             .event = on_event,
                                             .receive_plan = on_plan,
                                             .context = fixture};
    fixture->sockets = stream_sockets_new(&options);
    assert_int_equal(datagram_socket_open(&fixture->loop, &here, false, on_datagram, fixture,
                                          &fixture->datagrams),
                     FRESHET_OK);
    stream_sockets_use_utp(fixture->sockets, fixture->datagrams, UTP_LEDBAT_PLUS);
    uv_prepare_init(&fixture->loop, &fixture->pump);
    fixture->pump.data = fixture;
    uv_prepare_start(&fixture->pump, on_pump);
}

static void fixture_deinit(struct fixture *fixture)
{
    uv_close((uv_handle_t *)&fixture->pump, NULL);
    stream_sockets_free(fixture->sockets);
    datagram_socket_close(fixture->datagrams);
    uv_close((uv_handle_t *)&fixture->keep_alive, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    block_memory_deinit(&fixture->memory);
    while (fixture->filler_count > 0)
        close(fixture->fillers[--fixture->filler_count]);
    close(fixture->tcp);
    close(fixture->udp);
}

#define RUN_UNTIL(fixture, condition)                                                              \
    do                                                                                             \
        uv_run(&(fixture)->loop, UV_RUN_ONCE);                                                     \
    while (!(condition))

static void dial(struct fixture *fixture, conn_id conn)
{
    stream_sockets_connect(fixture->sockets, conn, &fixture->address, TRANSPORT_ANY);
}

static void close_conn(struct fixture *fixture, conn_id conn)
{
    stream_sockets_close(fixture->sockets, conn);
    assert_int_equal(stream_sockets_count(fixture->sockets), 0);
}

/* Each descriptor of this process. */
static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* From here on uTP is what answered last. */
static void win_by_utp(struct fixture *fixture, conn_id conn)
{
    uint32_t connected = fixture->connected;

    dial(fixture, conn);
    await_packet(fixture, SYN);
    answer_syn(fixture, STATE);
    RUN_UNTIL(fixture, fixture->connected == connected + 1);
    assert_true(fixture->is_utp);
    assert_int_equal(fixture->conn, conn);
    assert_int_equal(stream_sockets_count(fixture->sockets), 1);
}

/* ---- tests ---- */

static void a_stranger_is_asked_by_tcp_and_is_had_by_it(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(listen(fixture.tcp, 16), 0);
    dial(&fixture, 1);
    assert_true(accept_one(&fixture));
    RUN_UNTIL(&fixture, fixture.connected == 1);
    assert_false(fixture.is_utp);
    assert_int_equal(stream_sockets_count(fixture.sockets), 1);
    fixture_deinit(&fixture);
}

static void where_tcp_is_silent_utp_is_had_and_asked_first_from_then_on(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    int before = count_descriptors();
    win_by_utp(&fixture, 1);
    for (int i = 0; i < 3; i++)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(count_descriptors(), before); /* TCP's is gone */
    close_conn(&fixture, 1);
    unhush_tcp(&fixture);
    dial(&fixture, 2);
    assert_false(accept_one(&fixture));
    await_packet(&fixture, SYN);
    assert_int_equal(fixture.closed, 0);
    fixture_deinit(&fixture);
}

static void where_utp_is_silent_tcp_follows_and_is_asked_first_from_then_on(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    win_by_utp(&fixture, 1);
    close_conn(&fixture, 1);
    unhush_tcp(&fixture);
    dial(&fixture, 2);
    assert_false(accept_one(&fixture));
    RUN_UNTIL(&fixture, fixture.connected == 2);
    assert_int_equal(fixture.conn, 2);
    assert_false(fixture.is_utp);
    assert_true(accept_one(&fixture));
    close_conn(&fixture, 2);
    dial(&fixture, 3);
    assert_true(accept_one(&fixture));
    assert_int_equal(fixture.closed, 0);
    fixture_deinit(&fixture);
}

static void where_utp_is_refused_tcp_follows(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    win_by_utp(&fixture, 1);
    close_conn(&fixture, 1);
    unhush_tcp(&fixture);
    dial(&fixture, 2);
    await_packet(&fixture, SYN);
    answer_syn(&fixture, RESET);
    RUN_UNTIL(&fixture, fixture.connected == 2);
    assert_false(fixture.is_utp);
    assert_int_equal(fixture.closed, 0);
    fixture_deinit(&fixture);
}

static void where_tcp_is_refused_utp_follows(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    win_by_utp(&fixture, 1); /* nobody listens */
    assert_int_equal(fixture.closed, 0);
    fixture_deinit(&fixture);
}

static void one_that_is_refused_leaves_the_other_to_go_on(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    dial(&fixture, 1);
    await_packet(&fixture, SYN);
    answer_syn(&fixture, RESET);
    for (int i = 0; i < 10; i++)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.closed + fixture.connected, 0);
    unhush_tcp(&fixture);
    RUN_UNTIL(&fixture, fixture.connected == 1);
    assert_false(fixture.is_utp);
    fixture_deinit(&fixture);
}

static void two_that_are_refused_are_told_once(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    dial(&fixture, 1);
    await_packet(&fixture, SYN);
    answer_syn(&fixture, RESET);
    RUN_UNTIL(&fixture, fixture.closed == 1);
    for (int i = 0; i < 10; i++)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.closed, 1);
    assert_int_equal(fixture.connected, 0);
    assert_int_equal(stream_sockets_count(fixture.sockets), 0);
    fixture_deinit(&fixture);
}

static void an_answer_of_utp_after_tcps_is_reset(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    dial(&fixture, 1);
    await_packet(&fixture, SYN);
    unhush_tcp(&fixture);
    RUN_UNTIL(&fixture, fixture.connected == 1);
    assert_false(fixture.is_utp);
    answer_syn(&fixture, STATE);
    await_packet(&fixture, RESET);
    assert_int_equal(fixture.connected, 1);
    assert_int_equal(fixture.closed, 0);
    assert_int_equal(stream_sockets_count(fixture.sockets), 1);
    fixture_deinit(&fixture);
}

static void one_that_is_closed_while_both_are_asked_leaves_nothing(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    int before = count_descriptors();
    dial(&fixture, 1);
    assert_int_equal(count_descriptors(), before + 1);
    await_packet(&fixture, SYN);
    assert_int_equal(count_descriptors(), before + 1);
    close_conn(&fixture, 1);
    answer_syn(&fixture, STATE);
    await_packet(&fixture, RESET);
    assert_int_equal(fixture.connected + fixture.closed, 0);
    assert_int_equal(count_descriptors(), before);
    fixture_deinit(&fixture);
}

static void on_another_socket_tcp_goes_on_alone(void **state)
{
    const struct address here = address_ipv4((const uint8_t[]){127, 0, 0, 1}, 0);
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    hush_tcp(&fixture);
    dial(&fixture, 1);
    await_packet(&fixture, SYN);
    struct datagram_socket *before = fixture.datagrams;
    assert_int_equal(datagram_socket_open(&fixture.loop, &here, false, on_datagram, &fixture,
                                          &fixture.datagrams),
                     FRESHET_OK);
    stream_sockets_use_utp(fixture.sockets, fixture.datagrams, UTP_LEDBAT_PLUS);
    datagram_socket_close(before);
    unhush_tcp(&fixture);
    RUN_UNTIL(&fixture, fixture.connected == 1);
    assert_false(fixture.is_utp);
    assert_int_equal(fixture.closed, 0);
    fixture_deinit(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stranger_is_asked_by_tcp_and_is_had_by_it),
        cmocka_unit_test(where_tcp_is_silent_utp_is_had_and_asked_first_from_then_on),
        cmocka_unit_test(where_utp_is_silent_tcp_follows_and_is_asked_first_from_then_on),
        cmocka_unit_test(where_utp_is_refused_tcp_follows),
        cmocka_unit_test(where_tcp_is_refused_utp_follows),
        cmocka_unit_test(one_that_is_refused_leaves_the_other_to_go_on),
        cmocka_unit_test(two_that_are_refused_are_told_once),
        cmocka_unit_test(an_answer_of_utp_after_tcps_is_reset),
        cmocka_unit_test(one_that_is_closed_while_both_are_asked_leaves_nothing),
        cmocka_unit_test(on_another_socket_tcp_goes_on_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
