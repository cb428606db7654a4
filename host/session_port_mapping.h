/* SPDX-License-Identifier: MIT */
/* The port mapping of a session: what is wanted of it, and whom its news reach. */
#ifndef FRESHET_HOST_SESSION_PORT_MAPPING_H
#define FRESHET_HOST_SESSION_PORT_MAPPING_H

#include "host/session_parts.h"

/* After it listens. Does nothing unless the options want it. */
void session_port_mapping_start(struct session *session);
/* The port is another. */
void session_port_mapping_moved(struct session *session);
/* Lets it go. session_run returns when that is done and the engine has stopped. */
void session_port_mapping_finish(struct session *session);

#endif
