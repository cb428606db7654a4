/* SPDX-License-Identifier: MIT */
/*
 * Super-seeding (BEP 16): a seed that wants one copy out with little upload says that it has
 * nothing and then shows each peer one piece at a time, the rarest, and another only when the last
 * one has been seen at somebody else. Knows slots and pieces; the swarm sends the HAVEs.
 */
#ifndef FRESHET_SWARM_SUPER_SEED_H
#define FRESHET_SWARM_SUPER_SEED_H

#include "core/base/bitfield.h"
#include "core/base/limits.h"

#define SUPER_SEED_NONE       UINT32_MAX
#define SUPER_SEED_PATIENCE_S 60u
#define SUPER_SEED_HURRY_S    5u /* after one that was not spread, until one is */

struct super_seed;

struct super_seed *super_seed_new(uint32_t piece_count, uint64_t seed);
void super_seed_free(struct super_seed *super_seed);
/* A peer's bitfield is known (send it have-none or no bitfield). Returns the piece to show it with
 * a HAVE, or SUPER_SEED_NONE. */
uint32_t super_seed_peer_joined(struct super_seed *super_seed, uint32_t slot,
                                const struct bitfield *has);
/* The peer said HAVE; the bit has just been set in `has`. *ret_slot is the peer that earned another
 * piece by it (maybe SUPER_SEED_NONE): then ask super_seed_next for that slot. */
void super_seed_peer_have(struct super_seed *super_seed, uint32_t slot, uint32_t piece,
                          uint32_t *ret_slot);
/* Once a second. */
void super_seed_tick(struct super_seed *super_seed);
/* A peer whose piece has not been seen at anybody else for SUPER_SEED_PATIENCE_S (or _HURRY_S): it
 * may not want it, or nobody near it does. It has no task now: ask super_seed_next.
 * SUPER_SEED_NONE: none. */
uint32_t super_seed_take_overdue(struct super_seed *super_seed);
/* The peer has lost a piece that it had (lt_donthave, BEP 54). */
void super_seed_peer_lost(struct super_seed *super_seed, uint32_t slot, uint32_t piece);
/* The next piece to show to the slot, whose bitfield is `has`; SUPER_SEED_NONE: it has all. */
uint32_t super_seed_next(struct super_seed *super_seed, uint32_t slot, const struct bitfield *has);
/* `has`: NULL when it never joined. A piece that only this peer was shown is free for others. */
void super_seed_peer_left(struct super_seed *super_seed, uint32_t slot, const struct bitfield *has);
/* May the slot be served this piece, or is it one that it was never shown? */
bool super_seed_is_shown(const struct super_seed *super_seed, uint32_t slot, uint32_t piece);
/* Every piece is at some peer besides us: super-seeding has done its work. */
bool super_seed_is_done(const struct super_seed *super_seed);

#endif
