/* SPDX-License-Identifier: MIT */
/* Where the processor has no lanes, what is tested is that one says so and works without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/crypto/sha1_lanes.h"

#define LONGEST 16384u

static uint8_t bytes[LANE_WIDTH_MAX * LONGEST + LANE_WIDTH_MAX];

static void sha1_lanes_agree_with_sha1(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    rng_fill(&rng, bytes, sizeof bytes);
    uint32_t width = lane_width_detect();
    assert_true(width == 1 || width == LANE_WIDTH_MAX);
    for (size_t length = 0; length <= LONGEST && width == LANE_WIDTH_MAX;
         length = length < 512 ? length + 64 : length * 2) {
        const uint8_t *messages[LANE_WIDTH_MAX], *halves[LANE_WIDTH_MAX];
        size_t half = length / 128 * 64;
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++) {
            messages[lane] = bytes + lane * (LONGEST + 1); /* at odd addresses, too */
            halves[lane] = messages[lane] + half;
        }
        uint8_t digests[LANE_WIDTH_MAX * SHA1_SIZE], expected[SHA1_SIZE];
        struct sha1_lanes lanes;
        sha1_lanes_init(&lanes);
        sha1_lanes_update(&lanes, messages, half);
        sha1_lanes_update(&lanes, halves, length - half);
        sha1_lanes_final(&lanes, digests);
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++) {
            sha1_of(messages[lane], length, expected);
            assert_memory_equal(digests + lane * SHA1_SIZE, expected, SHA1_SIZE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha1_lanes_agree_with_sha1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
