/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_ledbat_plus.h"

#define TARGET_US     ((int64_t)UTP_LEDBAT_PLUS_TARGET_US)
#define PARTS_MAX     16 /* the smallest growth: a packet in so many round trips */
#define HOLD_PACKETS  2u
#define HOLD_ROUNDS   2
#define SLOWDOWN_REST 9               /* times as long as the slowdown took */
#define CROWDED_US    (2 * TARGET_US) /* a queue that those who aim at TARGET_US do not make */

/* The draft's 1 / GAIN. */
static int64_t parts(const struct utp_window_ack *ack)
{
    int64_t base_us = ack->rtt_least_ns / 1000;
    if (base_us < 1)
        base_us = 1;
    int64_t count = (2 * TARGET_US + base_us - 1) / base_us;
    return count < 1 ? 1 : count > PARTS_MAX ? PARTS_MAX : count;
}

/* ---- letting go ---- */

static void end_ramp(struct utp_window *congestion, int64_t now)
{
    congestion->slowdown = UTP_SLOWDOWN_NONE;
    congestion->slowdown_ns = now + SLOWDOWN_REST * (now - congestion->slowdown_began_ns);
}

/* false: the window is not to be touched now. */
static bool step_slowdown(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    if (congestion->slowdown == UTP_SLOWDOWN_HOLDING) {
        if (ack->now < congestion->slowdown_ns)
            return false;
        congestion->slowdown = UTP_SLOWDOWN_RAMPING;
        congestion->slow_start = true;
    }
    if (congestion->slowdown == UTP_SLOWDOWN_NONE && congestion->slowdown_ns <= ack->now) {
        congestion->slowdown = UTP_SLOWDOWN_HOLDING;
        congestion->slowdown_began_ns = ack->now;
        congestion->slowdown_ns = ack->now + HOLD_ROUNDS * ack->rtt_ns;
        congestion->threshold = utp_window_bytes(congestion);
        if (congestion->threshold < HOLD_PACKETS * congestion->packet)
            congestion->threshold = HOLD_PACKETS * congestion->packet;
        congestion->slow_start = false;
        congestion->window_q = (uint64_t)(HOLD_PACKETS * congestion->packet) << 16;
        return false;
    }
    return true;
}

bool utp_ledbat_plus_has_let_go(struct utp_window *congestion)
{
    if (congestion->slowdown != UTP_SLOWDOWN_HOLDING)
        return false;
    congestion->threshold /= 2;
    if (congestion->threshold < HOLD_PACKETS * congestion->packet)
        congestion->threshold = HOLD_PACKETS * congestion->packet;
    return true;
}

void utp_ledbat_plus_on_loss(struct utp_window *congestion, int64_t now)
{
    if (congestion->slowdown == UTP_SLOWDOWN_RAMPING)
        end_ramp(congestion, now);
    if (!congestion->has_left) {
        congestion->has_left = true;
        congestion->slowdown_ns = now;
    }
}

/* ---- growing and shrinking ---- */

static void leave_slow_start(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    congestion->slow_start = false;
    if (congestion->slowdown == UTP_SLOWDOWN_RAMPING)
        end_ramp(congestion, ack->now);
    if (congestion->has_left)
        return;
    congestion->has_left = true;
    congestion->slowdown_ns = ack->now + HOLD_ROUNDS * ack->rtt_ns;
}

static bool is_starting(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    if (!congestion->slow_start)
        return false;
    if ((!congestion->has_left && ack->queue_us > TARGET_US / 4 * 3) ||
        ack->queue_us > CROWDED_US || utp_window_bytes(congestion) >= congestion->threshold)
        leave_slow_start(congestion, ack);
    return congestion->slow_start;
}

void utp_ledbat_plus_on_ack(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    int64_t window = utp_window_bytes(congestion), packet = congestion->packet;
    int64_t bytes = ack->bytes < window ? ack->bytes : window;
    int64_t above = (int64_t)ack->queue_us - TARGET_US;
    if (!step_slowdown(congestion, ack))
        return;
    if (is_starting(congestion, ack)) {
        if (ack->was_limit)
            utp_window_move(congestion, bytes * 65536 / parts(ack));
        return;
    }
    int64_t a_round = packet * 65536 / parts(ack); /* what a whole window's acks would change */
    if (above > 0) {
        if (above > TARGET_US)
            above = TARGET_US;
        a_round -= window * 65536 / TARGET_US * above;
        if (a_round < -window * 32768)
            a_round = -window * 32768;
    }
    if (a_round > 0 && !ack->was_limit)
        return;
    utp_window_move(congestion, a_round / window * bytes);
}
