/* SPDX-License-Identifier: MIT */
/* A magnet link in the engine: what of its time without metadata is told, and what outlives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_magnet.h"

#define LIAR 8u

static struct metainfo *begin(struct lone_engine *lone)
{
    struct metainfo *metainfo = lone_metainfo(lone, NULL);
    lone_make_engine(lone);
    lone_add_magnet(lone, metainfo);
    return metainfo;
}

/* The right length, one byte false. */
static uint32_t lie(struct lone_engine *lone, uint8_t who, const struct metainfo *metainfo)
{
    struct buffer info = {0};
    buffer_append(&info, metainfo->info.data, metainfo->info.length);
    info.data[info.length / 2] ^= 1;
    uint32_t conn = lone_give_dictionary(lone, who, buffer_bytes(&info));
    buffer_deinit(&info);
    return conn;
}

static void engine_tells_who_was_banned_over_metadata(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct metainfo *metainfo = begin(lone);
    assert_true(lone->closed[lie(lone, LIAR, metainfo)]);
    assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 1);
    assert_int_equal(lone->notices[NOTICE_METADATA], 0);
    lone_give_metadata(lone, metainfo);
    assert_int_equal(lone->notices[NOTICE_METADATA], 1);
    assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 1);
    metainfo_free(metainfo);
    lone_free(lone);
}

static void engine_keeps_bans_when_there_is_metadata(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct metainfo *metainfo = begin(lone);
    lie(lone, LIAR, metainfo);
    lone_give_metadata(lone, metainfo);
    lone_add_what_was_fetched(lone);
    assert_int_equal(lone_status(lone).phase, PHASE_DOWNLOADING);
    assert_true(lone->closed[lone_accept(lone, LIAR, true)]);
    assert_false(lone->closed[lone_accept(lone, LIAR + 3, true)]);
    metainfo_free(metainfo);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_tells_who_was_banned_over_metadata),
        cmocka_unit_test(engine_keeps_bans_when_there_is_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
