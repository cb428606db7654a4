/* SPDX-License-Identifier: MIT */
/* What daemon_watch.c and daemon_feeds.c share; used by nobody else. */
#ifndef FRESHET_HOST_DAEMON_INTAKE_H
#define FRESHET_HOST_DAEMON_INTAKE_H

#include "host/daemon_service_state.h"
#include "services/intake/intake_rule.h"
#include "services/intake/intake_status.h"
#include "services/intake/intake_taken.h"

#define DAEMON_INTAKE_NAME_SIZE 48

/* Something to be added. */
struct daemon_intake_thing {
    struct metainfo *metainfo; /* or NULL: */
    const char *magnet;
    struct bytes torrent;
    const char *from; /* for the log */
};

/* FRESHET_OK takes the metainfo. With EXISTS too *ret_change is set: durable, it is there. */
enum freshet_error daemon_intake_add(struct daemon_service *daemon, const struct intake_rule *rule,
                                     const struct daemon_intake_thing *thing, char ret_text[256],
                                     uint64_t *ret_change);

/* What was taken, under a name in the state. */
struct daemon_intake_memory {
    struct daemon_service *daemon;
    char name[DAEMON_INTAKE_NAME_SIZE];
    struct intake_taken taken;
    struct daemon_intake_load *load; /* on its way from the state; NULL: it is not */
    bool is_ready;                   /* it is known what was taken: before, nothing is */
    bool is_dirty, was_changed;      /* since it was given to a worker; in this run */
    uint64_t change;                 /* to be durable before this is written */
};

/* The state is read on a worker; `is_ready` then. */
void daemon_intake_memory_init(struct daemon_intake_memory *memory, struct daemon_service *daemon,
                               const char *name, uint32_t max);
void daemon_intake_memory_add(struct daemon_intake_memory *memory, const struct intake_key *key,
                              uint64_t change);
/* Writes on a worker what has changed, when the rows are durable; and in this call, at the end. */
void daemon_intake_memory_keep(struct daemon_intake_memory *memory);
void daemon_intake_memory_finish(struct daemon_intake_memory *memory);
void daemon_intake_memory_deinit(struct daemon_intake_memory *memory);

#endif
