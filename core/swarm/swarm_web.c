/* SPDX-License-Identifier: MIT */
/*
 * Web seeds of a downloading torrent (BEP 19): they take blocks from the same picker, into the same
 * memory, as peers do; web_seed.c decides which and when.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/heap.h"

/* Under a limit: what two seconds of it let pass. */
static uint32_t run_max(const struct swarm *swarm)
{
    uint64_t own = swarm->download_limit.rate, all = swarm->shared->download_limit.rate;
    uint64_t rate = own == 0 || (all != 0 && all < own) ? all : own;
    if (rate == 0)
        return 0;
    return rate < WEB_SEED_RUN_MAX / 2 ? (uint32_t)rate * 2 : WEB_SEED_RUN_MAX;
}

void swarm_web_tell(struct swarm *swarm)
{
    static const enum notice_type types[] = {
        [WEB_SEED_RESTS] = NOTICE_WEB_SEED_RESTS,
        [WEB_SEED_NO_RANGES] = NOTICE_WEB_SEED_NO_RANGES,
        [WEB_SEED_DROPPED] = NOTICE_WEB_SEED_DROPPED,
    };
    struct web_seed_trouble trouble;
    while (web_seed_next_trouble(swarm->web_seeds, &trouble))
        swarm_tell(swarm, (struct notice){.type = types[trouble.fate],
                                          .url = trouble.url,
                                          .error = trouble.error,
                                          .status = trouble.status,
                                          .count = (uint32_t)(trouble.rest_ns / SECOND_NS)});
}

void swarm_web_start(struct swarm *swarm)
{
    if (swarm->web_seeds == NULL || swarm->picker == NULL || swarm->disk_full ||
        swarm->phase != PHASE_DOWNLOADING || web_seed_count(swarm->web_seeds) == 0)
        return;
    if (!bandwidth_may(&swarm->download_limit, swarm->now)) {
        int64_t due = bandwidth_deadline(&swarm->download_limit, swarm->now);
        due = due > swarm->now ? due : swarm->now + MILLISECOND_NS;
        swarm->held_ns = due < swarm->held_ns ? due : swarm->held_ns;
        return;
    }
    struct web_seed_ground ground = {
        .now = swarm->now,
        .picker = swarm->picker,
        .pool = swarm->shared->pool,
        .limit = &swarm->download_limit,
        .run_max = run_max(swarm),
        .sequential = swarm->sequential,
        .piece_blocks = swarm->reserved_blocks,
    };
    web_seed_resume(swarm->web_seeds);
    if (web_seed_start(swarm->web_seeds, &ground))
        swarm_wake(swarm);
    swarm_web_drain(swarm);
}

void swarm_web_stop(struct swarm *swarm)
{
    if (swarm->web_seeds == NULL)
        return;
    web_seed_stop(swarm->web_seeds);
    swarm_web_drain(swarm);
    swarm_wake(swarm);
}

static void take(struct swarm *swarm, const struct web_seed_result *result)
{
    /* What comes after a pause or the end must not open a piece that nobody would close. */
    if (result->type == WEB_SEED_LOST || swarm->phase != PHASE_DOWNLOADING) {
        if (swarm->picker)
            piece_picker_abort(swarm->picker, result->slot, result->piece, result->block);
        if (result->memory != BLOCK_NONE)
            block_ledger_give(swarm->shared->pool, result->memory);
        return;
    }
    struct address server = web_seed_address(result->slot);
    swarm->downloaded += result->length;
    rate_meter_add(&swarm->down, swarm->now, result->length);
    bandwidth_charge(&swarm->download_limit, swarm->now, result->length);
    swarm_requests_block(swarm, result->slot, &server, result->piece, result->block, result->length,
                         result->memory);
}

void swarm_web_drain(struct swarm *swarm)
{
    struct web_seed_result result;
    while (web_seed_result(swarm->web_seeds, &result))
        take(swarm, &result);
    uint64_t discarded = web_seed_take_discarded(swarm->web_seeds);
    swarm->downloaded += discarded;
    swarm->wasted += discarded;
    bandwidth_charge(&swarm->download_limit, swarm->now, discarded);
    swarm_web_tell(swarm);
    swarm_requests_account(swarm);
}

bool swarm_web_input(struct swarm *swarm, const struct event *event)
{
    if (swarm->web_seeds == NULL || !web_seed_input(swarm->web_seeds, swarm->now, event))
        return false;
    swarm_web_drain(swarm);
    swarm_requests_fill_all(swarm);
    swarm_web_start(swarm);
    return true;
}

/* Servers that rest, a limit or a full pool may hold it up: while there is a server it is asked
 * each second. */
int64_t swarm_web_deadline(const struct swarm *swarm)
{
    if (swarm->web_seeds == NULL || swarm->phase != PHASE_DOWNLOADING ||
        web_seed_count(swarm->web_seeds) == 0)
        return HEAP_NEVER;
    return swarm->now + SECOND_NS;
}
