/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/rpc_token.h"
#include "tests/host/temporary_folder.h"

static void a_token_that_was_made_here_is_known_as_one(void **state)
{
    char *folder = temporary_folder_make();
    char made[RPC_TOKEN_SIZE], again[RPC_TOKEN_SIZE];

    (void)state;
    assert_int_equal(rpc_token_load(folder, "t", false, made), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(rpc_token_load(folder, "t", true, made), FRESHET_OK);
    assert_int_equal(rpc_token_load(folder, "t", false, again), FRESHET_OK);
    assert_string_equal(made, again);
    assert_true(rpc_token_is_generated(made));
    temporary_folder_drop(folder);
}

static void a_token_that_a_person_wrote_is_none_of_ours(void **state)
{
    static const char *const chosen[] = {
        "a long pass phrase",
        "0123456789abcdef",
        "0123456789abcdef0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0123456789abcdef0",
        "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
        "0123456789abcdef0123456789abcdef0123456789abcdeg",
        "000000000000000000000000000000000000000000000000",
        "123456123456123456123456123456123456123456123456",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++)
        assert_false(rpc_token_is_generated(chosen[i]));
    assert_true(rpc_token_is_generated("9c1185a5c5e9fc54612808977ee8f548b2258d31a0b1c2d3"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_was_made_here_is_known_as_one),
        cmocka_unit_test(a_token_that_a_person_wrote_is_none_of_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
