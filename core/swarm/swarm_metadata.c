/* SPDX-License-Identifier: MIT */
/*
 * The info dictionary for peers that know the hash only (BEP 9). A private torrent's is not
 * offered: who may have it has it from the tracker's site (BEP 27).
 */
#include "core/swarm/swarm_state.h"

#include "core/wire/wire_metadata.h"

/* Nobody needs the dictionary more often from us; what is beyond it is rejected. */
#define COPIES_MAX 3u
/* Who asks for everything at once is told to ask again later for what this does not hold: it would
 * be closed for not reading otherwise. */
#define QUEUE_MAX (LIMIT_OUT_BYTES / 2)

bool swarm_metadata_is_offered(const struct swarm *swarm)
{
    return !swarm->metainfo->is_private && swarm->metainfo->info.length <= LIMIT_METADATA_SIZE;
}

void swarm_metadata_received(struct peer *peer, struct bytes payload)
{
    struct swarm *swarm = peer->swarm;
    struct bytes info = swarm->metainfo->info;
    uint8_t id = peer->extension_ids[WIRE_EXTENSION_UT_METADATA];
    struct wire_metadata request, reply = {.type = WIRE_METADATA_REJECT};
    enum freshet_error error = wire_metadata_decode(payload, &request);
    if (error == FRESHET_ERROR_UNSUPPORTED || id == 0 || !swarm_metadata_is_offered(swarm))
        return;
    if (error != FRESHET_OK) {
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    if (request.type != WIRE_METADATA_REQUEST)
        return; /* we ask for nothing */
    peer->nuisances++;
    reply.block = request.block;
    size_t offset = (size_t)request.block * WIRE_METADATA_BLOCK;
    if (offset < info.length && peer->out.length < QUEUE_MAX &&
        peer->metadata_sent < (uint64_t)COPIES_MAX * (info.length + WIRE_METADATA_BLOCK)) {
        size_t left = info.length - offset;
        reply.type = WIRE_METADATA_DATA;
        reply.total_size = (uint32_t)info.length;
        reply.bytes = (struct bytes){info.data + offset,
                                     left < WIRE_METADATA_BLOCK ? left : WIRE_METADATA_BLOCK};
        peer->metadata_sent += reply.bytes.length;
    }
    wire_metadata_put(&peer->out, id, &reply);
    swarm_peers_wake(peer);
}
