/* SPDX-License-Identifier: MIT */
/* Pieces that are read while they come go before all others, as far as their files are wanted. */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

uint8_t swarm_windows_priority(const struct swarm *swarm, piece_index piece)
{
    uint8_t priority = storage_piece_priority(swarm->storage, piece);
    for (uint32_t i = 0; i < swarm->window_count && priority > 0; i++) {
        const struct piece_window *window = &swarm->windows[i];
        uint8_t urgency = window->is_now ? PIECE_PRIORITY_NOW : PIECE_PRIORITY_SOON;
        if (piece >= window->first && piece - window->first < window->count && priority < urgency)
            priority = urgency;
    }
    return priority;
}

static void settle(struct swarm *swarm, const struct piece_window *windows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < windows[i].count; j++)
            piece_picker_set_priority(swarm->picker, windows[i].first + j,
                                      swarm_windows_priority(swarm, windows[i].first + j));
}

/* Those that begin within the torrent, cut off at its end. */
static void keep(struct swarm *swarm, const struct piece_window *windows, uint32_t count)
{
    uint32_t pieces = swarm->metainfo->geometry.piece_count;
    swarm->window_count = 0;
    swarm->windows = count ? memory_new_array(count, sizeof *swarm->windows) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct piece_window window = windows[i];
        if (window.first >= pieces)
            continue;
        if (window.count > pieces - window.first)
            window.count = pieces - window.first;
        swarm->windows[swarm->window_count++] = window;
    }
}

void swarm_set_windows(struct swarm *swarm, int64_t now, const struct piece_window *windows,
                       uint32_t count)
{
    struct piece_window *before = swarm->windows;
    uint32_t before_count = swarm->window_count;
    CHECK(count <= LIMIT_PIECE_WINDOWS);
    swarm->now = now;
    keep(swarm, windows, count);
    if (swarm->picker) {
        settle(swarm, before, before_count);
        settle(swarm, swarm->windows, swarm->window_count);
        swarm_requests_fill_all(swarm);
        swarm_wake(swarm);
    }
    memory_free(before);
}
