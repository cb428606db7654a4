/* SPDX-License-Identifier: MIT */
/*
 * The daemon: a session (session.h), the catalog of all its torrents (services/catalog), their rows
 * in the state, and the RPC. What the catalog wants done is done here: saves in one transaction a
 * turn, torrents opened and closed, files moved on workers. One thread runs the loop; whatever
 * waits for a disk does so on a worker.
 */
#ifndef FRESHET_HOST_DAEMON_SERVICE_H
#define FRESHET_HOST_DAEMON_SERVICE_H

#include "host/session_options.h"
#include "services/rpc/service.h"

#include <sys/types.h>

struct daemon_service;

struct daemon_service_options {
    struct session_options session; /* on_notice, on_tick, on_signal and context are filled in */
    const struct service *const *services; /* of the RPC; kept */
    size_t service_count;
    const char *version;
    const char *download_folder; /* of a state that has none yet, or instead of its own */
    const char *const *roots;    /* what comes over TCP may use these folders too */
    size_t root_count;
    bool has_encryption;      /* that of session.engine holds from now on, and is kept */
    const char *socket;       /* NULL: the usual place; "": no Unix socket */
    struct address rpc;       /* family ADDRESS_NONE: no TCP */
    const char *const *hosts; /* allowed beside localhost */
    size_t host_count;
    const char *login;           /* "USER:PASSWORD", or NULL */
    const char *token;           /* instead of the generated one, or NULL */
    const struct address *peers; /* to try first, all torrents */
    uint32_t peer_count;
};

/* FRESHET_ERROR_BUSY with *ret_pid: another daemon has the state or the socket (`ret_text` says
 * which). On success `ret_text` is "" or a warning. */
enum freshet_error daemon_service_new(const struct daemon_service_options *options,
                                      char ret_text[SESSION_TEXT_SIZE], pid_t *ret_pid,
                                      struct daemon_service **ret_service);
/* Until SIGINT, SIGTERM or a request ends it in order. */
void daemon_service_run(struct daemon_service *service);
void daemon_service_free(struct daemon_service *service);

struct address daemon_service_listen_address(const struct daemon_service *service);
struct address daemon_service_rpc_address(const struct daemon_service *service);
/* "" when there is none. */
const char *daemon_service_socket(const struct daemon_service *service);

#endif
