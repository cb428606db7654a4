/* SPDX-License-Identifier: MIT */
/* What the files of services/api share: a call on its way, and how a route handles it. */
#ifndef FRESHET_API_API_CALL_H
#define FRESHET_API_API_CALL_H

#include "services/rpc/call_arena.h"
#include "services/rpc/json_writer.h"
#include "services/rpc/service.h"

#include <jansson.h>

struct api_call;

/* The engine's thread, for the length of one step. */
struct api_turn {
    struct service_world *world;
    int64_t until_ns;
    int64_t (*clock)(void);
    struct service_job *job;
};

/* Each may be NULL. A handler that called api_fail is not asked further: the error is the answer.
 */
struct api_route {
    const char *method, *pattern;           /* "/torrents/{id}/files" */
    bool changes;                           /* wants ACCESS_CONTROL */
    bool streams;                           /* server-sent events */
    const char *action;                     /* passed through to the handlers */
    void (*prepare)(struct api_call *call); /* on a worker: parse and judge what was sent */
    enum service_step (*step)(struct api_call *call, struct api_turn *turn);
    void (*write)(struct api_call *call, struct json_writer *json); /* the members of an object */
    void (*end)(struct api_call *call);
};

struct api_call {
    const struct api_route *route;
    torrent_id id; /* of the path; 0: none */
    bool is_local;
    bool is_control;    /* else it may read only, and of URLs sees what is no secret */
    struct bytes query; /* raw; copied */
    json_t *body;       /* an object, or NULL */
    struct call_arena arena;
    unsigned status;
    char error[1100]; /* roots of folders may be in it */
    void *state;      /* the route's own; in the arena */
    uint32_t at;      /* where a sliced step goes on */
    int stage;        /* of the step */
    bool waiting;     /* for a job */
    uint8_t tries;    /* that brought nothing */
    bool parts;       /* of a stream: the first one is out */
};

void api_fail(struct api_call *call, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool api_failed(const struct api_call *call);
/* Is the slice over? To be asked at least every 64 rows. */
bool api_late(const struct api_turn *turn);
/* A parameter of the query, decoded, in the arena; NULL: it is not there. */
const char *api_parameter(struct api_call *call, const char *name);
/* A whole number of the query, or `otherwise`; fails the call when it is none or above `max`. */
uint64_t api_parameter_number(struct api_call *call, const char *name, uint64_t otherwise,
                              uint64_t max);
/* A member of the body. A wrong type fails the call; absent and null are NULL (false, 0). */
const char *api_body_text(struct api_call *call, const char *name, size_t length_max);
bool api_body_bool(struct api_call *call, const char *name, bool otherwise);
const json_t *api_body_array(struct api_call *call, const char *name, size_t count_max);
/* Texts of an array in the arena; NULL when the call failed or there is none. */
const char *const *api_body_texts(struct api_call *call, const char *name, size_t count_max,
                                  size_t length_max, uint32_t *ret_count);
/* The row of the path's id; NULL, and the call failed, when there is none. */
const struct catalog_torrent *api_row_of_path(struct api_call *call, struct api_turn *turn);
/* May data be put there (services/rpc/service_folder.h)? Else the call fails; `name` is the
 * member's.
 */
bool api_folder_allowed(struct api_call *call, const struct catalog *catalog, const char *name,
                        const char *folder);
/* SERVICE_JOB until everything that was changed is durable, then SERVICE_DONE. */
enum service_step api_saved(struct api_call *call, struct api_turn *turn);

#endif
