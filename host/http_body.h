/* SPDX-License-Identifier: MIT */
/*
 * Where the body of one HTTP answer goes: a buffer with a cap that holds after inflation, or blocks
 * of the pool (a web seed's range). Used by http_fetch alone, as libcurl's callbacks.
 */
#ifndef FRESHET_HOST_HTTP_BODY_H
#define FRESHET_HOST_HTTP_BODY_H

#include "core/door/door.h"
#include "host/block_memory.h"
#include "host/http_validators.h"

struct http_body {
    const struct fetch_job *job;
    const struct block_memory *pool;
    struct buffer bytes;
    uint32_t placed;  /* bytes put into blocks */
    uint64_t skipped; /* bytes before the range, of a server without ranges */
    bool is_enough;   /* all is there and more comes: the connection is cut for that reason */
    int status;       /* of the answer whose header lines come in */
    bool range_seen;  /* a Content-Range that is not the one asked for is an error at once */
    enum freshet_error error;
    struct http_validators validators; /* of the answer; without a URL */
};

/* Starts afresh, for the first request or after a redirect. */
void http_body_begin(struct http_body *body, const struct fetch_job *job,
                     const struct block_memory *pool);
void http_body_deinit(struct http_body *body);
/* After the end: is it what was asked for? */
enum freshet_error http_body_judge(const struct http_body *body, long status);

size_t http_body_on_header(char *line, size_t size, size_t count, void *body);
size_t http_body_on_bytes(char *bytes, size_t size, size_t count, void *body);

#endif
