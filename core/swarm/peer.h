/* SPDX-License-Identifier: MIT */
/*
 * One peer connection of a swarm: what was said by both sides, what is asked and owed, and the
 * bytes on their way out. The struct is open because every part of the swarm (swarm.h) works on it;
 * the functions here are those that need nothing but the peer itself.
 */
#ifndef FRESHET_SWARM_PEER_H
#define FRESHET_SWARM_PEER_H

#include "core/base/bitfield.h"
#include "core/base/list.h"
#include "core/door/door.h"
#include "core/swarm/bandwidth.h"
#include "core/swarm/client_name.h"
#include "core/swarm/peer_mse.h"
#include "core/swarm/pex.h"
#include "core/swarm/rate_meter.h"
#include "core/swarm/request_pipeline.h"
#include "core/swarm/upload_queue.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_handshake.h"
#include "core/wire/wire_message.h"
#include "core/wire/wire_stream.h"

enum peer_phase {
    PEER_CONNECTING, /* ACTION_CONNECT is out */
    PEER_GREETING,   /* connected, its handshake is awaited */
    PEER_OPEN,       /* both handshakes are done */
    PEER_CLOSING,    /* judged; freed at the next safe place */
};

/* A block that we asked this peer for. */
struct peer_request {
    piece_index piece;
    uint32_t block;
    int64_t sent_ns;
    bool lost; /* timed out, cancelled or choked: the picker does not count on it any more, but the
                  peer may still answer, and under the fast extension (BEP 6) must */
};

/* Our requests in the order in which they were sent; mostly taken from the front. */
struct peer_requests {
    struct peer_request *items;
    uint32_t first, count, capacity;
};

/* A block on its way in: where the payload of the piece message at hand goes. */
struct peer_arrival {
    bool asked; /* a request of ours is answered */
    piece_index piece;
    uint32_t block;
    uint32_t length; /* of the whole block */
    uint32_t received;
    block_id target; /* BLOCK_NONE: nobody wants it, the bytes are dropped */
    int64_t requested_ns;
    bool counted; /* the pipeline counts it as outstanding */
};

/* Messages of holepunch (BEP 55) since `since_ns`. */
struct holepunch_counts {
    int64_t since_ns;
    uint8_t asked_of_us;                        /* we are the relay: rendezvous, */
    uint8_t told_by_us[LIMIT_HOLEPUNCH_GROUPS]; /* connect, for each group of askers */
    uint8_t asked_by_us, told_to_us;            /* it is */
};

struct peer {
    conn_id conn;
    struct swarm *swarm;
    struct address address;   /* where the connection goes */
    struct address listen;    /* where the peer listens, when known: port 0 if not */
    struct address elsewhere; /* by the other family, when known (swarm_families.c) */
    bool elsewhere_waits;     /* it was connected to as well: the list has it as connected */
    bool is_second;           /* who waits so */
    uint32_t slot;            /* dense number in the swarm, reused */
    uint8_t phase;            /* enum peer_phase */
    uint8_t mse;              /* enum peer_mse */
    bool inbound;
    bool is_utp;               /* of one that we went out to; else its conn says so */
    bool by_utp;               /* it is to be reached by uTP alone (BEP 55) */
    enum freshet_error reason; /* why it is closing */
    uint8_t peer_id[20];

    bool fast, extended, v2; /* agreed in the handshakes */
    bool dht;                /* it has a DHT node (BEP 5) */
    bool am_choking, am_interested, peer_choking, peer_interested;
    bool upload_only; /* BEP 21 */
    bool optimistic;
    bool paused;      /* ACTION_RECEIVE_PAUSE holds: over a download limit */
    bool want_pause;  /* what it should be */
    bool joined;      /* availability counts its pieces */
    bool connect_due; /* ACTION_CONNECT is to be said */
    bool held;        /* waits for upload tokens */
    struct bitfield has;

    struct wire_handshake_reader greeting;
    struct wire_stream stream;
    uint8_t extension_ids[WIRE_EXTENSIONS_MAX];
    char client[CLIENT_NAME_SIZE];

    struct buffer out;     /* protocol bytes not yet given to the host */
    struct buffer sending; /* those of the send in flight */
    bool send_busy;
    uint32_t sending_payload; /* payload bytes of the send in flight still to be confirmed */
    uint32_t sending_header;

    struct peer_requests requests;
    struct request_pipeline pipeline;
    struct peer_arrival arrival;
    struct upload_queue uploads;
    uint32_t allowed_in[LIMIT_ALLOWED_FAST * 2]; /* pieces that we may request while choked */
    uint32_t allowed_in_count;
    uint32_t allowed_out[LIMIT_ALLOWED_FAST]; /* pieces that it may request while choked */
    uint32_t allowed_out_count;
    uint32_t allowed_out_served; /* blocks served so; bounded */
    uint32_t suggested[8];       /* BEP 6, the latest */
    uint32_t suggested_count;
    uint32_t invalid_requests, excess_requests;
    uint32_t rejects_in_a_row; /* of our requests, while it does not choke us */
    uint64_t metadata_sent;    /* bytes of the info dictionary (BEP 9) */
    struct pex pex;            /* what each side told of other peers */
    struct holepunch_counts holepunch;
    uint32_t nuisances; /* changes of mind, cancels, repeats since the last choking round */

    struct rate_meter up; /* payload; down is pipeline.rate */
    struct bandwidth upload_limit, download_limit;
    uint64_t downloaded, uploaded;
    int64_t connected_ns, last_received_ns, last_sent_ns, last_useful_ns, choked_ns;

    struct list_node in_swarm; /* of all peers, in order of arrival */
    struct list_node in_ready; /* of those that have output */
};

/* Appends to the requests. */
void peer_requests_add(struct peer_requests *requests, struct peer_request request);
/* Takes the request for the block out; false when there is none. */
bool peer_requests_take(struct peer_requests *requests, piece_index piece, uint32_t block,
                        struct peer_request *ret_request);
/* The entry of a request that was given up and is still owed an answer; NULL: none. */
struct peer_request *peer_requests_find_lost(struct peer_requests *requests, piece_index piece,
                                             uint32_t block);
struct peer_request *peer_requests_at(struct peer_requests *requests, uint32_t index);
void peer_requests_clear(struct peer_requests *requests);

/* May the peer be asked for pieces that it lists as allowed fast although it chokes us? */
bool peer_allows_fast(const struct peer *peer, piece_index piece);
bool peer_is_seed(const struct peer *peer);
/* Either way. */
bool peer_is_over_utp(const struct peer *peer);
/* Where others can reach it; family ADDRESS_NONE when that is not known. */
const struct address *peer_listens(const struct peer *peer);
/* Are there bytes for ACTION_SEND? Payload is not counted. */
bool peer_has_bytes(const struct peer *peer);

struct peer *peer_new(struct swarm *swarm, conn_id conn, const struct address *address,
                      uint32_t slot, uint32_t piece_count, int64_t now);
void peer_free(struct peer *peer);

#endif
