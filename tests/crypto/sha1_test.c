/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/sha1.h"

/* FIPS 180-4's examples. */
static const struct {
    const char *text;
    const char *digest;
} vectors[] = {
    {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
};

static void assert_digest(const uint8_t digest[SHA1_SIZE], const char *expected)
{
    char text[2 * SHA1_SIZE + 1];
    bytes_to_hex(digest, SHA1_SIZE, text);
    assert_string_equal(text, expected);
}

static void sha1_gives_the_published_digests(void **state)
{
    (void)state;
    uint8_t digest[SHA1_SIZE];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        sha1_of(vectors[i].text, strlen(vectors[i].text), digest);
        assert_digest(digest, vectors[i].digest);
    }
}

static void sha1_of_a_million_letters_comes_in_parts(void **state)
{
    (void)state;
    uint8_t part[1000];
    uint8_t digest[SHA1_SIZE];
    struct sha1 sha1;
    memset(part, 'a', sizeof part);
    sha1_init(&sha1);
    for (int i = 0; i < 1000; i++)
        sha1_update(&sha1, part, sizeof part);
    sha1_final(&sha1, digest);
    assert_digest(digest, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

static void sha1_does_not_mind_where_its_input_is_cut(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    uint8_t whole[SHA1_SIZE];
    sha1_of(bytes, sizeof bytes, whole);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint8_t digest[SHA1_SIZE];
        struct sha1 sha1;
        sha1_init(&sha1);
        sha1_update(&sha1, bytes, cut);
        sha1_update(&sha1, bytes + cut, sizeof bytes - cut);
        sha1_final(&sha1, digest);
        assert_memory_equal(digest, whole, sizeof whole);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha1_gives_the_published_digests),
        cmocka_unit_test(sha1_of_a_million_letters_comes_in_parts),
        cmocka_unit_test(sha1_does_not_mind_where_its_input_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
