/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_congestion.h"

#include "core/utp/utp_ledbat.h"
#include "core/utp/utp_ledbat_plus.h"

#define WINDOW_FIRST 4u /* packets */

void utp_congestion_init(struct utp_congestion *congestion, enum utp_policy policy, uint32_t packet,
                         uint32_t window_max)
{
    *congestion = (struct utp_congestion){
        .policy = policy,
        .packet = packet,
        .window_max = window_max,
        .window_q = (uint64_t)(WINDOW_FIRST * packet) << 16,
        .threshold = window_max,
        .slow_start = true,
        .slowdown_ns = INT64_MAX,
    };
}

uint32_t utp_congestion_window(const struct utp_congestion *congestion)
{
    return (uint32_t)(congestion->window_q >> 16);
}

uint32_t utp_congestion_target_us(enum utp_policy policy)
{
    return policy == UTP_LEDBAT ? UTP_LEDBAT_TARGET_US : UTP_LEDBAT_PLUS_TARGET_US;
}

void utp_congestion_move(struct utp_congestion *congestion, int64_t bytes_q)
{
    int64_t window = (int64_t)congestion->window_q + bytes_q;
    int64_t least = (int64_t)congestion->packet << 16;
    int64_t most = (int64_t)congestion->window_max << 16;
    congestion->window_q = (uint64_t)(window < least ? least : window > most ? most : window);
}

void utp_congestion_on_ack(struct utp_congestion *congestion, const struct utp_congestion_ack *ack)
{
    if (congestion->policy == UTP_LEDBAT)
        utp_ledbat_on_ack(congestion, ack);
    else
        utp_ledbat_plus_on_ack(congestion, ack);
}

void utp_congestion_on_loss(struct utp_congestion *congestion, int64_t now)
{
    congestion->slow_start = false;
    utp_congestion_move(congestion, -(int64_t)(congestion->window_q / 2));
    congestion->threshold = utp_congestion_window(congestion);
    if (congestion->policy == UTP_LEDBAT_PLUS)
        utp_ledbat_plus_on_loss(congestion, now);
}

void utp_congestion_on_timeout(struct utp_congestion *congestion)
{
    uint32_t half = utp_congestion_window(congestion) / 2;
    congestion->threshold = half > 2 * congestion->packet ? half : 2 * congestion->packet;
    congestion->slow_start = true;
    congestion->window_q = (uint64_t)congestion->packet << 16;
}
