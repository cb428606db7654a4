/* SPDX-License-Identifier: MIT */
/* What the router says of the daemon's port: into the log, and to whoever asks over the RPC. */
#include "host/daemon_service_state.h"

#include "host/daemon_log.h"

#include <stdio.h>

void daemon_port_mapping_changed(void *context, const struct port_mapping_status *status)
{
    char where[ADDRESS_TEXT_SIZE];

    (void)context;
    snprintf(where, sizeof where, "port %u", status->external_port);
    if (status->external.family != ADDRESS_NONE)
        address_to_text(&status->external, where);
    if (status->state == PORT_MAPPING_HELD)
        daemon_log("info", "port-mapped", "external", where, "by",
                   port_request_method_text(status->method), NULL);
    else if (status->state == PORT_MAPPING_FAILED)
        daemon_log("info", "port-not-mapped", "text", status->text, NULL);
    else if (status->state == PORT_MAPPING_OFF)
        daemon_log("info", "port-mapping-off", NULL);
}

void daemon_port_mapping_refresh(struct daemon_service *daemon)
{
    static const char *const states[] = {"off", "asking", "held", "failed"};
    struct service_world *world = &daemon->world;

    daemon->mapping = session_port_mapping(daemon->session);
    world->mapping_state = states[daemon->mapping.state];
    world->mapping_method = port_request_method_text(daemon->mapping.method);
    world->mapping_text = daemon->mapping.text;
    world->mapping_external = daemon->mapping.external;
}
