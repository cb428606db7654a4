/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_window.h"

#define WINDOW_FIRST 4u /* packets */

void utp_window_init(struct utp_window *window, enum utp_policy policy, uint32_t packet,
                     uint32_t window_max)
{
    *window = (struct utp_window){
        .policy = policy,
        .packet = packet,
        .window_max = window_max,
        .window_q = (uint64_t)(WINDOW_FIRST * packet) << 16,
        .threshold = window_max,
        .slow_start = true,
        .slowdown_ns = INT64_MAX,
    };
}

uint32_t utp_window_bytes(const struct utp_window *window)
{
    return (uint32_t)(window->window_q >> 16);
}

void utp_window_move(struct utp_window *window, int64_t bytes_q)
{
    int64_t moved = (int64_t)window->window_q + bytes_q;
    int64_t least = (int64_t)window->packet << 16;
    int64_t most = (int64_t)window->window_max << 16;
    window->window_q = (uint64_t)(moved < least ? least : moved > most ? most : moved);
}
