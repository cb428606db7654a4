/* SPDX-License-Identifier: MIT */
#include "core/swarm/rate_meter.h"

#include "core/base/limits.h"

void rate_meter_init(struct rate_meter *meter)
{
    *meter = (struct rate_meter){.since = INT64_MIN};
}

static uint32_t *bucket_of(struct rate_meter *meter, int64_t second)
{
    return &meter->buckets[(uint64_t)second % RATE_METER_WINDOW];
}

void rate_meter_add(struct rate_meter *meter, int64_t now, uint64_t bytes)
{
    int64_t second = now / SECOND_NS;
    if (meter->since == INT64_MIN)
        meter->since = meter->second = second;
    if (second - meter->second >= RATE_METER_WINDOW)
        meter->second = second - RATE_METER_WINDOW;
    while (meter->second < second)
        *bucket_of(meter, ++meter->second) = 0;
    uint32_t *bucket = bucket_of(meter, meter->second);
    uint64_t sum = *bucket + bytes;
    *bucket = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static uint64_t rate_over(const struct rate_meter *meter, int64_t now, int64_t seconds)
{
    int64_t second = now / SECOND_NS;
    if (meter->since == INT64_MIN)
        return 0;
    uint64_t sum = 0;
    int64_t oldest = second - seconds + 1;
    for (int64_t at = meter->second; at >= oldest && at > meter->second - RATE_METER_WINDOW; at--)
        sum += meter->buckets[(uint64_t)at % RATE_METER_WINDOW];
    if (meter->since > oldest)
        oldest = meter->since;
    int64_t span_ms = now / MILLISECOND_NS - oldest * 1000;
    return sum * 1000 / (uint64_t)(span_ms < 1000 ? 1000 : span_ms);
}

uint64_t rate_meter_rate(const struct rate_meter *meter, int64_t now)
{
    return rate_over(meter, now, RATE_METER_WINDOW);
}

uint64_t rate_meter_quick(const struct rate_meter *meter, int64_t now)
{
    return rate_over(meter, now, 3);
}
