/* SPDX-License-Identifier: MIT */
/*
 * What is well and what is not on a machine that runs freshet, each finding with advice in words.
 * Nothing is changed: what is written to try a disk has no name and is gone at once, a state is
 * only read. Each check blocks, for some seconds at most.
 */
#ifndef FRESHET_HOST_DOCTOR_H
#define FRESHET_HOST_DOCTOR_H

#include "core/base/address.h"
#include "core/base/limits.h"

#include <sys/types.h>

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD };

#define DOCTOR_TEXT 640

struct doctor_finding {
    const char *check; /* "port", static */
    enum doctor_level level;
    char fact[DOCTOR_TEXT];
    char advice[DOCTOR_TEXT]; /* "" when there is nothing to be done */
};

__attribute__((format(printf, 3, 4))) void
doctor_find(struct doctor_finding *finding, enum doctor_level level, const char *format, ...);
__attribute__((format(printf, 2, 3))) void doctor_advise(struct doctor_finding *finding,
                                                         const char *format, ...);

/* doctor_network.c */

/* A second socket connects to where the daemon listens, from this machine. */
void doctor_check_port(const struct address *listen, struct doctor_finding *ret_finding);
/* Nobody listens yet: can the port be had, and reached once it is? */
void doctor_check_free_port(uint16_t port, struct doctor_finding *ret_finding);
/* From which addresses this machine speaks to the world, and whether the world can speak to them.
 */
void doctor_check_nat(uint16_t port, struct doctor_finding *ret_finding);
/* Is an IPv4 or IPv6 address one that is reached from everywhere? */
bool doctor_is_public(const struct address *address);
/* Receive buffers of sockets as we ask for them. */
void doctor_check_udp(struct doctor_finding *ret_finding);

/* doctor_disk.c: writes and reads for some seconds in the folder, or the nearest one above it. */
void doctor_check_disk(const char *folder, struct doctor_finding *ret_finding);

/* doctor.c */

/* `state`: whose files tell of the past. */
void doctor_check_clock(const char *state, struct doctor_finding *ret_finding);
/* Of the daemon's process, or of this one (0). */
void doctor_check_descriptors(pid_t pid, struct doctor_finding *ret_finding);
/* Is the database whole, whose is it, and is there room to write it? */
void doctor_check_state(const char *folder, struct doctor_finding *ret_finding);

/* What the state says without a daemon; false: there is none. */
struct doctor_state {
    char download_folder[LIMIT_PATH_LENGTH + 1]; /* "": none is set */
    uint16_t port;                               /* of last time; 0: never */
    uint64_t dht_bytes;                          /* of the nodes that are remembered */
};
bool doctor_read_state(const char *folder, struct doctor_state *ret_state);

#endif
