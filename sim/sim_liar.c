/* SPDX-License-Identifier: MIT */
#include "sim/sim_liar.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"
#include "core/metainfo/metainfo.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_handshake.h"
#include "core/wire/wire_metadata.h"
#include "core/wire/wire_stream.h"

#include <string.h>

#define METADATA_ID 3u /* what it wants ut_metadata to be called */
#define HUGE_SIZE   INT32_MAX

struct liar_conn {
    conn_id id;
    bool greeted, busy;
    uint8_t metadata_id; /* what the other side calls it; 0: not told */
    struct wire_handshake_reader greeting;
    struct wire_stream stream;
    struct buffer out, sending;
    struct list_node node;
};

struct liar {
    enum sim_lie lie;
    uint32_t size; /* of the true dictionary */
    uint32_t blocks;
    uint8_t peer_id[20];
    struct list conns;
};

static uint32_t true_size(const struct sim_node *node)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    CHECK(metainfo_parse(buffer_bytes(&node->world->torrent->encoded), &metainfo, reason) ==
          FRESHET_OK);
    uint32_t size = (uint32_t)metainfo->info.length;
    metainfo_free(metainfo);
    return size;
}

static void *new_machine(struct sim_node *node)
{
    struct liar *liar = memory_new(sizeof *liar);
    CHECK(node->options.lie != SIM_LIE_NONE);
    liar->lie = node->options.lie;
    liar->size = true_size(node);
    rng_fill(&node->disk.rng, liar->peer_id, sizeof liar->peer_id);
    list_init(&liar->conns);
    return liar;
}

static struct liar_conn *find_conn(const struct liar *liar, conn_id id)
{
    for (struct list_node *node = list_first(&liar->conns); node;
         node = list_next(&liar->conns, node))
        if (LIST_ELEMENT(node, struct liar_conn, node)->id == id)
            return LIST_ELEMENT(node, struct liar_conn, node);
    return NULL;
}

static void conn_new(struct liar *liar, conn_id id)
{
    struct liar_conn *conn = memory_new(sizeof *conn);
    conn->id = id;
    wire_handshake_reader_init(&conn->greeting);
    list_append(&liar->conns, &conn->node);
}

static void conn_free(struct liar *liar, struct liar_conn *conn)
{
    list_remove(&liar->conns, &conn->node);
    if (conn->greeted)
        wire_stream_deinit(&conn->stream);
    buffer_deinit(&conn->out);
    buffer_deinit(&conn->sending);
    memory_free(conn);
}

static void greet(const struct liar *liar, struct liar_conn *conn, struct wire_handshake *heard)
{
    const struct wire_stream_options options = {.extension = true, .hashes = true};
    struct wire_handshake handshake = {.extension = true};
    struct wire_extension_handshake extension;
    struct buffer payload = {0};
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    memcpy(handshake.info_hash, heard->info_hash, sizeof handshake.info_hash);
    memcpy(handshake.peer_id, liar->peer_id, sizeof handshake.peer_id);
    wire_handshake_encode(&handshake, bytes);
    buffer_append(&conn->out, bytes, sizeof bytes);
    wire_extension_handshake_init(&extension);
    extension.named[WIRE_EXTENSION_UT_METADATA] = true;
    extension.ids[WIRE_EXTENSION_UT_METADATA] = METADATA_ID;
    extension.metadata_size = liar->lie == SIM_LIE_HUGE ? HUGE_SIZE : liar->size;
    wire_extension_encode(&payload, &extension);
    wire_message_put_extended(&conn->out, WIRE_EXTENSION_HANDSHAKE, buffer_bytes(&payload));
    buffer_deinit(&payload);
    wire_stream_init(&conn->stream, &options);
    conn->greeted = true;
}

/* Of the right length, so that nothing but the hash tells. */
static void give_false_block(struct liar *liar, struct liar_conn *conn, uint32_t block)
{
    static const uint8_t zeros[WIRE_METADATA_BLOCK];
    uint64_t begin = (uint64_t)block * WIRE_METADATA_BLOCK;
    if (conn->metadata_id == 0 || begin >= liar->size)
        return;
    size_t length = liar->size - begin < sizeof zeros ? liar->size - begin : sizeof zeros;
    struct wire_metadata data = {.type = WIRE_METADATA_DATA,
                                 .block = block,
                                 .total_size = liar->size,
                                 .bytes = {zeros, length}};
    wire_metadata_put(&conn->out, conn->metadata_id, &data);
    liar->blocks++;
}

static void on_message(struct liar *liar, struct liar_conn *conn,
                       const struct wire_message *message)
{
    struct wire_extension_handshake handshake;
    struct wire_metadata request;
    if (message->type != WIRE_EXTENDED)
        return;
    if (message->extended_id == WIRE_EXTENSION_HANDSHAKE &&
        wire_extension_decode(message->payload, &handshake) == FRESHET_OK)
        conn->metadata_id = handshake.ids[WIRE_EXTENSION_UT_METADATA];
    else if (message->extended_id == METADATA_ID && liar->lie == SIM_LIE_FALSE &&
             wire_metadata_decode(message->payload, &request) == FRESHET_OK &&
             request.type == WIRE_METADATA_REQUEST)
        give_false_block(liar, conn, request.block);
}

static void on_received(struct liar *liar, struct liar_conn *conn, struct bytes bytes)
{
    struct wire_handshake handshake;
    struct wire_message message;
    if (!conn->greeted) {
        if (wire_handshake_read(&conn->greeting, &bytes, &handshake) != FRESHET_OK)
            return;
        greet(liar, conn, &handshake);
    }
    while (wire_stream_next(&conn->stream, &bytes, &message) == WIRE_STREAM_MESSAGE)
        on_message(liar, conn, &message);
}

static void input(void *machine, int64_t now, struct event *event)
{
    struct liar *liar = machine;
    struct liar_conn *conn = find_conn(liar, event->conn);
    (void)now;
    switch (event->type) {
    case EVENT_ACCEPTED: conn_new(liar, event->conn); break;
    case EVENT_CLOSED: conn_free(liar, conn); break;
    case EVENT_SENT: conn->busy = !event->done; break;
    case EVENT_RECEIVED:
        on_received(liar, conn, event->bytes);
        event->consumed = event->bytes.length;
        break;
    default: break;
    }
}

static void tick(void *machine, int64_t now)
{
    (void)machine;
    (void)now;
}

static int64_t deadline(const void *machine)
{
    (void)machine;
    return HEAP_NEVER;
}

static bool output(void *machine, int64_t now, struct action *ret_action)
{
    struct liar *liar = machine;
    (void)now;
    for (struct list_node *node = list_first(&liar->conns); node;
         node = list_next(&liar->conns, node)) {
        struct liar_conn *conn = LIST_ELEMENT(node, struct liar_conn, node);
        if (conn->busy || conn->out.length == 0)
            continue;
        struct buffer spare = conn->sending;
        conn->sending = conn->out;
        conn->out = spare;
        buffer_clear(&conn->out);
        conn->busy = true;
        *ret_action = (struct action){
            .type = ACTION_SEND, .conn = conn->id, .bytes = buffer_bytes(&conn->sending)};
        return true;
    }
    return false;
}

static void receive_plan(const void *machine, conn_id conn, struct receive_plan *ret_plan)
{
    (void)machine;
    (void)conn;
    *ret_plan = (struct receive_plan){.block = BLOCK_NONE};
}

static void free_machine(void *machine)
{
    struct liar *liar = machine;
    struct list_node *node;
    while ((node = list_first(&liar->conns)))
        conn_free(liar, LIST_ELEMENT(node, struct liar_conn, node));
    memory_free(liar);
}

const struct sim_node_ops sim_liar_ops = {
    .new = new_machine,
    .input = input,
    .tick = tick,
    .deadline = deadline,
    .output = output,
    .receive_plan = receive_plan,
    .free = free_machine,
};

uint32_t sim_liar_blocks(const struct sim_node *node)
{
    return ((const struct liar *)node->machine)->blocks;
}
