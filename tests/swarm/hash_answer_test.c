/* SPDX-License-Identifier: MIT */
/* Answers to hash requests (BEP 52) against a tree that was built the plain way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/hash_answer.h"
#include "tests/swarm/leaf_torrent.h"

static struct wire_hash_range range_of(const struct leaf_torrent *made, uint32_t base,
                                       uint32_t index, uint32_t length, uint32_t proof)
{
    struct wire_hash_range range = {
        .base_layer = base, .index = index, .length = length, .proof_layers = proof};
    memcpy(range.pieces_root, made->metainfo->files[0].pieces_root, 32);
    return range;
}

/* The leaves that a plan asks for; the caller frees them. */
static struct bytes leaves_of(const struct leaf_torrent *made, const struct hash_answer_plan *plan)
{
    const struct geometry *geometry = &made->metainfo->geometry;
    uint32_t blocks = geometry->piece_length / LIMIT_BLOCK_SIZE, count = 0;
    for (uint32_t i = 0; i < plan->count; i++)
        count += geometry_piece_blocks(geometry, plan->first + i);
    return (struct bytes){
        memory_copy(made->layers[0] + (size_t)plan->first * blocks * 32, (size_t)count * 32),
        (size_t)count * 32};
}

static struct buffer answer(const struct leaf_torrent *made, const struct wire_hash_range *range,
                            struct hash_answer_upper *upper)
{
    struct hash_answer_plan plan;
    struct buffer out = {0};
    hash_answer_plan(made->metainfo, range, &plan);
    if (plan.kind == HASH_ANSWER_NONE)
        return out;
    struct bytes leaves = {NULL, 0};
    if (plan.kind == HASH_ANSWER_LEAVES)
        leaves = leaves_of(made, &plan);
    hash_answer_make(made->metainfo, range, &plan, leaves, upper, &out);
    memory_free((void *)leaves.data);
    return out;
}

/* Every hash must be the tree's: those asked for, then the sibling of each step upwards. */
static void check_answer(const struct leaf_torrent *made, const struct wire_hash_range *range,
                         struct bytes hashes)
{
    uint32_t within = 0;
    while (range->length >> within > 1)
        within++;
    uint32_t uncles = range->proof_layers + 1 > within ? range->proof_layers + 1 - within : 0;
    assert_int_equal(hashes.length, (range->length + uncles) * 32);
    assert_memory_equal(hashes.data, made->layers[range->base_layer] + (size_t)range->index * 32,
                        range->length * 32);
    for (uint32_t i = 0; i < uncles; i++) {
        uint32_t node = (range->index >> (within + i)) ^ 1;
        assert_memory_equal(hashes.data + (size_t)(range->length + i) * 32,
                            made->layers[range->base_layer + within + i] + (size_t)node * 32, 32);
    }
}

static void hash_answer_is_the_tree_s_and_proves_itself(void **state)
{
    (void)state;
    static const struct {
        uint32_t leaves, piece_length;
    } cases[] = {{1300, 16384}, {2600, 32768}, {5000, 65536}, {3, 16384}, {9, 65536}, {513, 16384}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct leaf_torrent *made = leaf_torrent_new(cases[i].leaves, cases[i].piece_length, i);
        struct hash_answer_upper upper = {0};
        uint32_t proven = 0;
        for (uint32_t base = 0; base < made->height; base++)
            for (uint32_t length = 1; length <= made->widths[base] && length <= 1024; length *= 2)
                for (uint32_t step = 0; step < 3; step++) {
                    /* The first, one in the middle, and the last of the layer, padding and all. */
                    uint32_t index = step == 0   ? 0
                                     : step == 1 ? made->widths[base] / length / 3 * length
                                                 : made->widths[base] - length;
                    for (uint32_t less = 0; less < 2 && less < made->height - base; less++) {
                        struct wire_hash_range range =
                            range_of(made, base, index, length, made->height - base - 1 - less);
                        struct buffer out = answer(made, &range, &upper);
                        if (out.length == 0)
                            continue; /* needs too many pieces, or lies beyond the last */
                        check_answer(made, &range, buffer_bytes(&out));
                        bool proves =
                            hash_answer_proves(&range, made->file_length, buffer_bytes(&out));
                        /* With a layer less it leads to the root only if none was needed. */
                        uint32_t within = made->height - base;
                        assert_true(proves == (less == 0 || length == 1u << within));
                        proven += proves;
                        buffer_deinit(&out);
                    }
                }
        assert_true(proven > 3);
        hash_answer_upper_deinit(&upper);
        leaf_torrent_free(made);
    }
}

static void hash_answer_with_any_bit_wrong_proves_nothing(void **state)
{
    (void)state;
    struct leaf_torrent *made = leaf_torrent_new(40, 16384, 1);
    struct hash_answer_upper upper = {0};
    struct wire_hash_range range = range_of(made, 0, 8, 4, made->height - 1);
    struct buffer out = answer(made, &range, &upper);
    assert_true(hash_answer_proves(&range, made->file_length, buffer_bytes(&out)));
    for (size_t i = 0; i < out.length * 8; i++) {
        out.data[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_false(hash_answer_proves(&range, made->file_length, buffer_bytes(&out)));
        out.data[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    /* Of another place, cut short, or of a file of another size it proves nothing either. */
    struct wire_hash_range other = range;
    other.index = 12;
    assert_false(hash_answer_proves(&other, made->file_length, buffer_bytes(&out)));
    struct bytes cut = {out.data, out.length - 32};
    assert_false(hash_answer_proves(&range, made->file_length, cut));
    assert_false(hash_answer_proves(&range, made->file_length * 2, buffer_bytes(&out)));
    assert_false(hash_answer_proves(&range, 0, buffer_bytes(&out)));
    buffer_deinit(&out);
    leaf_torrent_free(made);
}

static void hash_answer_refuses_what_is_not_in_the_tree(void **state)
{
    (void)state;
    struct leaf_torrent *made = leaf_torrent_new(1300, 32768, 1);
    struct hash_answer_plan plan;
    uint32_t height = made->height;
    const struct wire_hash_range bad[] = {
        range_of(made, height, 0, 1, 0),                       /* the root itself */
        range_of(made, UINT32_MAX, 0, 1, 0),                   /* no such layer */
        range_of(made, 1, 0, 0, 0),                            /* nothing */
        range_of(made, 1, 0, 3, 0),                            /* no power of two */
        range_of(made, 1, 1, 2, 0),                            /* not a multiple of its length */
        range_of(made, 1, made->widths[1], 2, 0),              /* behind the end */
        range_of(made, 1, UINT32_MAX - 1, 2, 0),               /* far behind it */
        range_of(made, 1, 0, made->widths[1] * 2, 0),          /* longer than the layer */
        range_of(made, 0, 0, 2 * LIMIT_HASHES_PER_REQUEST, 0), /* more than anybody may ask for */
        range_of(made, 1, 0, 2, height - 1),                   /* above the root */
        range_of(made, 1, 0, 2, UINT32_MAX),
        range_of(made, 0, 0, 2 * (HASH_ANSWER_PIECES_MAX + 16), 0), /* too much to hash */
        range_of(made, 0, 2046, 2, 0), /* leaves of padding alone: no piece has them */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hash_answer_plan(made->metainfo, &bad[i], &plan);
        assert_int_equal(plan.kind, HASH_ANSWER_NONE);
    }
    struct wire_hash_range range = range_of(made, 1, 0, 2, height - 2);
    hash_answer_plan(made->metainfo, &range, &plan);
    assert_int_equal(plan.kind, HASH_ANSWER_LAYERS);
    range.pieces_root[31] ^= 1;
    hash_answer_plan(made->metainfo, &range, &plan);
    assert_int_equal(plan.kind, HASH_ANSWER_NONE);
    /* Nobody answers from a layer that it does not have. */
    range.pieces_root[31] ^= 1;
    struct metainfo *bare = leaf_torrent_bare(made);
    hash_answer_plan(bare, &range, &plan);
    assert_int_equal(plan.kind, HASH_ANSWER_NONE);
    metainfo_free(bare);
    leaf_torrent_free(made);
}

static void hash_answer_names_the_pieces_whose_leaves_it_needs(void **state)
{
    (void)state;
    struct leaf_torrent *made = leaf_torrent_new(1301, 65536, 1); /* 326 pieces of four leaves */
    struct hash_answer_plan plan;
    struct wire_hash_range range = range_of(made, 0, 8, 8, made->height - 1);
    hash_answer_plan(made->metainfo, &range, &plan);
    assert_int_equal(plan.kind, HASH_ANSWER_LEAVES);
    assert_int_equal(plan.first, 2);
    assert_int_equal(plan.count, 2);
    range = range_of(made, 0, 1300, 4, made->height - 1); /* the last: one leaf, three of padding */
    hash_answer_plan(made->metainfo, &range, &plan);
    assert_int_equal(plan.first, 325);
    assert_int_equal(plan.count, 1);
    leaf_torrent_free(made);
}

/* BEP 52's own numbers are in the vectors of the protocol digest: 49152 bytes, pieces of 32 KiB. */
static void hash_answer_gives_the_published_nodes(void **state)
{
    (void)state;
    struct buffer torrent = {0};
    uint8_t root[32], node01[32], node23[32];
    assert_true(bytes_from_hex(BYTES_LITERAL("f58f20cf9931d62f43e46349544f414bfdcb31eb514dbda6b3073"
                                             "2415f46573f"),
                               root, 32));
    assert_true(bytes_from_hex(BYTES_LITERAL("d59bed8525858976750c655a37dd1fca7124bf3d51099ba23ee6e"
                                             "e3436cde6a6"),
                               node01, 32));
    assert_true(bytes_from_hex(BYTES_LITERAL("ced1ff0f8d85bc276a149ae5d15b97ddc428749bf87b08f312a1f"
                                             "2bda2816c03"),
                               node23, 32));
    buffer_append_text(&torrent, "d4:infod9:file treed5:a.bind0:d6:lengthi49152e11:pieces root32:");
    buffer_append(&torrent, root, 32);
    buffer_append_text(&torrent, "eee12:meta versioni2e4:name5:a.bin12:piece lengthi32768ee"
                                 "12:piece layersd32:");
    buffer_append(&torrent, root, 32);
    buffer_append_text(&torrent, "64:");
    buffer_append(&torrent, node01, 32);
    buffer_append(&torrent, node23, 32);
    buffer_append_text(&torrent, "ee");
    struct metainfo *metainfo = leaf_torrent_parse(buffer_bytes(&torrent));
    struct wire_hash_range range = {.base_layer = 1, .length = 2};
    struct hash_answer_upper upper = {0};
    struct hash_answer_plan plan;
    struct buffer out = {0};
    memcpy(range.pieces_root, root, 32);
    hash_answer_plan(metainfo, &range, &plan);
    assert_int_equal(plan.kind, HASH_ANSWER_LAYERS);
    hash_answer_make(metainfo, &range, &plan, (struct bytes){NULL, 0}, &upper, &out);
    assert_int_equal(out.length, 64);
    assert_memory_equal(out.data, node01, 32);
    assert_memory_equal(out.data + 32, node23, 32);
    assert_true(hash_answer_proves(&range, 49152, buffer_bytes(&out)));
    assert_int_equal(hash_answer_proof_layers(49152, 1), 0);
    buffer_deinit(&out);
    buffer_deinit(&torrent);
    metainfo_free(metainfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_answer_is_the_tree_s_and_proves_itself),
        cmocka_unit_test(hash_answer_with_any_bit_wrong_proves_nothing),
        cmocka_unit_test(hash_answer_refuses_what_is_not_in_the_tree),
        cmocka_unit_test(hash_answer_names_the_pieces_whose_leaves_it_needs),
        cmocka_unit_test(hash_answer_gives_the_published_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
