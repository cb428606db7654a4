/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "host/port_gateway.h"
#include "host/port_schedule.h"
#include "host/port_upnp.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_NS (60 * SECOND_NS)

static struct port_schedule schedule;
static struct port_request request;

static struct address address_of(const char *text)
{
    struct address address;

    assert_true(address_from_text(text, true, &address));
    return address;
}

static void want(const char *listen, int64_t now)
{
    struct address address = address_of(listen);

    port_schedule_want(&schedule, true, &address, now);
}

static struct port_answer held(uint16_t port, uint32_t lifetime_s)
{
    struct port_answer answer = {.ok = true};

    answer.lease.method = PORT_METHOD_NATPMP;
    answer.lease.port = answer.lease.external_port = port;
    answer.lease.lifetime_s = lifetime_s;
    return answer;
}

/* A mapping that is held from `now` on. */
static void map(uint16_t port, uint32_t lifetime_s, int64_t now)
{
    struct port_answer answer = held(port, lifetime_s);

    assert_true(port_schedule_next(&schedule, now, &request));
    assert_false(request.lets_go);
    assert_int_equal(request.listen.port, port);
    port_schedule_done(&schedule, &answer, now);
}

static void fail_at(int64_t now)
{
    struct port_answer answer = {.ok = false};

    assert_true(port_schedule_next(&schedule, now, &request));
    port_schedule_done(&schedule, &answer, now);
}

static void nothing_is_asked_unless_it_is_wanted(void **state)
{
    (void)state;
    port_schedule_init(&schedule);
    assert_true(port_schedule_deadline(&schedule) == INT64_MAX);
    want("127.0.0.1:6881", 0);
    assert_true(port_schedule_deadline(&schedule) == INT64_MAX);
    want("[::1]:6881", 0);
    assert_false(port_schedule_next(&schedule, MINUTE_NS, &request));
    assert_true(port_schedule_is_settled(&schedule));
}

static void a_lease_is_kept_up_at_its_half(void **state)
{
    (void)state;
    port_schedule_init(&schedule);
    want("[::]:6881", 0);
    map(6881, 1200, 0);
    assert_true(port_schedule_deadline(&schedule) == 10 * MINUTE_NS);
    assert_false(port_schedule_next(&schedule, 10 * MINUTE_NS - 1, &request));
    map(6881, 1200, 10 * MINUTE_NS);
    assert_int_equal(request.held.external_port, 6881);
    assert_true(port_schedule_deadline(&schedule) == 20 * MINUTE_NS);
}

static void neither_short_nor_endless_leases_change_the_pace_much(void **state)
{
    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    map(6881, 1, 0);
    assert_true(port_schedule_deadline(&schedule) == MINUTE_NS);
    map(6881, 0, MINUTE_NS);
    assert_true(port_schedule_deadline(&schedule) == 31 * MINUTE_NS);
    map(6881, UINT32_MAX, 31 * MINUTE_NS);
    assert_true(port_schedule_deadline(&schedule) == 61 * MINUTE_NS);
}

static void a_router_that_refuses_is_asked_less_and_less(void **state)
{
    int64_t now = 0, waits[8];

    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    for (int i = 0; i < 8; i++) {
        fail_at(now);
        waits[i] = port_schedule_deadline(&schedule) - now;
        now = port_schedule_deadline(&schedule);
    }
    assert_true(waits[0] == MINUTE_NS);
    assert_true(waits[1] == 2 * MINUTE_NS);
    assert_true(waits[5] == 32 * MINUTE_NS);
    assert_true(waits[7] == 32 * MINUTE_NS);
    /* Until something has changed. */
    port_schedule_network_changed(&schedule, now);
    assert_true(port_schedule_deadline(&schedule) == now);
}

static void what_could_not_be_kept_up_is_held_until_its_end(void **state)
{
    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    map(6881, 240, 0);
    fail_at(2 * MINUTE_NS);
    assert_int_equal(schedule.held.port, 6881);
    fail_at(3 * MINUTE_NS);
    assert_int_equal(schedule.held.port, 6881);
    fail_at(5 * MINUTE_NS);
    assert_int_equal(schedule.held.method, PORT_METHOD_NONE);
}

static void another_port_lets_the_one_before_go_first(void **state)
{
    struct port_answer gone = {.ok = true};

    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    map(6881, 3600, 0);
    want("0.0.0.0:7000", SECOND_NS);
    assert_true(port_schedule_next(&schedule, SECOND_NS, &request));
    assert_true(request.lets_go);
    assert_int_equal(request.held.port, 6881);
    assert_false(port_schedule_next(&schedule, SECOND_NS, &request));
    port_schedule_done(&schedule, &gone, SECOND_NS);
    map(7000, 3600, SECOND_NS);
    assert_true(port_schedule_is_settled(&schedule));
}

static void an_answer_to_the_old_wish_is_followed_by_the_new_one(void **state)
{
    struct port_answer late = held(6881, 3600), gone = {.ok = true};

    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    assert_true(port_schedule_next(&schedule, 0, &request));
    want("0.0.0.0:7000", SECOND_NS);
    assert_true(port_schedule_deadline(&schedule) == INT64_MAX);
    port_schedule_done(&schedule, &late, 2 * SECOND_NS);
    assert_true(port_schedule_next(&schedule, 2 * SECOND_NS, &request));
    assert_true(request.lets_go);
    port_schedule_done(&schedule, &gone, 2 * SECOND_NS);
    map(7000, 3600, 2 * SECOND_NS);
}

static void a_changed_network_during_an_errand_asks_again(void **state)
{
    struct port_answer answer = held(6881, 3600);

    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    assert_true(port_schedule_next(&schedule, 0, &request));
    port_schedule_network_changed(&schedule, SECOND_NS);
    port_schedule_done(&schedule, &answer, 2 * SECOND_NS);
    assert_true(port_schedule_deadline(&schedule) == 2 * SECOND_NS);
    map(6881, 3600, 2 * SECOND_NS);
    assert_true(port_schedule_deadline(&schedule) > 2 * SECOND_NS);
}

static void who_wants_it_no_more_lets_it_go_once(void **state)
{
    struct port_answer answer = held(6881, 3600), gone = {.ok = false};
    struct address none = {0};

    (void)state;
    port_schedule_init(&schedule);
    want("0.0.0.0:6881", 0);
    assert_true(port_schedule_next(&schedule, 0, &request));
    port_schedule_want(&schedule, false, &none, 0);
    assert_false(port_schedule_is_settled(&schedule));
    port_schedule_done(&schedule, &answer, SECOND_NS);
    assert_false(port_schedule_is_settled(&schedule));
    assert_true(port_schedule_next(&schedule, SECOND_NS, &request));
    assert_true(request.lets_go);
    /* Even if the router does not hear it. */
    port_schedule_done(&schedule, &gone, SECOND_NS);
    assert_true(port_schedule_is_settled(&schedule));
    assert_true(port_schedule_deadline(&schedule) == INT64_MAX);
}

static bool read_gateway(const char *table, struct address *ret_gateway)
{
    FILE *file = fmemopen((void *)(uintptr_t)table, strlen(table), "r");
    bool found;

    assert_non_null(file);
    found = port_gateway_read(file, ret_gateway);
    fclose(file);
    return found;
}

static void the_gateway_is_that_of_the_cheapest_default_route(void **state)
{
    static const char head[] =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
        "\tWindow\tIRTT\n";
    char table[1024];
    struct address gateway, wanted = address_of("192.168.1.1");

    (void)state;
    assert_false(read_gateway(head, &gateway));
    /* A network without a router, a host's route, a route that is down, two defaults. */
    snprintf(table, sizeof table, "%s%s%s%s%s%s", head,
             "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
             "eth0\t00000000\t0901A8C0\t0007\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n",
             "eth1\t00000000\t0801A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0\n",
             "wlan0\t00000000\t0A01A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n",
             "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
    assert_true(read_gateway(table, &gateway));
    assert_true(address_equal(&gateway, &wanted));
    assert_false(read_gateway("nonsense\n\n\xff\xff", &gateway));
}

static void only_plain_http_at_the_gateway_is_its_own(void **state)
{
    struct address gateway = address_of("192.168.1.1");

    (void)state;
    assert_true(port_upnp_is_at("http://192.168.1.1:5000/rootDesc.xml", &gateway));
    assert_true(port_upnp_is_at("http://192.168.1.1/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.10:5000/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1.example.org/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1@127.0.0.1/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1:80@127.0.0.1:9/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1:@127.0.0.1/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1:/", &gateway));
    assert_false(port_upnp_is_at("http://192.168.1.1:80", &gateway));
    assert_false(port_upnp_is_at("http://127.0.0.1/192.168.1.1/", &gateway));
    assert_false(port_upnp_is_at("https://192.168.1.1/", &gateway));
    assert_false(port_upnp_is_at("", &gateway));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_unless_it_is_wanted),
        cmocka_unit_test(a_lease_is_kept_up_at_its_half),
        cmocka_unit_test(neither_short_nor_endless_leases_change_the_pace_much),
        cmocka_unit_test(a_router_that_refuses_is_asked_less_and_less),
        cmocka_unit_test(what_could_not_be_kept_up_is_held_until_its_end),
        cmocka_unit_test(another_port_lets_the_one_before_go_first),
        cmocka_unit_test(an_answer_to_the_old_wish_is_followed_by_the_new_one),
        cmocka_unit_test(a_changed_network_during_an_errand_asks_again),
        cmocka_unit_test(who_wants_it_no_more_lets_it_go_once),
        cmocka_unit_test(the_gateway_is_that_of_the_cheapest_default_route),
        cmocka_unit_test(only_plain_http_at_the_gateway_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
