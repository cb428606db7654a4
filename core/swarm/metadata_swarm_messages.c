/* SPDX-License-Identifier: MIT */
/* What peers are asked for and what they say: ut_metadata (BEP 9) and hash requests (BEP 52). */
#include "core/swarm/metadata_swarm_state.h"

#include "core/base/heap.h"
#include "core/wire/wire_metadata.h"

void metadata_swarm_messages_put_extension_handshake(struct metadata_peer *peer)
{
    struct wire_extension_handshake handshake;
    struct buffer payload = {0};
    wire_extension_handshake_init(&handshake);
    handshake.named[WIRE_EXTENSION_UT_METADATA] = true;
    handshake.ids[WIRE_EXTENSION_UT_METADATA] = WIRE_EXTENSION_UT_METADATA;
    handshake.port = peer->swarm->shared->settings.listen_port;
    handshake.version = BYTES_LITERAL("freshet 0.1");
    handshake.your_ip = peer->address;
    handshake.your_ip.port = 0;
    wire_extension_encode(&payload, &handshake);
    wire_message_put_extended(&peer->out, WIRE_EXTENSION_HANDSHAKE, buffer_bytes(&payload));
    buffer_deinit(&payload);
    metadata_swarm_peers_wake(peer);
}

/* ---- what is asked ---- */

static bool has_failed(const struct metadata_swarm *swarm, uint32_t size)
{
    for (uint32_t i = 0; i < swarm->failed_size_count; i++)
        if (swarm->failed_sizes[i] == size)
            return true;
    return false;
}

static uint32_t claims_of(const struct metadata_swarm *swarm, uint32_t size)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node))
        count += LIST_ELEMENT(node, struct metadata_peer, in_swarm)->size == size;
    return count;
}

/* The size that most claim, those that came to nothing last; 0: nobody claims any. */
static uint32_t best_size(const struct metadata_swarm *swarm)
{
    uint32_t best = 0, best_claims = 0;
    bool best_failed = true;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        uint32_t size = LIST_ELEMENT(node, struct metadata_peer, in_swarm)->size;
        if (size == 0 || size == best)
            continue;
        uint32_t claims = claims_of(swarm, size);
        bool failed = has_failed(swarm, size);
        if (best == 0 || failed < best_failed || (failed == best_failed && claims > best_claims)) {
            best = size;
            best_claims = claims;
            best_failed = failed;
        }
    }
    return best;
}

static void begin_turn(struct metadata_swarm *swarm)
{
    swarm->turn_ns = swarm->progress_ns = swarm->now;
}

static void begin_assembly(struct metadata_swarm *swarm, uint32_t size)
{
    metadata_assembly_free(swarm->assembly);
    swarm->assembly = metadata_assembly_new(size);
    begin_turn(swarm);
}

/* Nothing has come for so long, or little in the whole turn: drops must not prolong it for ever. */
static bool is_stalled(const struct metadata_swarm *swarm, int64_t patience_ns)
{
    int64_t blocks = metadata_assembly_bytes(swarm->assembly) / LIMIT_BLOCK_SIZE;
    return swarm->now - swarm->progress_ns >= patience_ns ||
           swarm->now - swarm->turn_ns >= patience_ns + blocks * METADATA_BLOCK_NS;
}

/* Nobody who claims the present size is left, or nobody delivers: another has its turn. */
static void reconsider_size(struct metadata_swarm *swarm)
{
    if (swarm->assembly) {
        uint32_t size = metadata_assembly_size(swarm->assembly);
        bool stalled = is_stalled(swarm, METADATA_STALL_NS);
        if (claims_of(swarm, size) > 0 && !stalled)
            return;
        uint32_t other = best_size(swarm);
        if (stalled && !has_failed(swarm, size)) {
            uint32_t at = swarm->failed_size_count < METADATA_SIZES_MAX
                              ? swarm->failed_size_count++
                              : (uint32_t)rng_below(&swarm->shared->rng, METADATA_SIZES_MAX);
            swarm->failed_sizes[at] = size;
            other = best_size(swarm);
        }
        if (other == 0 || other == size) {
            /* What is there stays: who has the rest may come yet. */
            if (stalled)
                begin_turn(swarm);
            return;
        }
    }
    uint32_t size = best_size(swarm);
    if (size) {
        begin_assembly(swarm, size);
        swarm->single_conn = 0;
    }
}

static bool may_give_blocks(const struct metadata_peer *peer)
{
    const struct metadata_swarm *swarm = peer->swarm;
    return peer->phase == METADATA_PEER_OPEN &&
           peer->size == metadata_assembly_size(swarm->assembly) &&
           peer->extension_ids[WIRE_EXTENSION_UT_METADATA] != 0 &&
           peer->refused_until_ns <= swarm->now;
}

static void put_request(struct metadata_peer *peer, uint32_t block)
{
    struct wire_metadata request = {.type = WIRE_METADATA_REQUEST, .block = block};
    wire_metadata_put(&peer->out, peer->extension_ids[WIRE_EXTENSION_UT_METADATA], &request);
    metadata_swarm_peers_wake(peer);
}

static void ask_for_blocks(struct metadata_peer *peer)
{
    struct metadata_swarm *swarm = peer->swarm;
    uint32_t block;
    while (metadata_assembly_asked(swarm->assembly, peer->slot) < METADATA_REQUESTS_MAX &&
           metadata_assembly_next(swarm->assembly, peer->slot, swarm->now, &block))
        put_request(peer, block);
}

/* When everybody else had the chance to take over what it owes. */
static void ask_again(struct metadata_peer *peer)
{
    struct metadata_swarm *swarm = peer->swarm;
    uint32_t block;
    while (metadata_assembly_renew(swarm->assembly, peer->slot, swarm->now, &block))
        put_request(peer, block);
}

/* The next after this slot who may give everything. */
static struct metadata_peer *next_giver(const struct metadata_swarm *swarm, uint32_t after)
{
    for (uint32_t i = 1; i <= METADATA_PEERS_MAX; i++) {
        struct metadata_peer *peer = swarm->slots[(after + i) % METADATA_PEERS_MAX];
        if (peer && may_give_blocks(peer))
            return peer;
    }
    return NULL;
}

/* In single mode: the one whose turn it is, or the next. */
static void ask_one(struct metadata_swarm *swarm)
{
    struct metadata_peer *chosen = swarm->slots[swarm->single_slot];
    /* The slot may be another's by now. */
    if (chosen && chosen->conn != swarm->single_conn)
        chosen = NULL;
    if (chosen == NULL || !may_give_blocks(chosen) || is_stalled(swarm, METADATA_OVERDUE_NS)) {
        struct metadata_peer *next = next_giver(swarm, swarm->single_slot);
        if (next == NULL)
            return;
        if (next != chosen) /* nothing of anybody else's may be in it */
            begin_assembly(swarm, metadata_assembly_size(swarm->assembly));
        else
            begin_turn(swarm);
        swarm->single_slot = next->slot;
        swarm->single_conn = next->conn;
        chosen = next;
    }
    ask_for_blocks(chosen);
    ask_again(chosen);
}

static void ask_for_info(struct metadata_swarm *swarm)
{
    reconsider_size(swarm);
    if (swarm->assembly == NULL)
        return;
    if (swarm->single) {
        ask_one(swarm);
        return;
    }
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++)
        if (swarm->slots[slot] && may_give_blocks(swarm->slots[slot]))
            ask_for_blocks(swarm->slots[slot]);
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++)
        if (swarm->slots[slot] && may_give_blocks(swarm->slots[slot]))
            ask_again(swarm->slots[slot]);
}

static void ask_for_layers(struct metadata_peer *peer)
{
    struct metadata_swarm *swarm = peer->swarm;
    struct wire_hash_range range;
    while (layer_fetch_asked(swarm->layers, peer->slot) < METADATA_REQUESTS_MAX &&
           layer_fetch_next(swarm->layers, peer->slot, swarm->now, &range)) {
        wire_message_put_hashes(&peer->out, WIRE_HASH_REQUEST, &range, (struct bytes){NULL, 0});
        metadata_swarm_peers_wake(peer);
    }
}

void metadata_swarm_messages_ask(struct metadata_swarm *swarm)
{
    if (swarm->stage == METADATA_INFO)
        ask_for_info(swarm);
    if (swarm->stage != METADATA_LAYERS)
        return;
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++) {
        struct metadata_peer *peer = swarm->slots[slot];
        if (peer && peer->phase == METADATA_PEER_OPEN && peer->v2)
            ask_for_layers(peer);
    }
}

/* ---- what comes ---- */

/* Has it said that it has the dictionary, and how to ask for it? */
static bool can_give(const struct metadata_peer *peer)
{
    return peer->size && peer->extension_ids[WIRE_EXTENSION_UT_METADATA];
}

static void on_extension_handshake(struct metadata_peer *peer, struct bytes payload)
{
    struct metadata_swarm *swarm = peer->swarm;
    struct wire_extension_handshake handshake;
    if (wire_extension_decode(payload, &handshake) != FRESHET_OK) {
        metadata_swarm_peers_close(peer, false);
        return;
    }
    bool could_give = can_give(peer);
    wire_extension_merge(peer->extension_ids, &handshake);
    /* A dictionary does not change. Whoever claims ever new sizes would have ever new turns. */
    if (handshake.metadata_size && peer->size && handshake.metadata_size != peer->size) {
        metadata_swarm_peers_close(peer, false);
        return;
    }
    if (handshake.metadata_size)
        peer->size = handshake.metadata_size;
    if (handshake.version.length)
        client_name_read(handshake.version, peer->client);
    if (handshake.port && peer->inbound && peer->listen.family == ADDRESS_NONE) {
        peer->listen = peer->address;
        peer->listen.port = handshake.port;
        peer_list_add(swarm->candidates, &peer->listen, PEER_SOURCE_INBOUND);
        peer_list_on_connected(swarm->candidates, &peer->listen);
    }
    if (peer->extension_ids[WIRE_EXTENSION_UT_METADATA] == 0 && swarm->stage == METADATA_INFO)
        metadata_swarm_peers_close(peer, false);
    else if (!could_give && can_give(peer))
        metadata_swarm_messages_ask(swarm);
}

static void on_block(struct metadata_peer *peer, const struct wire_metadata *message)
{
    struct metadata_swarm *swarm = peer->swarm;
    if (swarm->assembly == NULL || metadata_assembly_size(swarm->assembly) != peer->size)
        return; /* asked for under another size: too late */
    if (message->total_size && message->total_size != peer->size) {
        metadata_swarm_peers_close(peer, false);
        return;
    }
    enum freshet_error error = metadata_assembly_put(swarm->assembly, peer->slot, &peer->address,
                                                     message->block, message->bytes);
    if (error == FRESHET_ERROR_RANGE) {
        metadata_swarm_peers_close(peer, false);
        return;
    }
    if (error != FRESHET_OK)
        return;
    swarm->progress_ns = peer->useful_ns = swarm->now;
    if (metadata_assembly_is_complete(swarm->assembly))
        metadata_swarm_judge(swarm);
    metadata_swarm_messages_ask(swarm);
}

/* Whoever says no to one block is asked for none for a while. Only what was asked can be refused:
 * asking everybody is too much work for whatever a peer may say. */
static void on_reject(struct metadata_peer *peer)
{
    struct metadata_swarm *swarm = peer->swarm;
    if (swarm->assembly == NULL || metadata_assembly_asked(swarm->assembly, peer->slot) == 0)
        return;
    peer->refused_until_ns = swarm->now + METADATA_REFUSED_NS;
    metadata_assembly_release(swarm->assembly, peer->slot);
    metadata_swarm_messages_ask(swarm);
}

static void on_metadata(struct metadata_peer *peer, struct bytes payload)
{
    struct wire_metadata message;
    enum freshet_error error = wire_metadata_decode(payload, &message);
    if (error == FRESHET_ERROR_UNSUPPORTED)
        return;
    if (error != FRESHET_OK) {
        metadata_swarm_peers_close(peer, false);
        return;
    }
    uint8_t id = peer->extension_ids[WIRE_EXTENSION_UT_METADATA];
    switch (message.type) {
    case WIRE_METADATA_REQUEST: /* nothing is served before it is proven */
        if (id == 0)
            break;
        wire_metadata_put(
            &peer->out, id,
            &(struct wire_metadata){.type = WIRE_METADATA_REJECT, .block = message.block});
        metadata_swarm_peers_wake(peer);
        break;
    case WIRE_METADATA_DATA: on_block(peer, &message); break;
    case WIRE_METADATA_REJECT: on_reject(peer); break;
    }
}

static void on_hashes(struct metadata_peer *peer, const struct wire_message *message)
{
    struct metadata_swarm *swarm = peer->swarm;
    if (swarm->layers == NULL)
        return;
    enum freshet_error error =
        layer_fetch_take(swarm->layers, peer->slot, &message->hashes, message->payload);
    if (error == FRESHET_ERROR_NOT_FOUND)
        return;
    if (error == FRESHET_ERROR_HASH)
        metadata_swarm_peers_ban(swarm, &peer->address);
    if (error == FRESHET_OK)
        peer->useful_ns = swarm->now;
    if (error == FRESHET_OK && swarm->metainfo->has_v1)
        swarm->patience_ns = swarm->now + LAYERS_PATIENCE_NS;
    if (layer_fetch_is_done(swarm->layers))
        metadata_swarm_layers_done(swarm);
    else
        metadata_swarm_messages_ask(swarm);
}

static void on_message(struct metadata_peer *peer, const struct wire_message *message)
{
    struct metadata_swarm *swarm = peer->swarm;
    switch (message->type) {
    case WIRE_EXTENDED:
        if (message->extended_id == WIRE_EXTENSION_HANDSHAKE)
            on_extension_handshake(peer, message->payload);
        else if (message->extended_id == WIRE_EXTENSION_UT_METADATA)
            on_metadata(peer, message->payload);
        break;
    case WIRE_HASHES: on_hashes(peer, message); break;
    case WIRE_HASH_REJECT:
        if (swarm->layers && layer_fetch_reject(swarm->layers, peer->slot, &message->hashes))
            metadata_swarm_messages_ask(swarm);
        break;
    case WIRE_HASH_REQUEST:
        wire_message_put_hashes(&peer->out, WIRE_HASH_REJECT, &message->hashes,
                                (struct bytes){NULL, 0});
        metadata_swarm_peers_wake(peer);
        break;
    case WIRE_REQUEST: /* we have nothing; under the fast extension each is answered (BEP 6) */
        if (peer->fast) {
            wire_message_put_block(&peer->out, WIRE_REJECT, message->index, message->begin,
                                   message->length);
            metadata_swarm_peers_wake(peer);
        }
        break;
    default: break; /* what it says of pieces it says again to the swarm */
    }
}

void metadata_swarm_messages_received(struct metadata_peer *peer, struct event *event)
{
    struct bytes bytes = event->bytes;
    peer->received_ns = peer->swarm->now;
    if (peer->phase == METADATA_PEER_GREETING)
        metadata_swarm_peers_greet(peer, &bytes);
    while (peer->phase == METADATA_PEER_OPEN) {
        struct wire_message message;
        enum wire_stream_result result = wire_stream_next(&peer->stream, &bytes, &message);
        if (result == WIRE_STREAM_MESSAGE && peer->out.length <= LIMIT_OUT_BYTES) {
            on_message(peer, &message);
            continue;
        }
        if (result == WIRE_STREAM_MESSAGE || result == WIRE_STREAM_ERROR)
            metadata_swarm_peers_close(peer, false);
        break;
    }
    /* What a closed connection still says is swallowed. */
    event->consumed = peer->phase == METADATA_PEER_CLOSING ? event->bytes.length
                                                           : event->bytes.length - bytes.length;
}
