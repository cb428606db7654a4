/* SPDX-License-Identifier: MIT */
/*
 * The sockets of local service discovery (BEP 14): one a family, bound to its group (so nothing but
 * what was sent to the group comes in) and joined on each interface that network_interfaces.h
 * allows. What is sent goes one hop and no further, and also to other programs of this machine.
 *
 * Interfaces come and go, a laptop sleeps and wakes elsewhere: once a minute they are looked at
 * again. Where there is none, or the system does not let us, nobody is told and nobody heard; that
 * is no error.
 */
#ifndef FRESHET_HOST_LOCAL_SOCKET_H
#define FRESHET_HOST_LOCAL_SOCKET_H

#include "core/door/door.h"

#include <uv.h>

struct local_socket;

/* `listen`: where the session listens. `received` is called from the loop for each packet
 * (EVENT_LOCAL_DATAGRAM), our own too. */
struct local_socket *local_socket_new(uv_loop_t *loop, const struct address *listen,
                                      void (*received)(void *context, struct event *event),
                                      void *context);
/* NULL is fine. */
void local_socket_close(struct local_socket *socket);
/* ACTION_SEND_LOCAL: to the group, out of every interface of its family. What cannot be sent at
 * once is dropped. NULL: nothing happens. */
void local_socket_send(struct local_socket *socket, const struct address *group,
                       struct bytes bytes);
/* What else happens once a minute. */
void local_socket_refresh(struct local_socket *socket);

#endif
