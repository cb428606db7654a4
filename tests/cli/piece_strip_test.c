/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/piece_strip.h"

#include <string.h>

static void a_level_is_full_only_when_all_is_there_and_empty_only_when_nothing_is(void **state)
{
    (void)state;
    assert_int_equal(piece_strip_level(0, 0), 0);
    for (uint32_t total = 1; total < 300; total++)
        for (uint32_t have = 0; have <= total; have++) {
            int level = piece_strip_level(have, total);
            assert_int_equal(level == 0, have == 0);
            assert_int_equal(level == 8, have == total);
            assert_in_range(level, 0, 8);
        }
}

static void a_strip_has_a_column_for_each_piece_or_many_pieces_a_column(void **state)
{
    struct bitfield pieces;
    char text[PIECE_STRIP_SIZE];

    (void)state;
    bitfield_init(&pieces, 1000);
    for (uint32_t piece = 0; piece < 500; piece++)
        bitfield_set(&pieces, piece);
    piece_strip_text(&pieces, 1000, 10, false, text);
    assert_string_equal(text, "#####_____");
    piece_strip_text(&pieces, 1000, 4, false, text);
    assert_string_equal(text, "##__");
    piece_strip_text(&pieces, 1000, 3, true, text);
    assert_string_equal(text, "\u2588\u2584 ");
    piece_strip_text(&pieces, 1000, 5000, true, text);
    assert_true(strlen(text) < PIECE_STRIP_SIZE);
    piece_strip_text(&pieces, 1000, 0, false, text);
    assert_string_equal(text, "");
    piece_strip_text(NULL, 0, 10, false, text);
    assert_string_equal(text, "");
    bitfield_deinit(&pieces);
    bitfield_init(&pieces, 3);
    bitfield_set(&pieces, 1);
    piece_strip_text(&pieces, 3, 80, false, text);
    assert_string_equal(text, "_#_");
    bitfield_deinit(&pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_is_full_only_when_all_is_there_and_empty_only_when_nothing_is),
        cmocka_unit_test(a_strip_has_a_column_for_each_piece_or_many_pieces_a_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
