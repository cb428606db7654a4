/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/dht_bootstrap.h"
#include "host/dht_record.h"
#include "tests/host/temporary_folder.h"

static struct state_store *open_store(const char *folder)
{
    char text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;

    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    return store;
}

static void dht_bootstrap_takes_names_and_addresses_of_both_families(void **state)
{
    static const char *const good[] = {"router.example:6881", "192.0.2.1:1", "[2001:db8::1]:65535"};
    static const char *const bad[] = {
        "",     "router.example", ":6881",     "a:0",  "a:65536",     "a:x",
        "a: 1", "a b:1",          "2001::1:1", "[]:1", "http://a:80", "a:123456"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(dht_bootstrap_is_name(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(dht_bootstrap_is_name(bad[i]));
}

/* What is loaded, and what the first of it is. */
static uint32_t load(struct state_store *store, const char *given, const char *listen,
                     const char *first)
{
    struct address address = {.family = ADDRESS_NONE};
    struct dht_bootstrap list;

    if (listen)
        assert_true(address_from_text(listen, false, &address));
    dht_bootstrap_load(&list, store, &given, given != NULL, &address);
    uint32_t count = list.count;
    if (first)
        assert_string_equal(list.names[0].host, first);
    dht_bootstrap_deinit(&list);
    return count;
}

static void dht_bootstrap_prefers_the_given_then_the_kept_then_the_public(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);

    (void)state;
    assert_int_equal(load(store, NULL, NULL, "router.bittorrent.com"), 4);
    assert_int_equal(load(NULL, NULL, "192.0.2.1:0", "router.bittorrent.com"), 4);
    assert_int_equal(load(store, NULL, "127.0.0.9:0", NULL), 0);
    assert_int_equal(load(store, NULL, "[::1]:0", NULL), 0);
    assert_int_equal(load(NULL, "[2001:db8::1]:7", NULL, "2001:db8::1"), 1);
    assert_int_equal(load(store, NULL, "127.0.0.9:0", NULL), 0);
    assert_int_equal(load(store, "kept.example:2", NULL, "kept.example"), 1);
    state_store_close(store);
    store = open_store(folder);
    assert_int_equal(load(store, NULL, "127.0.0.9:0", "kept.example"), 1);
    assert_int_equal(load(store, NULL, NULL, "kept.example"), 1);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void dht_record_keeps_one_a_family(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct buffer record = {0};

    (void)state;
    assert_int_equal(dht_record_load(store, ADDRESS_IPV4, &record), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(dht_record_save(store, ADDRESS_IPV4, BYTES_LITERAL("four")), FRESHET_OK);
    assert_int_equal(dht_record_save(store, ADDRESS_IPV6, BYTES_LITERAL("six")), FRESHET_OK);
    assert_int_equal(dht_record_load(store, ADDRESS_IPV4, &record), FRESHET_OK);
    assert_true(bytes_is(buffer_bytes(&record), "four"));
    buffer_clear(&record);
    assert_int_equal(dht_record_load(store, ADDRESS_IPV6, &record), FRESHET_OK);
    assert_true(bytes_is(buffer_bytes(&record), "six"));
    buffer_deinit(&record);
    state_store_close(store);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dht_bootstrap_takes_names_and_addresses_of_both_families),
        cmocka_unit_test(dht_bootstrap_prefers_the_given_then_the_kept_then_the_public),
        cmocka_unit_test(dht_record_keeps_one_a_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
