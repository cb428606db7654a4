/* SPDX-License-Identifier: MIT */
/*
 * Who sent bad data, and who is no longer welcome. Works per address (the port does not count) and
 * is bounded: full tables forget the oldest.
 *
 *   - The sole sender of a piece that fails is banned at once.
 *   - Of several, each loses BLAME_BAD points of trust, and what each block hashed to is kept. When
 *     the piece later verifies, the senders of blocks that were different are the poisoners:
 * banned.
 *   - Who shares pieces with a poisoner loses trust with every one of them. It is not banned for
 *     want of trust while their good leaves, which prove who it was, are still to come, unless it
 *     is in BLAME_PENDING_MAX such pieces at once: then somebody keeps the proof from coming.
 *   - Each verified piece gives its senders one point, up to BLAME_TRUST_MAX; at BLAME_TRUST_BAN a
 *     sender is banned.
 *   - A prefix (/24 of IPv4, /64 of IPv6) with BLAME_PREFIX_BANS banned addresses is quarantined.
 */
#ifndef FRESHET_SWARM_BLAME_H
#define FRESHET_SWARM_BLAME_H

#include "core/base/address.h"
#include "core/door/door.h"

#define BLAME_TRUST_MAX     8
#define BLAME_TRUST_BAN     (-7)
#define BLAME_BAD           2
#define BLAME_PREFIX_BANS   3u
#define BLAME_PENDING_MAX   16u
#define BLAME_PIECES_MAX    64u    /* failed pieces remembered */
#define BLAME_BLOCKS_MAX    65536u /* and their blocks in all */
#define BLAME_ADDRESSES_MAX 2048u  /* with trust */
#define BLAME_BANS_MAX      4096u

struct blame;

struct blame *blame_new(uint64_t seed);
void blame_free(struct blame *blame);

/* The piece did not verify. senders[i] sent block i, leaves + 32*i is its SHA-256 (leaves may be
 * NULL: then only trust is judged). Arrays are copied. */
void blame_piece_failed(struct blame *blame, piece_index piece, const struct address *senders,
                        const uint8_t *leaves, uint32_t block_count);
/* Does a record of the piece wait for its good leaves? Then storage_put_piece with want_leaves. */
bool blame_wants_leaves(const struct blame *blame, piece_index piece);
/* The piece is good. `leaves` may be NULL when blame_wants_leaves said no. */
void blame_piece_verified(struct blame *blame, piece_index piece, const struct address *senders,
                          const uint8_t *leaves, uint32_t block_count);
/* Proven guilty otherwise (a block that contradicts a known leaf, a protocol abuse). */
void blame_ban(struct blame *blame, const struct address *address);
/* The next address banned since the last call, for disconnecting it and telling; false: none. */
bool blame_next_ban(struct blame *blame, struct address *ret_address);
/* Banned itself, or in a quarantined prefix. O(1). */
bool blame_is_banned(const struct blame *blame, const struct address *address);
int32_t blame_trust(const struct blame *blame, const struct address *address);
void blame_check(const struct blame *blame);

#endif
