/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/swarm/client_name.h"

static const char *client_of(const char *version)
{
    static char name[CLIENT_NAME_SIZE];
    client_name_read((struct bytes){(const uint8_t *)version, strlen(version)}, name);
    return name;
}

static void client_names_are_made_harmless(void **state)
{
    (void)state;
    assert_string_equal(client_of("libtorrent/2.0.8"), "libtorrent/2.0.8");
    assert_string_equal(client_of("\xc2\xb5Torrent 3"), "\xc2\xb5Torrent 3");
    assert_string_equal(client_of("caf\xc3\xa9 \xe4\xb8\xad"), "caf\xc3\xa9 \xe4\xb8\xad");
    assert_string_equal(client_of("\xc2\x85y"), "??y");
    assert_string_equal(client_of("a\x1b[31mb\n\x7f"), "a?[31mb??");
    assert_string_equal(client_of("x\xe2\x80\xaey"), "x???y");
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(strlen(client_of(longer)), 47);
    memcpy(longer + 46, "\xe4\xb8\xad", 3);
    assert_int_equal(strlen(client_of(longer)), 46);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_names_are_made_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
