/* SPDX-License-Identifier: MIT */
/*
 * How long the queue is on the way to the other: what it measured of our packets' one-way time,
 * less the least of it in the last minutes. The two clocks are not the same and each may wrap; only
 * differences count. Thirteen minutes of history and the least of three samples, as libutp has it.
 */
#ifndef FRESHET_UTP_UTP_DELAY_H
#define FRESHET_UTP_UTP_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#define UTP_DELAY_MINUTES 13u
#define UTP_DELAY_RECENT  3u

struct utp_delay {
    uint32_t base_us[UTP_DELAY_MINUTES]; /* the least of each minute, a ring */
    uint32_t minutes;                    /* how many of them are filled */
    uint32_t minute;                     /* the current one */
    int64_t minute_ns;                   /* when it began */
    uint32_t recent_us[UTP_DELAY_RECENT];
    uint32_t recent; /* samples ever */
};

void utp_delay_sample(struct utp_delay *delay, int64_t now, uint32_t sample_us);
/* Microseconds above the base; 0 when there is no sample. */
uint32_t utp_delay_queue_us(const struct utp_delay *delay);

#endif
