/* SPDX-License-Identifier: MIT */
#include "host/turn_meter.h"

#include "core/base/check.h"

void turn_meter_count(struct service_turns *turns, uint64_t duration_ns)
{
    unsigned bucket = 0;

    while (bucket + 1 < SERVICE_TURN_BUCKETS && duration_ns > service_turn_edge_us(bucket) * 1000)
        bucket++;
    turns->count++;
    turns->sum_ns += duration_ns;
    if (duration_ns > turns->max_ns)
        turns->max_ns = duration_ns;
    turns->buckets[bucket]++;
}

/* From one end of waiting to the next, without the waiting between them. */
static void turn_meter_on_check(uv_check_t *check)
{
    struct turn_meter *meter = check->data;
    uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(check->loop);
    uint64_t whole = now - meter->began_ns, waited = idle - meter->idle_ns;

    turn_meter_count(&meter->turns, whole > waited ? whole - waited : 0);
    meter->began_ns = now;
    meter->idle_ns = idle;
}

void turn_meter_start(struct turn_meter *meter, uv_loop_t *loop)
{
    *meter = (struct turn_meter){0};
    uv_loop_configure(loop, UV_METRICS_IDLE_TIME);
    CHECK(uv_check_init(loop, &meter->check) == 0);
    meter->check.data = meter;
    meter->began_ns = uv_hrtime();
    meter->idle_ns = uv_metrics_idle_time(loop);
    uv_check_start(&meter->check, turn_meter_on_check);
    uv_unref((uv_handle_t *)&meter->check);
}

void turn_meter_restart(struct turn_meter *meter)
{
    meter->turns = (struct service_turns){0};
    meter->began_ns = uv_hrtime();
    meter->idle_ns = uv_metrics_idle_time(meter->check.loop);
}

void turn_meter_close(struct turn_meter *meter)
{
    uv_close((uv_handle_t *)&meter->check, NULL);
}
