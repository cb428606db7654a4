/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/crypto/sha256.h"
#include "core/metainfo/merkle.h"

#include <stdlib.h>
#include <string.h>

static void assert_hash(const uint8_t hash[MERKLE_HASH], const char *hex)
{
    char text[2 * MERKLE_HASH + 1];
    bytes_to_hex(hash, MERKLE_HASH, text);
    assert_string_equal(text, hex);
}

/* Root of content, the slow way over its 16 KiB blocks. */
static void root_of(const uint8_t *content, size_t length, uint8_t root[MERKLE_HASH])
{
    uint64_t count = (length + 16383) / 16384;
    uint8_t *leaves = malloc(count * MERKLE_HASH);
    for (uint64_t i = 0; i < count; i++) {
        size_t size = length - i * 16384 < 16384 ? length - i * 16384 : 16384;
        sha256_of(content + i * 16384, size, leaves + i * MERKLE_HASH);
    }
    static const uint8_t zero[MERKLE_HASH];
    merkle_root(leaves, count, merkle_width(count), zero, root);
    free(leaves);
}

static void merkle_gives_the_published_roots(void **state)
{
    (void)state;
    uint8_t root[MERKLE_HASH];
    uint8_t *content = calloc(1, 49152);
    root_of(content, 1, root);
    assert_hash(root, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    root_of(content, 16384, root);
    assert_hash(root, "4fe7b59af6de3b665b67788cc2f99892ab827efae3a467342b3bb4e3bc8e5bfe");
    root_of(content, 16385, root);
    assert_hash(root, "477e14ff3453ec4ec3855f8753cb07288aade5618a473ccc2ab1208886e460ec");
    for (size_t i = 0; i < 49152; i++)
        content[i] = (uint8_t)i;
    root_of(content, 49152, root);
    assert_hash(root, "f58f20cf9931d62f43e46349544f414bfdcb31eb514dbda6b30732415f46573f");
    free(content);
}

static void merkle_gives_the_published_pads(void **state)
{
    (void)state;
    static const char *const pads[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b",
        "db56114e00fdd4c1f85c892bf35ac9a89289aaecb1ebd0a96cde606a748b5d71",
        "c78009fdf07fc56a11f122370658a353aaa542ed63e44c4bc15ff4cd105ab33c",
        "536d98837f2dd165a55d5eeae91485954472d56f246df256bf3cae19352a123c",
        "9efde052aa15429fae05bad4d0b1d7c64da64d03d7a1854a588c2cb8430c0d30",
        "d88ddfeed400a8755596b21942c1497e114c302e6118290f91e6772976041fa1",
        "87eb0ddba57e35f6d286673802a4af5975e22506c7cf4c64bb6be5ee11527f2c",
    };
    for (unsigned i = 0; i < sizeof pads / sizeof pads[0]; i++) {
        uint8_t pad[MERKLE_HASH];
        merkle_pad(UINT64_C(1) << i, pad);
        assert_hash(pad, pads[i]);
    }
}

/* The definition itself, level by level in a copy. */
static void plain_root(const uint8_t *hashes, uint64_t count, uint64_t width, const uint8_t *pad,
                       uint8_t root[MERKLE_HASH])
{
    uint8_t *level = malloc(width * MERKLE_HASH);
    for (uint64_t i = 0; i < width; i++)
        memcpy(level + i * MERKLE_HASH, i < count ? hashes + i * MERKLE_HASH : pad, MERKLE_HASH);
    for (; width > 1; width /= 2)
        for (uint64_t i = 0; i < width / 2; i++)
            sha256_of(level + 2 * i * MERKLE_HASH, (size_t)2 * MERKLE_HASH,
                      level + i * MERKLE_HASH);
    memcpy(root, level, MERKLE_HASH);
    free(level);
}

static void merkle_root_follows_the_definition_for_every_count(void **state)
{
    (void)state;
    uint8_t hashes[40 * MERKLE_HASH];
    for (size_t i = 0; i < sizeof hashes; i++)
        hashes[i] = (uint8_t)(i * 131 + i / 7);
    uint8_t pad[MERKLE_HASH];
    merkle_pad(4, pad);
    for (uint64_t count = 0; count <= 40; count++) {
        for (uint64_t width = merkle_width(count); width <= 128; width *= 2) {
            uint8_t expected[MERKLE_HASH];
            uint8_t root[MERKLE_HASH];
            plain_root(hashes, count, width, pad, expected);
            merkle_root(hashes, count, width, pad, root);
            assert_memory_equal(root, expected, MERKLE_HASH);
        }
    }
}

static void merkle_layer_is_padded_with_the_root_of_zero_leaves(void **state)
{
    (void)state;
    uint8_t layer[3 * MERKLE_HASH];
    memset(layer, 0x5c, sizeof layer);
    uint8_t pad[MERKLE_HASH];
    uint8_t root[MERKLE_HASH];
    merkle_pad(2, pad);
    plain_root(layer, 3, 4, pad, root);
    assert_true(merkle_layer_matches(layer, 3, 2, root));
    assert_false(merkle_layer_matches(layer, 3, 4, root));
    layer[40] ^= 1;
    assert_false(merkle_layer_matches(layer, 3, 2, root));
}

static void merkle_width_is_the_next_power_of_two(void **state)
{
    (void)state;
    assert_int_equal(merkle_width(0), 1);
    assert_int_equal(merkle_width(1), 1);
    assert_int_equal(merkle_width(3), 4);
    assert_int_equal(merkle_width(4), 4);
    assert_int_equal(merkle_width((UINT64_C(1) << 40) + 1), UINT64_C(1) << 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merkle_gives_the_published_roots),
        cmocka_unit_test(merkle_gives_the_published_pads),
        cmocka_unit_test(merkle_root_follows_the_definition_for_every_count),
        cmocka_unit_test(merkle_layer_is_padded_with_the_root_of_zero_leaves),
        cmocka_unit_test(merkle_width_is_the_next_power_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
