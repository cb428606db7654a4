/* SPDX-License-Identifier: MIT */
/*
 * When the router is asked for what: a port is mapped at once, kept up at half of its lease, tried
 * again later and later where that fails, mapped anew after a changed network or port, and let go
 * when nobody wants it any more. One errand at a time. Knows no router, thread or clock.
 */
#ifndef FRESHET_HOST_PORT_SCHEDULE_H
#define FRESHET_HOST_PORT_SCHEDULE_H

#include "host/port_request.h"

struct port_schedule {
    bool is_wanted;
    struct address listen;
    struct port_lease held;
    struct port_request errand; /* that runs */
    bool is_running;
    bool is_outdated;  /* what the errand brings is of a network or port that is gone */
    unsigned failures; /* in a row */
    int64_t next_ns;   /* to map, or to keep up */
    int64_t ends_ns;   /* of what is held */
};

void port_schedule_init(struct port_schedule *schedule);
/* From now on that address and port are to be mapped; none when !is_wanted. */
void port_schedule_want(struct port_schedule *schedule, bool is_wanted,
                        const struct address *listen, int64_t now);
void port_schedule_network_changed(struct port_schedule *schedule, int64_t now);
/* The next errand, if one is due: then port_schedule_done must follow before another comes. */
bool port_schedule_next(struct port_schedule *schedule, int64_t now,
                        struct port_request *ret_request);
void port_schedule_done(struct port_schedule *schedule, const struct port_answer *answer,
                        int64_t now);
/* When the next is due; INT64_MAX: not by itself. */
int64_t port_schedule_deadline(const struct port_schedule *schedule);
/* Nothing runs, nothing is held that nobody wants. */
bool port_schedule_is_settled(const struct port_schedule *schedule);

#endif
