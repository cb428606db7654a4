/* SPDX-License-Identifier: MIT */
/* planted: core/swarm/metadata_assembly.c */
/* finds: internal check failed: bench->got != NULL */
/*
 * A torrent without metadata among peers that do anything: the first byte says which torrent it is
 * and by which hash it is known, then come steps:
 *     (what, who, length, bytes)
 *     0 address named    1 connected           2 handshake         3 extension handshake, sizes
 *     4 blocks, true or false, asked for or not                    5 request, reject, other types
 *     6 hashes: true, false, refused           7 raw bytes         8 raw bytes as a message
 *     9 time             10 connection ends    11 comes to us      12 pause, sends that never end
 * Invariants are walked after each step. At the end everybody is silent and an honest peer comes:
 * with it alone the metadata must be had.
 * covers: core/swarm/metadata_swarm.c core/swarm/metadata_assembly.c
 * covers: core/swarm/metadata_swarm_peers.c core/swarm/metadata_swarm_messages.c
 *
 * max_len: 1024
 */
#include "tests/swarm/metadata_bench.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WHO_MAX    24u
#define CONNS_MAX  200u /* the rest is for who is connected to again */
#define HONEST     5000u
#define ROUNDS_MAX 100
#define ROUND_NS   (10 * SECOND_NS)

/* ---- torrents, made once ---- */

enum kind { KIND_PLAIN, KIND_V2, KIND_HYBRID, KIND_COUNT };

static struct metainfo *make(enum kind kind)
{
    switch (kind) {
    case KIND_PLAIN: return bench_plain(1700); /* three blocks */
    case KIND_V2: return bench_v2(false, 514); /* two requests for one layer */
    default: return bench_v2(true, 5);
    }
}

/* The same torrent as a file, so that a run only has to read it. */
static struct metainfo *torrent_of(enum kind kind)
{
    static struct metainfo *made[KIND_COUNT];
    char reason[METAINFO_REASON_SIZE];
    struct metainfo *copy = NULL;
    if (made[kind] == NULL)
        made[kind] = make(kind);
    CHECK(metainfo_parse_info(made[kind]->info, &copy, reason) == FRESHET_OK);
    for (file_index i = 0; i < copy->geometry.file_count; i++) {
        const struct metainfo_file *file = &made[kind]->files[i];
        uint64_t pieces = (file->length + 16383) / 16384;
        if (file->piece_layer)
            CHECK(metainfo_set_piece_layer(
                      copy, i, (struct bytes){file->piece_layer, pieces * MERKLE_HASH}) ==
                  FRESHET_OK);
    }
    return copy;
}

/* ---- steps ---- */

static struct wire_handshake handshake_of(const struct bench *bench, uint32_t who, uint8_t flags)
{
    struct wire_handshake handshake = bench_handshake(bench, who, flags & 1);
    handshake.extension = !(flags & 2);
    handshake.fast = !(flags & 4);
    handshake.upgrade_v2 = flags & 8;
    if (flags & 16)
        handshake.info_hash[7] ^= 1;
    if (flags & 32)
        memcpy(handshake.peer_id, bench->shared.settings.peer_id, 20);
    return handshake;
}

static int64_t size_of(const struct bench *bench, uint8_t how)
{
    static const int64_t others[] = {0, 1, 16384, LIMIT_METADATA_SIZE, INT64_C(1) << 31, -1};
    if (how < 128)
        return bench_size(bench);
    if (how < 160)
        return bench_size(bench) + how - 140;
    return others[how % 6];
}

static void extend(struct bench *bench, uint32_t index, struct cursor *fields)
{
    uint8_t how = cursor_u8(fields), flags = cursor_u8(fields);
    struct buffer payload = {0}, out = {0};
    if (flags == 0) {
        bench_extend(bench, index, size_of(bench, how));
        return;
    }
    buffer_append_text(&payload, flags & 1 ? "d1:md11:ut_metadatai0ee" : "d1:mde");
    if (flags & 2) {
        buffer_append_text(&payload, "1:pi");
        buffer_append_i64(&payload, 6000 + how);
        buffer_append_text(&payload, "e");
    }
    buffer_append_text(&payload, "e");
    wire_message_put_extended(&out, WIRE_EXTENSION_HANDSHAKE, buffer_bytes(&payload));
    buffer_deinit(&payload);
    bench_feed_buffer(bench, index, &out);
}

/* What it was asked for, as long as it is asked, or one block that it chooses itself. */
static void give(struct bench *bench, uint32_t index, struct cursor *fields)
{
    uint8_t how = cursor_u8(fields), block = cursor_u8(fields);
    int64_t size = size_of(bench, cursor_u8(fields));
    if (size < 1 || size > LIMIT_METADATA_SIZE)
        size = bench_size(bench);
    if (how & 2) {
        if ((int64_t)block * WIRE_METADATA_BLOCK < size)
            bench_give(bench, index, block, (uint32_t)size, how & 1);
        return;
    }
    uint32_t asked, left = how & 4 ? 1 : 64;
    while (left-- && !bench->conns[index].closed &&
           (asked = bench_asked(bench, index)) != BENCH_NOBODY)
        if (asked * WIRE_METADATA_BLOCK < size)
            bench_give(bench, index, asked, (uint32_t)size, how & 1);
}

static void say_metadata(struct bench *bench, uint32_t index, struct cursor *fields)
{
    struct buffer payload = {0}, out = {0};
    buffer_append_text(&payload, "d8:msg_typei");
    buffer_append_i64(&payload, cursor_u8(fields) % 5);
    buffer_append_text(&payload, "e5:piecei");
    buffer_append_i64(&payload, cursor_u8(fields));
    buffer_append_text(&payload, "ee");
    wire_message_put_extended(&out, WIRE_EXTENSION_UT_METADATA, buffer_bytes(&payload));
    buffer_deinit(&payload);
    bench_feed_buffer(bench, index, &out);
}

static void give_hashes(struct bench *bench, uint32_t index, uint8_t how)
{
    struct wire_hash_range range = {.length = 2};
    bool asked = bench_asked_hashes(bench, index, &range);
    if (asked && how % 4 < 2) {
        bench_give_hashes(bench, index, &range, how % 4);
        return;
    }
    struct buffer out = {0};
    enum wire_type type = how % 4 == 2 ? WIRE_HASH_REJECT : WIRE_HASH_REQUEST;
    wire_message_put_hashes(&out, type, &range, (struct bytes){NULL, 0});
    bench_feed_buffer(bench, index, &out);
}

static void feed_message(struct bench *bench, uint32_t index, struct bytes bytes)
{
    struct buffer out = {0};
    for (int shift = 24; shift >= 0; shift -= 8)
        buffer_append_u8(&out, (uint8_t)(bytes.length >> shift));
    buffer_append(&out, bytes.data, bytes.length);
    bench_feed_buffer(bench, index, &out);
}

static void rest(struct bench *bench, uint8_t how)
{
    if (how & 1)
        metadata_swarm_pause(bench->swarm, bench->now);
    else
        metadata_swarm_resume(bench->swarm, bench->now);
    bench_run(bench);
}

static void send_ends(struct bench *bench, uint32_t index, bool stuck)
{
    struct bench_conn *conn = &bench->conns[index];
    struct event event = {.type = EVENT_SENT, .conn = conn->conn, .done = true};
    struct metadata_peer *peer = map_get(&bench->shared.metadata_conns, &conn->conn);
    conn->stuck = stuck;
    if (!stuck && peer && peer->send_busy)
        bench_input(bench, &event);
    bench_run(bench);
}

/* Only a connection that is made is spoken on. */
static bool speaks(const struct bench *bench, uint32_t index)
{
    const struct bench_conn *conn = &bench->conns[index];
    const struct metadata_peer *peer = map_get(&bench->shared.metadata_conns, &conn->conn);
    return !conn->closed && peer && peer->phase != METADATA_PEER_CONNECTING;
}

static void connected(struct bench *bench, uint32_t index)
{
    const struct bench_conn *conn = &bench->conns[index];
    if (!conn->closed && !speaks(bench, index))
        bench_connected(bench, index);
}

static void accept(struct bench *bench, uint32_t who, uint8_t flags)
{
    struct wire_handshake handshake = handshake_of(bench, who, flags);
    uint32_t index;
    bench_accept(bench, who, &handshake, &index);
}

static void speak(struct bench *bench, uint32_t index, uint8_t what, struct bytes bytes)
{
    struct cursor fields;
    cursor_init(&fields, bytes);
    switch (what) {
    case 2: {
        struct wire_handshake handshake = handshake_of(bench, index, cursor_u8(&fields));
        bench_greet(bench, index, &handshake);
        break;
    }
    case 3: extend(bench, index, &fields); break;
    case 4: give(bench, index, &fields); break;
    case 5: say_metadata(bench, index, &fields); break;
    case 6: give_hashes(bench, index, cursor_u8(&fields)); break;
    case 7: bench_feed(bench, index, bytes.data, bytes.length); break;
    default: feed_message(bench, index, bytes); break;
    }
}

static void step(struct bench *bench, uint8_t what, uint8_t who, struct bytes bytes)
{
    uint8_t first = bytes.length ? bytes.data[0] : 0;
    uint32_t index = bench->conn_count ? who % bench->conn_count : BENCH_NOBODY;
    what %= 13;
    if (what == 0)
        bench_name(bench, who % WHO_MAX);
    else if (what == 9)
        bench_wait(bench, (1 + first) * (who & 1 ? SECOND_NS : SECOND_NS / 8));
    else if (what == 11)
        accept(bench, who % WHO_MAX, first);
    else if (index == BENCH_NOBODY)
        return;
    else if (what == 1)
        connected(bench, index);
    else if (what == 10)
        bench_end(bench, index);
    else if (what == 12 && first & 2)
        send_ends(bench, index, first & 1);
    else if (what == 12)
        rest(bench, first);
    else if (speaks(bench, index))
        speak(bench, index, what, bytes);
}

/* ---- the end ---- */

/* An honest peer that comes to us again whenever it is not connected. */
static void end_well(struct bench *bench)
{
    uint32_t honest = BENCH_NOBODY;
    for (int round = 0; round < ROUNDS_MAX && bench->got == NULL; round++) {
        if (honest == BENCH_NOBODY || bench->conns[honest].closed) {
            struct wire_handshake handshake =
                bench_handshake(bench, HONEST, bench->swarm->has_v2 && bench->truth->has_v2);
            if (bench_accept(bench, HONEST, &handshake, &honest))
                bench_extend(bench, honest, bench_size(bench));
        }
        bench_answer(bench, honest, false);
        bench_answer_hashes(bench, honest, false);
        bench_wait(bench, ROUND_NS);
    }
    CHECK(bench->got != NULL);
    CHECK(bytes_equal(bench->got->info, bench->truth->info));
}

static void ask_everything(struct bench *bench)
{
    struct peer_status statuses[METADATA_PEERS_MAX];
    struct peer_list_entry known[WHO_MAX];
    struct metadata_status status = bench_status(bench);
    CHECK(status.bytes <= status.size);
    CHECK(status.layers <= status.layers_total);
    CHECK(metadata_swarm_peer_statuses(bench->swarm, statuses, METADATA_PEERS_MAX) == status.peers);
    CHECK(metadata_swarm_candidates(bench->swarm, known, WHO_MAX) <= status.known);
    CHECK(metadata_swarm_error(bench->swarm) == FRESHET_OK);
    CHECK(metadata_swarm_reason(bench->swarm)[0] == '\0');
    metadata_swarm_is_lonely(bench->swarm);
}

/* One that is known but for its layers. */
static void begin_with_layers_missing(struct bench *bench)
{
    struct metadata_swarm_options options = {.info_hash_v2 = bench->truth->info_hash_v2};
    char reason[METAINFO_REASON_SIZE];
    CHECK(metainfo_parse_info(bench->truth->info, &options.metainfo, reason) == FRESHET_OK);
    metadata_swarm_free(bench->swarm);
    bench->swarm = metadata_swarm_new(&bench->shared, BENCH_TORRENT, &options, bench->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){data, size});
    uint8_t mode = cursor_u8(&cursor);
    enum kind kind = (enum kind)(mode % KIND_COUNT);
    enum bench_known known = kind == KIND_PLAIN ? BENCH_V1
                             : kind == KIND_V2  ? BENCH_V2
                                                : (enum bench_known)(1 + (mode >> 2) % 3);
    struct bench *bench = bench_new(torrent_of(kind), known);
    bench->shared.settings.many_per_address = mode & 128;
    if (kind == KIND_V2 && mode & 64)
        begin_with_layers_missing(bench);
    bench_run(bench);
    while (cursor_left(&cursor) >= 3 && bench->conn_count < CONNS_MAX) {
        uint8_t what = cursor_u8(&cursor), who = cursor_u8(&cursor);
        size_t length = cursor_u8(&cursor), left = cursor_left(&cursor);
        step(bench, what, who, cursor_bytes(&cursor, length < left ? length : left));
    }
    ask_everything(bench);
    rest(bench, 0);
    end_well(bench);
    bench_free(bench);
    return 0;
}
