/* SPDX-License-Identifier: MIT */
/*
 * How many connected peers have each piece. Peers that have everything (seeds, BEP 19 web seeds)
 * are one number beside the table, so that a seed coming or going is O(1). Embedded in the piece
 * picker; also what "how many copies are out there" is answered from.
 */
#ifndef FRESHET_SWARM_AVAILABILITY_H
#define FRESHET_SWARM_AVAILABILITY_H

#include "core/base/bitfield.h"

struct availability {
    uint16_t *counts; /* per piece: peers that have it, seeds not counted */
    uint32_t piece_count;
    uint32_t seeds;
};

void availability_init(struct availability *availability, uint32_t piece_count);
void availability_deinit(struct availability *availability);
/* One peer more (or fewer) has the piece. Return the new count. */
uint32_t availability_add(struct availability *availability, uint32_t piece);
uint32_t availability_remove(struct availability *availability, uint32_t piece);
/* Peers with the piece, seeds included. */
uint32_t availability_of(const struct availability *availability, uint32_t piece);
/* Whole copies in the swarm (our own not counted) in thousandths: the count of the rarest piece,
 * plus the share of pieces that are commoner than it. O(pieces): for people to look at. */
uint32_t availability_copies_permille(const struct availability *availability);

#endif
