/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/top_screen.h"

static json_t *rows_of(int count)
{
    json_t *rows = json_array();

    for (int i = 1; i <= count; i++)
        json_array_append_new(rows, json_pack("{s:i, s:s, s:i}", "id", i, "name",
                                              i % 2 ? "odd" : "even", "rate_download", i * 100));
    return rows;
}

static int64_t chosen(const struct top_screen *screen)
{
    return json_integer_value(json_object_get(top_screen_chosen(screen), "id"));
}

static void the_choice_stays_and_moves_to_a_neighbour_when_it_goes(void **state)
{
    struct top_screen screen;

    (void)state;
    top_screen_init(&screen);
    assert_null(top_screen_chosen(&screen));
    top_screen_take_rows(&screen, rows_of(3));
    assert_int_equal(chosen(&screen), 1);
    top_screen_move(&screen, 1);
    assert_int_equal(chosen(&screen), 2);
    top_screen_take_rows(&screen, rows_of(4));
    assert_int_equal(chosen(&screen), 2);
    top_screen_move(&screen, 100);
    assert_int_equal(chosen(&screen), 4);
    top_screen_take_rows(&screen, rows_of(3));
    assert_int_equal(chosen(&screen), 3);
    top_screen_take_rows(&screen, rows_of(0));
    assert_null(top_screen_chosen(&screen));
    top_screen_deinit(&screen);
}

static void orders_go_round(void **state)
{
    static const int64_t first[TOP_ORDERS] = {
        [TOP_BY_ID] = 1, [TOP_BY_NAME] = 2, [TOP_BY_DONE] = 1, [TOP_BY_DOWN] = 4, [TOP_BY_UP] = 1};
    struct top_screen screen;

    (void)state;
    top_screen_init(&screen);
    top_screen_take_rows(&screen, rows_of(4));
    for (int i = 0; i < TOP_ORDERS; i++) {
        assert_int_equal(json_integer_value(json_object_get(json_array_get(screen.rows, 0), "id")),
                         first[screen.order]);
        top_screen_next_order(&screen);
    }
    assert_int_equal(screen.order, TOP_BY_ID);
    top_screen_deinit(&screen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_choice_stays_and_moves_to_a_neighbour_when_it_goes),
        cmocka_unit_test(orders_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
