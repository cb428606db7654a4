/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "sim/sim_spans.h"

#define MODEL 64u

/* The same stretch, byte by byte: which source, and where in it. */
struct model {
    uint64_t source[MODEL], offset[MODEL];
};

static void assert_like_model(const struct sim_spans *spans, const struct model *model)
{
    for (uint64_t at = 0; at < MODEL; at++) {
        struct sim_span span = sim_spans_at(spans, at, 1);
        assert_int_equal(span.source, model->source[at]);
        if (span.source != SIM_SOURCE_ZERO)
            assert_int_equal(span.offset, model->offset[at]);
    }
    for (size_t i = 1; i < spans->count; i++) {
        const struct sim_span *a = &spans->items[i - 1], *b = &spans->items[i];
        assert_true(a->begin + a->length <= b->begin);
        assert_false(a->begin + a->length == b->begin && a->source == b->source &&
                     a->offset + a->length == b->offset);
    }
}

static void sim_spans_are_like_bytes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 200; round++) {
        struct sim_spans spans = {0};
        struct model model = {0};
        for (int put = 0; put < 30; put++) {
            uint32_t begin = rng_below(&rng, MODEL);
            uint32_t length = rng_below(&rng, MODEL - begin) + 1;
            uint32_t source = rng_below(&rng, 3);
            uint32_t offset = source == 1 ? begin : rng_below(&rng, 8);
            sim_spans_put(&spans, begin, length, source, offset);
            for (uint32_t i = 0; i < length; i++) {
                model.source[begin + i] = source;
                model.offset[begin + i] = offset + i;
            }
            assert_like_model(&spans, &model);
        }
        sim_spans_deinit(&spans);
    }
}

static void sim_spans_join_into_one_when_content_continues(void **state)
{
    (void)state;
    struct sim_spans spans = {0};
    sim_spans_put(&spans, 100, 50, 9, 1100);
    sim_spans_put(&spans, 0, 50, 9, 1000);
    assert_int_equal(spans.count, 2);
    assert_false(sim_spans_match(&spans, 0, 150, 9, 1000));
    sim_spans_put(&spans, 50, 50, 9, 1050);
    assert_int_equal(spans.count, 1);
    assert_true(sim_spans_match(&spans, 0, 150, 9, 1000));
    assert_true(sim_spans_hold(&spans, 9, 1010, 140));
    assert_false(sim_spans_hold(&spans, 9, 1010, 141));
    sim_spans_truncate(&spans, 60);
    assert_true(sim_spans_match(&spans, 0, 60, 9, 1000));
    assert_int_equal(sim_spans_at(&spans, 60, 5).source, SIM_SOURCE_ZERO);
    sim_spans_deinit(&spans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_spans_are_like_bytes),
        cmocka_unit_test(sim_spans_join_into_one_when_content_continues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
