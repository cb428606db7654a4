/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/datagram_socket.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagram_socket_talks_over_both_families),
        cmocka_unit_test(datagram_socket_of_all_addresses_talks_ipv4_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
