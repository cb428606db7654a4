/* SPDX-License-Identifier: MIT */
#include "sim/sim_clock.h"

#include "core/base/limits.h"

#include <string.h>

void sim_clock_init(struct sim_clock *clock)
{
    *clock = (struct sim_clock){.now = SECOND_NS, .digest = UINT64_C(0xcbf29ce484222325)};
    heap_init(&clock->timers);
}

void sim_clock_deinit(struct sim_clock *clock)
{
    heap_deinit(&clock->timers);
}

void sim_timer_init(struct sim_timer *timer, void (*fire)(void *context), void *context)
{
    *timer = (struct sim_timer){.fire = fire, .context = context};
}

void sim_timer_set(struct sim_clock *clock, struct sim_timer *timer, int64_t when_ns)
{
    heap_set(&clock->timers, &timer->node, when_ns < clock->now ? clock->now : when_ns);
}

void sim_timer_stop(struct sim_clock *clock, struct sim_timer *timer)
{
    heap_remove(&clock->timers, &timer->node);
}

bool sim_clock_step(struct sim_clock *clock, int64_t until_ns)
{
    struct heap_node *node = heap_pop_due(&clock->timers, until_ns);
    if (node == NULL) {
        if (until_ns != HEAP_NEVER && until_ns > clock->now)
            clock->now = until_ns;
        return false;
    }
    struct sim_timer *timer = HEAP_ELEMENT(node, struct sim_timer, node);
    if (node->when_ns > clock->now)
        clock->now = node->when_ns;
    clock->fired++;
    timer->fire(timer->context);
    return true;
}

void sim_clock_mix(struct sim_clock *clock, uint64_t fact)
{
    uint64_t digest = (clock->digest ^ fact) * UINT64_C(0x9e3779b97f4a7c15);
    clock->digest = digest ^ (digest >> 29);
}

void sim_clock_mix_bytes(struct sim_clock *clock, const uint8_t *bytes, size_t length)
{
    sim_clock_mix(clock, length);
    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;
        for (size_t i = at; i < at + 8 && i < length; i++)
            word = word << 8 | bytes[i];
        sim_clock_mix(clock, word);
    }
}

int64_t sim_clock_transfer_ns(uint64_t bytes, uint64_t bytes_per_s)
{
    if (bytes_per_s == 0)
        return 0;
    uint64_t whole = bytes / bytes_per_s, rest = bytes % bytes_per_s;
    /* rest < rate: the product fits while the rate is below 18 GB/s. */
    return (int64_t)(whole * (uint64_t)SECOND_NS + rest * (uint64_t)SECOND_NS / bytes_per_s);
}
