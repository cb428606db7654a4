/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_congestion.h"

#include "core/utp/utp_ledbat.h"
#include "core/utp/utp_ledbat_plus.h"

#define LOSS_LEAST_PACKETS 2u /* RFC 6817's MIN_CWND */

void utp_congestion_on_ack(struct utp_window *congestion, const struct utp_window_ack *ack)
{
    if (congestion->policy == UTP_LEDBAT)
        utp_ledbat_on_ack(congestion, ack);
    else
        utp_ledbat_plus_on_ack(congestion, ack);
}

/* To half, but with one packet in flight nothing would tell of the next loss but a timeout. */
static void halve(struct utp_window *congestion)
{
    uint64_t least_q = (uint64_t)(LOSS_LEAST_PACKETS * congestion->packet) << 16;
    uint64_t half_q = congestion->window_q / 2;
    if (congestion->window_q <= least_q)
        return;
    utp_window_move(congestion, -(int64_t)(congestion->window_q - half_q < least_q
                                               ? congestion->window_q - least_q
                                               : half_q));
}

void utp_congestion_on_loss(struct utp_window *congestion, int64_t now)
{
    if (congestion->policy == UTP_LEDBAT_PLUS && utp_ledbat_plus_has_let_go(congestion))
        return;
    congestion->slow_start = false;
    halve(congestion);
    congestion->threshold = utp_window_bytes(congestion);
    if (congestion->policy == UTP_LEDBAT_PLUS)
        utp_ledbat_plus_on_loss(congestion, now);
}

void utp_congestion_on_timeout(struct utp_window *congestion)
{
    uint32_t half = utp_window_bytes(congestion) / 2;
    congestion->threshold = half > 2 * congestion->packet ? half : 2 * congestion->packet;
    congestion->slow_start = true;
    congestion->window_q = (uint64_t)congestion->packet << 16;
}
