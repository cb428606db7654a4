/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_delay.h"

#include "core/base/limits.h"
#include "core/utp/utp_packet.h"

#define MINUTE_NS (60 * SECOND_NS)

void utp_delay_sample(struct utp_delay *delay, int64_t now, uint32_t sample_us)
{
    if (delay->minutes == 0) {
        delay->minutes = 1;
        delay->minute_ns = now;
        delay->base_us[0] = sample_us;
    } else if (now - delay->minute_ns >= MINUTE_NS) {
        delay->minute = (delay->minute + 1) % UTP_DELAY_MINUTES;
        delay->minute_ns = now;
        delay->base_us[delay->minute] = sample_us;
        if (delay->minutes < UTP_DELAY_MINUTES)
            delay->minutes++;
    } else if (utp_time_before(sample_us, delay->base_us[delay->minute])) {
        delay->base_us[delay->minute] = sample_us;
    }
    delay->recent_us[delay->recent++ % UTP_DELAY_RECENT] = sample_us;
}

static uint32_t least(const uint32_t *samples, uint32_t count)
{
    uint32_t found = samples[0];
    for (uint32_t i = 1; i < count; i++)
        if (utp_time_before(samples[i], found))
            found = samples[i];
    return found;
}

uint32_t utp_delay_queue_us(const struct utp_delay *delay)
{
    uint32_t recent = delay->recent < UTP_DELAY_RECENT ? delay->recent : UTP_DELAY_RECENT;
    if (recent == 0)
        return 0;
    uint32_t now_us = least(delay->recent_us, recent);
    uint32_t base_us = least(delay->base_us, delay->minutes);
    return utp_time_before(now_us, base_us) ? 0 : now_us - base_us;
}
