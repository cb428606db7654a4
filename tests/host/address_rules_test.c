/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/address_rules.h"

static bool allowed(enum address_purpose purpose, const char *url, bool from_public,
                    const char *address_text)
{
    struct address_request request = {.purpose = purpose, .url = url, .from_public = from_public};
    struct address address;

    assert_true(address_from_text(address_text, true, &address));
    return address_rules_allow(&request, &address);
}

static void address_rules_never_allow_metadata_and_multicast(void **state)
{
    static const char *const never[] = {
        "169.254.169.254", "fd00:ec2::254",         "224.0.0.1", "ff02::1", "0.0.0.0", "::",
        "255.255.255.255", "::ffff:169.254.169.254"};

    (void)state;
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        for (int purpose = ADDRESS_FOR_TRACKER; purpose <= ADDRESS_FOR_DATAGRAM; purpose++)
            assert_false(
                allowed((enum address_purpose)purpose, "http://x/announce", false, never[i]));
}

static void address_rules_allow_public_addresses_for_all(void **state)
{
    (void)state;
    assert_true(allowed(ADDRESS_FOR_TRACKER, "http://x/any", false, "93.184.216.34"));
    assert_true(allowed(ADDRESS_FOR_TRACKER, "http://x/any", true, "93.184.216.34"));
    assert_true(allowed(ADDRESS_FOR_WEB_SEED, "http://x/f?a=b", true, "2606:2800::1"));
}

static void address_rules_let_lan_trackers_only_announce(void **state)
{
    static const char *const lan[] = {"127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "fe80::1"};

    (void)state;
    for (size_t i = 0; i < sizeof lan / sizeof *lan; i++) {
        assert_true(allowed(ADDRESS_FOR_TRACKER, "http://h:1/announce", false, lan[i]));
        assert_true(allowed(ADDRESS_FOR_TRACKER, "http://h/announce.php?k=1", false, lan[i]));
        assert_true(allowed(ADDRESS_FOR_TRACKER, "http://h/scrape?info_hash=1", false, lan[i]));
        assert_false(allowed(ADDRESS_FOR_TRACKER, "http://h/admin?x=/announce", false, lan[i]));
        assert_false(allowed(ADDRESS_FOR_TRACKER, "http://h", false, lan[i]));
        assert_false(allowed(ADDRESS_FOR_TRACKER, "http://h/announce", true, lan[i]));
        assert_true(allowed(ADDRESS_FOR_WEB_SEED, "http://h/folder/", false, lan[i]));
        assert_false(allowed(ADDRESS_FOR_WEB_SEED, "http://h/api?reboot=1", false, lan[i]));
        assert_false(allowed(ADDRESS_FOR_WEB_SEED, "http://h/folder/", true, lan[i]));
        assert_true(allowed(ADDRESS_FOR_PERSON, "http://h/x?y", false, lan[i]));
    }
}

static void address_rules_find_the_path_of_a_url(void **state)
{
    static const struct {
        const char *url, *path;
        bool query;
    } cases[] = {
        {"http://host/announce", "/announce", false},
        {"http://host:80/a/b?c=/d", "/a/b", true},
        {"http://host", "/", false},
        {"http://host?q", "/", true},
        {"http://user:pass@host/x#?", "/x", false},
        {"http://host#/announce", "/", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool query;
        assert_true(bytes_is(address_rules_path(cases[i].url, &query), cases[i].path));
        assert_int_equal(query, cases[i].query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_rules_never_allow_metadata_and_multicast),
        cmocka_unit_test(address_rules_allow_public_addresses_for_all),
        cmocka_unit_test(address_rules_let_lan_trackers_only_announce),
        cmocka_unit_test(address_rules_find_the_path_of_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
