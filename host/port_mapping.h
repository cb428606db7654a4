/* SPDX-License-Identifier: MIT */
/*
 * Keeps the port that a session listens on mapped in the router (port_schedule.h says when), with
 * one thread at a time that asks it (port_request.h). The libraries that do so cannot be
 * interrupted: a thread that a router keeps is left to itself, and what it brings is dropped.
 */
#ifndef FRESHET_HOST_PORT_MAPPING_H
#define FRESHET_HOST_PORT_MAPPING_H

#include "host/port_request.h"

#include <uv.h>

struct port_mapping;

enum port_mapping_state {
    PORT_MAPPING_OFF,    /* nobody wants it, or it listens to this machine only */
    PORT_MAPPING_ASKING, /* the first answer is not there yet */
    PORT_MAPPING_HELD,
    PORT_MAPPING_FAILED, /* it is tried again */
};

struct port_mapping_status {
    enum port_mapping_state state;
    enum port_method method;
    uint16_t external_port;
    struct address external; /* with that port; family NONE: the router does not know */
    char text[PORT_TEXT];    /* FAILED: why */
};

/* `changed` comes from the loop, when the status is another than before. Nothing is asked for
 * before the loop runs. */
struct port_mapping *port_mapping_new(uv_loop_t *loop, void (*changed)(void *context),
                                      void *context);
void port_mapping_want(struct port_mapping *mapping, bool is_wanted, const struct address *listen);
void port_mapping_network_changed(struct port_mapping *mapping);
struct port_mapping_status port_mapping_status(const struct port_mapping *mapping);
/* Lets go what is held. `finished` comes once, from the loop: when that is done, or after some
 * seconds. */
void port_mapping_finish(struct port_mapping *mapping, void (*finished)(void *context));
/* Drops everything at once; the loop must run until its handles are gone. NULL is fine. */
void port_mapping_close(struct port_mapping *mapping);

#endif
