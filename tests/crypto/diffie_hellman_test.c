/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/crypto/diffie_hellman.h"

#include <string.h>

/* Computed with Python's pow. The exponents: A's are the bytes 01 to 14, B's 65 to 78. */
static const char public_a[] = "96e112dab29e8c5272accb9b17b26887ce54a144a4e3b697c7d159b7a817e556"
                               "b0918db2b4c658e02a87f7e5fb14b18a553e084cbf3dad2d30f16596ccb982d4"
                               "06258c61b30c5c1dae2ddc60bdbd48d79896312aad63238c39e1a633821eb693";
static const char public_b[] = "d32ae8cedd0de9ca4fe67e35626bb8c7cdb0966727d899f6a62fdb2b68817f9d"
                               "dc4b684e3eb34030b8dba4e028b7cff3264020340cb4eab61923cdc4e4216ba8"
                               "73368d83f0a38e497f1f6b4e3d2012eb91a3ee6056f966f9eae732089b6fa46e";
static const char shared_ab[] = "d05ed96a95215a89b44073afe5d0b1626289ac01cff7849392948b2470b34654"
                                "7e944d7562a897ae86976bc389999083ec09572dbdc8ed7f6a0a86a1aa42a3ca"
                                "04209b72d8239890360435640643b76479ed7836f1857963fcc7cb72084c3ab4";
/* Of B's other exponent, with which the shared number begins with a zero byte. */
static const char shared_az[] = "004ef19d3083eccec535cce37434dcb7a281bf5bf6da4724311368b20237aabd"
                                "12d4b2b6895100f24afd8487a2a49aed0bc4674d03c90455e8ce24699596c987"
                                "e6ba5ca663728dcf04dbee19166387d27be906dc8302114fbc4a929b2d094282";
/* 2^768 - 1, which is above the prime, to A's exponent. */
static const char top_to_a[] = "82c3267215ffe2bb1124e8b7660a70d0f7054e08ecf932d8a911fda3a2119ec8"
                               "18f216308807fb70d7442f161c57034ca27018e90b28e79b611a9fd9bbe5c626"
                               "90d1da9006e8e79ba1b8ba2141742824a2af367fa3f3d37fecf996ba27c65e41";

static void exponent_from(uint8_t first, uint8_t ret_exponent[DIFFIE_HELLMAN_EXPONENT_SIZE])
{
    for (uint8_t i = 0; i < DIFFIE_HELLMAN_EXPONENT_SIZE; i++)
        ret_exponent[i] = (uint8_t)(first + i);
}

static void assert_number(const uint8_t number[DIFFIE_HELLMAN_SIZE], const char *hex)
{
    char text[2 * DIFFIE_HELLMAN_SIZE + 1];
    bytes_to_hex(number, DIFFIE_HELLMAN_SIZE, text);
    assert_string_equal(text, hex);
}

static void diffie_hellman_agrees_with_numbers_computed_elsewhere(void **state)
{
    (void)state;
    uint8_t a[DIFFIE_HELLMAN_EXPONENT_SIZE], b[DIFFIE_HELLMAN_EXPONENT_SIZE];
    uint8_t ya[DIFFIE_HELLMAN_SIZE], yb[DIFFIE_HELLMAN_SIZE], shared[DIFFIE_HELLMAN_SIZE];
    exponent_from(0x01, a);
    exponent_from(0x65, b);
    diffie_hellman_public(a, ya);
    diffie_hellman_public(b, yb);
    assert_number(ya, public_a);
    assert_number(yb, public_b);
    diffie_hellman_shared(a, yb, shared);
    assert_number(shared, shared_ab);
    diffie_hellman_shared(b, ya, shared);
    assert_number(shared, shared_ab);
}

static void diffie_hellman_keeps_leading_zeros(void **state)
{
    (void)state;
    uint8_t a[DIFFIE_HELLMAN_EXPONENT_SIZE], z[DIFFIE_HELLMAN_EXPONENT_SIZE];
    uint8_t ya[DIFFIE_HELLMAN_SIZE], yz[DIFFIE_HELLMAN_SIZE], shared[DIFFIE_HELLMAN_SIZE];
    exponent_from(0x01, a);
    exponent_from(0x65, z);
    z[18] = 0x78;
    z[19] = 0xdd;
    diffie_hellman_public(a, ya);
    diffie_hellman_public(z, yz);
    diffie_hellman_shared(a, yz, shared);
    assert_int_equal(shared[0], 0);
    assert_number(shared, shared_az);
    diffie_hellman_shared(z, ya, shared);
    assert_number(shared, shared_az);
}

static void diffie_hellman_takes_any_number(void **state)
{
    (void)state;
    uint8_t a[DIFFIE_HELLMAN_EXPONENT_SIZE], other[DIFFIE_HELLMAN_SIZE] = {0};
    uint8_t zero[DIFFIE_HELLMAN_SIZE] = {0}, shared[DIFFIE_HELLMAN_SIZE];
    exponent_from(0x01, a);
    diffie_hellman_shared(a, other, shared);
    assert_memory_equal(shared, zero, sizeof zero);
    other[DIFFIE_HELLMAN_SIZE - 1] = 1;
    diffie_hellman_shared(a, other, shared);
    assert_memory_equal(shared, other, sizeof shared);
    memset(other, 0xff, sizeof other);
    diffie_hellman_shared(a, other, shared);
    assert_number(shared, top_to_a);
}

static void diffie_hellman_gives_both_sides_the_same(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int i = 0; i < 200; i++) {
        uint8_t a[DIFFIE_HELLMAN_EXPONENT_SIZE], b[DIFFIE_HELLMAN_EXPONENT_SIZE];
        uint8_t ya[DIFFIE_HELLMAN_SIZE], yb[DIFFIE_HELLMAN_SIZE];
        uint8_t of_a[DIFFIE_HELLMAN_SIZE], of_b[DIFFIE_HELLMAN_SIZE];
        rng_fill(&rng, a, sizeof a);
        rng_fill(&rng, b, sizeof b);
        diffie_hellman_public(a, ya);
        diffie_hellman_public(b, yb);
        diffie_hellman_shared(a, yb, of_a);
        diffie_hellman_shared(b, ya, of_b);
        assert_memory_equal(of_a, of_b, sizeof of_a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diffie_hellman_agrees_with_numbers_computed_elsewhere),
        cmocka_unit_test(diffie_hellman_keeps_leading_zeros),
        cmocka_unit_test(diffie_hellman_takes_any_number),
        cmocka_unit_test(diffie_hellman_gives_both_sides_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
