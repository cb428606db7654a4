/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/wire/mse_key.h"

#include <string.h>

/* No published vector exists: computed with Python. Exponents 01 to 14 and 65 to 78, SKEY of aa. */
static void share(uint8_t last_but_one, uint8_t last, uint8_t ret_shared[DIFFIE_HELLMAN_SIZE])
{
    uint8_t a[DIFFIE_HELLMAN_EXPONENT_SIZE], b[DIFFIE_HELLMAN_EXPONENT_SIZE];
    uint8_t other[DIFFIE_HELLMAN_SIZE];
    for (uint8_t i = 0; i < DIFFIE_HELLMAN_EXPONENT_SIZE; i++) {
        a[i] = (uint8_t)(0x01 + i);
        b[i] = (uint8_t)(0x65 + i);
    }
    b[18] = last_but_one;
    b[19] = last;
    diffie_hellman_public(b, other);
    diffie_hellman_shared(a, other, ret_shared);
}

static void assert_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    char text[2 * 64 + 1];
    bytes_to_hex(bytes, length, text);
    assert_string_equal(text, hex);
}

static void assert_stream(const uint8_t *shared, const uint8_t *skey, bool of_initiator,
                          const char *hex)
{
    struct rc4 cipher;
    uint8_t stream[16] = {0};
    mse_key_cipher(shared, skey, of_initiator, &cipher);
    rc4_apply(&cipher, stream, sizeof stream);
    assert_hex(stream, sizeof stream, hex);
}

static void mse_key_makes_the_hashes_and_streams_computed_elsewhere(void **state)
{
    (void)state;
    uint8_t shared[DIFFIE_HELLMAN_SIZE], skey[MSE_SKEY_SIZE], hash[SHA1_SIZE], name[SHA1_SIZE];
    share(0x77, 0x78, shared);
    memset(skey, 0xaa, sizeof skey);
    mse_key_sync(shared, hash);
    assert_hex(hash, sizeof hash, "78fffb0f23055a793ff7609f359e04e383ec3505");
    mse_key_name(skey, hash);
    memcpy(name, hash, sizeof name);
    mse_key_veil(shared, hash);
    assert_hex(hash, sizeof hash, "f2f74cb293cbfc230fbc6707cd5dca1d7ea0e6fd");
    mse_key_veil(shared, hash);
    assert_memory_equal(hash, name, sizeof name);
    assert_stream(shared, skey, true, "e50e282022084479e72308e7a3a4e880");
    assert_stream(shared, skey, false, "943d5a81d0106aa03a3f5991e0bb8b9c");
}

/* A number without its leading zero would give another hash. */
static void mse_key_takes_all_bytes_of_a_number_that_begins_with_zero(void **state)
{
    (void)state;
    uint8_t shared[DIFFIE_HELLMAN_SIZE], hash[SHA1_SIZE];
    share(0x78, 0xdd, shared);
    assert_hex(shared, 4, "004ef19d");
    mse_key_sync(shared, hash);
    assert_hex(hash, sizeof hash, "74256f3d9590a577a996ee465dc67918d7a18993");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mse_key_makes_the_hashes_and_streams_computed_elsewhere),
        cmocka_unit_test(mse_key_takes_all_bytes_of_a_number_that_begins_with_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
