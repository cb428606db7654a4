/* SPDX-License-Identifier: MIT */
#include "host/session_port_mapping.h"

#include "host/doctor.h"
#include "host/session.h"

/* Peers come where the router listens; trackers and the DHT have to hear of it. */
static void tell_engine(struct session *session, const struct port_mapping_status *status)
{
    bool is_held = status->state == PORT_MAPPING_HELD;
    uint16_t port = is_held ? status->external_port : session->listen.port;
    struct engine_command command = {.type = COMMAND_SET_EXTERNAL, .external = {.port = port}};
    struct engine_command again = {.type = COMMAND_NEW_NETWORK};

    /* A router that stands behind another does not know how others see us. */
    if (is_held && doctor_is_public(&status->external))
        command.external = status->external;
    session_command(session, &command);
    if (port != session->announced_port)
        session_command(session, &again);
    session->announced_port = port;
}

static void on_changed(void *context)
{
    struct session *session = context;
    struct port_mapping_status status = port_mapping_status(session->mapping);

    if (session->deaf || session->stopping)
        return;
    if (status.state == PORT_MAPPING_HELD || session->announced_port != session->listen.port)
        tell_engine(session, &status);
    if (session->options.on_port_mapping && status.state != PORT_MAPPING_ASKING)
        session->options.on_port_mapping(session->options.context, &status);
}

void session_port_mapping_start(struct session *session)
{
    session->announced_port = session->listen.port;
    /* The router is neither a proxy nor asked by an interface of our choice. */
    if (!session->options.port_mapping || network_route_has_proxy(&session->options.route) ||
        network_route_has_interface(&session->options.route))
        return;
    session->mapping = port_mapping_new(&session->loop, on_changed, session);
    port_mapping_want(session->mapping, true, &session->listen);
}

void session_port_mapping_moved(struct session *session)
{
    session->announced_port = session->listen.port;
    if (session->mapping)
        port_mapping_want(session->mapping, !session->mapping_off, &session->listen);
}

void session_set_port_mapping(struct session *session, bool on)
{
    session->mapping_off = !on;
    if (session->mapping)
        port_mapping_want(session->mapping, on, &session->listen);
}

struct port_mapping_status session_port_mapping(const struct session *session)
{
    return session->mapping ? port_mapping_status(session->mapping)
                            : (struct port_mapping_status){.state = PORT_MAPPING_OFF};
}

static void on_finished(void *context)
{
    struct session *session = context;

    session->is_unmapping = false;
    if (session->finished)
        uv_stop(&session->loop);
}

void session_port_mapping_finish(struct session *session)
{
    if (!session->mapping)
        return;
    session->is_unmapping = true;
    port_mapping_finish(session->mapping, on_finished);
}
