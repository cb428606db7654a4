/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/swarm/upload_queue.h"

#include <string.h>

static struct upload_request request(uint32_t piece, uint32_t block)
{
    return (struct upload_request){piece, block * LIMIT_BLOCK_SIZE, LIMIT_BLOCK_SIZE};
}

static void upload_queue_answers_in_order(void **state)
{
    (void)state;
    struct upload_queue queue;
    upload_queue_init(&queue);
    struct upload_request r, next;
    assert_false(upload_queue_next(&queue, &next));
    for (uint32_t i = 0; i < 100; i++) {
        r = request(1, i);
        assert_int_equal(upload_queue_push(&queue, &r), UPLOAD_QUEUED);
    }
    assert_int_equal(queue.bytes, 100 * LIMIT_BLOCK_SIZE);
    r = request(1, 50);
    assert_int_equal(upload_queue_push(&queue, &r), UPLOAD_DUPLICATE);
    assert_true(upload_queue_cancel(&queue, &r));
    assert_false(upload_queue_cancel(&queue, &r));
    for (uint32_t i = 0; i < 100; i++) {
        if (i == 50)
            continue;
        assert_true(upload_queue_peek(&queue, &next));
        assert_true(upload_queue_next(&queue, &next));
        assert_int_equal(next.begin, i * LIMIT_BLOCK_SIZE);
    }
    assert_null(queue.ring); /* idle: no memory */
    upload_queue_deinit(&queue);
}

static void upload_queue_refuses_beyond_its_limit(void **state)
{
    (void)state;
    struct upload_queue queue;
    upload_queue_init(&queue);
    struct upload_request r;
    for (uint32_t i = 0; i < LIMIT_REQUESTS_IN; i++) {
        r = request(i, 0);
        assert_int_equal(upload_queue_push(&queue, &r), UPLOAD_QUEUED);
    }
    r = request(LIMIT_REQUESTS_IN, 0);
    assert_int_equal(upload_queue_push(&queue, &r), UPLOAD_FULL);
    assert_int_equal(queue.overflow, 1);
    assert_true(upload_queue_next(&queue, &r));
    r = request(LIMIT_REQUESTS_IN, 0);
    assert_int_equal(upload_queue_push(&queue, &r), UPLOAD_QUEUED);
    upload_queue_clear(&queue);
    assert_int_equal(queue.length, 0);
}

static void upload_queue_drops_all_but_the_allowed_on_choke(void **state)
{
    (void)state;
    struct upload_queue queue;
    upload_queue_init(&queue);
    for (uint32_t i = 0; i < 30; i++) {
        struct upload_request r = request(i % 3, i);
        upload_queue_push(&queue, &r);
    }
    const piece_index allowed[] = {2};
    struct upload_request dropped;
    uint32_t count = 0;
    while (upload_queue_drop(&queue, allowed, 1, &dropped)) {
        assert_int_not_equal(dropped.piece, 2);
        count++;
    }
    assert_int_equal(count, 20);
    assert_int_equal(queue.length, 10);
    while (upload_queue_drop(&queue, NULL, 0, &dropped))
        assert_int_equal(dropped.piece, 2);
    assert_int_equal(queue.length, 0);
    upload_queue_deinit(&queue);
}

static void upload_queue_agrees_with_a_plain_array(void **state)
{
    (void)state;
    static struct upload_request model[LIMIT_REQUESTS_IN];
    uint32_t length = 0;
    struct upload_queue queue;
    upload_queue_init(&queue);
    struct rng rng;
    rng_init(&rng, 11);
    for (uint32_t step = 0; step < 20000; step++) {
        struct upload_request r = request(rng_below(&rng, 8), rng_below(&rng, 8));
        uint32_t at = 0;
        while (at < length && memcmp(&model[at], &r, sizeof r) != 0)
            at++;
        switch (rng_below(&rng, 3)) {
        case 0:
            assert_int_equal(upload_queue_push(&queue, &r),
                             at < length ? UPLOAD_DUPLICATE : UPLOAD_QUEUED);
            if (at == length)
                model[length++] = r;
            break;
        case 1:
            assert_int_equal(upload_queue_cancel(&queue, &r), at < length);
            if (at < length)
                memmove(&model[at], &model[at + 1], (--length - at) * sizeof r);
            break;
        default:
            assert_int_equal(upload_queue_next(&queue, &r), length > 0);
            if (length == 0)
                break;
            assert_memory_equal(&r, &model[0], sizeof r);
            memmove(&model[0], &model[1], --length * sizeof r);
        }
        assert_int_equal(queue.length, length);
        assert_int_equal(queue.bytes, (uint64_t)length * LIMIT_BLOCK_SIZE);
    }
    upload_queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload_queue_answers_in_order),
        cmocka_unit_test(upload_queue_refuses_beyond_its_limit),
        cmocka_unit_test(upload_queue_drops_all_but_the_allowed_on_choke),
        cmocka_unit_test(upload_queue_agrees_with_a_plain_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
