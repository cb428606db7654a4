/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_mux.h"

#include "core/base/check.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/utp/utp_connection.h"

#include <string.h>

#define KEY_SIZE     (sizeof(struct address) + sizeof(uint16_t))
#define ANSWERS_MAX  256u
#define ID_TRIES     64u
#define WINDOW_SHORT (32u * KIB) /* of a connection, when memory is short */

_Static_assert(UTP_EVENT_ACCEPTED == UTP_TOLD_ACCEPTED, "one set of bits");
_Static_assert(UTP_EVENT_CLOSED == UTP_TOLD_CLOSED, "one set of bits");

/* A packet without a connection. */
struct answer {
    struct utp_path path;
    struct utp_packet packet;
};

struct utp_mux {
    struct utp_mux_options options;
    struct rng rng;
    struct map by_key; /* where from, and the id on which we receive */
    struct map by_id;
    struct list all, ready, eventful;
    struct heap due;
    struct utp_connection *last;    /* that a packet came for; they come in rows */
    struct utp_connection *at_hand; /* whose payload is borrowed */
    conn_id inbound_next;
    uint64_t memory;
    bool is_short; /* a writer waits for memory, with perhaps nothing in flight to wake it */
    struct answer answers[ANSWERS_MAX]; /* a ring */
    uint32_t answer_first, answer_count;
    int64_t reset_second;
    uint32_t resets; /* sent in it */
};

struct utp_mux *utp_mux_new(const struct utp_mux_options *options)
{
    struct utp_mux *mux = memory_new(sizeof *mux);
    mux->options = *options;
    if (mux->options.connections_max == 0)
        mux->options.connections_max = LIMIT_UTP_CONNECTIONS;
    if (mux->options.buffer_max == 0)
        mux->options.buffer_max = LIMIT_UTP_BUFFER;
    mux->inbound_next = options->inbound_first;
    rng_init(&mux->rng, options->seed);
    map_init(&mux->by_key, KEY_SIZE, rng_u64(&mux->rng));
    map_init(&mux->by_id, sizeof(conn_id), rng_u64(&mux->rng));
    list_init(&mux->all);
    list_init(&mux->ready);
    list_init(&mux->eventful);
    heap_init(&mux->due);
    return mux;
}

void utp_mux_set_accepts(struct utp_mux *mux, bool accepts)
{
    mux->options.accepts = accepts;
}

/* ---- connections ---- */

static void make_key(const struct address *remote, uint16_t id, uint8_t ret_key[KEY_SIZE])
{
    memcpy(ret_key, remote, sizeof *remote);
    memcpy(ret_key + sizeof *remote, &id, sizeof id);
}

static struct utp_connection *find(struct utp_mux *mux, const struct address *remote, uint16_t id)
{
    uint8_t key[KEY_SIZE];
    struct utp_connection *last = mux->last;
    if (last && last->id_receive == id && memcmp(&last->path.remote, remote, sizeof *remote) == 0)
        return last;
    make_key(remote, id, key);
    mux->last = map_get(&mux->by_key, key);
    return mux->last;
}

static struct utp_connection *by_id(const struct utp_mux *mux, conn_id id)
{
    if (mux->last && mux->last->id == id && !mux->last->closing)
        return mux->last;
    return map_get(&mux->by_id, &id);
}

static void add(struct utp_mux *mux, struct utp_connection *connection)
{
    uint8_t key[KEY_SIZE];
    make_key(&connection->path.remote, connection->id_receive, key);
    CHECK(map_put(&mux->by_key, key, connection) == NULL);
    CHECK(map_put(&mux->by_id, &connection->id, connection) == NULL);
    list_append(&mux->all, &connection->node);
}

static void forget(struct utp_mux *mux, struct utp_connection *connection)
{
    uint8_t key[KEY_SIZE];
    make_key(&connection->path.remote, connection->id_receive, key);
    map_remove(&mux->by_key, key);
    if (map_get(&mux->by_id, &connection->id) == connection)
        map_remove(&mux->by_id, &connection->id);
    list_remove(&mux->all, &connection->node);
    if (list_contains(&connection->ready))
        list_remove(&mux->ready, &connection->ready);
    if (list_contains(&connection->eventful))
        list_remove(&mux->eventful, &connection->eventful);
    heap_remove(&mux->due, &connection->due);
    if (mux->last == connection)
        mux->last = NULL;
    if (mux->at_hand == connection)
        mux->at_hand = NULL;
    mux->memory -= connection->memory;
    utp_connection_deinit(connection);
    memory_free(connection);
}

void utp_mux_free(struct utp_mux *mux)
{
    if (mux == NULL)
        return;
    while (!list_is_empty(&mux->all))
        forget(mux, LIST_ELEMENT(list_first(&mux->all), struct utp_connection, node));
    map_deinit(&mux->by_key);
    map_deinit(&mux->by_id);
    heap_deinit(&mux->due);
    memory_free(mux);
}

static void count_memory(struct utp_mux *mux, struct utp_connection *connection)
{
    uint64_t memory = utp_connection_memory(connection);
    mux->memory += memory - connection->memory;
    connection->memory = memory;
}

/* Something has changed: it may have to say something, to us or to the other. */
static void touch(struct utp_mux *mux, struct utp_connection *connection)
{
    count_memory(mux, connection);
    if (!list_contains(&connection->ready))
        list_append(&mux->ready, &connection->ready);
    if (connection->happened && !list_contains(&connection->eventful))
        list_append(&mux->eventful, &connection->eventful);
}

/* The datagram at hand goes. */
static void settle(struct utp_mux *mux)
{
    if (mux->at_hand == NULL)
        return;
    utp_connection_settle(mux->at_hand);
    count_memory(mux, mux->at_hand);
    mux->at_hand = NULL;
}

/* Is there room for one more, or one that only lingers (*ret_victim) in its place? */
static bool has_room(struct utp_mux *mux, struct utp_connection **ret_victim)
{
    *ret_victim = NULL;
    if (mux->all.length < mux->options.connections_max)
        return true;
    for (struct list_node *node = list_first(&mux->all); node; node = list_next(&mux->all, node)) {
        struct utp_connection *connection = LIST_ELEMENT(node, struct utp_connection, node);
        if (connection->lingers) {
            *ret_victim = connection;
            return true;
        }
    }
    return false;
}

static bool make_room(struct utp_mux *mux)
{
    struct utp_connection *victim;

    if (!has_room(mux, &victim))
        return false;
    if (victim)
        forget(mux, victim);
    return true;
}

enum freshet_error utp_mux_connect(struct utp_mux *mux, int64_t now, conn_id conn,
                                   const struct address *remote)
{
    struct utp_connection_options options = {
        .id = conn,
        .path.remote = *remote,
        .clock_us = utp_cookie_clock(mux->options.secret, remote),
        .policy = mux->options.policy,
        .buffer_max = mux->options.buffer_max,
    };
    uint8_t key[KEY_SIZE];
    bool taken = true;
    settle(mux);
    if (!make_room(mux))
        return FRESHET_ERROR_LIMIT;
    for (uint32_t i = 0; i < ID_TRIES && taken; i++) {
        options.id_receive = (uint16_t)rng_u64(&mux->rng);
        make_key(remote, options.id_receive, key);
        taken = map_get(&mux->by_key, key) != NULL;
    }
    if (taken)
        return FRESHET_ERROR_LIMIT;
    options.id_send = (uint16_t)(options.id_receive + 1);
    options.seq = (uint16_t)rng_u64(&mux->rng);
    struct utp_connection *connection = memory_new(sizeof *connection);
    utp_connection_init(connection, now, &options);
    add(mux, connection);
    touch(mux, connection);
    return FRESHET_OK;
}

/* ---- those without a connection ---- */

static struct utp_packet *new_answer(struct utp_mux *mux, const struct utp_path *path)
{
    if (mux->answer_count == ANSWERS_MAX)
        return NULL;
    uint32_t at = (mux->answer_first + mux->answer_count++) % ANSWERS_MAX;
    mux->answers[at] = (struct answer){.path = *path};
    return &mux->answers[at].packet;
}

static void answer_syn(struct utp_mux *mux, int64_t now, const struct utp_path *path,
                       const struct utp_packet *syn)
{
    struct utp_connection *victim; /* goes only for who has proven where it is */

    if (!mux->options.accepts || mux->memory >= LIMIT_UTP_MEMORY || !has_room(mux, &victim))
        return;
    struct utp_packet *answer = new_answer(mux, path);
    if (answer == NULL)
        return;
    uint32_t now_us = (uint32_t)((uint64_t)now / 1000);
    *answer = (struct utp_packet){
        .type = UTP_STATE,
        .id = syn->id,
        .time_us = now_us + utp_cookie_clock(mux->options.secret, &path->remote),
        .window = mux->options.buffer_max,
        .seq = utp_cookie_make(mux->options.secret, &path->remote, syn->id, syn->seq, now),
        .ack = syn->seq,
    };
    answer->delay_us = answer->time_us - syn->time_us;
}

/* Who speaks of a connection that we do not have is told so, else it would wait for long. */
static void answer_stray(struct utp_mux *mux, int64_t now, const struct utp_path *path,
                         const struct utp_packet *packet)
{
    int64_t second = now / SECOND_NS;
    if (packet->type != UTP_DATA && packet->type != UTP_FIN)
        return;
    if (second != mux->reset_second) {
        mux->reset_second = second;
        mux->resets = 0;
    }
    if (mux->resets == LIMIT_UTP_RESETS)
        return;
    struct utp_packet *answer = new_answer(mux, path);
    if (answer == NULL)
        return;
    mux->resets++;
    *answer = (struct utp_packet){.type = UTP_RESET,
                                  .id = packet->id,
                                  .seq = (uint16_t)rng_u64(&mux->rng),
                                  .ack = packet->seq};
}

static struct utp_connection *accept(struct utp_mux *mux, int64_t now, const struct utp_path *path,
                                     const struct utp_packet *packet)
{
    struct utp_connection_options options = {
        .id = mux->inbound_next,
        .path = *path,
        .id_receive = packet->id,
        .id_send = (uint16_t)(packet->id - 1),
        .seq = (uint16_t)(packet->ack + 1),
        .policy = mux->options.policy,
        .buffer_max = mux->options.buffer_max,
        .head = mux->options.accepted_head,
    };
    uint16_t syn_seq;
    if (!mux->options.accepts || mux->inbound_next < mux->options.inbound_first ||
        (packet->type != UTP_DATA && packet->type != UTP_STATE) ||
        !utp_cookie_is_good(mux->options.secret, &path->remote, packet, now, &syn_seq))
        return NULL;
    options.clock_us = utp_cookie_clock(mux->options.secret, &path->remote);
    if (!utp_cookie_is_echo(options.clock_us, packet, now) || !make_room(mux))
        return NULL;
    mux->inbound_next++;
    struct utp_connection *connection = memory_new(sizeof *connection);
    utp_connection_init_accepted(connection, now, &options, syn_seq, packet->window);
    add(mux, connection);
    return connection;
}

/* ---- the verbs ---- */

/* A reset is known by either id: some answer with ours, some with theirs. */
static struct utp_connection *find_reset(struct utp_mux *mux, const struct address *remote,
                                         uint16_t id)
{
    struct utp_connection *found = find(mux, remote, id);
    for (int step = -1; found == NULL && step <= 1; step += 2) {
        found = find(mux, remote, (uint16_t)(id + step));
        if (found && found->id_send != id)
            found = NULL;
    }
    return found;
}

bool utp_mux_input(struct utp_mux *mux, int64_t now, const struct utp_path *path,
                   struct bytes datagram)
{
    struct utp_packet packet;
    settle(mux);
    if (!utp_packet_is(datagram))
        return false;
    if (utp_packet_parse(datagram, &packet) != FRESHET_OK)
        return true;
    struct utp_connection *connection;
    if (packet.type == UTP_SYN) {
        connection = find(mux, &path->remote, (uint16_t)(packet.id + 1));
        if (connection == NULL) {
            answer_syn(mux, now, path, &packet);
            return true;
        }
    } else if (packet.type == UTP_RESET) {
        connection = find_reset(mux, &path->remote, packet.id);
    } else {
        connection = find(mux, &path->remote, packet.id);
        if (connection == NULL)
            connection = accept(mux, now, path, &packet);
        if (connection == NULL)
            answer_stray(mux, now, path, &packet);
    }
    if (connection == NULL)
        return true;
    connection->window_max =
        mux->memory < LIMIT_UTP_MEMORY ? mux->options.buffer_max : WINDOW_SHORT;
    if (connection->path.local.family == ADDRESS_NONE)
        connection->path.local = path->local;
    utp_connection_input(connection, now, &packet);
    mux->at_hand = connection;
    touch(mux, connection);
    return true;
}

void utp_mux_tick(struct utp_mux *mux, int64_t now)
{
    struct heap_node *node;
    settle(mux);
    while ((node = heap_pop_due(&mux->due, now))) {
        struct utp_connection *connection = HEAP_ELEMENT(node, struct utp_connection, due);
        utp_connection_tick(connection, now);
        touch(mux, connection);
    }
}

int64_t utp_mux_deadline(const struct utp_mux *mux)
{
    return heap_deadline(&mux->due);
}

static void wake_writers(struct utp_mux *mux)
{
    if (!mux->is_short || mux->memory + mux->options.buffer_max > LIMIT_UTP_MEMORY)
        return;
    mux->is_short = false;
    for (struct list_node *node = list_first(&mux->all); node; node = list_next(&mux->all, node)) {
        struct utp_connection *connection = LIST_ELEMENT(node, struct utp_connection, node);
        if (utp_connection_wake_writer(connection))
            touch(mux, connection);
    }
}

bool utp_mux_event(struct utp_mux *mux, struct utp_event *ret_event)
{
    wake_writers(mux);
    while (!list_is_empty(&mux->eventful)) {
        struct utp_connection *connection =
            LIST_ELEMENT(list_first(&mux->eventful), struct utp_connection, eventful);
        list_remove(&mux->eventful, &connection->eventful);
        if (connection->happened == 0)
            continue;
        *ret_event = (struct utp_event){.conn = connection->id,
                                        .what = connection->happened,
                                        .error = connection->error,
                                        .path = connection->path};
        connection->happened = 0;
        if (ret_event->what & UTP_EVENT_CLOSED)
            utp_connection_close(connection, 0);
        if (utp_connection_is_over(connection))
            forget(mux, connection);
        return true;
    }
    return false;
}

static bool output_answer(struct utp_mux *mux, struct utp_output *output)
{
    if (mux->answer_count == 0)
        return false;
    const struct answer *answer = &mux->answers[mux->answer_first];
    output->path = answer->path;
    output->packets = output->piece_count = 1;
    output->no_fragments = false;
    size_t length = utp_packet_write_head(&answer->packet, output->heads[0]);
    output->pieces[0] = (struct bytes){output->heads[0], length};
    output->bytes = output->packet_size = (uint32_t)length;
    mux->answer_first = (mux->answer_first + 1) % ANSWERS_MAX;
    mux->answer_count--;
    return true;
}

bool utp_mux_output(struct utp_mux *mux, int64_t now, struct utp_output *output)
{
    settle(mux);
    if (output_answer(mux, output))
        return true;
    while (!list_is_empty(&mux->ready)) {
        struct utp_connection *connection =
            LIST_ELEMENT(list_first(&mux->ready), struct utp_connection, ready);
        bool sends = utp_connection_output(connection, now, output);
        list_remove(&mux->ready, &connection->ready);
        if (sends) {
            list_append(&mux->ready, &connection->ready); /* the others' turn */
            return true;
        }
        if (utp_connection_is_over(connection)) {
            forget(mux, connection);
            continue;
        }
        count_memory(mux, connection);
        heap_set(&mux->due, &connection->due, utp_connection_deadline(connection));
    }
    return false;
}

/* ---- the streams ---- */

struct bytes utp_mux_peek(struct utp_mux *mux, conn_id conn)
{
    const struct utp_connection *connection = by_id(mux, conn);
    return connection ? utp_connection_peek(connection) : (struct bytes){NULL, 0};
}

void utp_mux_consume(struct utp_mux *mux, conn_id conn, size_t length)
{
    struct utp_connection *connection = by_id(mux, conn);
    if (connection == NULL)
        return;
    utp_connection_consume(connection, length);
    touch(mux, connection);
}

uint8_t *utp_mux_reserve(struct utp_mux *mux, conn_id conn, uint32_t *ret_length)
{
    struct utp_connection *connection = by_id(mux, conn);
    uint64_t grow_max = mux->memory < LIMIT_UTP_MEMORY ? LIMIT_UTP_MEMORY - mux->memory : 0;
    *ret_length = 0;
    if (connection == NULL)
        return NULL;
    uint8_t *at = utp_connection_reserve(connection, grow_max, ret_length);
    mux->is_short = mux->is_short || (at == NULL && grow_max < mux->options.buffer_max);
    count_memory(mux, connection);
    return at;
}

void utp_mux_commit(struct utp_mux *mux, conn_id conn, uint32_t length)
{
    struct utp_connection *connection = by_id(mux, conn);
    if (connection == NULL)
        return;
    utp_connection_commit(connection, length);
    touch(mux, connection);
}

void utp_mux_close(struct utp_mux *mux, int64_t now, conn_id conn)
{
    struct utp_connection *connection = by_id(mux, conn);
    if (connection == NULL)
        return;
    map_remove(&mux->by_id, &connection->id);
    utp_connection_close(connection, now);
    touch(mux, connection);
}

uint32_t utp_mux_count(const struct utp_mux *mux)
{
    return (uint32_t)mux->all.length;
}

uint64_t utp_mux_memory(const struct utp_mux *mux)
{
    return mux->memory;
}

bool utp_mux_status(const struct utp_mux *mux, conn_id conn, struct utp_status *ret_status)
{
    const struct utp_connection *connection = by_id(mux, conn);
    if (connection == NULL)
        return false;
    bool dialled = connection->id_send == (uint16_t)(connection->id_receive + 1);
    *ret_status = (struct utp_status){
        .is_open = connection->state == UTP_OPEN,
        .syn_id = dialled ? connection->id_receive : connection->id_send,
        .rtt_ns = connection->timeout.rtt_ns,
        .window = utp_window_bytes(&connection->congestion),
        .flight = connection->out.flight,
        .queue_us = utp_delay_queue_us(&connection->delay),
        .packet_size = utp_mtu_size(&connection->mtu),
    };
    return true;
}

void utp_mux_check(const struct utp_mux *mux)
{
    uint64_t memory = 0;
    for (struct list_node *node = list_first(&mux->all); node; node = list_next(&mux->all, node)) {
        const struct utp_connection *connection = LIST_ELEMENT(node, struct utp_connection, node);
        utp_connection_check(connection);
        memory += connection->memory;
    }
    CHECK(memory == mux->memory);
    CHECK(mux->all.length == mux->by_key.length);
    CHECK(mux->by_id.length <= mux->all.length);
    CHECK(mux->all.length <= mux->options.connections_max);
    CHECK(heap_check(&mux->due));
    CHECK(mux->answer_count <= ANSWERS_MAX);
}
