/* SPDX-License-Identifier: MIT */
/*
 * How long a packet may take to be acknowledged: smoothed round trip and its variation, after
 * BEP 29 (which is RFC 6298 with other floors).
 */
#ifndef FRESHET_UTP_UTP_TIMEOUT_H
#define FRESHET_UTP_UTP_TIMEOUT_H

#include <stdint.h>

struct utp_timeout {
    int64_t rtt_ns; /* smoothed; 0: no sample yet */
    int64_t variation_ns;
    int64_t least_ns;  /* the shortest round trip seen; INT64_MAX: none */
    uint32_t timeouts; /* in a row */
    uint32_t backoff;  /* how often the wait is doubled */
};

void utp_timeout_init(struct utp_timeout *timeout);
/* A round trip of a packet that was sent once: of one sent twice nobody knows which came. */
void utp_timeout_sample(struct utp_timeout *timeout, int64_t rtt_ns);
/* Something new was acknowledged, timed or not. */
void utp_timeout_progress(struct utp_timeout *timeout);
void utp_timeout_expire(struct utp_timeout *timeout);
int64_t utp_timeout_wait(const struct utp_timeout *timeout);

#endif
