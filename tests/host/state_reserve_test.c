/* SPDX-License-Identifier: MIT */
/* On a disk with room; what happens without is tests/program/full_state_disk_test.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/state_reserve.h"
#include "tests/host/temporary_folder.h"

#define NEVER (UINT64_C(1) << 60) /* bytes that no disk has */

static struct stat look(const char *folder)
{
    char path[TEMPORARY_PATH];
    struct stat facts = {0};

    if (stat(temporary_path(folder, "reserve", path), &facts) != 0)
        facts.st_size = -1;
    return facts;
}

static void state_reserve_is_made_when_it_is_wanted(void **state)
{
    char *folder = temporary_folder_make();
    struct state_reserve reserve;

    (void)state;
    state_reserve_init(&reserve, folder);
    assert_int_equal(reserve.size, LIMIT_STATE_RESERVE);
    state_reserve_mend(&reserve);
    assert_int_equal(look(folder).st_size, -1);
    assert_false(state_reserve_give(&reserve));
    assert_int_equal(look(folder).st_size, -1);
    state_reserve_want(&reserve);
    assert_int_equal(look(folder).st_size, LIMIT_STATE_RESERVE);
    assert_true(look(folder).st_blocks * 512 >= (blkcnt_t)LIMIT_STATE_RESERVE);
    assert_int_equal(look(folder).st_mode & 07777, 0600);
    state_reserve_deinit(&reserve);
    temporary_folder_drop(folder);
}

static void state_reserve_is_given_in_pieces_and_made_whole(void **state)
{
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH];
    struct state_reserve owner, other;

    (void)state;
    state_reserve_init(&other, folder);
    state_reserve_init(&owner, folder);
    state_reserve_want(&owner);
    /* Another process that found none before uses what is there now. */
    assert_true(state_reserve_give(&other));
    assert_int_equal(look(folder).st_size, LIMIT_STATE_RESERVE - LIMIT_STATE_RESERVE_PIECE);
    for (uint32_t i = 1; i < LIMIT_STATE_RESERVE / LIMIT_STATE_RESERVE_PIECE; i++)
        assert_true(state_reserve_give(&owner));
    assert_int_equal(look(folder).st_size, 0);
    assert_false(state_reserve_give(&owner));
    state_reserve_mend(&other);
    assert_int_equal(look(folder).st_size, 0);
    state_reserve_mend(&owner);
    assert_int_equal(look(folder).st_size, LIMIT_STATE_RESERVE);
    /* One that somebody deleted. */
    unlink(temporary_path(folder, "reserve", path));
    state_reserve_mend(&owner);
    assert_int_equal(look(folder).st_size, LIMIT_STATE_RESERVE);
    state_reserve_deinit(&owner);
    state_reserve_deinit(&other);
    temporary_folder_drop(folder);
}

static void state_reserve_keeps_payload_out_until_it_is_whole(void **state)
{
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH];
    struct state_reserve reserve;

    (void)state;
    state_reserve_init(&reserve, folder);
    state_reserve_want(&reserve);
    assert_true(state_reserve_enter(&reserve, reserve.device));
    state_reserve_leave(&reserve);
    reserve.size = NEVER;
    assert_true(state_reserve_give(&reserve));
    assert_false(state_reserve_enter(&reserve, reserve.device));
    /* Room of other disks is no matter of ours. */
    assert_true(state_reserve_enter(&reserve, reserve.device + 1));
    state_reserve_leave(&reserve);
    reserve.size = LIMIT_STATE_RESERVE;
    assert_true(state_reserve_enter(&reserve, reserve.device));
    state_reserve_leave(&reserve);
    assert_int_equal(look(folder).st_size, LIMIT_STATE_RESERVE);
    /* Where there never was one, nothing has been given. */
    unlink(temporary_path(folder, "reserve", path));
    reserve.size = NEVER;
    assert_true(state_reserve_enter(&reserve, reserve.device));
    state_reserve_leave(&reserve);
    assert_int_equal(look(folder).st_size, -1);
    state_reserve_deinit(&reserve);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_reserve_is_made_when_it_is_wanted),
        cmocka_unit_test(state_reserve_is_given_in_pieces_and_made_whole),
        cmocka_unit_test(state_reserve_keeps_payload_out_until_it_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
