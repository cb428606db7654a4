/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_ledbat.h"

#define GROWTH_A_ROUND 3000 /* bytes in a round trip at most (BEP 29) */
/* So far above the target it is somebody else who fills the queue: TCP, which would wait seconds
 * for steps of GROWTH_A_ROUND. */
#define CROWDED_US ((int64_t)UTP_LEDBAT_TARGET_US / 2)

/* Doubles each round trip until the queue is nearly where it is wanted, or something is lost. */
static bool is_starting(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    if (congestion->slow_start && (ack->queue_us > UTP_LEDBAT_TARGET_US / 10 * 9 ||
                                   utp_window_bytes(congestion) >= congestion->threshold))
        congestion->slow_start = false;
    return congestion->slow_start;
}

/* By a part of the window in a round trip, half of it at most. */
static void give_way(struct utp_window *congestion, int64_t bytes, int64_t above)
{
    const int64_t target = UTP_LEDBAT_TARGET_US;
    if (above > target / 2)
        above = target / 2;
    utp_window_move(congestion, -(bytes * 65536 * above / target));
}

void utp_ledbat_on_ack(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    const int64_t target = UTP_LEDBAT_TARGET_US;
    int64_t window = utp_window_bytes(congestion);
    int64_t off = target - (int64_t)ack->queue_us;
    int64_t bytes = ack->bytes < window ? ack->bytes : window;
    if (is_starting(congestion, ack)) {
        if (ack->was_limit)
            utp_window_move(congestion, bytes << 16);
        return;
    }
    if (off > 0 && !ack->was_limit)
        return;
    /* A queue of seconds would ask for less than nothing. */
    if (off < -10 * target)
        off = -10 * target;
    utp_window_move(congestion, GROWTH_A_ROUND * off * bytes / window * 65536 / target);
    if (off < -CROWDED_US)
        give_way(congestion, bytes, -off - CROWDED_US);
}
