/* SPDX-License-Identifier: MIT */
#include "host/utp_streams.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/utp/utp_mux.h"
#include "core/wire/wire_handshake.h"
#include "host/clock.h"
#include "host/entropy.h"
#include "host/stream_receive.h"
#include "host/stream_send.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS_A_PUMP 8

struct utp_streams {
    struct stream_table *table;
    struct datagram_socket *socket;
    struct utp_mux *mux;
    uv_timer_t timer;
    struct list due;       /* streams that may send or receive without the mux saying so */
    struct list graveyard; /* closed: freed when nobody up the stack looks at them */
    int64_t handful_ns;    /* read once for a handful of datagrams; 0: not yet */
    bool told;             /* the engine */
    bool is_full;          /* the socket; `held` is what did not fit */
    struct utp_output output, held;
    uint8_t *held_bytes; /* UTP_RUN_BYTES: a copy, the mux's is borrowed */
};

static void utp_streams_on_timer(uv_timer_t *timer)
{
    struct utp_streams *streams = timer->data;

    utp_mux_tick(streams->mux, clock_now());
    /* The pump of the session follows, and sends. */
}

/* ---- events ---- */

static struct stream_socket *utp_streams_find(struct utp_streams *streams, conn_id conn)
{
    return map_get(&streams->table->by_id, &conn);
}

static void utp_streams_go_on(struct stream_socket *stream)
{
    stream->turn_left = STREAM_TURN_BYTES;
    if (stream->connecting)
        return;
    if (!stream->closing)
        stream_send_ready(stream);
    if (!stream->closing && !stream->paused)
        stream_receive_ready(stream);
    if (!stream->closing)
        stream_socket_poll(stream);
}

static struct stream_socket *utp_streams_accept(struct utp_streams *streams,
                                                const struct utp_event *event)
{
    struct stream_table *table = streams->table;

    if (table->all.length >= table->options.connections_max) {
        utp_mux_close(streams->mux, clock_now(), event->conn);
        return NULL;
    }
    return stream_socket_new_utp(table, event->conn, &event->path.remote);
}

static void utp_streams_tell_open(struct utp_streams *streams, struct stream_socket *stream,
                                  enum event_type type, const struct address *local)
{
    stream->connecting = false;
    stream->local = datagram_socket_address(streams->socket);
    if (local->family != ADDRESS_NONE)
        stream->local = *local;
    struct event event = {.type = type,
                          .conn = stream->id,
                          .transport = TRANSPORT_UTP,
                          .remote = stream->remote,
                          .local = stream->local};
    stream_socket_tell(stream, &event);
}

static void utp_streams_on_event(struct utp_streams *streams, const struct utp_event *event)
{
    struct stream_socket *stream = event->what & UTP_EVENT_ACCEPTED
                                       ? utp_streams_accept(streams, event)
                                       : utp_streams_find(streams, event->conn);

    if (stream && stream->connecting)
        stream = streams->table->race_calls->on_utp(stream, event);
    streams->told = true;
    if (!stream)
        return;
    if (event->what & UTP_EVENT_ACCEPTED)
        utp_streams_tell_open(streams, stream, EVENT_ACCEPTED, &event->path.local);
    if (event->what & UTP_EVENT_CONNECTED)
        utp_streams_tell_open(streams, stream, EVENT_CONNECTED, &event->path.local);
    if (event->what & UTP_EVENT_CLOSED) {
        stream_socket_fail(stream, event->error);
        return;
    }
    if (event->what & UTP_EVENT_WRITABLE) {
        stream->utp_full = false;
        stream->turn_left = STREAM_TURN_BYTES;
        stream_send_ready(stream);
    }
    if (event->what & UTP_EVENT_ENDED)
        stream->utp_ended = true;
    if (!stream->closing && !stream->paused)
        stream_receive_ready(stream);
    if (!stream->closing)
        stream_socket_poll(stream);
}

static void utp_streams_take_events(struct utp_streams *streams)
{
    struct utp_event event;

    while (utp_mux_event(streams->mux, &event))
        utp_streams_on_event(streams, &event);
}

bool utp_streams_input(struct utp_streams *streams, const struct event *datagram)
{
    struct utp_path path = {datagram->remote, datagram->local};

    if (streams->handful_ns == 0)
        streams->handful_ns = clock_now();
    if (!utp_mux_input(streams->mux, streams->handful_ns, &path, datagram->bytes))
        return false;
    utp_streams_take_events(streams);
    return true;
}

/* ---- the socket ---- */

/* The run that found no room, in memory of ours: the mux lends it only until its next call. */
static void utp_streams_hold(struct utp_streams *streams)
{
    const struct utp_output *output = &streams->output;
    uint32_t length = 0;

    streams->is_full = true;
    streams->held.path = output->path;
    streams->held.packets = output->packets;
    streams->held.packet_size = output->packet_size;
    streams->held.bytes = output->bytes;
    streams->held.no_fragments = output->no_fragments;
    streams->held.piece_count = output->packets;
    for (uint32_t i = 0; i < output->piece_count; i++) {
        memcpy(streams->held_bytes + length, output->pieces[i].data, output->pieces[i].length);
        length += (uint32_t)output->pieces[i].length;
    }
    for (uint32_t i = 0; i < output->packets; i++) {
        uint32_t at = i * output->packet_size, left = length - at;
        streams->held.pieces[i] = (struct bytes){
            streams->held_bytes + at, left < output->packet_size ? left : output->packet_size};
    }
}

static void utp_streams_flush(struct utp_streams *streams)
{
    int64_t now = clock_now();

    while (!streams->is_full && utp_mux_output(streams->mux, now, &streams->output)) {
        if (!datagram_socket_send_run(streams->socket, &streams->output))
            utp_streams_hold(streams);
    }
}

static void utp_streams_on_writable(void *context)
{
    struct utp_streams *streams = context;

    if (streams->is_full && !datagram_socket_send_run(streams->socket, &streams->held))
        return;
    streams->is_full = false;
    utp_streams_flush(streams);
}

/* A handful of datagrams was handed over: acknowledge them before the next. */
static void utp_streams_on_handful(void *context)
{
    struct utp_streams *streams = context;

    streams->handful_ns = 0;
    utp_streams_flush(streams);
}

/* ---- turns ---- */

static void utp_streams_set_timer(struct utp_streams *streams)
{
    int64_t deadline = utp_mux_deadline(streams->mux), now = clock_now();

    if (!list_is_empty(&streams->due))
        deadline = now;
    if (deadline == INT64_MAX) {
        uv_timer_stop(&streams->timer);
        return;
    }
    int64_t wait_ms = deadline <= now ? 0 : (deadline - now + MILLISECOND_NS - 1) / MILLISECOND_NS;
    uv_update_time(streams->table->options.loop);
    uv_timer_start(&streams->timer, utp_streams_on_timer, (uint64_t)wait_ms, 0);
}

static void utp_streams_bury(struct utp_streams *streams)
{
    struct list_node *node;

    while ((node = list_first(&streams->graveyard))) {
        struct stream_socket *stream = LIST_ELEMENT(node, struct stream_socket, due);
        list_remove(&streams->graveyard, node);
        stream->handle_closed = true;
        stream_socket_unlink(stream);
    }
}

bool utp_streams_pump(struct utp_streams *streams)
{
    streams->told = false;
    utp_streams_bury(streams);
    for (int round = 0; round < ROUNDS_A_PUMP; round++) {
        utp_streams_take_events(streams);
        size_t count = streams->due.length;
        for (size_t i = 0; i < count && !list_is_empty(&streams->due); i++) {
            struct list_node *node = list_first(&streams->due);
            list_remove(&streams->due, node);
            streams->told = true;
            utp_streams_go_on(LIST_ELEMENT(node, struct stream_socket, due));
        }
        utp_streams_flush(streams);
        if (list_is_empty(&streams->due))
            break;
    }
    utp_streams_take_events(streams);
    utp_streams_set_timer(streams);
    return streams->told;
}

static void utp_streams_poll(struct stream_socket *stream)
{
    struct utp_streams *streams = stream->table->utp;
    bool sends = stream->sending.active && !stream->sending.warming_now && !stream->utp_full;
    bool receives =
        !stream->paused && (utp_mux_peek(streams->mux, stream->id).length > 0 || stream->utp_ended);

    if (!stream->connecting && (sends || receives) && !list_contains(&stream->due))
        list_append(&streams->due, &stream->due);
}

/* ---- streams ---- */

enum freshet_error utp_streams_ask(struct utp_streams *streams, conn_id conn,
                                   const struct address *remote)
{
    return utp_mux_connect(streams->mux, clock_now(), conn, remote);
}

struct stream_socket *utp_streams_adopt(struct utp_streams *streams, conn_id conn,
                                        const struct address *remote)
{
    struct stream_socket *stream = stream_socket_new_utp(streams->table, conn, remote);

    stream->connecting = true;
    return stream;
}

void utp_streams_drop(struct utp_streams *streams, conn_id conn)
{
    utp_mux_close(streams->mux, clock_now(), conn);
}

void utp_streams_connect(struct utp_streams *streams, conn_id conn, const struct address *remote)
{
    struct stream_socket *stream = utp_streams_adopt(streams, conn, remote);
    enum freshet_error error = utp_streams_ask(streams, conn, remote);

    if (error)
        stream_socket_fail(stream, error);
}

static void utp_streams_close(struct stream_socket *stream)
{
    struct utp_streams *streams = stream->table->utp;

    if (!stream->utp_stays)
        utp_streams_drop(streams, stream->id);
    if (list_contains(&stream->due))
        list_remove(&streams->due, &stream->due);
    list_append(&streams->graveyard, &stream->due);
}

static ssize_t utp_streams_read(struct stream_socket *stream, const struct iovec *vectors,
                                int count)
{
    struct utp_streams *streams = stream->table->utp;
    size_t got = 0, filled = 0;
    int at = 0;

    while (at < count) {
        struct bytes bytes = utp_mux_peek(streams->mux, stream->id);
        size_t room = vectors[at].iov_len - filled;
        if (bytes.length == 0)
            break;
        size_t length = bytes.length < room ? bytes.length : room;
        memcpy((uint8_t *)vectors[at].iov_base + filled, bytes.data, length);
        utp_mux_consume(streams->mux, stream->id, length);
        got += length;
        filled += length;
        if (filled == vectors[at].iov_len) {
            at++;
            filled = 0;
        }
    }
    if (got > 0 || stream->utp_ended)
        return (ssize_t)got;
    errno = EAGAIN;
    return -1;
}

/* Room in the ring, or NULL and EAGAIN; the mux tells when there is some. */
static uint8_t *utp_streams_room(struct stream_socket *stream, uint32_t *ret_length)
{
    uint8_t *at = utp_mux_reserve(stream->table->utp->mux, stream->id, ret_length);

    if (at)
        return at;
    stream->utp_full = true;
    errno = EAGAIN;
    return NULL;
}

static ssize_t utp_streams_write(struct stream_socket *stream, const void *bytes, size_t length)
{
    uint32_t room;
    uint8_t *at = utp_streams_room(stream, &room);

    if (!at)
        return -1;
    if (length < room)
        room = (uint32_t)length;
    memcpy(at, bytes, room);
    utp_mux_commit(stream->table->utp->mux, stream->id, room);
    return room;
}

static ssize_t utp_streams_send_file(struct stream_socket *stream, int file, off_t offset,
                                     size_t length)
{
    uint32_t room;
    uint8_t *at = utp_streams_room(stream, &room);

    if (!at)
        return -1;
    ssize_t got = pread(file, at, length < room ? length : room, offset);
    if (got > 0)
        utp_mux_commit(stream->table->utp->mux, stream->id, (uint32_t)got);
    return got;
}

/* ---- a life ---- */

static const struct stream_utp_calls utp_streams_calls = {
    .poll = utp_streams_poll,
    .close = utp_streams_close,
    .read = utp_streams_read,
    .write = utp_streams_write,
    .send_file = utp_streams_send_file,
};

static void utp_streams_set_socket(struct utp_streams *streams, struct datagram_socket *socket)
{
    struct datagram_socket_runs runs = {.received = utp_streams_on_handful,
                                        .writable = utp_streams_on_writable,
                                        .context = streams};

    streams->socket = socket;
    streams->is_full = false;
    datagram_socket_take_runs(socket, &runs);
}

struct utp_streams *utp_streams_new(struct stream_table *table, struct datagram_socket *socket,
                                    enum utp_policy policy)
{
    struct utp_streams *streams = memory_new(sizeof *streams);
    struct utp_mux_options options = {.policy = policy,
                                      .inbound_first = CONN_INBOUND_UTP,
                                      .accepted_head = WIRE_HANDSHAKE_SIZE,
                                      .accepts = true};

    streams->table = table;
    utp_streams_set_socket(streams, socket);
    list_init(&streams->due);
    list_init(&streams->graveyard);
    streams->held_bytes = memory_new(UTP_RUN_BYTES + 2048);
    entropy_fill(&options.seed, sizeof options.seed);
    entropy_fill(options.secret, sizeof options.secret);
    streams->mux = utp_mux_new(&options);
    CHECK(uv_timer_init(table->options.loop, &streams->timer) == 0);
    streams->timer.data = streams;
    table->utp = streams;
    table->utp_calls = &utp_streams_calls;
    return streams;
}

bool utp_streams_is_on(const struct utp_streams *streams, const struct datagram_socket *socket)
{
    return streams->socket == socket;
}

void utp_streams_move(struct utp_streams *streams, struct datagram_socket *socket)
{
    if (streams->socket == socket)
        return;
    utp_streams_flush(streams);
    utp_streams_set_socket(streams, socket);
}

void utp_streams_set_accepts(struct utp_streams *streams, bool accepts)
{
    utp_mux_set_accepts(streams->mux, accepts);
}

static void utp_streams_on_timer_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void utp_streams_free(struct utp_streams *streams)
{
    if (!streams)
        return;
    streams->table->utp = NULL;
    utp_streams_flush(streams);
    utp_streams_bury(streams);
    utp_mux_free(streams->mux);
    memory_free(streams->held_bytes);
    uv_close((uv_handle_t *)&streams->timer, utp_streams_on_timer_closed);
}
