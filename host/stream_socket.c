/* SPDX-License-Identifier: MIT */
#include "host/stream_socket.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define NOTSENT_LOWAT_BYTES (128 * 1024)

void stream_socket_tell(struct stream_socket *stream, struct event *event)
{
    stream->table->options.event(stream->table->options.context, event);
}

void stream_socket_drop_send(struct stream_socket *stream)
{
    struct stream_sending *sending = &stream->sending;

    if (!sending->active || sending->warming_now)
        return;
    for (uint32_t i = 0; i < sending->range_count; i++)
        if (sending->ranges[i].descriptor)
            descriptor_release(sending->ranges[i].descriptor, false);
    memory_free(sending->ranges);
    memory_free(sending->gather);
    storage_files_free(sending->files);
    if (sending->header != sending->inline_header)
        memory_free(sending->header);
    sending->ranges = NULL;
    sending->gather = NULL;
    sending->range_count = 0;
    sending->files = NULL;
    sending->active = false;
}

static void stream_on_handle_closed(uv_handle_t *handle)
{
    struct stream_socket *stream = handle->data;

    stream->handle_closed = true;
    stream_socket_unlink(stream);
}

void stream_socket_unlink(struct stream_socket *stream)
{
    if (!stream->handle_closed || stream->sending.warming_now)
        return;
    stream_cipher_free(stream->cipher);
    proxy_dialog_free(stream->dialog);
    memory_free(stream);
}

void stream_socket_close(struct stream_socket *stream)
{
    if (stream->closing)
        return;
    stream->closing = true;
    if (stream->race != STREAM_RACE_NONE)
        stream->table->race_calls->leave(stream);
    stream_socket_drop_send(stream);
    map_remove(&stream->table->by_id, &stream->id);
    list_remove(&stream->table->all, &stream->node);
    if (stream->is_utp) {
        stream->table->utp_calls->close(stream);
        return;
    }
    /* libuv first: it speaks of the descriptor to the kernel once more. */
    uv_close((uv_handle_t *)&stream->poll, stream_on_handle_closed);
    close(stream->fd);
}

void stream_socket_fail(struct stream_socket *stream, enum freshet_error error)
{
    struct event event = {.type = EVENT_CLOSED, .conn = stream->id, .error = error};

    stream_socket_close(stream);
    stream_socket_tell(stream, &event);
}

void stream_socket_poll(struct stream_socket *stream)
{
    int events = 0;

    if (stream->is_utp) {
        stream->table->utp_calls->poll(stream);
        return;
    }
    if ((stream->connecting && !stream->dialog_reads) ||
        (stream->sending.active && !stream->sending.warming_now))
        events |= UV_WRITABLE;
    if (stream->connecting ? stream->dialog_reads : !stream->paused)
        events |= UV_READABLE;
    if (events == stream->polled)
        return;
    stream->polled = events;
    if (events)
        uv_poll_start(&stream->poll, events, stream->table->on_poll);
    else
        uv_poll_stop(&stream->poll);
}

static void stream_set_options(int fd)
{
    int on = 1, lowat = NOTSENT_LOWAT_BYTES;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
}

/* In the table. */
static struct stream_socket *stream_socket_add(struct stream_table *table, conn_id id, int fd,
                                               const struct address *remote)
{
    struct stream_socket *stream = memory_new(sizeof *stream);

    stream->table = table;
    stream->id = id;
    stream->fd = fd;
    stream->remote = *remote;
    stream->turn_left = STREAM_TURN_BYTES;
    CHECK(map_put(&table->by_id, &id, stream) == NULL);
    list_append(&table->all, &stream->node);
    return stream;
}

struct stream_socket *stream_socket_new(struct stream_table *table, conn_id id, int fd,
                                        const struct address *remote)
{
    struct stream_socket *stream = stream_socket_add(table, id, fd, remote);

    if (uv_poll_init(table->options.loop, &stream->poll, fd) != 0) {
        map_remove(&table->by_id, &id);
        list_remove(&table->all, &stream->node);
        memory_free(stream);
        return NULL;
    }
    stream->poll.data = stream;
    stream_set_options(fd);
    return stream;
}

struct stream_socket *stream_socket_new_utp(struct stream_table *table, conn_id id,
                                            const struct address *remote)
{
    struct stream_socket *stream = stream_socket_add(table, id, -1, remote);

    stream->is_utp = true;
    return stream;
}
