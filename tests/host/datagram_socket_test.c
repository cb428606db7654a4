/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/datagram_socket_state.h"

#include <string.h>

struct heard {
    int count;
    struct address remote, local;
    uint8_t bytes[8192];
    size_t length;
};

static void on_received(void *context, struct event *event)
{
    struct heard *heard = context;

    assert_int_equal(event->type, EVENT_DATAGRAM);
    heard->count++;
    heard->remote = event->remote;
    heard->local = event->local;
    heard->length = event->bytes.length;
    if (event->bytes.length > 0)
        memcpy(heard->bytes, event->bytes.data, event->bytes.length);
}

static void run_until(uv_loop_t *loop, const struct heard *heard, int count)
{
    while (heard->count < count)
        uv_run(loop, UV_RUN_ONCE);
}

static void talk(const struct address *here, const struct address *there)
{
    struct heard one = {0}, other = {0};
    struct datagram_socket *first, *second;
    static uint8_t large[3000];
    struct address to = *there;
    uv_loop_t loop;

    uv_loop_init(&loop);
    assert_int_equal(datagram_socket_open(&loop, here, false, on_received, &one, &first),
                     FRESHET_OK);
    assert_int_equal(datagram_socket_open(&loop, there, false, on_received, &other, &second),
                     FRESHET_OK);
    to.port = datagram_socket_address(second).port;
    datagram_socket_send(first, &to, BYTES_LITERAL("hello"));
    run_until(&loop, &other, 1);
    assert_int_equal(other.length, 5);
    assert_memory_equal(other.bytes, "hello", 5);
    memset(large, 0x5a, sizeof large);
    datagram_socket_send(second, &other.remote, (struct bytes){large, sizeof large});
    run_until(&loop, &one, 1);
    assert_int_equal(one.length, sizeof large);
    assert_memory_equal(one.bytes, large, sizeof large);
    assert_true(address_same_ip(&one.remote, there));
    datagram_socket_close(first);
    datagram_socket_close(second);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void datagram_socket_talks_over_both_families(void **state)
{
    struct address v4, v6;

    (void)state;
    assert_true(address_from_text("127.0.0.1:0", false, &v4));
    assert_true(address_from_text("[::1]:0", false, &v6));
    talk(&v4, &v4);
    talk(&v6, &v6);
}

static void datagram_socket_of_all_addresses_talks_ipv4_too(void **state)
{
    struct address all, v4;

    (void)state;
    assert_true(address_from_text("[::]:0", false, &all));
    assert_true(address_from_text("127.0.0.1:0", false, &v4));
    talk(&all, &v4);
}

/* ---- runs ---- */

#define RUN_PACKETS 40u
#define RUN_SIZE    1000u
#define RUN_REST    300u

struct run_heard {
    uint32_t datagrams, handfuls;
    struct address remote;
};

static void on_run_received(void *context, struct event *event)
{
    struct run_heard *heard = context;
    uint32_t number = heard->datagrams++;

    heard->remote = event->remote;
    assert_int_equal(event->bytes.length,
                     number % RUN_PACKETS == RUN_PACKETS - 1 ? RUN_REST : RUN_SIZE);
    for (size_t i = 0; i < event->bytes.length; i++)
        assert_int_equal(event->bytes.data[i], (uint8_t)(number % RUN_PACKETS + (i >= 20)));
}

static void on_handful(void *context)
{
    ((struct run_heard *)context)->handfuls++;
}

static void on_writable(void *context)
{
    (void)context;
}

/* Each datagram is a head of 20 bytes and a rest of other bytes, as uTP's are. */
static void make_run(struct utp_output *run, const struct address *to)
{
    static uint8_t heads[RUN_PACKETS][20], bodies[RUN_PACKETS][RUN_SIZE];

    *run = (struct utp_output){.path.remote = *to, .packets = RUN_PACKETS, .packet_size = RUN_SIZE};
    for (uint32_t i = 0; i < RUN_PACKETS; i++) {
        size_t size = i == RUN_PACKETS - 1 ? RUN_REST : RUN_SIZE;
        memset(heads[i], (int)i, 20);
        memset(bodies[i], (int)i + 1, RUN_SIZE);
        run->pieces[run->piece_count++] = (struct bytes){heads[i], 20};
        run->pieces[run->piece_count++] = (struct bytes){bodies[i], 100};
        run->pieces[run->piece_count++] = (struct bytes){bodies[i], size - 120};
        run->bytes += (uint32_t)size;
    }
}

static void send_runs(const char *here_text, bool one_by_one, bool takes_runs)
{
    static struct utp_output run;
    struct run_heard heard = {0}, other = {0};
    struct datagram_socket_runs runs = {on_handful, on_writable, &heard};
    struct datagram_socket *from, *to;
    struct address here, all;
    uv_loop_t loop;

    uv_loop_init(&loop);
    assert_true(address_from_text(here_text, false, &here));
    assert_true(address_from_text("[::]:0", false, &all));
    assert_int_equal(datagram_socket_open(&loop, &all, false, on_run_received, &other, &from),
                     FRESHET_OK);
    assert_int_equal(datagram_socket_open(&loop, &here, false, on_run_received, &heard, &to),
                     FRESHET_OK);
    runs.context = &other;
    datagram_socket_take_runs(from, &runs);
    runs.context = &heard;
    if (takes_runs)
        datagram_socket_take_runs(to, &runs);
    from->one_by_one |= one_by_one;
    here.port = datagram_socket_address(to).port;
    make_run(&run, &here);
    if (here.family == ADDRESS_IPV4) /* not the address that the kernel would choose */
        run.path.local = address_ipv4((const uint8_t[]){127, 0, 0, 7}, 0);
    for (int i = 0; i < 3; i++) {
        run.no_fragments = i == 1;
        assert_true(datagram_socket_send_run(from, &run));
    }
    while (heard.datagrams < 3 * RUN_PACKETS)
        uv_run(&loop, UV_RUN_ONCE);
    if (here.family == ADDRESS_IPV4)
        here = run.path.local;
    assert_true(address_same_ip(&heard.remote, &here));
    assert_int_equal(heard.handfuls > 0, takes_runs);
    datagram_socket_close(from);
    datagram_socket_close(to);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void datagram_socket_sends_and_takes_runs(void **state)
{
    (void)state;
    for (int one_by_one = 0; one_by_one < 2; one_by_one++)
        for (int takes_runs = 0; takes_runs < 2; takes_runs++) {
            send_runs("127.0.0.1:0", one_by_one, takes_runs);
            send_runs("[::1]:0", one_by_one, takes_runs);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagram_socket_talks_over_both_families),
        cmocka_unit_test(datagram_socket_of_all_addresses_talks_ipv4_too),
        cmocka_unit_test(datagram_socket_sends_and_takes_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
