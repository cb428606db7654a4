/* SPDX-License-Identifier: MIT */
#include "sim/sim_tracker.h"

#include "core/base/rng.h"

#include <string.h>

void sim_tracker_init(struct sim_tracker *tracker, uint64_t seed)
{
    struct tracker_server_options options = {.seed = seed};
    struct rng rng;
    rng_init(&rng, seed);
    rng_fill(&rng, options.secret, sizeof options.secret);
    *tracker = (struct sim_tracker){.server = tracker_server_new(&options)};
}

void sim_tracker_deinit(struct sim_tracker *tracker)
{
    tracker_server_free(tracker->server);
    buffer_deinit(&tracker->answer.body);
}

struct address sim_tracker_address(void)
{
    const uint8_t ip[4] = {91, 0, 0, 1}; /* no node has it: see sim_network_address */
    return address_ipv4(ip, 6969);
}

static void advance(struct sim_tracker *tracker, int64_t now)
{
    if (tracker_server_deadline(tracker->server) <= now)
        tracker_server_tick(tracker->server, now);
}

bool sim_tracker_get(struct sim_tracker *tracker, int64_t now, const char *url,
                     const struct address *remote, uint32_t *ret_status, struct bytes *ret_body)
{
    const char *authority = strstr(url, "://");
    const char *target = authority ? strchr(authority + 3, '/') : NULL;
    if (tracker->dead || target == NULL)
        return false;
    advance(tracker, now);
    tracker_server_http(tracker->server, now, remote,
                        (struct bytes){(const uint8_t *)target, strlen(target)}, &tracker->answer);
    *ret_status = tracker->answer.status;
    *ret_body = buffer_bytes(&tracker->answer.body);
    return true;
}

size_t sim_tracker_datagram(struct sim_tracker *tracker, int64_t now, const struct address *remote,
                            struct bytes datagram, uint8_t reply[LIMIT_TRACKER_DATAGRAM])
{
    if (tracker->dead)
        return 0;
    advance(tracker, now);
    return tracker_server_datagram(tracker->server, now, remote, datagram, reply);
}

uint64_t sim_tracker_announces(const struct sim_tracker *tracker)
{
    struct tracker_server_stats stats;
    tracker_server_stats(tracker->server, &stats);
    return stats.announces;
}
