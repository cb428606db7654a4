/* SPDX-License-Identifier: MIT */
/*
 * Which block to ask of which peer (BEP 3; Cohen 2003). One picker a downloading torrent; a seeding
 * one has none. It knows pieces, blocks and peer slots, nothing of sockets or peers.
 *
 * Commandments, in this order
 *   0. What somebody waits for (PIECE_PRIORITY_NOW, then SOON), in order of index, before all else:
 *      also a new piece before an open one, and when no block of NOW is free, one that another peer
 *      has owed for PIECE_PICKER_URGENT_SLOW_NS; of these at most PIECE_PICKER_DRY a pick.
 *   1. Higher priority before lower; priority 0 is never begun.
 *   2. Strict priority: blocks of pieces already open before new pieces (a fast peer prefers a
 *      piece of its own, see whole_pieces).
 *   3. The first PIECE_PICKER_RANDOM_FIRST pieces at random: a newcomer needs something to trade.
 *   4. Then the rarest, at random among equals. (Or in order of index, in sequential mode.)
 *   5. Nobody is asked twice for a block, and no block is asked of two peers, except
 *      - end game: every missing block of the torrent is requested; a peer that runs dry (fewer
 *        than PIECE_PICKER_DRY requests out) may then be given blocks that others have been asked
 *        for, at most PIECE_PICKER_REQUESTERS_MAX peers a block;
 *      - the same for a block that was requested before `slow_before_ns` of a peer, when there is
 *        nothing else for the one that asks: a slow peer does not hold a piece up.
 *
 * Life of a piece:  closed --pick--> open --all blocks received--> in memory --verified--> had
 *                      ^------------------ failed, forgotten, lost -----------------------'
 * Life of a block of an open piece:  free --pick--> requested by 1..3 slots --> received
 *                                      ^----- abort of the last of them ----'
 *
 * Pieces of no payload block (padding alone) are never picked: the swarm hands them to storage
 * itself. Counts moves O(1) per HAVE; a pick costs O(blocks given + a few).
 */
#ifndef FRESHET_SWARM_PIECE_PICKER_H
#define FRESHET_SWARM_PIECE_PICKER_H

#include "core/base/address.h"
#include "core/base/bitfield.h"
#include "core/metainfo/geometry.h"
#include "core/swarm/availability.h"
#include "core/swarm/torrent.h"

/* Slots: peers have [0, LIMIT_PEERS_PER_TORRENT), web seed i has LIMIT_PEERS_PER_TORRENT + i. */
#define PIECE_PICKER_SLOTS          (LIMIT_PEERS_PER_TORRENT + LIMIT_WEB_SEEDS_MAX)
#define PIECE_PICKER_SLOT_NONE      UINT32_MAX
#define PIECE_PICKER_REQUESTERS_MAX 3u
#define PIECE_PICKER_RANDOM_FIRST   4u
#define PIECE_PICKER_DRY            4u
#define PIECE_PRIORITY_NORMAL       4u
/* Above those that a person gives to files: pieces that are read while they come. */
#define PIECE_PRIORITY_SOON         8u
#define PIECE_PRIORITY_NOW          9u
#define PIECE_PICKER_URGENT_SLOW_NS (5 * SECOND_NS) /* more than a line of requests is deep */

struct piece_picker;

struct piece_picker_options {
    const struct geometry *geometry; /* borrowed, outlives the picker */
    uint64_t seed;
    const struct bitfield *have; /* verified pieces at the start, or NULL: none */
    const uint8_t *priorities;   /* per piece, 0..7; NULL: all PIECE_PRIORITY_NORMAL (copied) */
    bool sequential;
};

struct piece_picker *piece_picker_new(const struct piece_picker_options *options);
void piece_picker_free(struct piece_picker *picker);

/* ---- who has what. `has` is always the peer's own bitfield, borrowed during the call. ---- */

/* The peer's bitfield (have-all, have-none) is known; before that it counts as having nothing. A
 * full one counts as a seed, O(1). Once per stay of a slot. */
void piece_picker_peer_joined(struct piece_picker *picker, uint32_t slot,
                              const struct bitfield *has);
/* HAVE: the bit has just been set in `has` (and was clear before). */
void piece_picker_peer_have(struct piece_picker *picker, uint32_t slot, piece_index piece,
                            const struct bitfield *has);
/* lt_donthave (BEP 54): the bit has just been cleared in `has` (and was set before). */
void piece_picker_peer_lost(struct piece_picker *picker, uint32_t slot, piece_index piece,
                            const struct bitfield *has);
/* The peer is gone: its counts go, and what is still requested of it is aborted. Fine for a slot
 * that never joined (`has` may then be NULL). */
void piece_picker_peer_left(struct piece_picker *picker, uint32_t slot, const struct bitfield *has);
/* Has the peer a piece that we want (priority > 0, not had)? O(1) mostly: a witness is cached. */
bool piece_picker_is_interesting(struct piece_picker *picker, uint32_t slot,
                                 const struct bitfield *has);

/* ---- picking ---- */

struct block_pick {
    piece_index piece;
    uint32_t block;  /* index in the piece */
    uint32_t begin;  /* block * LIMIT_BLOCK_SIZE */
    uint32_t length; /* of the request */
    bool duplicate;  /* another peer has been asked for it too */
};

struct pick_options {
    int64_t now;
    const struct bitfield *has;
    /* Only these pieces: the allowed-fast set while the peer chokes us (BEP 6). */
    const piece_index *only;
    uint32_t only_count;
    bool only_these; /* `only` holds, even when it is empty */
    /* Tried first among new pieces: BEP 6 suggestions. */
    const piece_index *suggested;
    uint32_t suggested_count;
    bool open_new;     /* false: only blocks of pieces already open (memory is short) */
    bool whole_pieces; /* a fast peer: its own open pieces, new ones, then those of others */
    /* Blocks asked of others before this time may be asked of this peer as well, when there is
     * nothing else for it. INT64_MIN: never. */
    int64_t slow_before_ns;
};

/* Up to `count` blocks to request of the peer now; they are marked as requested by it at `now`.
 * Returns how many. */
uint32_t piece_picker_pick(struct piece_picker *picker, uint32_t slot,
                           const struct pick_options *options, struct block_pick *ret_picks,
                           uint32_t count);
/* The free blocks of one piece, closed or open, marked as requested of the slot (web seeds). 0 when
 * the piece is had, in memory or unwanted. */
uint32_t piece_picker_pick_piece(struct piece_picker *picker, uint32_t slot, piece_index piece,
                                 int64_t now, struct block_pick *ret_picks, uint32_t count);
/* Is a closed wanted piece in `has`? O(pieces / 64). */
bool piece_picker_can_open(const struct piece_picker *picker, const struct bitfield *has);
/* The longest run of closed wanted pieces (BEP 19 prefers long gaps). false: there is none.
 * O(pieces). */
bool piece_picker_longest_gap(const struct piece_picker *picker, piece_index *ret_first,
                              uint32_t *ret_count);
/* The first run of them among the pieces in `has`. */
bool piece_picker_first_gap(const struct piece_picker *picker, const struct bitfield *has,
                            piece_index *ret_first, uint32_t *ret_count);
/* The first run of urgent ones (PIECE_PRIORITY_SOON and above) among them, as far as they are. */
bool piece_picker_urgent_gap(const struct piece_picker *picker, piece_index *ret_first,
                             uint32_t *ret_count);
/* A request is lost (choke, reject, timeout, cancel): the block is free again unless another peer
 * has been asked too. false, and nothing done, when it was not requested of this slot. */
bool piece_picker_abort(struct piece_picker *picker, uint32_t slot, piece_index piece,
                        uint32_t block);
/* All requests of a slot. O(open blocks). */
void piece_picker_abort_all(struct piece_picker *picker, uint32_t slot);

/* Is this block still of use: the piece wanted or open, and the block not received? Asked when the
 * header of a piece message is in, to decide whether its payload gets memory. */
bool piece_picker_needs(const struct piece_picker *picker, piece_index piece, uint32_t block);

struct block_receipt {
    bool accepted; /* the picker keeps the memory; false: useless (received already, piece had or
                      never wanted), the caller keeps its memory and counts the bytes as wasted */
    bool piece_complete; /* hand the piece to storage: piece_picker_memory */
    uint32_t cancel_count;
    uint32_t cancels[PIECE_PICKER_REQUESTERS_MAX]; /* other slots asked for it: send CANCEL; they
                                                      are no longer counted as asked */
};

/* A whole block has arrived from `slot` (asked for or late after an abort) and lies in `memory`.
 * `sender` is remembered for blame. */
void piece_picker_received(struct piece_picker *picker, uint32_t slot, piece_index piece,
                           uint32_t block, const struct address *sender, block_id memory,
                           struct block_receipt *ret_receipt);
/* The memory of an open piece's blocks (BLOCK_NONE where not received); ret_count: how many blocks
 * the piece has. Borrowed until the next call. NULL when the piece is not open. */
const block_id *piece_picker_memory(const struct piece_picker *picker, piece_index piece,
                                    uint32_t *ret_count);
/* Who sent a block of an open piece; NULL when it is not received. Borrowed until the next call. */
const struct address *piece_picker_sender(const struct piece_picker *picker, piece_index piece,
                                          uint32_t block);

/* ---- verdicts of storage. The memory of the piece's blocks is no longer the picker's. ---- */

/* Also for pieces that were never open here (found on the disk). What is still requested in it is
 * forgotten without cancels; late arrivals are then not accepted. */
void piece_picker_piece_verified(struct piece_picker *picker, piece_index piece);
/* Its hash was wrong: closed again, all blocks free. Ask for the senders before. */
void piece_picker_piece_failed(struct piece_picker *picker, piece_index piece);
/* It was had and is not any more (file changed, disk error). Fine for a piece that was not had. */
void piece_picker_piece_lost(struct piece_picker *picker, piece_index piece);

/* When memory is short: an open piece with received blocks that nobody is asked for or waits for,
 * the emptiest; false when there is none. To give it up: release the memory of its blocks, then
 * forget it. */
bool piece_picker_victim(const struct piece_picker *picker, piece_index *ret_piece);
/* An open piece that is not in memory is closed again; its requests are forgotten. */
void piece_picker_forget(struct piece_picker *picker, piece_index piece);

/* ---- wishes ---- */

/* 0..7, or one of the two above. An open piece is finished even when it becomes 0. */
void piece_picker_set_priority(struct piece_picker *picker, piece_index piece, uint8_t priority);
void piece_picker_set_sequential(struct piece_picker *picker, bool sequential);

/* ---- questions ---- */

bool piece_picker_wants(const struct piece_picker *picker, piece_index piece);
bool piece_picker_is_open(const struct piece_picker *picker, piece_index piece);
const struct availability *piece_picker_availability(const struct piece_picker *picker);

struct piece_picker_counts {
    uint32_t wanted;           /* pieces of priority > 0 that are not had */
    uint32_t closed;           /* of them, not open */
    uint32_t open;             /* open pieces, those in memory included */
    uint32_t in_memory;        /* complete, waiting for their verdict */
    uint32_t blocks_received;  /* blocks of pool memory held by open pieces */
    uint32_t blocks_requested; /* blocks asked of somebody and not received */
    bool end_game;             /* every missing block of a wanted piece is requested */
};
void piece_picker_count(const struct piece_picker *picker, struct piece_picker_counts *ret_counts);
/* Requests that are out at this slot. */
uint32_t piece_picker_outstanding(const struct piece_picker *picker, uint32_t slot);
/* Open pieces, those with free blocks first and those that wait for their verdict last, up to
 * `max`; `slots`: the address of each of the PIECE_PICKER_SLOTS. Returns how many. O(open blocks),
 * of which there are no more than the pool has. */
uint32_t piece_picker_fetches(const struct piece_picker *picker, const struct address *slots,
                              struct piece_fetch *ret_fetches, uint32_t max);
void piece_picker_check(const struct piece_picker *picker);

#endif
