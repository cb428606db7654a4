/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/metainfo/torrent_editor.h"

#include <string.h>

#define INFO "4:infod1:ai1ee"

static void assert_edited(const char *before, const struct torrent_editor_changes *changes,
                          const char *after)
{
    struct buffer out = {0};
    struct bytes torrent = {(const uint8_t *)before, strlen(before)};
    assert_int_equal(torrent_editor_apply(torrent, changes, &out), FRESHET_OK);
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, after);
    buffer_deinit(&out);
}

static const struct bytes urls[] = {BYTES_LITERAL("u:a"), BYTES_LITERAL("u:b"),
                                    BYTES_LITERAL("u:c")};
static const uint32_t tiers[] = {0, 0, 1};

static void torrent_editor_changes_nothing_unasked(void **state)
{
    (void)state;
    struct torrent_editor_changes changes = {0};
    assert_edited("d8:announce1:x8:encoding1:y" INFO "1:zi3ee", &changes,
                  "d8:announce1:x8:encoding1:y" INFO "1:zi3ee");
}

static void torrent_editor_puts_keys_where_they_belong(void **state)
{
    (void)state;
    struct torrent_editor_changes changes = {.set_trackers = true,
                                             .trackers = urls,
                                             .tracker_tiers = tiers,
                                             .tracker_count = 3,
                                             .set_web_seeds = true,
                                             .web_seeds = urls,
                                             .web_seed_count = 1,
                                             .set_comment = true,
                                             .comment = BYTES_LITERAL("hi")};
    const char *after = "d8:announce3:u:a13:announce-listll3:u:a3:u:bel3:u:cee7:comment2:hi" INFO
                        "8:url-listl3:u:aee";
    assert_edited("d" INFO "e", &changes, after);
    assert_edited("d8:announce1:x7:comment3:old" INFO "8:url-list1:we", &changes, after);
    assert_edited(after, &changes, after);
}

static void torrent_editor_takes_keys_out(void **state)
{
    (void)state;
    struct torrent_editor_changes changes = {
        .set_trackers = true, .set_web_seeds = true, .set_comment = true};
    assert_edited("d1:ai1e8:announce1:x13:announce-listle7:comment3:old" INFO "8:url-list1:we",
                  &changes, "d1:ai1e" INFO "e");
    changes.trackers = urls;
    changes.tracker_tiers = tiers;
    changes.tracker_count = 1;
    assert_edited("d13:announce-listle" INFO "e", &changes, "d8:announce3:u:a" INFO "e");
}

static void torrent_editor_refuses_what_is_no_dictionary(void **state)
{
    (void)state;
    struct torrent_editor_changes changes = {0};
    struct buffer out = {0};
    assert_int_equal(torrent_editor_apply(BYTES_LITERAL("le"), &changes, &out),
                     FRESHET_ERROR_SYNTAX);
    assert_int_equal(torrent_editor_apply(BYTES_LITERAL("d"), &changes, &out),
                     FRESHET_ERROR_TRUNCATED);
    assert_int_equal(out.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torrent_editor_changes_nothing_unasked),
        cmocka_unit_test(torrent_editor_puts_keys_where_they_belong),
        cmocka_unit_test(torrent_editor_takes_keys_out),
        cmocka_unit_test(torrent_editor_refuses_what_is_no_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
