/* SPDX-License-Identifier: MIT */
#include "host/stream_receive.h"

#include "host/posix_error.h"
#include "host/stream_transport.h"

#include <errno.h>
#include <string.h>

/* Read behind a payload: the next message's head and a little more. A large value saves system
 * calls and costs a copy, since what follows the head is payload that belongs elsewhere. */
#define BEHIND_PAYLOAD 64u

static void stream_tell_payload(struct stream_socket *stream, uint32_t length)
{
    struct event event = {.type = EVENT_PAYLOAD, .conn = stream->id, .length = length};

    stream_socket_tell(stream, &event);
}

/* Hands the engine protocol bytes; returns how many it took. */
static size_t stream_tell_received(struct stream_socket *stream, uint8_t *bytes, size_t length)
{
    struct event event = {.type = EVENT_RECEIVED, .conn = stream->id, .bytes = {bytes, length}};

    stream_socket_tell(stream, &event);
    if (event.decrypt) {
        stream_cipher_decrypt_with(&stream->cipher, event.decrypt);
        stream_cipher_decrypt(stream->cipher, bytes + event.consumed, length - event.consumed);
    }
    return event.consumed;
}

static void stream_plan(struct stream_socket *stream, struct receive_plan *ret_plan)
{
    *ret_plan = (struct receive_plan){.block = BLOCK_NONE};
    stream->table->options.receive_plan(stream->table->options.context, stream->id, ret_plan);
}

static uint8_t *stream_place(struct stream_socket *stream, const struct receive_plan *plan)
{
    if (plan->block == BLOCK_NONE)
        return stream->table->trash;
    return block_memory_at(stream->table->options.pool, plan->block) + plan->offset;
}

/* What came into the scratch: heads to the engine, payload to its blocks. */
static void stream_digest(struct stream_socket *stream, uint8_t *bytes, size_t length)
{
    while (length > 0 && !stream->closing) {
        struct receive_plan plan;
        size_t size;
        stream_plan(stream, &plan);
        if (plan.length > 0) {
            size = length < plan.length ? length : plan.length;
            if (plan.block != BLOCK_NONE)
                memcpy(stream_place(stream, &plan), bytes, size);
            stream_tell_payload(stream, (uint32_t)size);
        } else {
            size = stream_tell_received(stream, bytes, length);
            if (size == 0) {
                /* Neither payload nor protocol: the engine is done with this peer. */
                stream_plan(stream, &plan);
                if (plan.length == 0)
                    return;
            }
        }
        bytes += size;
        length -= size;
    }
}

void stream_receive_ready(struct stream_socket *stream)
{
    uint32_t turn = 0;

    while (!stream->closing && !stream->paused && turn < STREAM_TURN_BYTES) {
        struct receive_plan plan;
        struct iovec vectors[2];
        int count = 0;
        size_t wanted = 0;
        stream_plan(stream, &plan);
        if (plan.held)
            return;
        if (plan.length > STREAM_SCRATCH && plan.block == BLOCK_NONE)
            plan.length = STREAM_SCRATCH;
        if (plan.length > 0) {
            vectors[count].iov_base = stream_place(stream, &plan);
            vectors[count++].iov_len = plan.length;
            wanted += plan.length;
        }
        vectors[count].iov_base = stream->table->scratch;
        vectors[count].iov_len = plan.length > 0   ? BEHIND_PAYLOAD
                                 : plan.is_limited ? LIMIT_BLOCK_SIZE
                                                   : STREAM_SCRATCH;
        wanted += vectors[count++].iov_len;
        ssize_t got = stream_transport_read(stream, vectors, count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (got <= 0) {
            stream_socket_fail(stream,
                               got == 0 ? FRESHET_ERROR_CLOSED : posix_error_of_socket(errno));
            return;
        }
        turn += (uint32_t)got;
        size_t placed = (size_t)got < plan.length ? (size_t)got : plan.length;
        stream_cipher_decrypt(stream->cipher, vectors[0].iov_base, placed);
        stream_cipher_decrypt(stream->cipher, stream->table->scratch, (size_t)got - placed);
        if (placed > 0)
            stream_tell_payload(stream, (uint32_t)placed);
        stream_digest(stream, stream->table->scratch, (size_t)got - placed);
        if ((size_t)got < wanted)
            return; /* drained; the poll tells when there is more */
    }
}
