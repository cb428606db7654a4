/* SPDX-License-Identifier: MIT */
/* The DHT of a session: where it is entered, and its nodes' records in the state. */
#ifndef FRESHET_HOST_SESSION_DHT_H
#define FRESHET_HOST_SESSION_DHT_H

#include "host/session_parts.h"

/* After the engine knows where it listens. */
void session_dht_start(struct session *session);
/* Writes the records of this moment, in this call. */
void session_dht_save(struct session *session);

#endif
