/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_pacer.h"

#include "core/base/limits.h"

#define TIMER_NS      (2 * MILLISECOND_NS)
#define BURST_PACKETS 4

void utp_pacer_update(struct utp_pacer *pacer, int64_t now, uint32_t window, int64_t rtt_ns,
                      uint32_t packet)
{
    int64_t passed = now - pacer->when_ns;
    if (rtt_ns == 0) {
        pacer->rate = 0;
        pacer->when_ns = now;
        return;
    }
    if (rtt_ns < MILLISECOND_NS / 100)
        rtt_ns = MILLISECOND_NS / 100;
    /* 5/4 of the window in a round trip: the window stays what limits. */
    pacer->rate = (int64_t)window * 5 / 4 * (SECOND_NS / 1000) / (rtt_ns / 1000);
    if (pacer->rate < 1000)
        pacer->rate = 1000;
    pacer->burst = pacer->rate / 1000 * TIMER_NS / MILLISECOND_NS;
    if (pacer->burst < BURST_PACKETS * (int64_t)packet)
        pacer->burst = BURST_PACKETS * (int64_t)packet;
    if (passed > SECOND_NS)
        passed = SECOND_NS;
    int64_t earned = pacer->rate / 1000 * passed / MILLISECOND_NS;
    if (earned <= 0)
        return; /* asked again and again, less than a byte each time */
    pacer->when_ns = now;
    pacer->budget += earned;
    if (pacer->budget > pacer->burst)
        pacer->budget = pacer->burst;
}

bool utp_pacer_may_send(const struct utp_pacer *pacer)
{
    return pacer->rate == 0 || pacer->budget > 0;
}

void utp_pacer_on_sent(struct utp_pacer *pacer, uint32_t bytes)
{
    if (pacer->rate)
        pacer->budget -= bytes;
}

int64_t utp_pacer_deadline(const struct utp_pacer *pacer)
{
    if (utp_pacer_may_send(pacer))
        return pacer->when_ns;
    return pacer->when_ns + (1 - pacer->budget) * MILLISECOND_NS / (pacer->rate / 1000) + 1;
}
