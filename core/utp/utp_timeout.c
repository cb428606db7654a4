/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_timeout.h"

#include "core/base/limits.h"

/* What was sent again tells nothing of the round trip, so the wait stays doubled until something
 * does (RFC 6298, 5), or a path that became slow would be taken for a lossy one for ever. Not more
 * often than this, or one that lay dead for a minute would be slow to begin again. */
#define BACKOFF_UNTIMED 3u

void utp_timeout_init(struct utp_timeout *timeout)
{
    *timeout = (struct utp_timeout){.least_ns = INT64_MAX};
}

void utp_timeout_sample(struct utp_timeout *timeout, int64_t rtt_ns)
{
    if (rtt_ns < 1)
        rtt_ns = 1;
    timeout->backoff = 0;
    if (rtt_ns < timeout->least_ns)
        timeout->least_ns = rtt_ns;
    if (timeout->rtt_ns == 0) {
        timeout->rtt_ns = rtt_ns;
        timeout->variation_ns = rtt_ns / 2;
        return;
    }
    int64_t off = timeout->rtt_ns - rtt_ns;
    timeout->variation_ns += ((off < 0 ? -off : off) - timeout->variation_ns) / 4;
    timeout->rtt_ns -= off / 8;
}

void utp_timeout_progress(struct utp_timeout *timeout)
{
    timeout->timeouts = 0;
    if (timeout->backoff > BACKOFF_UNTIMED)
        timeout->backoff = BACKOFF_UNTIMED;
}

void utp_timeout_expire(struct utp_timeout *timeout)
{
    timeout->timeouts++;
    timeout->backoff++;
}

int64_t utp_timeout_wait(const struct utp_timeout *timeout)
{
    int64_t wait = LIMIT_UTP_RTO_FIRST_NS;
    if (timeout->rtt_ns) {
        wait = timeout->rtt_ns + 4 * timeout->variation_ns;
        if (wait < LIMIT_UTP_RTO_MIN_NS)
            wait = LIMIT_UTP_RTO_MIN_NS;
    }
    for (uint32_t i = 0; i < timeout->backoff && wait < LIMIT_UTP_RTO_MAX_NS; i++)
        wait *= 2;
    return wait < LIMIT_UTP_RTO_MAX_NS ? wait : LIMIT_UTP_RTO_MAX_NS;
}
