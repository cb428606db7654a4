/* SPDX-License-Identifier: MIT */
#include "host/session_parts.h"

#include "host/clock.h"
#include "host/doctor.h"

/* A connection over uTP may have come through a hole that was dug for it. */
static void note_reached(struct session *session, const struct event *event)
{
    if (event->type != EVENT_ACCEPTED || event->transport == TRANSPORT_UTP ||
        !doctor_is_public(&event->remote) || address_same_ip(&event->remote, &event->local))
        return;
    session->reached_ipv4 |= event->remote.family == ADDRESS_IPV4;
    session->reached_ipv6 |= event->remote.family == ADDRESS_IPV6;
}

void session_parts_input(void *context, struct event *event)
{
    struct session *session = context;

    if (session->deaf || !session->engine)
        return;
    note_reached(session, event);
    engine_input(session->engine, clock_now(), event);
}
