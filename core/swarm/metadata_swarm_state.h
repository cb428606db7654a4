/* SPDX-License-Identifier: MIT */
/*
 * The inside of a metadata_swarm, shared by the metadata_swarm*.c files and by nobody else. A
 * peer's end is as in a swarm: metadata_swarm_peers_close takes it out of everything at once, its
 * memory waits in the graveyard until the present call returns.
 */
#ifndef FRESHET_SWARM_METADATA_SWARM_STATE_H
#define FRESHET_SWARM_METADATA_SWARM_STATE_H

#include "core/swarm/layer_fetch.h"
#include "core/swarm/metadata_assembly.h"
#include "core/swarm/metadata_swarm.h"
#include "core/swarm/torrent_transport.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_stream.h"

#define METADATA_PEERS_MAX    50u
#define METADATA_REQUESTS_MAX 2u               /* open blocks, and open hash requests, of a peer */
#define METADATA_REFUSED_NS   (30 * SECOND_NS) /* after a reject, until the peer is asked again */
#define METADATA_STALL_NS     (45 * SECOND_NS) /* without a block: then another size has its turn */
#define METADATA_BLOCK_NS     (2 * SECOND_NS)  /* what a block adds to a turn */
#define METADATA_USELESS_NS   (120 * SECOND_NS) /* a peer without metadata may stay so long */
#define METADATA_SIZES_MAX    16u               /* that came to nothing and are remembered */
#define METADATA_BANS_MAX     64u               /* that are told, and outlive the metadata swarm */

enum metadata_stage {
    METADATA_INFO,   /* the dictionary is fetched */
    METADATA_LAYERS, /* it is there; piece layers are fetched */
    METADATA_DONE,   /* to be taken, or taken */
    METADATA_FAILED, /* it is what the hash says and cannot be used */
};

enum metadata_peer_phase {
    METADATA_PEER_CONNECTING,
    METADATA_PEER_GREETING,
    METADATA_PEER_OPEN,
    METADATA_PEER_CLOSING,
};

struct metadata_peer {
    conn_id conn;
    struct metadata_swarm *swarm;
    struct address address, listen; /* where the connection goes; where it listens, if known */
    uint32_t slot;
    uint8_t phase; /* enum metadata_peer_phase */
    uint8_t mse;   /* enum peer_mse */
    bool inbound, connect_due, send_busy;
    bool is_utp;
    bool fast, extended, v2; /* agreed in the handshakes */
    uint8_t peer_id[20];
    uint8_t extension_ids[WIRE_EXTENSIONS_MAX];
    char client[CLIENT_NAME_SIZE];
    uint32_t size;            /* of the dictionary, as it says; 0: it has none */
    int64_t refused_until_ns; /* it said no */
    struct wire_handshake_reader greeting;
    struct wire_stream stream;
    struct buffer out, sending;
    int64_t since_ns, received_ns, sent_ns; /* of the present phase; of any bytes */
    int64_t useful_ns;                      /* it opened, or gave a block or hashes */
    struct list_node in_swarm, in_ready;
};

struct metadata_swarm {
    struct swarm_shared *shared;
    torrent_id id;
    bool has_v1, has_v2;
    uint8_t info_hash_v1[20], info_hash_v2[32];
    int64_t now;
    enum metadata_stage stage;
    bool paused, releasing;
    enum transport transport; /* of its peers' connections (torrent_transport.h) */
    struct peer_list *candidates;
    struct address bans[METADATA_BANS_MAX]; /* in order, without ports; all are in candidates */
    uint32_t ban_count, bans_told;
    struct list peers, ready_peers, graveyard;
    struct metadata_peer *slots[METADATA_PEERS_MAX];
    conn_id *closes;
    uint32_t closes_count, closes_capacity;
    int64_t tick_ns;

    struct metadata_assembly *assembly; /* NULL: nobody claims a size, or it is there */
    int64_t turn_ns;                    /* when the turn of its size (or single peer) began */
    int64_t progress_ns;                /* then, or when it got a block */
    bool single;                        /* all of it from one peer: several gave a false one */
    uint32_t single_slot;
    conn_id single_conn; /* 0: nobody's turn */
    uint32_t failed_sizes[METADATA_SIZES_MAX];
    uint32_t failed_size_count;
    uint32_t hash_failures;

    struct metainfo *metainfo; /* from METADATA_LAYERS on, until it is taken */
    struct layer_fetch *layers;
    int64_t patience_ns; /* when a hybrid does without layers; a v2 torrent: HEAP_NEVER */
    enum freshet_error error;
    char reason[METAINFO_REASON_SIZE];
    struct list_node in_ready;
};

/* metadata_swarm.c */
void metadata_swarm_wake(struct metadata_swarm *swarm);
/* Every block is there. */
void metadata_swarm_judge(struct metadata_swarm *swarm);
void metadata_swarm_layers_done(struct metadata_swarm *swarm);

/* metadata_swarm_peers.c */
struct metadata_peer *metadata_swarm_peers_new(struct metadata_swarm *swarm, conn_id conn,
                                               const struct address *address);
void metadata_swarm_peers_wake(struct metadata_peer *peer);
void metadata_swarm_peers_close(struct metadata_peer *peer, bool host_knows);
void metadata_swarm_peers_close_all(struct metadata_swarm *swarm);
/* Closes those that it does not allow any more. */
void metadata_swarm_peers_set_transport(struct metadata_swarm *swarm, enum transport transport);
void metadata_swarm_peers_ban(struct metadata_swarm *swarm, const struct address *address);
void metadata_swarm_peers_bury(struct metadata_swarm *swarm);
void metadata_swarm_peers_connect(struct metadata_swarm *swarm);
void metadata_swarm_peers_tick(struct metadata_swarm *swarm);
void metadata_swarm_peers_connected(struct metadata_peer *peer);
void metadata_swarm_peers_greet(struct metadata_peer *peer, struct bytes *bytes);

/* metadata_swarm_messages.c */
void metadata_swarm_messages_received(struct metadata_peer *peer, struct event *event);
/* Asks whom there is something to ask of. */
void metadata_swarm_messages_ask(struct metadata_swarm *swarm);
void metadata_swarm_messages_put_extension_handshake(struct metadata_peer *peer);

#endif
