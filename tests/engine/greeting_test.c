/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/engine/greeting.h"

static void greeting_is_refused_when_too_many_wait(void **state)
{
    (void)state;
    struct greetings greetings;
    struct address from = address_ipv4((uint8_t[]){10, 0, 0, 1}, 1);
    greeting_init(&greetings, 1);
    for (uint32_t i = 0; i < GREETINGS_MAX; i++) {
        from.ip[1] = (uint8_t)i;
        assert_non_null(greeting_add(&greetings, i, &from, 0));
    }
    assert_null(greeting_add(&greetings, GREETINGS_MAX, &from, 0));
    greeting_remove(&greetings, greeting_find(&greetings, 7));
    assert_null(greeting_find(&greetings, 7));
    assert_non_null(greeting_add(&greetings, GREETINGS_MAX, &from, 0));
    greeting_deinit(&greetings);
}

static void greeting_leaves_room_for_others(void **state)
{
    (void)state;
    struct greetings greetings;
    struct address v4 = address_ipv4((uint8_t[]){10, 0, 0, 1}, 1);
    struct address other = address_ipv4((uint8_t[]){10, 0, 0, 2}, 1);
    struct address v6 = address_ipv6((uint8_t[16]){0x20, 1}, 1);
    uint32_t i = 0;
    greeting_init(&greetings, 1);
    for (; i < GREETINGS_NETWORK_MAX; i++) {
        v4.port++;
        assert_non_null(greeting_add(&greetings, i, &v4, 0));
    }
    assert_null(greeting_add(&greetings, i, &v4, 0));
    assert_non_null(greeting_add(&greetings, i++, &other, 0));
    for (uint32_t j = 0; j < GREETINGS_NETWORK_MAX; j++) {
        v6.ip[15]++;
        assert_non_null(greeting_add(&greetings, i++, &v6, 0));
    }
    assert_null(greeting_add(&greetings, i, &v6, 0));
    v6.ip[7]++;
    assert_non_null(greeting_add(&greetings, i, &v6, 0));
    greeting_deinit(&greetings);
}

static void greeting_is_overdue_after_ten_seconds(void **state)
{
    (void)state;
    struct greetings greetings;
    struct address from = address_ipv4((uint8_t[]){10, 0, 0, 1}, 1);
    greeting_init(&greetings, 1);
    assert_int_equal(greeting_deadline(&greetings), INT64_MAX);
    greeting_add(&greetings, 1, &from, 5 * SECOND_NS);
    greeting_add(&greetings, 2, &from, 6 * SECOND_NS);
    assert_int_equal(greeting_deadline(&greetings), 15 * SECOND_NS);
    assert_null(greeting_overdue(&greetings, 15 * SECOND_NS - 1));
    assert_int_equal(greeting_overdue(&greetings, 15 * SECOND_NS)->conn, 1);
    greeting_deinit(&greetings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greeting_is_refused_when_too_many_wait),
        cmocka_unit_test(greeting_leaves_room_for_others),
        cmocka_unit_test(greeting_is_overdue_after_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
