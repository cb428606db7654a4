/* SPDX-License-Identifier: MIT */
#include "host/port_schedule.h"

#include "core/base/check.h"
#include "core/base/limits.h"

#include <string.h>

#define RENEW_MIN_NS (60 * SECOND_NS)      /* a router that lends for a second is asked a minute */
#define RENEW_MAX_NS (30 * 60 * SECOND_NS) /* and one may have been restarted */
#define RETRY_MIN_NS (60 * SECOND_NS)
#define RETRY_SHIFTS 5 /* up to 32 minutes */

void port_schedule_init(struct port_schedule *schedule)
{
    *schedule = (struct port_schedule){.next_ns = INT64_MAX, .ends_ns = INT64_MAX};
}

static bool is_held(const struct port_schedule *schedule)
{
    return schedule->held.method != PORT_METHOD_NONE;
}

/* To be let go, before anything else is asked for. */
static bool is_stale(const struct port_schedule *schedule)
{
    return is_held(schedule) &&
           (!schedule->is_wanted || schedule->held.port != schedule->listen.port);
}

static void map_now(struct port_schedule *schedule, int64_t now)
{
    schedule->failures = 0;
    schedule->next_ns = schedule->is_wanted ? now : INT64_MAX;
    schedule->is_outdated = schedule->is_running;
}

void port_schedule_want(struct port_schedule *schedule, bool is_wanted,
                        const struct address *listen, int64_t now)
{
    is_wanted = is_wanted && listen->port != 0 && !address_is_loopback(listen);
    if (schedule->is_wanted == is_wanted && address_equal(&schedule->listen, listen))
        return;
    schedule->is_wanted = is_wanted;
    schedule->listen = *listen;
    map_now(schedule, now);
}

void port_schedule_network_changed(struct port_schedule *schedule, int64_t now)
{
    if (schedule->is_wanted)
        map_now(schedule, now);
}

bool port_schedule_next(struct port_schedule *schedule, int64_t now,
                        struct port_request *ret_request)
{
    if (schedule->is_running || port_schedule_deadline(schedule) > now)
        return false;
    schedule->errand = (struct port_request){
        .lets_go = is_stale(schedule), .listen = schedule->listen, .held = schedule->held};
    schedule->is_running = true;
    schedule->is_outdated = false;
    *ret_request = schedule->errand;
    return true;
}

static void mapped(struct port_schedule *schedule, const struct port_lease *lease, int64_t now)
{
    int64_t life = (int64_t)lease->lifetime_s * SECOND_NS, half = life / 2;

    if (half == 0 || half > RENEW_MAX_NS)
        half = RENEW_MAX_NS;
    schedule->held = *lease;
    schedule->failures = 0;
    schedule->next_ns = now + (half < RENEW_MIN_NS ? RENEW_MIN_NS : half);
    schedule->ends_ns = life ? now + life : INT64_MAX;
}

static void failed(struct port_schedule *schedule, int64_t now)
{
    unsigned shift = schedule->failures < RETRY_SHIFTS ? schedule->failures : RETRY_SHIFTS;

    schedule->failures++;
    schedule->next_ns = now + (RETRY_MIN_NS << shift);
    if (now >= schedule->ends_ns)
        schedule->held = (struct port_lease){0};
}

void port_schedule_done(struct port_schedule *schedule, const struct port_answer *answer,
                        int64_t now)
{
    CHECK(schedule->is_running);
    schedule->is_running = false;
    if (schedule->errand.lets_go) /* what a router does not let go ends by itself */
        schedule->held = (struct port_lease){0};
    else if (answer->ok)
        mapped(schedule, &answer->lease, now);
    else
        failed(schedule, now);
    if (schedule->is_outdated)
        map_now(schedule, now);
    if (!schedule->is_wanted)
        schedule->next_ns = INT64_MAX;
}

int64_t port_schedule_deadline(const struct port_schedule *schedule)
{
    if (schedule->is_running)
        return INT64_MAX;
    return is_stale(schedule) ? 0 : schedule->next_ns;
}

bool port_schedule_is_settled(const struct port_schedule *schedule)
{
    return !schedule->is_running && !is_stale(schedule);
}
