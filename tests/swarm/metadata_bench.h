/* SPDX-License-Identifier: MIT */
/*
 * One metadata_swarm on a test bench: time is a number, sends end at once, and the test itself is
 * every peer, message by message. Invariants are walked after each step.
 *
 *     bench_new, bench_plain or bench_v2    the torrent: what the peers know
 *     bench_join                            a peer that we connect to, with both handshakes done
 *     bench_asked, bench_answer             what it was asked, and its answers, true or not
 */
#ifndef FRESHET_TESTS_METADATA_BENCH_H
#define FRESHET_TESTS_METADATA_BENCH_H

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"
#include "core/metainfo/merkle.h"
#include "core/swarm/hash_answer.h"
#include "core/swarm/metadata_swarm_state.h" /* for its numbers */
#include "core/wire/wire_extension.h"
#include "core/wire/wire_message.h"
#include "core/wire/wire_metadata.h"
#include "tests/metainfo/torrent_maker.h"

#include <stdlib.h>

#define BENCH_CONNS   512u
#define BENCH_UT_ID   9u /* the peers' own id of ut_metadata */
#define BENCH_NOBODY  UINT32_MAX
#define BENCH_TORRENT 3u

struct bench_conn {
    conn_id conn;
    struct address address;
    bool closed; /* by the machine, or by the test */
    bool stuck;  /* reads nothing: sends to it never end */
    struct buffer sent;
    size_t read;        /* of `sent`, by the test */
    size_t read_hashes; /* the same, for hash requests */
    uint32_t sends;
};

struct bench {
    struct swarm_shared shared;
    struct metadata_swarm *swarm;
    int64_t now;
    struct metainfo *truth; /* with its layers */
    struct metainfo *got;
    struct bench_conn conns[BENCH_CONNS];
    uint32_t conn_count;
    conn_id inbound_next;
    size_t out_bytes; /* of all sends */
    struct hash_answer_upper upper;
};

/* What the machine is told of the torrent. */
enum bench_known { BENCH_V1 = 1, BENCH_V2 = 2, BENCH_BOTH = 3 };

/* ---- torrents ---- */

static inline struct metainfo *bench_parse(struct buffer *torrent)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    CHECK(metainfo_parse(buffer_bytes(torrent), &metainfo, reason) == FRESHET_OK);
    buffer_deinit(torrent);
    return metainfo;
}

/* v1, one file of so many pieces; 20 bytes each in the dictionary. */
static inline struct metainfo *bench_plain(uint32_t pieces)
{
    struct buffer torrent = {0};
    buffer_append_text(&torrent, "d4:infod6:lengthi");
    buffer_append_i64(&torrent, (int64_t)pieces * 16384);
    buffer_append_text(&torrent, "e4:name1:f12:piece lengthi16384e6:pieces");
    buffer_append_i64(&torrent, (int64_t)pieces * 20);
    buffer_append_text(&torrent, ":");
    for (uint32_t i = 0; i < pieces * 20; i++)
        buffer_append_u8(&torrent, (uint8_t)(i * 2654435761u >> 11));
    buffer_append_text(&torrent, "ee");
    return bench_parse(&torrent);
}

/* v2 or hybrid: a file of so many pieces of 16 KiB, one of three, one small. */
static inline struct metainfo *bench_v2(bool hybrid, uint32_t pieces)
{
    struct torrent_builder_file files[] = {
        {.path = "a", .length = (uint64_t)pieces * 16384 - 5},
        {.path = "b", .length = 3 * 16384},
        {.path = "c", .length = 100},
    };
    struct torrent_builder_options options = {.name = "t",
                                              .has_v1 = hybrid,
                                              .has_v2 = true,
                                              .piece_length = 16384,
                                              .files = files,
                                              .file_count = 3};
    struct buffer torrent = torrent_maker_make(&options, torrent_maker_usual_byte);
    return bench_parse(&torrent);
}

/* ---- life ---- */

/* Takes the truth. */
static inline struct bench *bench_new(struct metainfo *truth, enum bench_known known)
{
    struct bench *bench = memory_new(sizeof *bench);
    struct swarm_shared *shared = &bench->shared;
    bench->now = 1000 * SECOND_NS;
    bench->truth = truth;
    bench->inbound_next = CONN_INBOUND;
    memcpy(shared->settings.peer_id, "-FR0100-benchbenchbe", 20);
    shared->settings.listen_port = 7000;
    rng_init(&shared->rng, 11);
    map_init(&shared->metadata_conns, sizeof(conn_id), 12);
    list_init(&shared->metadata_ready);
    shared->conn_next = 1;
    shared->connections_max = LIMIT_CONNECTIONS;
    shared->connect_budget = LIMIT_CONNECTS_PER_SECOND;
    struct metadata_swarm_options options = {
        .info_hash_v1 = known & BENCH_V1 ? truth->info_hash_v1 : NULL,
        .info_hash_v2 = known & BENCH_V2 ? truth->info_hash_v2 : NULL,
    };
    bench->swarm = metadata_swarm_new(shared, BENCH_TORRENT, &options, bench->now);
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    struct action action;
    metadata_swarm_pause(bench->swarm, bench->now);
    while (metadata_swarm_output(bench->swarm, bench->now, &action))
        CHECK(action.type == ACTION_CLOSE);
    CHECK(bench->shared.connections == 0);
    CHECK(bench->shared.metadata_conns.length == 0);
    metadata_swarm_free(bench->swarm);
    CHECK(list_is_empty(&bench->shared.metadata_ready));
    map_deinit(&bench->shared.metadata_conns);
    for (uint32_t i = 0; i < bench->conn_count; i++)
        buffer_deinit(&bench->conns[i].sent);
    hash_answer_upper_deinit(&bench->upper);
    metainfo_free(bench->truth);
    metainfo_free(bench->got);
    memory_free(bench);
}

/* ---- what the machine does ---- */

static inline uint32_t bench_index(const struct bench *bench, conn_id conn)
{
    for (uint32_t i = 0; i < bench->conn_count; i++)
        if (bench->conns[i].conn == conn)
            return i;
    CHECK(!"a connection that never was");
    return BENCH_NOBODY;
}

static inline uint32_t bench_add_conn(struct bench *bench, conn_id conn,
                                      const struct address *address)
{
    CHECK(bench->conn_count < BENCH_CONNS);
    bench->conns[bench->conn_count] = (struct bench_conn){.conn = conn, .address = *address};
    return bench->conn_count++;
}

static inline bool bench_input(struct bench *bench, struct event *event)
{
    struct metadata_peer *peer = map_get(&bench->shared.metadata_conns, &event->conn);
    if (peer)
        metadata_swarm_peer_input(peer, bench->now, event);
    return peer != NULL;
}

static inline void bench_act(struct bench *bench, const struct action *action)
{
    if (action->type == ACTION_CONNECT) {
        CHECK(action->conn < CONN_INBOUND);
        bench_add_conn(bench, action->conn, &action->remote);
        return;
    }
    struct bench_conn *conn = &bench->conns[bench_index(bench, action->conn)];
    CHECK(!conn->closed); /* nothing is named that is over */
    if (action->type == ACTION_CLOSE) {
        conn->closed = true;
        return;
    }
    CHECK(action->type == ACTION_SEND);
    CHECK(action->bytes.length > 0 && action->range_count == 0);
    buffer_append(&conn->sent, action->bytes.data, action->bytes.length);
    bench->out_bytes += action->bytes.length;
    conn->sends++;
    if (conn->stuck)
        return;
    struct event event = {.type = EVENT_SENT,
                          .conn = action->conn,
                          .length = (uint32_t)action->bytes.length,
                          .done = true};
    CHECK(bench_input(bench, &event));
}

static inline void bench_check(const struct bench *bench)
{
    metadata_swarm_check(bench->swarm);
    CHECK(bench->shared.connections == bench->shared.metadata_conns.length);
}

static inline void bench_run(struct bench *bench)
{
    struct list_node *node;
    bench_check(bench);
    while ((node = list_first(&bench->shared.metadata_ready))) {
        struct action action;
        CHECK(metadata_swarm_of_ready(node) == bench->swarm);
        if (metadata_swarm_output(bench->swarm, bench->now, &action)) {
            bench_act(bench, &action);
            bench_check(bench);
            continue;
        }
        list_remove(&bench->shared.metadata_ready, node);
        struct metainfo *metainfo = metadata_swarm_take(bench->swarm, bench->now);
        if (metainfo == NULL)
            continue;
        CHECK(bench->got == NULL); /* once */
        bench->got = metainfo;
    }
    bench_check(bench);
}

/* Lets time pass, with every deadline on the way; each second allows connects anew. */
static inline void bench_wait(struct bench *bench, int64_t duration_ns)
{
    int64_t end = bench->now + duration_ns;
    while (metadata_swarm_deadline(bench->swarm) <= end) {
        int64_t due = metadata_swarm_deadline(bench->swarm);
        bench->now = due > bench->now ? due : bench->now;
        bench->shared.connect_budget = LIMIT_CONNECTS_PER_SECOND;
        metadata_swarm_tick(bench->swarm, bench->now);
        CHECK(metadata_swarm_deadline(bench->swarm) > bench->now);
        bench_run(bench);
    }
    bench->now = end;
}

static inline struct metadata_status bench_status(const struct bench *bench)
{
    struct metadata_status status;
    metadata_swarm_status(bench->swarm, &status);
    return status;
}

/* ---- peers ---- */

static inline struct address bench_address(uint32_t who)
{
    return address_ipv4((uint8_t[]){10, (uint8_t)(who >> 8), (uint8_t)who, 1}, 6881);
}

/* Bytes of a peer; a copy of exact size, so that reading beyond it shows. */
static inline void bench_feed(struct bench *bench, uint32_t index, const void *data, size_t length)
{
    struct bench_conn *conn = &bench->conns[index];
    if (conn->closed)
        return;
    uint8_t *copy = memory_copy(data, length);
    struct event event = {.type = EVENT_RECEIVED, .conn = conn->conn, .bytes = {copy, length}};
    CHECK(bench_input(bench, &event));
    CHECK(event.consumed == length);
    memory_free(copy);
    bench_run(bench);
}

static inline void bench_feed_buffer(struct bench *bench, uint32_t index, struct buffer *buffer)
{
    bench_feed(bench, index, buffer->data, buffer->length);
    buffer_deinit(buffer);
}

/* The connection ends from outside. */
static inline void bench_end(struct bench *bench, uint32_t index)
{
    struct bench_conn *conn = &bench->conns[index];
    struct event event = {
        .type = EVENT_CLOSED, .conn = conn->conn, .error = FRESHET_ERROR_CONNECTION};
    if (conn->closed)
        return;
    conn->closed = true;
    CHECK(bench_input(bench, &event));
    bench_run(bench);
}

/* The address becomes known, and the machine connects to it: the connection, not yet there. */
static inline uint32_t bench_name(struct bench *bench, uint32_t who)
{
    struct address address = bench_address(who);
    uint32_t before = bench->conn_count;
    bench->shared.connect_budget = LIMIT_CONNECTS_PER_SECOND;
    metadata_swarm_add_peers(bench->swarm, bench->now, &address, 1, PEER_SOURCE_TRACKER);
    bench_run(bench);
    return bench->conn_count > before ? before : BENCH_NOBODY;
}

static inline void bench_connected(struct bench *bench, uint32_t index)
{
    struct event event = {.type = EVENT_CONNECTED, .conn = bench->conns[index].conn};
    CHECK(bench_input(bench, &event));
    bench_run(bench);
}

/* Which of the truth's hashes a peer's handshake names. */
static inline struct wire_handshake bench_handshake(const struct bench *bench, uint32_t who,
                                                    bool v2)
{
    struct wire_handshake handshake = {.extension = true, .fast = true};
    memcpy(handshake.info_hash, v2 ? bench->truth->info_hash_v2 : bench->truth->info_hash_v1, 20);
    memset(handshake.peer_id, 'p', 20);
    memcpy(handshake.peer_id, &who, sizeof who);
    return handshake;
}

static inline void bench_greet(struct bench *bench, uint32_t index,
                               const struct wire_handshake *handshake)
{
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(handshake, bytes);
    bench_feed(bench, index, bytes, sizeof bytes);
}

/* The peer's extension handshake; size 0: none told. */
static inline void bench_extend(struct bench *bench, uint32_t index, int64_t size)
{
    struct buffer payload = {0}, out = {0};
    buffer_append_text(&payload, "d1:md11:ut_metadatai9ee");
    if (size) {
        buffer_append_text(&payload, "13:metadata_sizei");
        buffer_append_i64(&payload, size);
        buffer_append_text(&payload, "e");
    }
    buffer_append_text(&payload, "1:v5:Benche");
    wire_message_put_extended(&out, WIRE_EXTENSION_HANDSHAKE, buffer_bytes(&payload));
    buffer_deinit(&payload);
    bench_feed_buffer(bench, index, &out);
}

/* A peer that we connect to, up to its handshake. */
static inline uint32_t bench_meet(struct bench *bench, uint32_t who, bool v2)
{
    uint32_t index = bench_name(bench, who);
    CHECK(index != BENCH_NOBODY);
    bench_connected(bench, index);
    struct wire_handshake handshake = bench_handshake(bench, who, v2);
    bench_greet(bench, index, &handshake);
    return index;
}

/* A peer that we connect to and that claims a dictionary of this size. */
static inline uint32_t bench_join(struct bench *bench, uint32_t who, int64_t size)
{
    uint32_t index = bench_meet(bench, who, !bench->truth->has_v1);
    bench_extend(bench, index, size);
    return index;
}

static inline uint32_t bench_size(const struct bench *bench)
{
    return (uint32_t)bench->truth->info.length;
}

/* One that comes to us; false: it was not let in. */
static inline bool bench_accept(struct bench *bench, uint32_t who,
                                const struct wire_handshake *handshake, uint32_t *ret_index)
{
    struct address address = bench_address(who);
    conn_id conn = bench->inbound_next++;
    address.port = (uint16_t)(40000 + who);
    *ret_index = bench_add_conn(bench, conn, &address);
    bool taken = metadata_swarm_accept(bench->swarm, bench->now, conn, &address, handshake);
    bench->conns[*ret_index].closed = !taken;
    bench_run(bench);
    return taken;
}

/* ---- what a peer was told ---- */

struct bench_message {
    uint32_t type; /* enum wire_type */
    uint8_t extended_id;
    struct bytes body; /* behind the id, or both ids */
};

/* The next message behind `*at`, which moves on; the handshake is skipped. Borrowed until the next
 * step. */
static inline bool bench_next(const struct bench_conn *conn, size_t *at, struct bench_message *ret)
{
    if (*at == 0)
        *at = WIRE_HANDSHAKE_SIZE;
    if (conn->sent.length <= *at)
        return false;
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){conn->sent.data + *at, conn->sent.length - *at});
    struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
    CHECK(!cursor.failed); /* sends are whole messages */
    *at = conn->sent.length - cursor_left(&cursor);
    *ret = (struct bench_message){.type = WIRE_KEEPALIVE};
    if (message.length == 0)
        return true;
    size_t head = message.data[0] == WIRE_EXTENDED ? 2 : 1;
    CHECK(message.length >= head);
    ret->type = message.data[0];
    ret->extended_id = head == 2 ? message.data[1] : 0;
    ret->body = (struct bytes){message.data + head, message.length - head};
    return true;
}

/* The next that the peer has not read. */
static inline bool bench_read(struct bench *bench, uint32_t index, struct bench_message *ret)
{
    return bench_next(&bench->conns[index], &bench->conns[index].read, ret);
}

/* How many unread messages are of the type; reads all. */
static inline uint32_t bench_count(struct bench *bench, uint32_t index, uint32_t type)
{
    struct bench_message message;
    uint32_t count = 0;
    while (bench_read(bench, index, &message))
        count += message.type == type;
    return count;
}

/* The next block that the peer was asked for and has not read; BENCH_NOBODY: none. */
static inline uint32_t bench_asked(struct bench *bench, uint32_t index)
{
    struct bench_message message;
    while (bench_read(bench, index, &message)) {
        struct wire_metadata request;
        if (message.type != WIRE_EXTENDED || message.extended_id != BENCH_UT_ID)
            continue;
        CHECK(wire_metadata_decode(message.body, &request) == FRESHET_OK);
        if (request.type == WIRE_METADATA_REQUEST)
            return request.block;
    }
    return BENCH_NOBODY;
}

/* ---- what it answers ---- */

static inline void bench_say_metadata(struct bench *bench, uint32_t index,
                                      const struct wire_metadata *message)
{
    struct buffer out = {0};
    wire_metadata_put(&out, WIRE_EXTENSION_UT_METADATA, message);
    bench_feed_buffer(bench, index, &out);
}

/* A block of a dictionary of `size` bytes that begins as the truth does; `lie` spoils it. */
static inline void bench_give(struct bench *bench, uint32_t index, uint32_t block, uint32_t size,
                              bool lie)
{
    static uint8_t bytes[LIMIT_METADATA_SIZE];
    struct bytes info = bench->truth->info;
    uint32_t at = block * WIRE_METADATA_BLOCK;
    CHECK(at < size && size <= sizeof bytes);
    uint32_t length = size - at < WIRE_METADATA_BLOCK ? size - at : WIRE_METADATA_BLOCK;
    memset(bytes, 'x', length);
    if (at < info.length)
        memcpy(bytes, info.data + at, info.length - at < length ? info.length - at : length);
    bytes[length / 2] ^= lie;
    bench_say_metadata(bench, index,
                       &(struct wire_metadata){.type = WIRE_METADATA_DATA,
                                               .block = block,
                                               .total_size = size,
                                               .bytes = {bytes, length}});
}

/* Answers whatever the peer is asked until it is asked no more; returns how many blocks. */
static inline uint32_t bench_answer_sized(struct bench *bench, uint32_t index, uint32_t size,
                                          bool lie)
{
    uint32_t count = 0, block;
    while (!bench->conns[index].closed && (block = bench_asked(bench, index)) != BENCH_NOBODY) {
        bench_give(bench, index, block, size, lie);
        count++;
    }
    return count;
}

static inline uint32_t bench_answer(struct bench *bench, uint32_t index, bool lie)
{
    return bench_answer_sized(bench, index, bench_size(bench), lie);
}

/* The next hash request that the peer has not read; they are read apart from the rest. */
static inline bool bench_asked_hashes(struct bench *bench, uint32_t index,
                                      struct wire_hash_range *ret_range)
{
    struct bench_message message;
    while (bench_next(&bench->conns[index], &bench->conns[index].read_hashes, &message)) {
        if (message.type != WIRE_HASH_REQUEST)
            continue;
        struct cursor cursor;
        cursor_init(&cursor, message.body);
        memcpy(ret_range->pieces_root, cursor_bytes(&cursor, 32).data, 32);
        ret_range->base_layer = cursor_u32(&cursor);
        ret_range->index = cursor_u32(&cursor);
        ret_range->length = cursor_u32(&cursor);
        ret_range->proof_layers = cursor_u32(&cursor);
        CHECK(!cursor.failed);
        return true;
    }
    return false;
}

static inline void bench_give_hashes(struct bench *bench, uint32_t index,
                                     const struct wire_hash_range *range, bool lie)
{
    struct hash_answer_plan plan;
    struct buffer hashes = {0}, out = {0};
    hash_answer_plan(bench->truth, range, &plan);
    CHECK(plan.kind == HASH_ANSWER_LAYERS);
    hash_answer_make(bench->truth, range, &plan, (struct bytes){NULL, 0}, &bench->upper, &hashes);
    hashes.data[hashes.length / 2] ^= lie;
    wire_message_put_hashes(&out, WIRE_HASHES, range, buffer_bytes(&hashes));
    buffer_deinit(&hashes);
    bench_feed_buffer(bench, index, &out);
}

/* Answers every hash request; returns how many. */
static inline uint32_t bench_answer_hashes(struct bench *bench, uint32_t index, bool lie)
{
    struct wire_hash_range range;
    uint32_t count = 0;
    while (!bench->conns[index].closed && bench_asked_hashes(bench, index, &range)) {
        bench_give_hashes(bench, index, &range, lie);
        count++;
    }
    return count;
}

/* Does the machine have what the peers know, layers included? */
static inline bool bench_is_right(const struct bench *bench)
{
    const struct metainfo *got = bench->got, *truth = bench->truth;
    if (got == NULL || !bytes_equal(got->info, truth->info) ||
        got->layers_missing != truth->layers_missing)
        return false;
    for (file_index i = 0; i < truth->geometry.file_count; i++) {
        const struct metainfo_file *file = &truth->files[i];
        size_t pieces = (size_t)(file->length / truth->geometry.piece_length) + 1;
        size_t whole = file->length % truth->geometry.piece_length ? pieces : pieces - 1;
        if ((file->piece_layer == NULL) != (got->files[i].piece_layer == NULL))
            return false;
        if (file->piece_layer &&
            memcmp(file->piece_layer, got->files[i].piece_layer, whole * MERKLE_HASH) != 0)
            return false;
    }
    return true;
}

#endif
