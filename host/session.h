/* SPDX-License-Identifier: MIT */
/*
 * An engine on the real machine: the loop, sockets, workers, state store and clock that answer
 * core/door/door.h. Whoever runs torrents (get, seed, later the daemon) makes one, adds torrents,
 * and runs it until it has stopped. One thread: every callback comes from session_run.
 */
#ifndef FRESHET_HOST_SESSION_H
#define FRESHET_HOST_SESSION_H

#include "host/session_options.h"
#include "host/state_store.h"

#include <uv.h>

struct disk_loads;
struct session;

/* `ret_text`: why it failed; on success "" or a warning for the person. */
enum freshet_error session_new(const struct session_options *options,
                               char ret_text[SESSION_TEXT_SIZE], struct session **ret_session);
/* Drops whatever still runs: stop it in order first (session_shutdown). */
void session_free(struct session *session);

/* The address that is listened on. */
struct address session_listen_address(const struct session *session);
/* Has somebody of the internet come there, by TCP? */
bool session_is_reached(const struct session *session, enum address_family family);
/* For whoever opens sockets of his own beside it; lives as long as the session. */
const struct network_route *session_route(const struct session *session);
struct engine *session_engine(struct session *session);
/* That of the options; NULL: none. */
const struct ip_filter *session_ip_filter(const struct session *session);
/* What its workers hash and write (disk_measure). */
void session_measure_disk(const struct session *session, struct disk_loads *ret_loads);
struct state_store *session_state(struct session *session);
uv_loop_t *session_loop(struct session *session);

void session_command(struct session *session, const struct engine_command *command);

/* Listens on another port of the same address, and tells whoever has to know. On failure the old
 * one is kept. */
enum freshet_error session_set_port(struct session *session, uint16_t port);
/* This machine's addresses have changed, or it slept for so long: connections that are dead end,
 * and peers are looked for anew. */
void session_network_changed(struct session *session, int64_t slept_ns);
/* Of connections from now on; only where --transport has left both. */
void session_set_utp(struct session *session, bool on);
/* session_port_mapping.c: only where the options wanted it. */
void session_set_port_mapping(struct session *session, bool on);
struct port_mapping_status session_port_mapping(const struct session *session);

/* Runs until everything has stopped after session_shutdown. */
void session_run(struct session *session);
/* Stops all in order: last announces, barriers, records. session_run then returns. */
void session_shutdown(struct session *session);

#endif
