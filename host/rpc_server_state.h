/* SPDX-License-Identifier: MIT */
/* What an RPC server is made of; shared by the rpc_server*.c files and by nobody else. */
#ifndef FRESHET_HOST_RPC_SERVER_STATE_H
#define FRESHET_HOST_RPC_SERVER_STATE_H

#include "core/base/limits.h"
#include "host/rpc_server.h"
#include "host/web_assets.h"
#include "host/worker_pool.h"

#include <microhttpd.h>

#define RPC_BODY_MAX ((size_t)MIB)
#define RPC_BODY_LARGE_MAX                                                                         \
    ((size_t)LIMIT_TORRENT_FILE_SIZE / 2 * 3) /* in base64, and what is around it */
#define RPC_STRANGERS_MAX  10u                /* connections that have shown no token yet */
#define RPC_READERS_MAX    64u                /* that have shown the key of a link */
#define RPC_KNOWN_MAX      512u               /* all */
#define RPC_FAILURES       64u                /* addresses that are remembered */
#define RPC_SESSION_HEADER "X-Transmission-Session-Id"

struct rpc_connection {
    struct list_node node;
    int descriptor;
    bool is_local;   /* over the Unix socket */
    bool is_ours;    /* and of our user, or root */
    bool is_trusted; /* has shown a token, or need not */
    bool is_reader;  /* has shown the key of a link: no stranger, but of these are few */
    int64_t since_ns;
    struct address from; /* without the port */
};

enum rpc_stage {
    RPC_COLLECT, /* the body comes in */
    RPC_BEGIN,   /* on a worker */
    RPC_STEP,    /* in the queue of slices */
    RPC_JOB,     /* the host does something for it */
    RPC_WRITE,   /* on a worker */
    RPC_REPLY,   /* the answer, or a part of it, is sent */
    RPC_WAIT,    /* a stream with nothing to say */
    RPC_DROPPED, /* the server ends */
};

/* From the headers to the last byte of the answer. */
struct rpc_request {
    struct list_node node;  /* of server->steps or ->waits */
    struct list_node awake; /* of server->requests, all */
    struct rpc_server *server;
    struct rpc_connection *connection;
    struct MHD_Connection *http;
    enum rpc_stage stage;
    bool is_seen, is_suspended;
    char *target; /* raw: path?query */
    char *method, *path;
    unsigned refusal; /* HTTP status; 0: none */
    unsigned retry_after_s;
    bool asks_login; /* a browser may ask a person for it */
    const struct web_asset *asset;
    bool is_file;                /* GET /stream/ID/FILE, by whoever may */
    struct rpc_file_reply *file; /* once it is open */
    const struct service *service;
    struct service_request request;
    struct buffer body;
    size_t dropped; /* bytes of a body that is not wanted */
    void *call;
    struct service_reply reply;
    struct work work;
    struct rpc_job job;
    bool is_stream, is_long;
    bool is_sliced; /* one slice did not do */
    size_t sent;    /* of a long answer, or of a stream's part */
    uint64_t revision;
    int64_t stepped_ns;
};

struct rpc_failure {
    struct address from;
    unsigned count;
    int64_t until_ns, last_ns;
};

struct rpc_server {
    struct rpc_server_options options;
    uint8_t control_digest[32], read_digest[32], login_digest[32];
    bool has_login;
    uint64_t session_number;
    char session_id[17];
    struct address bound;
    struct MHD_Daemon *daemon;
    uv_poll_t poll, local_poll, tcp_poll;
    uv_timer_t timer;  /* of the daemon */
    uv_timer_t stream; /* looks whether streams have something to say, while there are any */
    uv_timer_t crowd;  /* strangers are many: the idle ones go */
    uv_idle_t slice, again;
    bool is_slicing, is_closing;
    int handles_open;
    struct worker_pool *workers;
    struct worker_pool *list_workers; /* write what took more than one slice to collect; a processor
                                         is left to the loop */
    struct list connections, requests, steps, waits;
    struct list file_waits; /* struct rpc_request.node: for bytes of a file */
    uint32_t strangers, readers;
    uint32_t parts, parts_before; /* of answers, sent in this turn and in the one before */
    struct rpc_failure failures[RPC_FAILURES];
};

/* rpc_server.c */
void rpc_server_wake(struct rpc_server *server);
void rpc_server_count_strangers(struct rpc_server *server);

/* rpc_server_auth.c */
void rpc_server_auth_init(struct rpc_server *server);
/* Fills refusal, or asset, or service and request.access. */
void rpc_server_judge(struct rpc_request *request);

/* rpc_server_calls.c */
void rpc_server_call_begin(struct rpc_request *request);
void rpc_server_call_end(struct rpc_request *request);
void rpc_server_slice(struct rpc_server *server);
void rpc_server_step_streams(struct rpc_server *server);
/* Streams, or readers of files, wait from now on. */
void rpc_server_look(struct rpc_server *server);
/* A part of a stream has gone out. */
void rpc_server_stream_wait(struct rpc_request *request);
void rpc_server_drop_all(struct rpc_server *server);

void rpc_server_suspend(struct rpc_request *request);
/* The library goes on with it: calls the handler again, or asks for a stream's bytes. */
void rpc_server_resume(struct rpc_request *request, enum rpc_stage stage);

/* rpc_server_files.c */
bool rpc_server_files_is_path(const char *path);
/* Does the key in the query open the torrent of the path? */
bool rpc_server_files_is_open_to(struct rpc_request *request);
enum MHD_Result rpc_server_files_reply(struct rpc_request *request);
void rpc_server_files_end(struct rpc_request *request);
/* Is somebody gone whose bytes are waited for? Called every STREAM_LOOK_MS, while anybody waits. */
void rpc_server_files_look(struct rpc_server *server);

/* rpc_server_reply.c */
/* How much may be sent of one answer now. */
size_t rpc_server_share_of_turn(struct rpc_server *server);
enum MHD_Result rpc_server_reply(struct rpc_request *request);
enum MHD_Result rpc_server_refuse(struct rpc_request *request);

#endif
