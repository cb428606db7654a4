/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"

#include <string.h>

static const char long_text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void assert_hex(const uint8_t *digest, size_t length, const char *expected)
{
    char text[65];
    bytes_to_hex(digest, length, text);
    assert_string_equal(text, expected);
}

/* FIPS 180-4, examples. */
static void sha1_gives_the_published_digests(void **state)
{
    (void)state;
    uint8_t digest[SHA1_SIZE];
    sha1_of("abc", 3, digest);
    assert_hex(digest, SHA1_SIZE, "a9993e364706816aba3e25717850c26c9cd0d89d");
    sha1_of(long_text, strlen(long_text), digest);
    assert_hex(digest, SHA1_SIZE, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    sha1_of("", 0, digest);
    assert_hex(digest, SHA1_SIZE, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

static void sha256_gives_the_published_digests(void **state)
{
    (void)state;
    uint8_t digest[SHA256_SIZE];
    sha256_of("abc", 3, digest);
    assert_hex(digest, SHA256_SIZE,
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of(long_text, strlen(long_text), digest);
    assert_hex(digest, SHA256_SIZE,
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void sha_is_the_same_however_its_input_is_cut(void **state)
{
    (void)state;
    uint8_t whole1[SHA1_SIZE], whole2[SHA256_SIZE];
    sha1_of(long_text, strlen(long_text), whole1);
    sha256_of(long_text, strlen(long_text), whole2);
    for (size_t cut = 0; cut <= strlen(long_text); cut++) {
        uint8_t digest[SHA256_SIZE];
        struct sha1 sha1;
        struct sha256 sha256;
        sha1_init(&sha1);
        sha1_update(&sha1, long_text, cut);
        sha1_update(&sha1, long_text + cut, strlen(long_text) - cut);
        sha1_final(&sha1, digest);
        assert_memory_equal(digest, whole1, SHA1_SIZE);
        sha256_init(&sha256);
        sha256_update(&sha256, long_text, cut);
        sha256_update(&sha256, long_text + cut, strlen(long_text) - cut);
        sha256_final(&sha256, digest);
        assert_memory_equal(digest, whole2, SHA256_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha1_gives_the_published_digests),
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(sha_is_the_same_however_its_input_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
