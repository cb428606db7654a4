/* SPDX-License-Identifier: MIT */
/*
 * Inbound connections before it is known which torrent they are for: 68 bytes of handshake (BEP 3)
 * and a deadline each, nothing more, so that a flood of them is cheap.
 */
#ifndef FRESHET_ENGINE_GREETING_H
#define FRESHET_ENGINE_GREETING_H

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/door/door.h"
#include "core/swarm/peer_mse.h"
#include "core/wire/wire_handshake.h"

#define GREETINGS_MAX         256u /* at once; beyond that newcomers are refused */
#define GREETINGS_NETWORK_MAX 32u  /* of one IPv4 address or IPv6 /64 */

struct greeting {
    conn_id conn;
    struct address remote;
    int64_t deadline_ns;
    enum peer_mse mse; /* how it began (engine_mse.c) */
    struct wire_handshake_reader reader;
    struct list_node node;
};

struct greetings {
    struct list list; /* in order of arrival, so of deadline */
    struct map by_conn;
};

void greeting_init(struct greetings *greetings, uint64_t seed);
void greeting_deinit(struct greetings *greetings);
/* NULL: there are too many, in all or from there. */
struct greeting *greeting_add(struct greetings *greetings, conn_id conn,
                              const struct address *remote, int64_t now);
struct greeting *greeting_find(const struct greetings *greetings, conn_id conn);
void greeting_remove(struct greetings *greetings, struct greeting *greeting);
/* The first that is overdue by now; NULL: none. */
struct greeting *greeting_overdue(const struct greetings *greetings, int64_t now);
/* INT64_MAX when there is none. */
int64_t greeting_deadline(const struct greetings *greetings);

#endif
