/* SPDX-License-Identifier: MIT */
#include "host/http_body.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void http_body_begin(struct http_body *body, const struct fetch_job *job,
                     const struct block_memory *pool)
{
    buffer_clear(&body->bytes);
    body->job = job;
    body->pool = pool;
    body->placed = 0;
    body->skipped = 0;
    body->is_enough = false;
    body->status = 0;
    body->range_seen = false;
    body->error = FRESHET_OK;
    http_validators_deinit(&body->validators);
}

void http_body_deinit(struct http_body *body)
{
    buffer_deinit(&body->bytes);
    http_validators_deinit(&body->validators);
}

/* "Content-Range: bytes 0-499/1234" */
static bool http_body_range_fits(const struct http_body *body, const char *value)
{
    unsigned long long first, last;

    if (sscanf(value, " bytes %20llu-%20llu", &first, &last) != 2)
        return false;
    return first == body->job->range_start && last >= first &&
           last - first + 1 <= body->job->range_length;
}

size_t http_body_on_header(char *line, size_t size, size_t count, void *context)
{
    struct http_body *body = context;
    size_t length = size * count;
    char text[160];

    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        const char *space = memchr(line, ' ', length);
        size_t left = space ? length - (size_t)(space - line) : 0;
        body->status = 0;
        for (size_t i = 1; i < left && i < 4 && space[i] >= '0' && space[i] <= '9'; i++)
            body->status = body->status * 10 + (space[i] - '0');
        body->range_seen = false;
        http_validators_deinit(&body->validators);
        return length;
    }
    http_validators_read(&body->validators, line, length);
    if (body->job->range_length == 0 || length < 14 || length >= sizeof text ||
        strncasecmp(line, "Content-Range:", 14) != 0)
        return length;
    memcpy(text, line, length);
    text[length] = '\0';
    body->range_seen = true;
    if (body->status == 206 && !http_body_range_fits(body, text + 14)) {
        body->error = FRESHET_ERROR_PROTOCOL;
        return 0;
    }
    return length;
}

/* Into the blocks, one after another. */
static size_t http_body_place(struct http_body *body, const char *bytes, size_t length)
{
    const struct fetch_job *job = body->job;

    /* A server that ignores Range sends the file from its start. */
    bool is_whole = body->status == 200;
    if (body->status != 206 && !(is_whole && (job->range_start == 0 || job->may_skip))) {
        body->error = FRESHET_ERROR_HTTP;
        return 0;
    }
    size_t done = 0;
    if (is_whole && body->skipped < job->range_start) {
        uint64_t before = job->range_start - body->skipped;
        done = before < length ? (size_t)before : length;
        body->skipped += done;
    }
    while (done < length && body->placed < job->range_length) {
        uint32_t at = job->block_offset + body->placed;
        uint32_t block = at / LIMIT_BLOCK_SIZE, offset = at % LIMIT_BLOCK_SIZE;
        size_t part = LIMIT_BLOCK_SIZE - offset;
        if (block >= job->block_count)
            break;
        if (part > length - done)
            part = length - done;
        if (part > job->range_length - body->placed)
            part = job->range_length - body->placed;
        if (job->blocks[block] != BLOCK_NONE)
            memcpy(block_memory_at(body->pool, job->blocks[block]) + offset, bytes + done, part);
        done += part;
        body->placed += (uint32_t)part;
    }
    if (done == length)
        return length;
    if (is_whole)
        body->is_enough = true;
    else
        body->error = FRESHET_ERROR_LIMIT;
    return 0;
}

size_t http_body_on_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct http_body *body = context;
    size_t length = size * count;

    if (body->status >= 300 && body->status < 400)
        return length; /* the text of a redirect: nobody wants it */
    if (body->job->range_length > 0)
        return http_body_place(body, bytes, length);
    if (length > body->job->body_max - body->bytes.length) {
        body->error = FRESHET_ERROR_LIMIT;
        return 0;
    }
    buffer_append(&body->bytes, bytes, length);
    return length;
}

enum freshet_error http_body_judge(const struct http_body *body, long status)
{
    if (body->job->range_length == 0)
        return FRESHET_OK;
    if (body->placed != body->job->range_length)
        return FRESHET_ERROR_TRUNCATED;
    return status == 206 && !body->range_seen ? FRESHET_ERROR_PROTOCOL : FRESHET_OK;
}
