/* SPDX-License-Identifier: MIT */
/*
 * One engine with one torrent on a test bench: its disk is an array, jobs finish at once, time is a
 * number, and the test itself is the other side of each connection, byte by byte.
 *
 * The torrent: v1, one file "f" of LONE_SIZE bytes, pieces of 32 KiB, the last one short.
 */
#ifndef FRESHET_TESTS_LONE_ENGINE_H
#define FRESHET_TESTS_LONE_ENGINE_H

#include "core/base/memory.h"
#include "core/crypto/rc4.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "core/engine/engine.h"
#include "core/metainfo/torrent_builder.h"
#include "core/wire/wire_handshake.h"
#include "core/wire/wire_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONE_PIECE  32768u
#define LONE_SIZE   (3 * LONE_PIECE + 20000u)
#define LONE_PIECES 4u
#define LONE_BLOCKS 64u
#define LONE_CONNS  256
#define LONE_JOBS   256

struct lone_engine {
    struct engine *engine;
    int64_t now;
    uint8_t truth[LONE_SIZE];
    uint8_t disk[LONE_SIZE];
    bool disk_exists;
    int64_t mtime_ns;
    bool disk_full; /* writes fail */
    uint8_t blocks[LONE_BLOCKS][LIMIT_BLOCK_SIZE];
    uint8_t info_hash[20];
    /* By connection, in the order in which they appeared. */
    conn_id conns[LONE_CONNS];
    bool closed[LONE_CONNS];
    bool paused[LONE_CONNS];        /* the engine wants nothing from it for now */
    struct buffer sent[LONE_CONNS]; /* as it is on the wire */
    struct rc4 *decrypts[LONE_CONNS], *encrypts[LONE_CONNS]; /* NULL: nothing is encrypted */
    bool send_busy[LONE_CONNS];
    uint32_t send_length[LONE_CONNS];
    uint32_t conn_count;
    struct address connects[LONE_CONNS];
    enum transport transports[LONE_CONNS]; /* of the same */
    uint32_t connect_count;
    uint32_t notices[32]; /* counts by type */
    struct address last_banned;
    uint32_t persisted_pieces;
    uint32_t pool_blocks; /* 0: LONE_BLOCKS */
    /* Jobs end when lone_finish says so. */
    bool defers;
    struct action jobs[LONE_JOBS];
    uint32_t job_count;
    /* Web seeds: what the servers are, and what they do. */
    uint32_t fetches;
    char last_url[64];
    uint32_t fetch_errors; /* so many answers are errors */
    bool no_upload;        /* for lone_begin */
    bool no_pex;           /* for lone_begin */
    bool has_utp, no_tcp;  /* for lone_begin */
    bool no_holepunch;     /* for lone_begin */
    bool fetch_waits;      /* servers never answer; a cancel ends it */
    bool fetch_lies;       /* the server at "http://liar/" sends other bytes */
    bool is_private;       /* BEP 27, for lone_begin */
    bool is_v2;            /* the torrent is v2 alone (BEP 52), for lone_begin */
    const char *announce;  /* URL of a tracker, for lone_begin */
    /* What that tracker says to a URL; NULL: no connection. */
    struct bytes (*on_tracker)(struct lone_engine *lone, const char *url);
    const char *nodes;          /* bencoded value of "nodes" (BEP 5), for lone_begin */
    enum encryption encryption; /* for lone_begin */
    uint8_t self;               /* the last byte of its peer id, for lone_begin */
    bool has_dht;               /* peers say so in their handshakes (BEP 5) */
    bool has_lsd;               /* for lone_begin: it looks for peers in the local network */
    /* Datagrams of the engine, and names that it wants resolved; NULL: lost, unanswered. */
    void (*on_datagram)(struct lone_engine *lone, const struct action *action);
    void (*on_local)(struct lone_engine *lone, const struct action *action);
    void (*on_resolve)(struct lone_engine *lone, const struct resolve_job *job);
    void *context;
};

static inline int lone_conn_index(struct lone_engine *lone, conn_id conn)
{
    for (uint32_t i = 0; i < lone->conn_count; i++)
        if (lone->conns[i] == conn)
            return (int)i;
    abort();
}

static inline void lone_run(struct lone_engine *lone);

static inline uint32_t lone_new_conn(struct lone_engine *lone, conn_id conn)
{
    lone->conns[lone->conn_count] = conn;
    return lone->conn_count++;
}

/* Copies between the extent's ranges and blocks (or hashes them); the one file has index 0. */
static inline void lone_extent_bytes(struct lone_engine *lone, const struct extent *extent,
                                     uint8_t *to)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < extent->range_count; i++) {
        memcpy(to + at, lone->disk + extent->ranges[i].offset, extent->ranges[i].length);
        at += extent->ranges[i].length;
    }
    for (uint32_t i = 0; i < extent->block_count && extent->blocks; i++) {
        uint32_t begin = i * LIMIT_BLOCK_SIZE, left = extent->length - begin;
        if (extent->blocks[i] != BLOCK_NONE)
            memcpy(to + begin, lone->blocks[extent->blocks[i]],
                   left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE);
    }
}

static inline enum freshet_error lone_disk(struct lone_engine *lone, struct disk_job *job)
{
    uint8_t *bytes = malloc(job->extent.length + 1);
    switch (job->operation) {
    case DISK_OPEN:
    case DISK_STAT:
        job->ret_stats[0] = (struct file_stat){.exists = lone->disk_exists,
                                               .size = lone->disk_exists ? LONE_SIZE : 0,
                                               .mtime_ns = 1 + lone->mtime_ns,
                                               .inode = 7};
        job->ret_stats[1] = (struct file_stat){0};
        break;
    case DISK_PREPARE: lone->disk_exists = true; break;
    case DISK_HASH:
        lone_extent_bytes(lone, &job->extent, bytes);
        if (job->ret_sha1)
            sha1_of(bytes, job->extent.length, job->ret_sha1);
        for (uint32_t i = 0; job->ret_leaves && i < job->extent.block_count; i++) {
            uint32_t begin = i * LIMIT_BLOCK_SIZE, left = job->extent.length - begin;
            sha256_of(bytes + begin, left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE,
                      job->ret_leaves + 32 * i);
        }
        break;
    case DISK_WRITE:
        if (lone->disk_full) {
            free(bytes);
            return FRESHET_ERROR_NO_SPACE;
        }
        lone_extent_bytes(lone, &job->extent, bytes);
        for (uint32_t i = 0, at = 0; i < job->extent.range_count; i++) {
            memcpy(lone->disk + job->extent.ranges[i].offset, bytes + at,
                   job->extent.ranges[i].length);
            at += job->extent.ranges[i].length;
        }
        break;
    default: break;
    }
    free(bytes);
    return FRESHET_OK;
}

static inline void lone_job_done(struct lone_engine *lone, job_id job, enum freshet_error error)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job, .error = error};
    engine_input(lone->engine, lone->now, &event);
}

static inline void lone_send(struct lone_engine *lone, const struct action *action)
{
    int index = lone_conn_index(lone, action->conn);
    buffer_append(&lone->sent[index], action->bytes.data, action->bytes.length);
    uint32_t length = (uint32_t)action->bytes.length;
    for (uint32_t i = 0; i < action->range_count; i++) {
        buffer_append(&lone->sent[index], lone->disk + action->ranges[i].offset,
                      action->ranges[i].length);
        length += action->ranges[i].length;
    }
    if (lone->encrypts[index])
        rc4_apply(lone->encrypts[index], lone->sent[index].data + lone->sent[index].length - length,
                  length);
    struct event event = {.type = EVENT_SENT, .conn = action->conn, .length = length, .done = true};
    engine_input(lone->engine, lone->now, &event);
}

static inline void lone_ask_tracker(struct lone_engine *lone, const struct fetch_job *job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id};
    event.error = lone->on_tracker ? FRESHET_OK : FRESHET_ERROR_CONNECTION;
    if (lone->on_tracker)
        event.result.fetched.body = lone->on_tracker(lone, job->url);
    event.result.fetched.status = lone->on_tracker ? 200 : 0;
    engine_input(lone->engine, lone->now, &event);
}

/* Serves the range of the truth at once. */
static inline void lone_fetch(struct lone_engine *lone, const struct fetch_job *job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id};
    lone->fetches++;
    snprintf(lone->last_url, sizeof lone->last_url, "%s", job->url);
    if (lone->fetch_waits)
        return;
    if (lone->fetch_errors > 0) {
        lone->fetch_errors--;
        event.error = FRESHET_ERROR_CONNECTION;
        engine_input(lone->engine, lone->now, &event);
        return;
    }
    uint8_t lie = strncmp(job->url, "http://liar/", 12) == 0 && lone->fetch_lies;
    for (uint32_t i = 0; i < job->range_length; i++) {
        uint32_t at = job->block_offset + i;
        lone->blocks[job->blocks[at / LIMIT_BLOCK_SIZE]][at % LIMIT_BLOCK_SIZE] =
            lone->truth[job->range_start + i] ^ lie;
    }
    event.result.fetched.status = 206;
    event.result.fetched.received = job->range_length;
    engine_input(lone->engine, lone->now, &event);
}

static inline void lone_act(struct lone_engine *lone, const struct action *action)
{
    switch (action->type) {
    case ACTION_CONNECT:
        lone->transports[lone->connect_count] = action->transport;
        lone->connects[lone->connect_count++] = action->remote;
        lone_new_conn(lone, action->conn);
        break;
    case ACTION_SEND: lone_send(lone, action); break;
    case ACTION_RECEIVE_PAUSE: lone->paused[lone_conn_index(lone, action->conn)] = true; break;
    case ACTION_RECEIVE_RESUME: lone->paused[lone_conn_index(lone, action->conn)] = false; break;
    case ACTION_ENCRYPT:
        lone->encrypts[lone_conn_index(lone, action->conn)] =
            memory_copy(action->cipher, sizeof *action->cipher);
        break;
    case ACTION_CLOSE: lone->closed[lone_conn_index(lone, action->conn)] = true; break;
    case ACTION_DISK: lone_job_done(lone, action->disk->id, lone_disk(lone, action->disk)); break;
    case ACTION_FETCH:
        if (action->fetch->is_tracker)
            lone_ask_tracker(lone, action->fetch);
        else
            lone_fetch(lone, action->fetch);
        break;
    case ACTION_CANCEL: lone_job_done(lone, action->job, FRESHET_ERROR_CANCELLED); break;
    case ACTION_PERSIST: {
        struct bytes pieces = action->persist->record.pieces;
        lone->persisted_pieces = 0;
        for (size_t i = 0; i < pieces.length; i++)
            lone->persisted_pieces += (uint32_t)__builtin_popcount(pieces.data[i]);
        lone_job_done(lone, action->persist->id, FRESHET_OK);
        break;
    }
    case ACTION_TELL:
        lone->notices[action->notice->type]++;
        if (action->notice->type == NOTICE_PEER_BANNED)
            lone->last_banned = action->notice->address;
        break;
    case ACTION_SEND_DATAGRAM:
        if (lone->on_datagram)
            lone->on_datagram(lone, action);
        break;
    case ACTION_SEND_LOCAL:
        if (lone->on_local)
            lone->on_local(lone, action);
        break;
    case ACTION_RESOLVE:
        if (lone->on_resolve)
            lone->on_resolve(lone, action->resolve);
        break;
    default: break;
    }
}

static inline void lone_defer(struct lone_engine *lone, const struct action *action)
{
    if (lone->job_count == LONE_JOBS)
        abort();
    lone->jobs[lone->job_count++] = *action;
}

static inline void lone_run(struct lone_engine *lone)
{
    struct action action;
    while (engine_output(lone->engine, lone->now, &action)) {
        struct action copy = action;
        bool job = action.type == ACTION_DISK || action.type == ACTION_PERSIST ||
                   action.type == ACTION_FETCH;
        if (lone->defers && job)
            lone_defer(lone, &copy);
        else if (!lone->defers || action.type != ACTION_CANCEL)
            lone_act(lone, &copy);
    }
    engine_check(lone->engine);
}

/* One of the jobs under way ends. */
static inline void lone_finish(struct lone_engine *lone, uint32_t index)
{
    struct action job = lone->jobs[index];
    lone->jobs[index] = lone->jobs[--lone->job_count];
    lone_act(lone, &job);
    lone_run(lone);
}

/* Lets time pass, with every deadline on the way. */
static inline void lone_wait(struct lone_engine *lone, int64_t duration_ns)
{
    int64_t end = lone->now + duration_ns;
    while (engine_deadline(lone->engine) <= end) {
        int64_t due = engine_deadline(lone->engine);
        lone->now = due > lone->now ? due : lone->now;
        engine_tick(lone->engine, lone->now);
        lone_run(lone);
    }
    lone->now = end;
}

static inline void lone_feed(struct lone_engine *lone, uint32_t index, const void *data,
                             size_t length)
{
    uint8_t *bytes = memory_copy(data, length), *at = bytes;
    if (lone->decrypts[index])
        rc4_apply(lone->decrypts[index], bytes, length);
    while (length > 0 && !lone->closed[index]) {
        struct receive_plan plan;
        engine_receive_plan(lone->engine, lone->conns[index], &plan);
        struct event event = {.conn = lone->conns[index]};
        size_t taken;
        if (plan.length) {
            taken = plan.length < length ? plan.length : length;
            if (plan.block != BLOCK_NONE)
                memcpy(lone->blocks[plan.block] + plan.offset, at, taken);
            event.type = EVENT_PAYLOAD;
            event.length = (uint32_t)taken;
            engine_input(lone->engine, lone->now, &event);
        } else {
            event.type = EVENT_RECEIVED;
            event.bytes = (struct bytes){at, length};
            engine_input(lone->engine, lone->now, &event);
            taken = event.consumed;
            if (event.decrypt) {
                lone->decrypts[index] = memory_copy(event.decrypt, sizeof *event.decrypt);
                rc4_apply(lone->decrypts[index], at + taken, length - taken);
            }
        }
        at += taken;
        length -= taken;
        lone_run(lone);
    }
    memory_free(bytes);
}

static inline void lone_feed_buffer(struct lone_engine *lone, uint32_t index, struct buffer *buffer)
{
    lone_feed(lone, index, buffer->data, buffer->length);
    buffer_deinit(buffer);
}

static inline struct address lone_address(uint8_t last)
{
    return address_ipv4((uint8_t[]){10, 0, last, last}, 6881);
}

/* An inbound connection that has shown its handshake; the bench is the other side. */
static inline uint32_t lone_accept_speaking(struct lone_engine *lone, uint8_t who, bool fast,
                                            bool extension)
{
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(who)};
    engine_input(lone->engine, lone->now, &event);
    struct wire_handshake handshake = {.fast = fast, .extension = extension, .dht = lone->has_dht};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, who, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
    return index;
}

static inline uint32_t lone_accept(struct lone_engine *lone, uint8_t who, bool fast)
{
    return lone_accept_speaking(lone, who, fast, false);
}

/* Drops what has been sent so far. */
static inline void lone_forget_sent(struct lone_engine *lone, uint32_t index)
{
    buffer_clear(&lone->sent[index]);
}

/* How many messages of a type were sent since, the handshake left out if it is there. Length-prefix
 * walking: each message is whole because sends complete at once. */
static inline uint32_t lone_count_sent(struct lone_engine *lone, uint32_t index,
                                       enum wire_type type)
{
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[index]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    uint32_t count = 0;
    while (cursor_left(&cursor) >= 4) {
        uint32_t length = cursor_u32(&cursor);
        struct bytes message = cursor_bytes(&cursor, length);
        count += message.length > 0 ? message.data[0] == type : type == WIRE_KEEPALIVE;
    }
    return count;
}

/* The same file as v2. */
static inline void lone_write_v2(struct lone_engine *lone, struct buffer *out)
{
    struct torrent_builder_file file = {.length = LONE_SIZE};
    struct torrent_builder_options options = {.name = "f",
                                              .single_file = true,
                                              .has_v2 = true,
                                              .piece_length = LONE_PIECE,
                                              .files = &file,
                                              .file_count = 1};
    struct torrent_builder *builder;
    if (torrent_builder_new(&options, &builder) != FRESHET_OK)
        abort();
    for (uint32_t piece = 0; piece < LONE_PIECES; piece++) {
        uint8_t leaves[2][SHA256_SIZE];
        for (uint32_t i = 0; i < 2; i++) {
            uint32_t at = piece * LONE_PIECE + i * LIMIT_BLOCK_SIZE, left = LONE_SIZE - at;
            sha256_of(lone->truth + at, left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE,
                      leaves[i]);
        }
        torrent_builder_set_piece(builder, piece, NULL, leaves[0]);
    }
    torrent_builder_finish(builder, out);
    torrent_builder_free(builder);
}

/* `url_list`: the bencoded value of "url-list", or NULL. */
static inline struct metainfo *lone_metainfo(struct lone_engine *lone, const char *url_list)
{
    struct buffer torrent = {0};
    if (lone->is_v2) {
        struct metainfo *made = NULL;
        char why[METAINFO_REASON_SIZE];
        lone_write_v2(lone, &torrent);
        if (metainfo_parse(buffer_bytes(&torrent), &made, why) != FRESHET_OK)
            abort();
        buffer_deinit(&torrent);
        memcpy(lone->info_hash, made->info_hash_v2, 20);
        return made;
    }
    buffer_append_text(&torrent, "d");
    if (lone->announce) {
        char head[80];
        snprintf(head, sizeof head, "8:announce%zu:%s", strlen(lone->announce), lone->announce);
        buffer_append_text(&torrent, head);
    }
    buffer_append_text(&torrent, "4:infod6:lengthi");
    buffer_append_i64(&torrent, LONE_SIZE);
    buffer_append_text(&torrent, "e4:name1:f12:piece lengthi");
    buffer_append_i64(&torrent, LONE_PIECE);
    buffer_append_text(&torrent, "e6:pieces80:");
    for (uint32_t at = 0; at < LONE_SIZE; at += LONE_PIECE) {
        uint8_t digest[20];
        uint32_t left = LONE_SIZE - at;
        sha1_of(lone->truth + at, left < LONE_PIECE ? left : LONE_PIECE, digest);
        buffer_append(&torrent, digest, sizeof digest);
    }
    buffer_append_text(&torrent, lone->is_private ? "7:privatei1ee" : "e");
    if (lone->nodes) {
        buffer_append_text(&torrent, "5:nodes");
        buffer_append_text(&torrent, lone->nodes);
    }
    if (url_list) {
        buffer_append_text(&torrent, "8:url-list");
        buffer_append_text(&torrent, url_list);
    }
    buffer_append_text(&torrent, "e");
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    if (metainfo_parse(buffer_bytes(&torrent), &metainfo, reason) != FRESHET_OK) {
        fprintf(stderr, "%s\n", reason);
        abort();
    }
    buffer_deinit(&torrent);
    memcpy(lone->info_hash, metainfo->info_hash_v1, 20);
    return metainfo;
}

/* What lone_new does, in two steps: between them a test may set how the world behaves. */
static inline struct lone_engine *lone_prepare(bool seed)
{
    struct lone_engine *lone = memory_new(sizeof *lone);
    lone->now = 1000 * SECOND_NS;
    for (uint32_t i = 0; i < LONE_SIZE; i++)
        lone->truth[i] = (uint8_t)(i * 2654435761u >> 13);
    if (seed) {
        memcpy(lone->disk, lone->truth, LONE_SIZE);
        lone->disk_exists = true;
    }
    return lone;
}

static inline void lone_make_engine(struct lone_engine *lone)
{
    struct engine_settings settings = {.seed = 5,
                                       .pool_blocks =
                                           lone->pool_blocks ? lone->pool_blocks : LONE_BLOCKS,
                                       .listen_port = 1};
    settings.no_upload = lone->no_upload;
    settings.no_pex = lone->no_pex;
    settings.has_utp = lone->has_utp;
    settings.no_tcp = lone->no_tcp;
    settings.no_holepunch = lone->no_holepunch;
    settings.no_lsd = !lone->has_lsd;
    memcpy(settings.peer_id, "-FR0100-lonelonelone", 20);
    settings.peer_id[19] ^= lone->self;
    settings.encryption = lone->encryption;
    lone->engine = engine_new(&settings, lone->now);
}

static inline void lone_begin(struct lone_engine *lone, const char *url_list,
                              const struct torrent_options *changed)
{
    lone_make_engine(lone);
    struct torrent_options options = {.root = "/r", .seed_ratio = -1, .seed_time_s = -1};
    if (changed)
        options = *changed;
    struct engine_command command = {.type = COMMAND_ADD_TORRENT,
                                     .torrent = 1,
                                     .metainfo = lone_metainfo(lone, url_list),
                                     .options = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static inline struct lone_engine *lone_new(bool seed, const struct torrent_options *changed)
{
    struct lone_engine *lone = lone_prepare(seed);
    lone_begin(lone, NULL, changed);
    return lone;
}

static inline void lone_free(struct lone_engine *lone)
{
    struct engine_command command = {.type = COMMAND_SHUTDOWN};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    lone_wait(lone, 10 * SECOND_NS);
    if (lone->notices[NOTICE_SHUTDOWN_DONE] != 1)
        abort();
    engine_free(lone->engine);
    for (uint32_t i = 0; i < LONE_CONNS; i++) {
        buffer_deinit(&lone->sent[i]);
        memory_free(lone->decrypts[i]);
        memory_free(lone->encrypts[i]);
    }
    memory_free(lone);
}

static inline struct torrent_status lone_status(struct lone_engine *lone)
{
    struct torrent_status status = {0};
    if (!engine_torrent_status(lone->engine, 1, &status))
        abort();
    return status;
}

static inline void lone_put_block(struct buffer *out, struct lone_engine *lone, uint32_t piece,
                                  uint32_t begin, bool good)
{
    uint32_t at = piece * LONE_PIECE + begin;
    uint32_t left = LONE_SIZE - at < LONE_PIECE - begin ? LONE_SIZE - at : LONE_PIECE - begin;
    uint32_t length = left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE;
    uint8_t block[LIMIT_BLOCK_SIZE];
    memcpy(block, lone->truth + at, length);
    if (!good)
        block[0] ^= 1;
    wire_message_put_block(out, WIRE_PIECE, piece, begin, length);
    buffer_append(out, block, length);
}

/* Answers each request that was sent to the peer; returns how many. */
static inline uint32_t lone_answer(struct lone_engine *lone, uint32_t peer, bool good)
{
    struct buffer sent = lone->sent[peer], answers = {0};
    lone->sent[peer] = (struct buffer){0};
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&sent));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    uint32_t count = 0;
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        struct cursor fields;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        uint32_t piece = cursor_u32(&fields);
        lone_put_block(&answers, lone, piece, cursor_u32(&fields), good);
        count++;
    }
    buffer_deinit(&sent);
    lone_feed_buffer(lone, peer, &answers);
    return count;
}

static inline uint32_t lone_seed_peer(struct lone_engine *lone, uint8_t who, bool fast)
{
    uint32_t peer = lone_accept(lone, who, fast);
    struct buffer out = {0};
    if (fast)
        wire_message_put(&out, WIRE_HAVE_ALL);
    else
        wire_message_put_bitfield(&out, (struct bytes){(const uint8_t *)"\xf0", 1});
    wire_message_put(&out, WIRE_UNCHOKE);
    lone_feed_buffer(lone, peer, &out);
    return peer;
}

/* One message to the engine. */
static inline void lone_say(struct lone_engine *lone, uint32_t peer, enum wire_type type)
{
    struct buffer out = {0};
    wire_message_put(&out, type);
    lone_feed_buffer(lone, peer, &out);
}

static inline void lone_say_index(struct lone_engine *lone, uint32_t peer, enum wire_type type,
                                  uint32_t index)
{
    struct buffer out = {0};
    wire_message_put_index(&out, type, index);
    lone_feed_buffer(lone, peer, &out);
}

static inline void lone_say_block(struct lone_engine *lone, uint32_t peer, enum wire_type type,
                                  uint32_t index, uint32_t begin, uint32_t length)
{
    struct buffer out = {0};
    wire_message_put_block(&out, type, index, begin, length);
    lone_feed_buffer(lone, peer, &out);
}

/* A peer that has nothing and wants everything. */
static inline uint32_t lone_leecher(struct lone_engine *lone, uint8_t who, bool fast)
{
    uint32_t peer = lone_accept(lone, who, fast);
    if (fast)
        lone_say(lone, peer, WIRE_HAVE_NONE);
    lone_say(lone, peer, WIRE_INTERESTED);
    return peer;
}

#endif
