/* SPDX-License-Identifier: MIT */
/*
 * The HTTP side of the daemon: libmicrohttpd on the session's loop, on TCP and on a Unix socket. It
 * judges who may speak, collects a request, takes it through its service (services/rpc/service.h)
 * and sends the answer. Parsing and writing run on workers, steps on the loop's thread in slices of
 * at most a millisecond a turn; the connection sleeps meanwhile. No request waits for anything on
 * the loop's thread.
 *
 * Who may speak, in this order: the Host must be an address or a name of ours and the Origin ours
 * too (a page of somebody else is not to drive us, whatever its name resolves to); an address that
 * guessed wrong waits; a token or password must be shown, but not on the Unix socket, whose file
 * rights say it; and what changes something must carry a header that no form can send.
 */
#ifndef FRESHET_HOST_RPC_SERVER_H
#define FRESHET_HOST_RPC_SERVER_H

#include "core/base/list.h"
#include "host/rpc_files.h"
#include "host/rpc_token.h"
#include "services/rpc/service.h"

#include <uv.h>

struct rpc_server;

/* A job of a call on its way; the host calls rpc_server_job_done when its results are in. */
struct rpc_job {
    struct list_node node; /* for whoever performs it */
    struct service_job job;
    void *performer;
};

struct rpc_server_options {
    uv_loop_t *loop;
    const struct service *const *services;
    size_t service_count;
    int local_descriptor;     /* listening; taken. -1: none */
    int tcp_descriptor;       /* the same */
    const char *const *hosts; /* names allowed in Host beside localhost; kept */
    size_t host_count;
    const char *control_token, *read_token;     /* copied */
    bool token_is_chosen, read_token_is_chosen; /* by a person: guessing is slowed down too */
    const char *login;              /* "USER:PASSWORD" that is good too, or NULL; copied */
    struct service_world *world;    /* the host's; handed to steps */
    void (*refresh)(void *context); /* before steps: brings the world up to date */
    void (*after)(void *context);   /* behind steps and answers: the catalog may want
something done */
    void (*perform)(void *context, struct rpc_job *job);
    const struct rpc_files *files; /* of torrents, below /stream; NULL: none */
    void *context;
};

enum freshet_error rpc_server_new(const struct rpc_server_options *options,
                                  struct rpc_server **ret_server);
/* Everything that is under way ends without an answer. Jobs must be done before. The loop must run
 * until its handles are gone. NULL is fine. */
void rpc_server_close(struct rpc_server *server);
void rpc_server_job_done(struct rpc_job *job);
/* Is an answer due that has not been sent? Streams do not count. */
bool rpc_server_is_busy(const struct rpc_server *server);
/* Family ADDRESS_NONE: there is no TCP. */
struct address rpc_server_address(const struct rpc_server *server);
uint64_t rpc_server_session_number(const struct rpc_server *server);

#endif
