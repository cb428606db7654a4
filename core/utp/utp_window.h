/* SPDX-License-Identifier: MIT */
/*
 * How much one connection may have in flight, as utp_congestion and its two policies see it.
 * Integers only: a run is the same on every machine.
 */
#ifndef FRESHET_UTP_UTP_WINDOW_H
#define FRESHET_UTP_UTP_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

enum utp_policy { UTP_LEDBAT_PLUS, UTP_LEDBAT };

enum utp_slowdown {
    UTP_SLOWDOWN_NONE,    /* the next one is at slowdown_ns (INT64_MAX: not known yet) */
    UTP_SLOWDOWN_HOLDING, /* two packets, until slowdown_ns */
    UTP_SLOWDOWN_RAMPING, /* back to where it was, as in slow start */
};

struct utp_window {
    enum utp_policy policy;
    uint32_t packet;     /* size of a full one */
    uint32_t window_max; /* what there is memory for */
    uint64_t window_q;   /* bytes × 65536 */
    uint32_t threshold;  /* slow start ends there */
    bool slow_start;
    bool has_left; /* the first slow start */
    enum utp_slowdown slowdown;
    int64_t slowdown_ns, slowdown_began_ns;
};

struct utp_window_ack {
    int64_t now;
    uint32_t bytes;
    uint32_t queue_us; /* delay above the base */
    int64_t rtt_ns;    /* smoothed */
    int64_t rtt_least_ns;
    bool was_limit; /* the window was what held us back */
};

void utp_window_init(struct utp_window *window, enum utp_policy policy, uint32_t packet,
                     uint32_t window_max);
uint32_t utp_window_bytes(const struct utp_window *window);
/* By so many bytes × 65536, within its bounds. */
void utp_window_move(struct utp_window *window, int64_t bytes_q);

#endif
