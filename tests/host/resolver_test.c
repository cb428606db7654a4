/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/resolver.h"

#include <string.h>

static struct event last;
static int told;

static void on_done(void *context, struct event *event)
{
    (void)context;
    last = *event;
    told++;
}

static enum freshet_error resolve(const char *host)
{
    struct resolve_job job = {.id = 5, .host = host, .port = 6969};
    uv_loop_t loop;
    int before = told;

    uv_loop_init(&loop);
    struct resolver *resolver = resolver_new(&loop, on_done, NULL);
    resolver_start(resolver, &job);
    while (told == before)
        uv_run(&loop, UV_RUN_ONCE);
    resolver_free(resolver);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(told, before + 1);
    assert_int_equal(last.job, 5);
    return last.error;
}

static void resolver_takes_numbers_of_both_families(void **state)
{
    struct address expected;

    (void)state;
    assert_int_equal(resolve("127.0.0.1"), FRESHET_OK);
    assert_int_equal(last.result.resolved.count, 1);
    assert_true(address_from_text("127.0.0.1:6969", false, &expected));
    assert_true(address_equal(&last.result.resolved.addresses[0], &expected));
    /* Also where the machine has no IPv6 but that of its loopback. */
    assert_int_equal(resolve("::1"), FRESHET_OK);
    assert_true(address_from_text("[::1]:6969", false, &expected));
    assert_true(address_equal(&last.result.resolved.addresses[0], &expected));
    assert_int_equal(resolve("::ffff:192.0.2.7"), FRESHET_OK);
    assert_true(address_from_text("192.0.2.7:6969", false, &expected));
    assert_true(address_equal(&last.result.resolved.addresses[0], &expected));
}

static void resolver_leaves_out_what_is_never_allowed(void **state)
{
    (void)state;
    assert_int_equal(resolve("224.0.0.1"), FRESHET_ERROR_REFUSED);
    assert_int_equal(resolve("169.254.169.254"), FRESHET_ERROR_REFUSED);
    assert_int_equal(resolve("0.0.0.0"), FRESHET_ERROR_REFUSED);
    assert_int_equal(last.result.resolved.count, 0);
}

static void resolver_tells_what_is_no_name(void **state)
{
    (void)state;
    assert_int_equal(resolve("this is no name"), FRESHET_ERROR_RESOLVE);
    assert_int_equal(resolve(""), FRESHET_ERROR_RESOLVE);
}

static void resolver_ends_with_work_under_way(void **state)
{
    struct resolve_job job = {.id = 6, .host = "localhost", .port = 1};
    uv_loop_t loop;
    int before = told;

    (void)state;
    uv_loop_init(&loop);
    struct resolver *resolver = resolver_new(&loop, on_done, NULL);
    resolver_start(resolver, &job);
    resolver_free(resolver);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(told, before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolver_takes_numbers_of_both_families),
        cmocka_unit_test(resolver_leaves_out_what_is_never_allowed),
        cmocka_unit_test(resolver_tells_what_is_no_name),
        cmocka_unit_test(resolver_ends_with_work_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
