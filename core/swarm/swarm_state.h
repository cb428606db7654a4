/* SPDX-License-Identifier: MIT */
/*
 * The inside of a swarm, shared by the swarm_*.c files and by nobody else.
 *
 * Life of a peer in here: swarm_peers makes it and is the only one that ends it. A handler that
 * finds fault calls swarm_peers_close, which takes the peer out of everything at once; its memory
 * lives on in the graveyard until the present input, tick or output returns, so that callers up the
 * stack only need to look at peer->phase.
 */
#ifndef FRESHET_SWARM_SWARM_STATE_H
#define FRESHET_SWARM_SWARM_STATE_H

#include "core/storage/storage.h"
#include "core/swarm/blame.h"
#include "core/swarm/choker.h"
#include "core/swarm/hash_answer.h"
#include "core/swarm/peer.h"
#include "core/swarm/piece_picker.h"
#include "core/swarm/super_seed.h"
#include "core/swarm/swarm.h"
#include "core/swarm/web_seed.h"

#define SWARM_NOTICES_MAX   256
#define SWARM_RESTING_LOOKS 100 /* a second, at the files of all torrents that nobody asks for */

struct swarm {
    struct swarm_shared *shared;
    torrent_id id;
    struct metainfo *metainfo;
    char *root;
    enum torrent_phase phase, phase_told; /* told: to trackers */
    enum freshet_error error;
    int64_t now;

    struct storage *storage;
    struct piece_picker *picker; /* NULL unless downloading */
    struct choker choker;
    struct blame *blame;
    struct peer_list *candidates;
    struct web_seed *web_seeds;    /* NULL when it names none */
    struct super_seed *super_seed; /* NULL unless asked for */
    struct bandwidth upload_limit, download_limit;
    struct piece_window *windows; /* what is read while it comes; NULL: nothing */
    uint32_t window_count;
    uint32_t reserved_pieces; /* open pieces that the pool has set room aside for */
    uint32_t reserved_blocks; /* of one of them */

    struct list peers;       /* struct peer.in_swarm */
    struct list ready_peers; /* struct peer.in_ready */
    /* LIMIT_PEERS_PER_TORRENT, NULL: free. While there is no peer one array is all swarms', and
     * never written. */
    struct peer **slots;
    uint32_t upload_slots, peers_max; /* as asked for; 0: the engine's */
    enum transport transport;         /* of its peers' connections (torrent_transport.h) */
    struct list graveyard;            /* struct peer.in_swarm */
    conn_id *closes;                  /* connections that the host is to close */
    uint32_t closes_count, closes_capacity;

    bool read_only; /* what is missing stays missing: it could not be written */
    bool sequential, seed_by_download, just_completed, closing, closed, paused;
    bool releasing;              /* all peers are let go, for no fault of theirs */
    bool disk_full;              /* storage holds its writes: nothing new is asked for */
    int64_t held_ns;             /* when peers that wait for tokens may try again; HEAP_NEVER */
    int64_t tick_ns;             /* the next second's walk over peers; HEAP_NEVER when none */
    int64_t seed_ratio_permille; /* of the wanted bytes; < 0: no goal */
    int64_t seed_time_ns;        /* < 0: no goal */
    int64_t seeding_since_ns;
    uint64_t uploaded_before, downloaded_before;    /* earlier runs, from the record */
    uint64_t uploaded, downloaded, wasted, corrupt; /* this run, payload */
    uint64_t checked_bytes;
    uint64_t wanted_bytes;
    struct file_range *send_ranges; /* of the ACTION_SEND last given; as many as it needed */
    uint32_t send_ranges_capacity;
    struct rate_meter down, up;
    uint64_t told_uploaded, told_downloaded; /* to storage */

    struct swarm_recent *recent; /* peers that left; NULL: nobody yet */

    struct list hash_waits; /* requests for hashes that wait for leaves */
    uint64_t hashing_bytes; /* of pieces that are hashed for them */
    struct hash_answer_upper hash_upper;

    struct notice *notices; /* a ring */
    uint32_t notices_first, notices_count, notices_capacity;
    struct list_node in_ready;
};

/* swarm.c */
void swarm_wake(struct swarm *swarm);
void swarm_tell(struct swarm *swarm, struct notice notice);
bool swarm_wants_pieces(const struct swarm *swarm);

/* swarm_peers.c */
void swarm_peers_open(struct swarm *swarm, struct peer *peer);
void swarm_peers_close(struct peer *peer, enum freshet_error reason, bool host_knows);
void swarm_peers_close_all(struct swarm *swarm, enum freshet_error reason);
/* Those that the filter has; were there any? */
bool swarm_peers_close_filtered(struct swarm *swarm, const struct ip_filter *filter);
void swarm_peers_bury(struct swarm *swarm);
void swarm_peers_connect(struct swarm *swarm);
/* By uTP alone, and now; if it may be. */
void swarm_peers_dial_utp(struct swarm *swarm, const struct address *address);
void swarm_peers_tick(struct swarm *swarm);
void swarm_peers_wake(struct peer *peer);
void swarm_peers_connected(struct peer *peer);
void swarm_peers_greet(struct peer *peer, struct bytes *bytes);

struct peer **swarm_peers_no_slots(void);
/* Closes those that it does not allow any more. */
void swarm_peers_set_transport(struct swarm *swarm, enum transport transport);
/* Has it as many as it may have? */
bool swarm_peers_are_enough(const struct swarm *swarm);

/* swarm_messages.c */
void swarm_messages_received(struct peer *peer, struct event *event);
void swarm_messages_silent(struct peer *peer);
/* Super-seeding, once a second: who waits too long is shown another piece. */
void swarm_messages_show_overdue(struct swarm *swarm);

/* swarm_pex.c */
/* Are peers told of other peers here? */
bool swarm_pex_is_on(const struct swarm *swarm);
void swarm_pex_received(struct peer *peer, struct bytes payload);
/* Once a second. */
void swarm_pex_tick(struct swarm *swarm);
/* It goes, and not for a fault of its own: others may hear of it for a while yet. */
void swarm_pex_left(struct peer *peer);

/* swarm_holepunch.c */
bool swarm_holepunch_is_on(const struct swarm *swarm);
void swarm_holepunch_received(struct peer *peer, struct bytes payload);
/* The peer, by peer exchange: it is connected to that one, and both know how to. */
void swarm_holepunch_told(struct peer *peer, const struct address *address);
/* It could not be connected to. */
void swarm_holepunch_unreached(struct peer *peer);

/* swarm_families.c */
/* What a peer's handshake tells of its other address. */
void swarm_families_told(struct peer *peer, const struct wire_extension_handshake *handshake);
/* Somebody is refused because another connection has its peer id; true: it is the same peer by its
 * other address, which waits until the one that is `here` leaves. */
bool swarm_families_wait(struct peer *peer, struct peer *here);
/* A peer leaves; is_broken: for no fault that we found. */
void swarm_families_left(struct peer *peer, bool is_broken);

/* swarm_requests.c */
void swarm_requests_update_interest(struct peer *peer);
void swarm_requests_fill(struct peer *peer);
void swarm_requests_fill_all(struct swarm *swarm);
void swarm_requests_abort_all(struct peer *peer);
void swarm_requests_unchoked(struct peer *peer);
void swarm_requests_rejected(struct peer *peer, const struct wire_message *message);
void swarm_requests_piece_head(struct peer *peer, const struct wire_message *message);
void swarm_requests_payload(struct peer *peer, uint32_t length);
void swarm_requests_tick(struct peer *peer);
void swarm_requests_drop_arrival(struct peer *peer);
void swarm_requests_account(struct swarm *swarm);
void swarm_requests_drop_half(struct swarm *swarm, piece_index piece);
void swarm_requests_drop_open(struct swarm *swarm);
void swarm_requests_join(struct peer *peer);

/* A whole block lies in `memory`, from a peer or a web seed; false: it was of no use. */
bool swarm_requests_block(struct swarm *swarm, uint32_t slot, const struct address *sender,
                          piece_index piece, uint32_t block, uint32_t length, block_id memory);

/* swarm_windows.c: that of its files, or higher. */
uint8_t swarm_windows_priority(const struct swarm *swarm, piece_index piece);

/* swarm_web.c */
void swarm_web_start(struct swarm *swarm);
void swarm_web_stop(struct swarm *swarm);
/* What became of servers goes out as notices. */
void swarm_web_tell(struct swarm *swarm);
void swarm_web_drain(struct swarm *swarm);
bool swarm_web_input(struct swarm *swarm, const struct event *event);
int64_t swarm_web_deadline(const struct swarm *swarm);

/* swarm_limits.c */
void swarm_limits_place(struct swarm *swarm, const struct torrent_share *share);

/* swarm_uploads.c */
void swarm_uploads_request(struct peer *peer, const struct wire_message *message);
void swarm_uploads_cancel(struct peer *peer, const struct wire_message *message);
void swarm_uploads_choked(struct peer *peer);
bool swarm_uploads_output(struct peer *peer, struct action *ret_action);
void swarm_uploads_sent(struct peer *peer, uint32_t length, bool done);
void swarm_uploads_piece_lost(struct swarm *swarm, piece_index piece);

/* swarm_metadata.c */
bool swarm_metadata_is_offered(const struct swarm *swarm);
void swarm_metadata_received(struct peer *peer, struct bytes payload);

/* swarm_hashes.c */
void swarm_hashes_request(struct peer *peer, const struct wire_hash_range *range);
/* Leaves of a piece that was asked for; NULL: they could not be had. */
void swarm_hashes_leaves(struct swarm *swarm, piece_index piece, const uint8_t *leaves);
void swarm_hashes_peer_left(struct peer *peer);

/* swarm_choking.c */
void swarm_choking_round(struct swarm *swarm);
void swarm_choking_interested(struct peer *peer);
void swarm_choking_slot_free(struct swarm *swarm);

/* swarm_pieces.c */
void swarm_pieces_drain(struct swarm *swarm);
void swarm_pieces_start(struct swarm *swarm);
void swarm_pieces_judge_bans(struct swarm *swarm);

#endif
