/* SPDX-License-Identifier: MIT */
/*
 * How much one connection may have in flight: what the two policies share, and the choice between
 * them. LEDBAT (BEP 29, RFC 6817) is utp_ledbat, LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus) is
 * utp_ledbat_plus. Integers only: a run is the same on every machine.
 */
#ifndef FRESHET_UTP_UTP_CONGESTION_H
#define FRESHET_UTP_UTP_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

enum utp_policy { UTP_LEDBAT_PLUS, UTP_LEDBAT };

enum utp_slowdown {
    UTP_SLOWDOWN_NONE,    /* the next one is at slowdown_ns (INT64_MAX: not known yet) */
    UTP_SLOWDOWN_HOLDING, /* two packets, until slowdown_ns */
    UTP_SLOWDOWN_RAMPING, /* back to where it was, as in slow start */
};

struct utp_congestion {
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

struct utp_congestion_ack {
    int64_t now;
    uint32_t bytes;
    uint32_t queue_us; /* delay above the base */
    int64_t rtt_ns;    /* smoothed */
    int64_t rtt_least_ns;
    bool was_limit; /* the window was what held us back */
};

void utp_congestion_init(struct utp_congestion *congestion, enum utp_policy policy, uint32_t packet,
                         uint32_t window_max);
uint32_t utp_congestion_window(const struct utp_congestion *congestion);
void utp_congestion_on_ack(struct utp_congestion *congestion, const struct utp_congestion_ack *ack);
/* Once a window, however many packets were lost in it. */
void utp_congestion_on_loss(struct utp_congestion *congestion, int64_t now);
void utp_congestion_on_timeout(struct utp_congestion *congestion);
/* The delay that the policy keeps the queue at. */
uint32_t utp_congestion_target_us(enum utp_policy policy);

/* For the policies: moves the window by so many bytes × 65536, within its bounds. */
void utp_congestion_move(struct utp_congestion *congestion, int64_t bytes_q);

#endif
