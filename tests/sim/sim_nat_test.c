/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/sim_nat.h"

static struct address ip(uint8_t first, uint16_t port)
{
    const uint8_t bytes[4] = {first, 0, 0, 1};
    return address_ipv4(bytes, port);
}

static int set_up(void **state)
{
    static struct sim_nat nat;
    struct address outer = ip(20, 0);
    sim_nat_init(&nat, &outer);
    *state = &nat;
    return 0;
}

static int tear_down(void **state)
{
    sim_nat_deinit(*state);
    return 0;
}

static void one_inner_port_has_one_public_port_whoever_it_speaks_to(void **state)
{
    struct sim_nat *nat = *state;
    struct address inner = ip(10, 6881), other = ip(10, 6882);
    struct address far = ip(30, 1), farther = ip(31, 2);
    struct address first = sim_nat_out(nat, 0, &inner, &far);
    struct address second = sim_nat_out(nat, 0, &inner, &farther);
    struct address third = sim_nat_out(nat, 0, &other, &far);
    assert_true(address_equal(&first, &second));
    assert_true(address_same_ip(&first, &third));
    assert_int_not_equal(first.port, third.port);
    assert_int_not_equal(first.port, inner.port);
    assert_int_equal(first.ip[0], 20);
}

static void only_who_was_spoken_to_gets_in(void **state)
{
    struct sim_nat *nat = *state;
    struct address inner = ip(10, 6881), to = ip(30, 1), got;
    struct address same_ip = ip(30, 2), stranger = ip(31, 1);
    struct address outer = sim_nat_out(nat, 0, &inner, &to);
    assert_true(sim_nat_in(nat, 1, outer.port, &to, &got));
    assert_true(address_equal(&got, &inner));
    assert_false(sim_nat_in(nat, 1, outer.port, &same_ip, &got));
    assert_false(sim_nat_in(nat, 1, outer.port, &stranger, &got));
    assert_false(sim_nat_in(nat, 1, inner.port, &to, &got));
    assert_int_equal(nat->dropped, 3);
}

static void a_hole_of_one_inner_port_is_none_of_another(void **state)
{
    struct sim_nat *nat = *state;
    struct address inner = ip(10, 6881), other = ip(10, 6882), got;
    struct address a = ip(30, 1), b = ip(31, 1);
    struct address outer = sim_nat_out(nat, 0, &inner, &a);
    sim_nat_out(nat, 0, &other, &b);
    assert_false(sim_nat_in(nat, 0, outer.port, &b, &got));
}

static void what_is_not_used_from_inside_closes(void **state)
{
    struct sim_nat *nat = *state;
    struct address inner = ip(10, 6881), a = ip(30, 1), b = ip(31, 1), got;
    struct address outer = sim_nat_out(nat, 0, &inner, &a);
    /* b keeps the mapping, not a's hole; what comes in keeps nothing. */
    sim_nat_out(nat, SIM_NAT_IDLE_NS - 1, &inner, &b);
    assert_true(sim_nat_in(nat, SIM_NAT_IDLE_NS - 1, outer.port, &a, &got));
    assert_false(sim_nat_in(nat, SIM_NAT_IDLE_NS, outer.port, &a, &got));
    assert_true(sim_nat_in(nat, SIM_NAT_IDLE_NS, outer.port, &b, &got));
    assert_false(sim_nat_in(nat, 2 * SIM_NAT_IDLE_NS, outer.port, &b, &got));
    struct address later = sim_nat_out(nat, 2 * SIM_NAT_IDLE_NS, &inner, &a);
    assert_int_not_equal(later.port, outer.port);
}

static void two_that_speak_first_open_the_way_for_each_other(void **state)
{
    struct sim_nat *nat = *state, second;
    struct address inner = ip(10, 6881), other = ip(11, 6881), outer = ip(21, 0), got;
    sim_nat_init(&second, &outer);
    /* Each knows the other's public port, as a common peer sees it. */
    struct address rendezvous = ip(30, 1);
    struct address mine = sim_nat_out(nat, 0, &inner, &rendezvous);
    struct address yours = sim_nat_out(&second, 0, &other, &rendezvous);
    assert_false(sim_nat_in(&second, 1, yours.port, &mine, &got));
    sim_nat_out(nat, 1, &inner, &yours);
    assert_false(sim_nat_in(&second, 1, yours.port, &mine, &got));
    sim_nat_out(&second, 2, &other, &mine);
    assert_true(sim_nat_in(nat, 2, mine.port, &yours, &got));
    assert_true(sim_nat_in(&second, 3, yours.port, &mine, &got));
    sim_nat_deinit(&second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_inner_port_has_one_public_port_whoever_it_speaks_to),
        TEST(only_who_was_spoken_to_gets_in),
        TEST(a_hole_of_one_inner_port_is_none_of_another),
        TEST(what_is_not_used_from_inside_closes),
        TEST(two_that_speak_first_open_the_way_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
