/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/stream/stream_key.h"
#include "services/stream/stream_type.h"
#include "services/stream/stream_windows.h"

#include <string.h>

#define PIECE MIB

/* 100 MiB, an empty file, 3 MiB, half a MiB. */
static void make(struct geometry *geometry)
{
    struct geometry_file files[] = {
        {.length = 100 * (uint64_t)MIB}, {.length = 0}, {.length = 3 * MIB}, {.length = MIB / 2}};
    assert_int_equal(geometry_init(geometry, PIECE, files, 4, false), FRESHET_OK);
}

static bool has(const struct piece_window *windows, uint32_t count, piece_index piece, bool is_now)
{
    for (uint32_t i = 0; i < count; i++)
        if (windows[i].is_now == is_now && piece >= windows[i].first &&
            piece - windows[i].first < windows[i].count)
            return true;
    return false;
}

static void reader_at_the_front_wants_both_ends_now(void **state)
{
    (void)state;
    struct geometry geometry;
    struct piece_window windows[LIMIT_PIECE_WINDOWS];
    make(&geometry);
    struct stream_place place = {.file = 0};
    uint32_t count = stream_windows(&geometry, &place, 1, windows);
    for (piece_index piece = 0; piece < 5; piece++)
        assert_true(has(windows, count, piece, true));
    assert_false(has(windows, count, 5, true));
    assert_true(has(windows, count, 99, true));
    assert_false(has(windows, count, 98, true));
    assert_true(has(windows, count, 31, false));
    assert_false(has(windows, count, 32, false));
    assert_false(has(windows, count, 100, true)); /* of the next file */
    geometry_deinit(&geometry);
}

static void reader_that_jumped_does_not_wait_for_the_ends(void **state)
{
    (void)state;
    struct geometry geometry;
    struct piece_window windows[LIMIT_PIECE_WINDOWS];
    make(&geometry);
    struct stream_place place = {.file = 0, .offset = 80 * (uint64_t)MIB + 5};
    uint32_t count = stream_windows(&geometry, &place, 1, windows);
    assert_false(has(windows, count, 79, true));
    for (piece_index piece = 80; piece <= 84; piece++) /* it begins and ends within a piece */
        assert_true(has(windows, count, piece, true));
    assert_false(has(windows, count, 85, true));
    assert_false(has(windows, count, 0, true));
    assert_true(has(windows, count, 0, false));
    assert_true(has(windows, count, 99, false));
    assert_false(has(windows, count, 100, false));
    geometry_deinit(&geometry);
}

static void windows_are_bounded_in_pieces(void **state)
{
    (void)state;
    struct geometry geometry;
    struct geometry_file file = {.length = 20 * MIB};
    struct piece_window windows[LIMIT_PIECE_WINDOWS];
    assert_int_equal(geometry_init(&geometry, 16, &file, 1, false), FRESHET_OK);
    struct stream_place place = {.file = 0, .offset = 10 * MIB};
    uint32_t count = stream_windows(&geometry, &place, 1, windows);
    assert_int_equal(count, 4);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(windows[i].count,
                         windows[i].is_now ? STREAM_NOW_PIECES : STREAM_SOON_PIECES);
    assert_true(has(windows, count, 10 * MIB / 16 + 255, true));
    geometry_deinit(&geometry);
}

static void windows_keep_to_their_file(void **state)
{
    (void)state;
    struct geometry geometry;
    struct piece_window windows[LIMIT_PIECE_WINDOWS];
    make(&geometry);
    struct stream_place places[] = {{.file = 1}, {.file = 2, .offset = MIB}, {.file = 3}};
    assert_int_equal(stream_windows(&geometry, places, 1, windows), 0); /* it is empty */
    uint32_t count = stream_windows(&geometry, places, 3, windows);
    assert_false(has(windows, count, 99, true));
    for (piece_index piece = 100; piece <= 103; piece++)
        assert_true(has(windows, count, piece, true));
    /* At the end of a file nothing lies before the reader. */
    places[0] = (struct stream_place){.file = 3, .offset = MIB / 2};
    assert_int_equal(stream_windows(&geometry, places, 1, windows), 2);
    geometry_deinit(&geometry);
}

static void windows_of_too_many_readers_are_left_out(void **state)
{
    (void)state;
    struct geometry geometry;
    struct piece_window windows[LIMIT_PIECE_WINDOWS];
    struct stream_place places[LIMIT_FILE_READERS + 3];
    make(&geometry);
    for (uint32_t i = 0; i < LIMIT_FILE_READERS + 3; i++)
        places[i] = (struct stream_place){.file = 0, .offset = 8 * (uint64_t)i * MIB};
    assert_int_equal(stream_windows(&geometry, places, LIMIT_FILE_READERS + 3, windows),
                     LIMIT_PIECE_WINDOWS);
    geometry_deinit(&geometry);
}

static void only_what_runs_nothing_has_a_type(void **state)
{
    (void)state;
    assert_string_equal(stream_type_of("a.b.MP4"), "video/mp4");
    assert_string_equal(stream_type_of("x.webm"), "video/webm");
    assert_string_equal(stream_type_of("x.vtt"), "text/vtt");
    static const char *const others[] = {"x.html", "x.htm", "x.svg", "x.xml",  "x.js", "x.pdf",
                                         "x.xht",  "mp4",   "x.",    "x.mp4 ", ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_string_equal(stream_type_of(others[i]), STREAM_TYPE_OTHER);
}

static void name_cannot_leave_its_header(void **state)
{
    (void)state;
    struct buffer out = {0};
    stream_type_disposition("a\r\nX: y\";.mp3", &out);
    buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.data,
                        "inline; filename*=UTF-8''a%0D%0AX%3A%20y%22%3B.mp3");
    buffer_clear(&out);
    stream_type_disposition("\xc3\xbc.exe", &out);
    buffer_append(&out, "", 1);
    assert_string_equal((const char *)out.data, "attachment; filename*=UTF-8''%C3%BC.exe");
    buffer_deinit(&out);
}

static void key_opens_its_torrent_alone(void **state)
{
    (void)state;
    uint8_t secret[STREAM_SECRET_SIZE], other[STREAM_SECRET_SIZE];
    uint8_t torrent[32] = {1}, another[32] = {2};
    char key[STREAM_KEY_SIZE];
    stream_key_secret("token", secret);
    stream_key_secret("tokem", other);
    stream_key_make(secret, torrent, key);
    assert_int_equal(strlen(key), 32);
    assert_true(stream_key_is_good(secret, torrent, key));
    assert_false(stream_key_is_good(secret, another, key));
    assert_false(stream_key_is_good(other, torrent, key));
    for (int i = 0; i < 32; i++) {
        key[i] ^= 1;
        assert_false(stream_key_is_good(secret, torrent, key));
        key[i] ^= 1;
    }
    key[31] = '\0';
    assert_false(stream_key_is_good(secret, torrent, key));
    assert_false(stream_key_is_good(secret, torrent, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_at_the_front_wants_both_ends_now),
        cmocka_unit_test(reader_that_jumped_does_not_wait_for_the_ends),
        cmocka_unit_test(windows_are_bounded_in_pieces),
        cmocka_unit_test(windows_keep_to_their_file),
        cmocka_unit_test(windows_of_too_many_readers_are_left_out),
        cmocka_unit_test(only_what_runs_nothing_has_a_type),
        cmocka_unit_test(name_cannot_leave_its_header),
        cmocka_unit_test(key_opens_its_torrent_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
