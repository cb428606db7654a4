/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/crypto/crc32c.h"

static void crc32c_gives_the_check_value(void **state)
{
    (void)state;
    assert_int_equal(crc32c_of("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_of("", 0), 0);
}

/* RFC 3720, appendix B.4. */
static void crc32c_gives_the_vectors_of_iscsi(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], rising[32];
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xff;
        rising[i] = (uint8_t)i;
    }
    assert_int_equal(crc32c_of(zeros, 32), 0x8a9136aa);
    assert_int_equal(crc32c_of(ones, 32), 0x62a8ab43);
    assert_int_equal(crc32c_of(rising, 32), 0x46dd794e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_check_value),
        cmocka_unit_test(crc32c_gives_the_vectors_of_iscsi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
