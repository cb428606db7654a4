/* SPDX-License-Identifier: MIT */
#include "core/tracker/announce_pacer.h"

#include "core/base/check.h"
#include "core/base/limits.h"

void announce_pacer_init(struct announce_pacer *pacer)
{
    int64_t slot_ns = SECOND_NS / LIMIT_ANNOUNCES_PER_SECOND;
    *pacer = (struct announce_pacer){
        .slot_ns = slot_ns,
        .burst_ns = slot_ns * LIMIT_ANNOUNCES_FLYING,
        .next_ns = INT64_MIN,
        .flying_max = LIMIT_ANNOUNCES_FLYING,
    };
}

int64_t announce_pacer_reserve(struct announce_pacer *pacer, int64_t now)
{
    /* A pacer that was idle has saved up a burst, never more. */
    if (pacer->next_ns < now - pacer->burst_ns)
        pacer->next_ns = now - pacer->burst_ns;
    int64_t slot = pacer->next_ns;
    pacer->next_ns += pacer->slot_ns;
    return slot > now ? slot : now;
}

bool announce_pacer_begin(struct announce_pacer *pacer)
{
    if (pacer->flying >= pacer->flying_max)
        return false;
    pacer->flying++;
    return true;
}

void announce_pacer_end(struct announce_pacer *pacer)
{
    CHECK(pacer->flying > 0);
    pacer->flying--;
}
