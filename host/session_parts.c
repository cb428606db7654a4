/* SPDX-License-Identifier: MIT */
#include "host/session_parts.h"

#include "host/clock.h"

void session_parts_input(void *context, struct event *event)
{
    struct session *session = context;

    if (session->deaf || !session->engine)
        return;
    engine_input(session->engine, clock_now(), event);
}
