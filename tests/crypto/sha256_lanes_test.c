/* SPDX-License-Identifier: MIT */
/* Where the processor has no lanes, what is tested is that one says so and works without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/crypto/sha256_lanes.h"

#define LONGEST 16384u

static uint8_t bytes[LANE_WIDTH_MAX * LONGEST + LANE_WIDTH_MAX];

static void sha256_lanes_agree_with_sha256(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    rng_fill(&rng, bytes, sizeof bytes);
    for (size_t length = 0; length <= LONGEST && lane_width_detect() == LANE_WIDTH_MAX;
         length = length < 512 ? length + 64 : length * 2) {
        const uint8_t *messages[LANE_WIDTH_MAX];
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
            messages[lane] = bytes + lane * (LONGEST + 1);
        uint8_t digests[LANE_WIDTH_MAX * SHA256_SIZE], expected[SHA256_SIZE];
        sha256_lanes_of(messages, length, digests);
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++) {
            sha256_of(messages[lane], length, expected);
            assert_memory_equal(digests + lane * SHA256_SIZE, expected, SHA256_SIZE);
        }
    }
}

static void sha256_lanes_hash_any_number_of_blocks(void **state)
{
    (void)state;
    uint8_t digests[70 * SHA256_SIZE], expected[SHA256_SIZE];
    uint32_t widths[] = {1, lane_width_detect()};
    for (uint32_t w = 0; w < 2; w++)
        for (uint32_t count = 0; count < 70; count += 7) {
            sha256_lanes_blocks(widths[w], bytes, 256, count, digests);
            for (uint32_t i = 0; i < count; i++) {
                sha256_of(bytes + i * 256, 256, expected);
                assert_memory_equal(digests + i * SHA256_SIZE, expected, SHA256_SIZE);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_lanes_agree_with_sha256),
        cmocka_unit_test(sha256_lanes_hash_any_number_of_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
