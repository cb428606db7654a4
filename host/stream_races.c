/* SPDX-License-Identifier: MIT */
#include "host/stream_races.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/utp/utp_mux.h"
#include "host/clock.h"
#include "host/posix_error.h"
#include "host/stream_dial.h"
#include "host/utp_streams.h"

#include <errno.h>

struct stream_races {
    struct stream_table *table;
    struct list waiting; /* ALONE, in order of their beginning */
    uv_timer_t timer;    /* runs while there are any */
    /* Where uTP was the last to answer. Each address has one place: a newcomer takes it. */
    struct address utp_answered[LIMIT_RACE_MEMORY];
};

/* ---- what answered last ---- */

static struct address *races_place(struct stream_races *races, const struct address *address)
{
    uint32_t hash = 2166136261u ^ address->port;

    for (size_t i = 0; i < sizeof address->ip; i++)
        hash = (hash ^ address->ip[i]) * 16777619u;
    return &races->utp_answered[(hash ^ hash >> 16) % LIMIT_RACE_MEMORY];
}

static void races_remember(struct stream_races *races, const struct stream_socket *stream)
{
    struct address *place = races_place(races, &stream->remote);

    if (stream->is_utp)
        *place = stream->remote;
    else if (address_equal(place, &stream->remote))
        *place = (struct address){0};
}

/* ---- the two ways ---- */

static void races_on_timer(uv_timer_t *timer);

static void races_set_timer(struct stream_races *races)
{
    struct list_node *node = list_first(&races->waiting);

    if (!node) {
        uv_timer_stop(&races->timer);
        return;
    }
    int64_t due = LIST_ELEMENT(node, struct stream_socket, waiting)->dialled_ns +
                  LIMIT_RACE_HEAD_START_NS,
            now = clock_now();
    int64_t wait_ms = due <= now ? 0 : (due - now + MILLISECOND_NS - 1) / MILLISECOND_NS;
    uv_update_time(races->table->options.loop);
    uv_timer_start(&races->timer, races_on_timer, (uint64_t)wait_ms, 0);
}

static void races_wait(struct stream_races *races, struct stream_socket *stream)
{
    stream->race = STREAM_RACE_ALONE;
    stream->dialled_ns = clock_now();
    list_append(&races->waiting, &stream->waiting);
    if (races->waiting.length == 1)
        races_set_timer(races);
}

/* From here on nothing of a race is known of the stream. */
static void races_forget(struct stream_socket *stream)
{
    if (list_contains(&stream->waiting))
        list_remove(&stream->table->races->waiting, &stream->waiting);
    stream->race = STREAM_RACE_NONE;
}

void stream_races_leave(struct stream_socket *stream)
{
    bool has_rival = stream->race == STREAM_RACE_BOTH;

    races_forget(stream);
    if (has_rival)
        utp_streams_drop(stream->table->utp, stream->id);
}

/* The stream of TCP goes, that of the uTP which is under way comes. */
static struct stream_socket *races_turn_to_utp(struct stream_socket *stream)
{
    struct stream_table *table = stream->table;
    struct address remote = stream->remote;
    conn_id id = stream->id;

    races_forget(stream);
    stream_socket_close(stream);
    return utp_streams_adopt(table->utp, id, &remote);
}

/* The stream of uTP goes, its connection stays; NULL: no TCP, for the reason in errno. */
static struct stream_socket *races_turn_to_tcp(struct stream_socket *stream)
{
    struct stream_table *table = stream->table;
    struct address remote = stream->remote;
    conn_id id = stream->id;

    races_forget(stream);
    stream->utp_stays = true;
    stream_socket_close(stream);
    return stream_dial(table, id, &remote);
}

/* The head start is over. */
static void races_ask_other(struct stream_socket *stream)
{
    struct stream_table *table = stream->table;
    struct address remote = stream->remote;
    conn_id id = stream->id;
    bool is_asked;

    if (stream->is_utp) {
        stream = races_turn_to_tcp(stream);
        is_asked = stream != NULL;
        if (!is_asked)
            utp_streams_adopt(table->utp, id, &remote);
    } else {
        races_forget(stream);
        is_asked = utp_streams_ask(table->utp, id, &remote) == FRESHET_OK;
    }
    if (is_asked)
        stream->race = STREAM_RACE_BOTH;
}

static void races_on_timer(uv_timer_t *timer)
{
    struct stream_races *races = timer->data;
    int64_t now = clock_now();
    struct list_node *node;

    while ((node = list_first(&races->waiting))) {
        struct stream_socket *stream = LIST_ELEMENT(node, struct stream_socket, waiting);
        if (now - stream->dialled_ns < LIMIT_RACE_HEAD_START_NS)
            break;
        races_ask_other(stream);
    }
    races_set_timer(races);
}

static void races_tell_failed(struct stream_table *table, conn_id conn, enum freshet_error error)
{
    struct event event = {.type = EVENT_CLOSED, .conn = conn, .error = error};

    table->options.event(table->options.context, &event);
}

void stream_races_start(struct stream_races *races, conn_id conn, const struct address *remote)
{
    struct stream_table *table = races->table;
    struct stream_socket *stream;

    if (address_equal(races_place(races, remote), remote) &&
        utp_streams_ask(table->utp, conn, remote) == FRESHET_OK) {
        races_wait(races, utp_streams_adopt(table->utp, conn, remote));
        return;
    }
    stream = stream_dial(table, conn, remote);
    int number = errno;
    if (stream)
        races_wait(races, stream);
    else if (utp_streams_ask(table->utp, conn, remote) == FRESHET_OK)
        utp_streams_adopt(table->utp, conn, remote);
    else
        races_tell_failed(table, conn, posix_error_of_socket(number));
}

/* ---- answers ---- */

void stream_races_won_by_tcp(struct stream_socket *stream)
{
    stream_races_leave(stream);
    if (stream->table->races)
        races_remember(stream->table->races, stream);
}

bool stream_races_lost_by_tcp(struct stream_socket *stream)
{
    if (stream->race == STREAM_RACE_NONE)
        return false;
    bool is_asked = stream->race == STREAM_RACE_BOTH ||
                    utp_streams_ask(stream->table->utp, stream->id, &stream->remote) == FRESHET_OK;
    if (is_asked)
        races_turn_to_utp(stream);
    return is_asked;
}

/* uTP does not get there. */
static struct stream_socket *races_lost_by_utp(struct stream_socket *stream,
                                               const struct utp_event *event)
{
    struct stream_table *table = stream->table;
    conn_id id = stream->id;

    if (stream->race == STREAM_RACE_NONE)
        return stream;
    if (!stream->is_utp)
        races_forget(stream); /* TCP goes on */
    else if (!races_turn_to_tcp(stream))
        races_tell_failed(table, id, event->error);
    return NULL;
}

static struct stream_socket *races_on_utp(struct stream_socket *stream,
                                          const struct utp_event *event)
{
    if (event->what & UTP_EVENT_CLOSED)
        return races_lost_by_utp(stream, event);
    if (!(event->what & UTP_EVENT_CONNECTED))
        return stream->is_utp ? stream : NULL;
    if (!stream->is_utp)
        stream = races_turn_to_utp(stream);
    races_forget(stream);
    races_remember(stream->table->races, stream);
    return stream;
}

/* ---- a life ---- */

static const struct stream_race_calls races_calls = {
    .leave = stream_races_leave,
    .on_utp = races_on_utp,
};

struct stream_races *stream_races_new(struct stream_table *table)
{
    struct stream_races *races = memory_new(sizeof *races);

    races->table = table;
    table->race_calls = &races_calls;
    list_init(&races->waiting);
    CHECK(uv_timer_init(table->options.loop, &races->timer) == 0);
    races->timer.data = races;
    return races;
}

static void races_on_timer_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void stream_races_free(struct stream_races *races)
{
    if (!races)
        return;
    CHECK(list_is_empty(&races->waiting));
    uv_close((uv_handle_t *)&races->timer, races_on_timer_closed);
}
