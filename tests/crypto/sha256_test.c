/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/bytes.h"
#include "core/crypto/sha256.h"

/* FIPS 180-4's examples. */
static const struct {
    const char *text;
    const char *digest;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void assert_digest(const uint8_t digest[SHA256_SIZE], const char *expected)
{
    char text[2 * SHA256_SIZE + 1];
    bytes_to_hex(digest, SHA256_SIZE, text);
    assert_string_equal(text, expected);
}

static void sha256_gives_the_published_digests(void **state)
{
    (void)state;
    uint8_t digest[SHA256_SIZE];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        sha256_of(vectors[i].text, strlen(vectors[i].text), digest);
        assert_digest(digest, vectors[i].digest);
    }
}

static void sha256_of_a_million_letters_comes_in_parts(void **state)
{
    (void)state;
    uint8_t part[1000];
    uint8_t digest[SHA256_SIZE];
    struct sha256 sha256;
    memset(part, 'a', sizeof part);
    sha256_init(&sha256);
    for (int i = 0; i < 1000; i++)
        sha256_update(&sha256, part, sizeof part);
    sha256_final(&sha256, digest);
    assert_digest(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_does_not_mind_where_its_input_is_cut(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    uint8_t whole[SHA256_SIZE];
    sha256_of(bytes, sizeof bytes, whole);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint8_t digest[SHA256_SIZE];
        struct sha256 sha256;
        sha256_init(&sha256);
        sha256_update(&sha256, bytes, cut);
        sha256_update(&sha256, bytes + cut, sizeof bytes - cut);
        sha256_final(&sha256, digest);
        assert_memory_equal(digest, whole, sizeof whole);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_digests),
        cmocka_unit_test(sha256_of_a_million_letters_comes_in_parts),
        cmocka_unit_test(sha256_does_not_mind_where_its_input_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
