/* SPDX-License-Identifier: MIT */
/*
 * What the files of Transmission's RPC share: a call is one HTTP request, which is one request or
 * (JSON-RPC) a batch of them. Each method has up to four parts, run where service.h says: prepare
 * and write on a worker, step on the engine's thread.
 */
#ifndef FRESHET_RPC_TRANSMISSION_STATE_H
#define FRESHET_RPC_TRANSMISSION_STATE_H

#include "services/rpc/call_arena.h"
#include "services/rpc/json_writer.h"
#include "services/rpc/service.h"

#include <jansson.h>

#define TRANSMISSION_BATCH_MAX  100u
#define TRANSMISSION_DEPTH_MAX  16u
#define TRANSMISSION_VALUES_MAX 300000u /* of a body: commas and brackets */
#define TRANSMISSION_FIELDS_MAX 256u /* that one torrent-get may ask for, unknown ones included */
#define TRANSMISSION_LABELS_MAX CATALOG_LABELS_MAX
#define TRANSMISSION_LABEL_SIZE 256u
#define TRANSMISSION_TEXT       1100u /* roots of folders may be in it */

/* What went wrong: the codes of JSON-RPC 2.0, of Transmission 4.1, and one of ours. */
enum transmission_fault {
    FAULT_NONE = 0,
    FAULT_TRACKER_LIST = 2,
    FAULT_PATH = 3,
    FAULT_UNRECOGNIZED = 4,
    FAULT_SYSTEM = 5,
    FAULT_FILE_INDEX = 6,
    FAULT_HTTP = 8,
    FAULT_CORRUPT = 9,
    FAULT_ACCESS = -32001, /* this token may only read */
    FAULT_REQUEST = -32600,
    FAULT_METHOD = -32601,
    FAULT_ARGUMENTS = -32602,
    FAULT_SYNTAX = -32700,
};

/* A turn of the engine's thread. */
struct transmission_slice {
    int64_t until_ns;
    int64_t (*clock)(void);
    uint32_t count; /* of things done; the clock is read every 32 */
};

/* Which torrents a request is about. */
struct transmission_ids {
    bool all, recent;     /* else those that are named */
    struct json_t *named; /* borrowed: an array, or one number or text */
    torrent_id *list;
    uint32_t count, capacity;
    bool chosen;
    uint32_t at, attempts; /* all, recent: the walk over the catalog */
    uint64_t revision;
};

struct transmission_request;

struct transmission_method {
    const char *old_name, *new_name;
    bool reads;    /* a token that may only read may call it */
    bool promises; /* answered when what it changed is saved */
    void (*prepare)(struct transmission_request *request);
    enum service_step (*step)(struct transmission_request *request, struct service_world *world,
                              struct transmission_slice *slice, struct service_job *job);
    void (*write)(struct transmission_request *request, struct json_writer *writer);
    void (*release)(struct transmission_request *request);
};

struct transmission_request {
    const struct transmission_method *method; /* NULL: a fault */
    bool is_rpc2;                             /* the new dialect */
    bool is_notification;                     /* JSON-RPC without id: no answer */
    bool is_local;
    bool is_control;          /* else it may read only, and of URLs sees what is no secret */
    struct json_t *mark;      /* borrowed: id or tag; NULL: none */
    struct json_t *arguments; /* owned, keys in snake case */
    enum transmission_fault fault;
    char text[TRANSMISSION_TEXT]; /* of the fault */

    struct transmission_ids ids;
    struct call_arena arena;
    uint32_t stage, at; /* the method's own */
    bool saving;
    struct buffer result; /* an object, made while stepping; empty: method->write makes it */
    void *work;           /* the method's own; release frees it */
};

/* ---- transmission_rpc.c ---- */

/* The first fault stands. */
void transmission_rpc_fail(struct transmission_request *request, enum transmission_fault fault,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));
void transmission_rpc_fail_error(struct transmission_request *request, enum freshet_error error,
                                 const char *what, const char *text);
/* Looks at the clock now and then. */
bool transmission_rpc_is_over(struct transmission_slice *slice);
/* Frees what an earlier job brought, and asks for another. */
enum service_step transmission_rpc_job(struct service_job *job, enum service_job_type type,
                                       torrent_id id, const char *text);

/* ---- transmission_arguments.c: false when it is not there, or of a wrong type ---- */

/* "peer-limit" and "peerLimit" become "peer_limit". */
struct json_t *transmission_arguments_canonical(struct json_t *object);
struct json_t *transmission_arguments_find(const struct transmission_request *request,
                                           const char *key);
bool transmission_arguments_bool(const struct transmission_request *request, const char *key,
                                 bool *ret_value);
bool transmission_arguments_integer(const struct transmission_request *request, const char *key,
                                    int64_t least, int64_t most, int64_t *ret_value);
bool transmission_arguments_u32(const struct transmission_request *request, const char *key,
                                uint32_t most, uint32_t *ret_value);
/* kB/s to bytes a second. */
bool transmission_arguments_rate(const struct transmission_request *request, const char *key,
                                 uint64_t *ret_value);
bool transmission_arguments_real(const struct transmission_request *request, const char *key,
                                 double *ret_value);
const char *transmission_arguments_text(const struct transmission_request *request,
                                        const char *key);
/* The labels of a request; false when it has none. A fault when they are no labels. */
bool transmission_arguments_labels(struct transmission_request *request, const char ***ret_labels,
                                   uint32_t *ret_count);
/* Wishes that torrent-set and torrent-add have in common; true when any was there. */
bool transmission_arguments_wishes(const struct transmission_request *request,
                                   struct catalog_wishes *wishes);
/* files_wanted, priority_high and so on, put into `priorities`; true when any was there. */
bool transmission_arguments_priorities(struct transmission_request *request, uint8_t *priorities,
                                       uint32_t file_count);

/* ---- transmission_past.c ---- */

/* "past" of torrent-add, an addition of ours: what another program knew of the torrent. false:
 * there is none, or a fault was set. Its arrays are the request's. */
bool transmission_past_read(struct transmission_request *request, struct catalog_past *ret_past,
                            struct catalog_wishes *wishes);

/* ---- transmission_ids.c ---- */

void transmission_ids_prepare(struct transmission_request *request);
/* true: ids.list stands. false: no time is left. */
bool transmission_ids_choose(struct transmission_request *request, struct service_world *world,
                             struct transmission_slice *slice);
/* NULL: it is gone, or going. */
const struct catalog_torrent *transmission_ids_find(const struct service_world *world,
                                                    torrent_id id);

/* ---- transmission_folder.c ---- */

/* May the request put data there (service_folder.h)? Else a fault is set. */
bool transmission_folder_allowed(struct transmission_request *request,
                                 const struct catalog_settings *settings, const char *folder);

/* ---- the methods, each in the file of its name ---- */

void transmission_get_prepare(struct transmission_request *request);
enum service_step transmission_get_step(struct transmission_request *request,
                                        struct service_world *world,
                                        struct transmission_slice *slice, struct service_job *job);
void transmission_get_write(struct transmission_request *request, struct json_writer *writer);
void transmission_get_release(struct transmission_request *request);

enum service_step transmission_torrents_start(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job);
enum service_step transmission_torrents_start_now(struct transmission_request *request,
                                                  struct service_world *world,
                                                  struct transmission_slice *slice,
                                                  struct service_job *job);
enum service_step transmission_torrents_stop(struct transmission_request *request,
                                             struct service_world *world,
                                             struct transmission_slice *slice,
                                             struct service_job *job);
enum service_step transmission_torrents_verify(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job);
enum service_step transmission_torrents_reannounce(struct transmission_request *request,
                                                   struct service_world *world,
                                                   struct transmission_slice *slice,
                                                   struct service_job *job);
enum service_step transmission_torrents_remove(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job);
enum service_step transmission_torrents_locate(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job);
enum service_step transmission_torrents_rename(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job);
enum service_step transmission_torrents_queue(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job);

void transmission_set_prepare(struct transmission_request *request);
enum service_step transmission_set_step(struct transmission_request *request,
                                        struct service_world *world,
                                        struct transmission_slice *slice, struct service_job *job);
void transmission_set_release(struct transmission_request *request);

void transmission_add_prepare(struct transmission_request *request);
enum service_step transmission_add_step(struct transmission_request *request,
                                        struct service_world *world,
                                        struct transmission_slice *slice, struct service_job *job);
void transmission_add_release(struct transmission_request *request);

enum service_step transmission_session_get(struct transmission_request *request,
                                           struct service_world *world,
                                           struct transmission_slice *slice,
                                           struct service_job *job);
enum service_step transmission_session_set(struct transmission_request *request,
                                           struct service_world *world,
                                           struct transmission_slice *slice,
                                           struct service_job *job);
enum service_step transmission_stats_step(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice,
                                          struct service_job *job);
void transmission_stats_release(struct transmission_request *request);

enum service_step transmission_host_close(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice,
                                          struct service_job *job);
enum service_step transmission_host_blocklist(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job);
enum service_step transmission_host_port_test(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job);
enum service_step transmission_host_free_space(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job);
enum service_step transmission_groups_get(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice,
                                          struct service_job *job);
enum service_step transmission_groups_set(struct transmission_request *request,
                                          struct service_world *world,
                                          struct transmission_slice *slice,
                                          struct service_job *job);

#endif
