/* SPDX-License-Identifier: MIT */
#include "core/swarm/peer.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

void peer_requests_add(struct peer_requests *requests, struct peer_request request)
{
    if (requests->first + requests->count == requests->capacity) {
        if (requests->first > requests->capacity / 2) {
            memmove(requests->items, requests->items + requests->first,
                    requests->count * sizeof *requests->items);
            requests->first = 0;
        } else {
            requests->capacity = requests->capacity ? 2 * requests->capacity : 16;
            requests->items =
                memory_resize_array(requests->items, requests->capacity, sizeof *requests->items);
        }
    }
    requests->items[requests->first + requests->count] = request;
    requests->count++;
}

bool peer_requests_take(struct peer_requests *requests, piece_index piece, uint32_t block,
                        struct peer_request *ret_request)
{
    for (uint32_t i = 0; i < requests->count; i++) {
        struct peer_request *request = &requests->items[requests->first + i];
        if (request->piece != piece || request->block != block)
            continue;
        *ret_request = *request;
        /* Close the gap from the shorter side: answers mostly come in the order of the requests. */
        memmove(requests->items + requests->first + 1, requests->items + requests->first,
                i * sizeof *requests->items);
        requests->first++;
        requests->count--;
        return true;
    }
    return false;
}

struct peer_request *peer_requests_find_lost(struct peer_requests *requests, piece_index piece,
                                             uint32_t block)
{
    for (uint32_t i = 0; i < requests->count; i++) {
        struct peer_request *request = &requests->items[requests->first + i];
        if (request->lost && request->piece == piece && request->block == block)
            return request;
    }
    return NULL;
}

struct peer_request *peer_requests_at(struct peer_requests *requests, uint32_t index)
{
    CHECK(index < requests->count);
    return &requests->items[requests->first + index];
}

void peer_requests_clear(struct peer_requests *requests)
{
    requests->first = requests->count = 0;
}

bool peer_allows_fast(const struct peer *peer, piece_index piece)
{
    for (uint32_t i = 0; i < peer->allowed_in_count; i++)
        if (peer->allowed_in[i] == piece)
            return true;
    return false;
}

bool peer_is_seed(const struct peer *peer)
{
    return peer->has.size > 0 && bitfield_is_full(&peer->has);
}

bool peer_is_over_utp(const struct peer *peer)
{
    return peer->is_utp || peer->conn >= CONN_INBOUND_UTP;
}

const struct address *peer_listens(const struct peer *peer)
{
    return peer->inbound ? &peer->listen : &peer->address;
}

bool peer_has_bytes(const struct peer *peer)
{
    return peer->out.length > 0;
}

struct peer *peer_new(struct swarm *swarm, conn_id conn, const struct address *address,
                      uint32_t slot, uint32_t piece_count, int64_t now)
{
    struct peer *peer = memory_new(sizeof *peer);
    peer->swarm = swarm;
    peer->conn = conn;
    peer->address = *address;
    peer->slot = slot;
    peer->am_choking = true;
    peer->peer_choking = true;
    peer->arrival.target = BLOCK_NONE;
    peer->connected_ns = now;
    peer->last_received_ns = now;
    peer->last_sent_ns = now;
    peer->last_useful_ns = now;
    peer->choked_ns = now;
    bitfield_init(&peer->has, piece_count);
    upload_queue_init(&peer->uploads);
    pex_init(&peer->pex, now);
    request_pipeline_init(&peer->pipeline);
    rate_meter_init(&peer->up);
    wire_handshake_reader_init(&peer->greeting);
    return peer;
}

void peer_free(struct peer *peer)
{
    if (peer == NULL)
        return;
    CHECK(!list_contains(&peer->in_swarm));
    CHECK(!list_contains(&peer->in_ready));
    bitfield_deinit(&peer->has);
    wire_stream_deinit(&peer->stream);
    buffer_deinit(&peer->out);
    buffer_deinit(&peer->sending);
    memory_free(peer->requests.items);
    upload_queue_deinit(&peer->uploads);
    pex_deinit(&peer->pex);
    memory_free(peer);
}
