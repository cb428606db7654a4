/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/request_pipeline.h"

/* A link of `rate` bytes a second and `delay`: answers requests one after another. */
struct link {
    struct request_pipeline pipeline;
    int64_t now;
    int64_t busy_until;
    int64_t asked[LIMIT_REQUESTS_OUT];
    int64_t arrives[LIMIT_REQUESTS_OUT];
    uint32_t first, length; /* a ring */
    uint64_t delivered;
};

static void link_ask(struct link *link, uint64_t rate, int64_t delay)
{
    uint32_t room = request_pipeline_room(&link->pipeline);
    request_pipeline_on_requested(&link->pipeline, link->now, room);
    for (; room > 0; room--) {
        uint32_t at = (link->first + link->length++) % LIMIT_REQUESTS_OUT;
        int64_t start = link->now + delay;
        if (start < link->busy_until)
            start = link->busy_until;
        link->busy_until = start + (int64_t)(LIMIT_BLOCK_SIZE * 1000000000ull / rate);
        link->asked[at] = link->now;
        link->arrives[at] = link->busy_until;
    }
}

static void link_run(struct link *link, uint64_t rate, int64_t delay, int64_t until)
{
    request_pipeline_init(&link->pipeline);
    request_pipeline_set_reqq(&link->pipeline, 2000);
    link->now = SECOND_NS;
    link_ask(link, rate, delay);
    while (link->arrives[link->first] < until) {
        link->now = link->arrives[link->first];
        int64_t asked = link->asked[link->first];
        link->first = (link->first + 1) % LIMIT_REQUESTS_OUT;
        link->length--;
        link->delivered += LIMIT_BLOCK_SIZE;
        request_pipeline_on_block(&link->pipeline, link->now, LIMIT_BLOCK_SIZE, asked, true);
        link_ask(link, rate, delay);
    }
}

static void pipeline_fills_a_fast_near_link_within_a_second(void **state)
{
    (void)state;
    static struct link link;
    link = (struct link){0};
    link_run(&link, 400000000, 50000, 2 * SECOND_NS); /* 400 MB/s, 50 us */
    assert_true(link.delivered > 380000000);
    assert_int_equal(link.pipeline.target, LIMIT_REQUESTS_OUT);
}

static void pipeline_fills_a_long_fat_link(void **state)
{
    (void)state;
    static struct link link;
    link = (struct link){0};
    link_run(&link, 10000000, 200 * MILLISECOND_NS, 21 * SECOND_NS); /* 10 MB/s, 200 ms */
    assert_true(link.delivered > 170000000);
}

static void pipeline_keeps_a_slow_link_at_three_seconds_of_data(void **state)
{
    (void)state;
    static struct link link;
    link = (struct link){0};
    link_run(&link, 100000, 50 * MILLISECOND_NS, 61 * SECOND_NS); /* 100 kB/s: 18 blocks in 3 s */
    assert_in_range(link.pipeline.target, 15, 22);
    assert_true(link.delivered > 5500000);
    link = (struct link){0};
    link_run(&link, 4000, 50 * MILLISECOND_NS, 301 * SECOND_NS); /* 4 kB/s */
    assert_int_equal(link.pipeline.target, REQUEST_PIPELINE_MIN);
}

static void pipeline_honours_the_remote_limit(void **state)
{
    (void)state;
    struct request_pipeline pipeline;
    request_pipeline_init(&pipeline);
    request_pipeline_set_reqq(&pipeline, 2);
    assert_int_equal(request_pipeline_room(&pipeline), 2);
    request_pipeline_on_requested(&pipeline, 1, 2);
    assert_int_equal(request_pipeline_room(&pipeline), 0);
    request_pipeline_on_block(&pipeline, 2, LIMIT_BLOCK_SIZE, 1, true);
    assert_int_equal(request_pipeline_room(&pipeline), 1);
    request_pipeline_set_reqq(&pipeline, 0);
    assert_int_equal(request_pipeline_room(&pipeline), 0);
    request_pipeline_on_gone(&pipeline, 3, 1);
    assert_int_equal(request_pipeline_room(&pipeline), 1);
}

static void pipeline_gives_up_requests_and_starts_again(void **state)
{
    (void)state;
    struct request_pipeline pipeline;
    request_pipeline_init(&pipeline);
    assert_int_equal(request_pipeline_deadline(&pipeline), INT64_MAX);
    request_pipeline_on_requested(&pipeline, SECOND_NS, 4);
    int64_t deadline = request_pipeline_deadline(&pipeline);
    assert_in_range(deadline, SECOND_NS + REQUEST_PIPELINE_TIMEOUT_MIN,
                    SECOND_NS + REQUEST_PIPELINE_TIMEOUT_MAX);
    request_pipeline_on_progress(&pipeline, 5 * SECOND_NS);
    assert_int_equal(request_pipeline_deadline(&pipeline), deadline + 4 * SECOND_NS);
    request_pipeline_on_timeout(&pipeline, deadline + 4 * SECOND_NS, 4);
    assert_int_equal(request_pipeline_room(&pipeline), 1);
    assert_int_equal(request_pipeline_deadline(&pipeline), INT64_MAX);
    request_pipeline_on_requested(&pipeline, 30 * SECOND_NS, 1);
    request_pipeline_on_block(&pipeline, 31 * SECOND_NS, LIMIT_BLOCK_SIZE, 30 * SECOND_NS, true);
    assert_true(request_pipeline_room(&pipeline) >= REQUEST_PIPELINE_MIN);
}

static void pipeline_calls_a_silent_peer_snubbing_after_a_minute(void **state)
{
    (void)state;
    struct request_pipeline pipeline;
    request_pipeline_init(&pipeline);
    assert_false(request_pipeline_is_snubbed(&pipeline, 1000 * SECOND_NS));
    request_pipeline_on_requested(&pipeline, 0, 4);
    assert_false(request_pipeline_is_snubbed(&pipeline, 59 * SECOND_NS));
    request_pipeline_on_timeout(&pipeline, 20 * SECOND_NS, 4);
    request_pipeline_on_requested(&pipeline, 20 * SECOND_NS, 1);
    assert_true(request_pipeline_is_snubbed(&pipeline, 60 * SECOND_NS));
    request_pipeline_on_block(&pipeline, 61 * SECOND_NS, LIMIT_BLOCK_SIZE, 20 * SECOND_NS, true);
    assert_false(request_pipeline_is_snubbed(&pipeline, 1000 * SECOND_NS));
    request_pipeline_on_requested(&pipeline, 100 * SECOND_NS, 4);
    request_pipeline_on_gone(&pipeline, 101 * SECOND_NS, 4); /* choked: it owes us nothing */
    assert_false(request_pipeline_is_snubbed(&pipeline, 1000 * SECOND_NS));
}

static void pipeline_knows_who_is_fast_and_when_others_are_slow(void **state)
{
    (void)state;
    static struct link link;
    link = (struct link){0};
    assert_int_equal(request_pipeline_slow_before_ns(&link.pipeline, 0), INT64_MIN);
    link_run(&link, 1000000, 10 * MILLISECOND_NS, 10 * SECOND_NS);
    assert_true(request_pipeline_is_fast(&link.pipeline, link.now, 16 * MIB));
    assert_false(request_pipeline_is_fast(&link.pipeline, link.now, 64 * MIB));
    assert_int_equal(request_pipeline_slow_before_ns(&link.pipeline, link.now),
                     link.now - 5 * SECOND_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipeline_fills_a_fast_near_link_within_a_second),
        cmocka_unit_test(pipeline_fills_a_long_fat_link),
        cmocka_unit_test(pipeline_keeps_a_slow_link_at_three_seconds_of_data),
        cmocka_unit_test(pipeline_honours_the_remote_limit),
        cmocka_unit_test(pipeline_gives_up_requests_and_starts_again),
        cmocka_unit_test(pipeline_calls_a_silent_peer_snubbing_after_a_minute),
        cmocka_unit_test(pipeline_knows_who_is_fast_and_when_others_are_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
