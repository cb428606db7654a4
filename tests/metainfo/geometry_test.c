/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/metainfo/geometry.h"

#include <stdlib.h>
#include <string.h>

#define V2 16384u

static void geometry_lays_v1_files_end_to_end(void **state)
{
    (void)state;
    struct geometry_file files[] = {{0, 10, false}, {0, 0, false}, {0, 25, false}};
    struct geometry geometry;
    assert_int_equal(geometry_init(&geometry, 16, files, 3, false), FRESHET_OK);
    assert_int_equal(geometry.piece_count, 3);
    assert_int_equal(geometry.total_length, 35);
    assert_int_equal(geometry.payload_length, 35);
    assert_false(geometry.aligned);
    assert_false(geometry.gaps);
    assert_int_equal(geometry.files[2].offset, 10);
    assert_int_equal(geometry_piece_size(&geometry, 0), 16);
    assert_int_equal(geometry_piece_size(&geometry, 2), 3);
    assert_int_equal(geometry_piece_payload(&geometry, 2), 3);
    assert_int_equal(geometry_file_at(&geometry, 9), 0);
    assert_int_equal(geometry_file_at(&geometry, 10), 2);
    piece_index first;
    piece_index last;
    assert_true(geometry_file_pieces(&geometry, 2, &first, &last));
    assert_int_equal(first, 0);
    assert_int_equal(last, 2);
    assert_false(geometry_file_pieces(&geometry, 1, &first, &last));
    struct file_range ranges[4];
    assert_int_equal(geometry_ranges(&geometry, 0, 4, 12, ranges, 4), 2);
    assert_int_equal(ranges[0].file, 0);
    assert_int_equal(ranges[0].offset, 4);
    assert_int_equal(ranges[0].length, 6);
    assert_int_equal(ranges[1].file, 2);
    assert_int_equal(ranges[1].offset, 0);
    assert_int_equal(ranges[1].length, 6);
    geometry_deinit(&geometry);
}

static void geometry_leaves_gaps_in_v2(void **state)
{
    (void)state;
    struct geometry_file files[] = {{0, V2 + 1, false}, {0, 0, false}, {0, 5, false}};
    struct geometry geometry;
    assert_int_equal(geometry_init(&geometry, V2, files, 3, true), FRESHET_OK);
    assert_true(geometry.aligned);
    assert_true(geometry.gaps);
    assert_int_equal(geometry.piece_count, 3);
    assert_int_equal(geometry.files[2].offset, 2 * V2);
    assert_int_equal(geometry.total_length, 2 * V2 + 5);
    assert_int_equal(geometry.payload_length, V2 + 6);
    assert_int_equal(geometry_piece_size(&geometry, 1), 1);
    assert_int_equal(geometry_piece_blocks(&geometry, 1), 1);
    assert_int_equal(geometry_block_length(&geometry, 1, 0), 1);
    assert_int_equal(geometry_file_at(&geometry, V2 + 100), 0);
    struct file_range ranges[4];
    assert_int_equal(geometry_ranges(&geometry, 1, 0, V2, ranges, 4), 2);
    assert_int_equal(ranges[0].file, 0);
    assert_int_equal(ranges[0].length, 1);
    assert_int_equal(ranges[1].file, FILE_PADDING);
    assert_int_equal(ranges[1].length, V2 - 1);
    assert_int_equal(geometry_ranges(&geometry, 1, 10, 20, ranges, 4), 1);
    assert_int_equal(ranges[0].file, FILE_PADDING);
    geometry_deinit(&geometry);
}

static void geometry_keeps_padding_out_of_the_payload(void **state)
{
    (void)state;
    struct geometry_file files[] = {
        {0, V2 + 100, false}, {0, V2 - 100, true}, {0, 7, false}, {0, 2 * V2 - 7, true}};
    struct geometry geometry;
    assert_int_equal(geometry_init(&geometry, V2, files, 4, false), FRESHET_OK);
    assert_true(geometry.aligned);
    assert_int_equal(geometry.payload_length, V2 + 107);
    assert_int_equal(geometry_piece_size(&geometry, 1), V2);
    assert_int_equal(geometry_piece_payload(&geometry, 1), 100);
    assert_int_equal(geometry_piece_blocks(&geometry, 1), 1);
    assert_int_equal(geometry_block_length(&geometry, 1, 0), 100);
    assert_int_equal(geometry_piece_payload(&geometry, 2), 7);
    assert_int_equal(geometry_piece_payload(&geometry, 3), 0);
    assert_int_equal(geometry_piece_blocks(&geometry, 3), 0);
    struct file_range ranges[2];
    assert_int_equal(geometry_ranges(&geometry, 1, 0, V2, NULL, 0), 2);
    assert_int_equal(geometry_ranges(&geometry, 1, 0, V2, ranges, 1), 2);
    assert_int_equal(ranges[0].length, 100);
    geometry_deinit(&geometry);
}

static enum freshet_error init_one(uint32_t piece_length, uint64_t length, bool gaps)
{
    struct geometry_file file = {0, length, false};
    struct geometry geometry;
    enum freshet_error error = geometry_init(&geometry, piece_length, &file, 1, gaps);
    if (error == FRESHET_OK)
        geometry_deinit(&geometry);
    return error;
}

static void geometry_refuses_what_does_not_add_up(void **state)
{
    (void)state;
    assert_int_equal(init_one(0, 100, false), FRESHET_ERROR_RANGE);
    assert_int_equal(init_one(LIMIT_PIECE_LENGTH_MAX, 100, false), FRESHET_OK);
    assert_int_equal(init_one(LIMIT_PIECE_LENGTH_MAX + 1, 100, false), FRESHET_ERROR_RANGE);
    assert_int_equal(init_one(V2 / 2, 100, true), FRESHET_ERROR_RANGE);
    assert_int_equal(init_one(V2 + 1, 100, true), FRESHET_ERROR_RANGE);
    assert_int_equal(init_one(3 * V2, 100, false), FRESHET_OK);
    assert_int_equal(init_one(V2, 0, false), FRESHET_ERROR_RANGE);
    assert_int_equal(init_one(1, LIMIT_PIECES_MAX, false), FRESHET_OK);
    assert_int_equal(init_one(1, LIMIT_PIECES_MAX + 1, false), FRESHET_ERROR_LIMIT);
    assert_int_equal(init_one(V2, UINT64_MAX, false), FRESHET_ERROR_LIMIT);
    assert_int_equal(init_one(V2, INT64_MAX, true), FRESHET_ERROR_LIMIT);
    struct geometry_file two[] = {{0, INT64_MAX, false}, {0, INT64_MAX, false}};
    struct geometry_file pads[] = {{0, 100, true}, {0, 0, false}};
    struct geometry geometry;
    assert_int_equal(geometry_init(&geometry, V2, two, 2, false), FRESHET_ERROR_LIMIT);
    assert_int_equal(geometry_init(&geometry, V2, two, 2, true), FRESHET_ERROR_LIMIT);
    assert_int_equal(geometry_init(&geometry, V2, pads, 2, false), FRESHET_ERROR_RANGE);
    assert_int_equal(geometry_init(&geometry, V2, NULL, 0, false), FRESHET_ERROR_RANGE);
}

/* Every byte of linear space, the slow way: which file holds it, or FILE_PADDING. */
static void check_against_a_map(const struct geometry *geometry)
{
    uint64_t size = (uint64_t)geometry->piece_count * geometry->piece_length;
    file_index *owner = malloc(size * sizeof owner[0]);
    for (uint64_t i = 0; i < size; i++)
        owner[i] = FILE_PADDING;
    for (uint32_t f = 0; f < geometry->file_count; f++)
        for (uint64_t i = 0; i < geometry->files[f].length; i++)
            owner[geometry->files[f].offset + i] = geometry->files[f].padding ? FILE_PADDING : f;
    struct file_range *ranges = malloc((geometry->file_count * 2u + 2) * sizeof ranges[0]);
    uint64_t sizes = 0;
    for (uint32_t piece = 0; piece < geometry->piece_count; piece++) {
        uint64_t at = (uint64_t)piece * geometry->piece_length;
        uint32_t payload = geometry_piece_payload(geometry, piece);
        uint32_t piece_size = geometry_piece_size(geometry, piece);
        sizes += piece_size;
        assert_true(payload <= piece_size);
        for (uint32_t i = payload; i < geometry->piece_length; i++)
            assert_int_equal(owner[at + i], FILE_PADDING);
        if (payload)
            assert_int_not_equal(owner[at + payload - 1], FILE_PADDING);
        for (uint32_t begin = 0; begin < geometry->piece_length; begin += 7) {
            uint32_t length = geometry->piece_length - begin;
            uint32_t count = geometry_ranges(geometry, piece, begin, length, ranges,
                                             geometry->file_count * 2u + 2);
            uint64_t position = at + begin;
            for (uint32_t r = 0; r < count; r++) {
                assert_int_not_equal(ranges[r].length, 0);
                for (uint32_t i = 0; i < ranges[r].length; i++, position++) {
                    assert_int_equal(owner[position], ranges[r].file);
                    if (ranges[r].file != FILE_PADDING)
                        assert_int_equal(geometry->files[ranges[r].file].offset + ranges[r].offset +
                                             i,
                                         position);
                }
            }
            assert_int_equal(position, at + geometry->piece_length);
        }
    }
    if (!geometry->gaps)
        assert_int_equal(sizes, geometry->total_length);
    else
        assert_int_equal(sizes, geometry->payload_length);
    free(ranges);
    free(owner);
}

static void geometry_agrees_with_a_map_of_every_byte(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 200; round++) {
        struct geometry_file files[12];
        uint32_t count = 1 + rng_below(&rng, 12);
        for (uint32_t i = 0; i < count; i++)
            files[i] = (struct geometry_file){0, rng_below(&rng, 3) ? rng_below(&rng, 60) : 0,
                                              rng_below(&rng, 4) == 0};
        files[rng_below(&rng, count)] = (struct geometry_file){0, 1 + rng_below(&rng, 50), false};
        struct geometry geometry;
        assert_int_equal(geometry_init(&geometry, 1 + rng_below(&rng, 40), files, count, false),
                         FRESHET_OK);
        check_against_a_map(&geometry);
        geometry_deinit(&geometry);
    }
}

static void geometry_agrees_with_a_map_in_v2(void **state)
{
    (void)state;
    struct geometry_file files[] = {{0, 0, false}, {0, 5, false},      {0, V2, false},
                                    {0, 0, false}, {0, V2 + 3, false}, {0, 0, false}};
    struct geometry geometry;
    assert_int_equal(geometry_init(&geometry, V2, files, 6, true), FRESHET_OK);
    /* Only some stretches: a piece is large here. */
    for (uint32_t piece = 0; piece < geometry.piece_count; piece++) {
        struct file_range ranges[8];
        uint32_t count = geometry_ranges(&geometry, piece, 0, V2, ranges, 8);
        uint64_t length = 0;
        for (uint32_t i = 0; i < count; i++)
            length += ranges[i].length;
        assert_int_equal(length, V2);
    }
    assert_int_equal(geometry.piece_count, 4);
    assert_int_equal(geometry_piece_size(&geometry, 0), 5);
    assert_int_equal(geometry_piece_size(&geometry, 1), V2);
    assert_int_equal(geometry_piece_size(&geometry, 3), 3);
    geometry_deinit(&geometry);
}

static void geometry_finds_its_way_past_a_million_empty_files(void **state)
{
    (void)state;
    struct geometry_file *files = calloc(LIMIT_FILES_MAX, sizeof files[0]);
    files[0].length = 100;
    files[LIMIT_FILES_MAX - 1].length = 100;
    struct geometry geometry;
    assert_int_equal(geometry_init(&geometry, 16, files, LIMIT_FILES_MAX, false), FRESHET_OK);
    assert_int_equal(geometry.solid_count, 2);
    struct file_range ranges[4];
    assert_int_equal(geometry_ranges(&geometry, 6, 0, 16, ranges, 4), 2);
    assert_int_equal(ranges[1].file, LIMIT_FILES_MAX - 1);
    geometry_deinit(&geometry);
    free(files);
}

static void geometry_counts_bytes_of_files(void **state)
{
    (void)state;
    struct geometry_file files[] = {{0, 10, false}, {0, 0, false}, {0, 6, true}, {0, 35, false}};
    struct geometry geometry;
    struct bitfield pieces;
    uint64_t bytes[4];
    assert_int_equal(geometry_init(&geometry, 16, files, 4, false), FRESHET_OK);
    bitfield_init(&pieces, geometry.piece_count);
    geometry_file_bytes(&geometry, &pieces, bytes);
    assert_true(bytes[0] == 0 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 0);
    bitfield_set(&pieces, 0);
    bitfield_set(&pieces, 3);
    geometry_file_bytes(&geometry, &pieces, bytes);
    assert_true(bytes[0] == 10 && bytes[2] == 0 && bytes[3] == 3);
    bitfield_set_all(&pieces);
    geometry_file_bytes(&geometry, &pieces, bytes);
    assert_true(bytes[0] == 10 && bytes[2] == 0 && bytes[3] == 35);
    bitfield_deinit(&pieces);
    geometry_deinit(&geometry);
    /* v2: a file ends where it ends, not where its piece does. */
    struct geometry_file apart[] = {{0, V2 + 5, false}, {0, 7, false}};
    assert_int_equal(geometry_init(&geometry, V2, apart, 2, true), FRESHET_OK);
    bitfield_init(&pieces, geometry.piece_count);
    bitfield_set(&pieces, 1);
    bitfield_set(&pieces, 2);
    geometry_file_bytes(&geometry, &pieces, bytes);
    assert_true(bytes[0] == 5 && bytes[1] == 7);
    bitfield_deinit(&pieces);
    geometry_deinit(&geometry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_lays_v1_files_end_to_end),
        cmocka_unit_test(geometry_leaves_gaps_in_v2),
        cmocka_unit_test(geometry_keeps_padding_out_of_the_payload),
        cmocka_unit_test(geometry_refuses_what_does_not_add_up),
        cmocka_unit_test(geometry_counts_bytes_of_files),
        cmocka_unit_test(geometry_agrees_with_a_map_of_every_byte),
        cmocka_unit_test(geometry_agrees_with_a_map_in_v2),
        cmocka_unit_test(geometry_finds_its_way_past_a_million_empty_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
