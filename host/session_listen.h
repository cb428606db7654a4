/* SPDX-License-Identifier: MIT */
/* Finds an address and a port that TCP and UDP can both have. */
#ifndef FRESHET_HOST_SESSION_LISTEN_H
#define FRESHET_HOST_SESSION_LISTEN_H

#include "host/session_parts.h"

enum freshet_error session_listen(struct session *session, const struct address *wish,
                                  char ret_text[SESSION_TEXT_SIZE]);
/* To another port; where that cannot be had, back to the one before. Connections
 * over TCP stay. */
enum freshet_error session_listen_move(struct session *session, uint16_t port);
/* From now on: sockets of an interface that went and came again are opened anew. */
void session_listen_watch(struct session *session);

#endif
