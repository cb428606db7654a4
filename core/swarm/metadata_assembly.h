/* SPDX-License-Identifier: MIT */
/*
 * An info dictionary on its way in (BEP 9): 16 KiB blocks of one claimed size, who was asked for
 * each and who gave it. Memory grows with what has come, not with what was claimed. Knows peers as
 * slots and addresses. Used by metadata_swarm.
 */
#ifndef FRESHET_SWARM_METADATA_ASSEMBLY_H
#define FRESHET_SWARM_METADATA_ASSEMBLY_H

#include "core/base/address.h"
#include "core/base/error.h"
#include "core/base/limits.h"

#define METADATA_OVERDUE_NS (15 * SECOND_NS) /* then others are asked as well */

struct metadata_assembly;

/* size: 1 to LIMIT_METADATA_SIZE. */
struct metadata_assembly *metadata_assembly_new(uint32_t size);
void metadata_assembly_free(struct metadata_assembly *assembly);
uint32_t metadata_assembly_size(const struct metadata_assembly *assembly);

/* The next block to ask of the slot, noted as asked: one that nobody was asked for, else one that
 * is overdue from another. false: none. */
bool metadata_assembly_next(struct metadata_assembly *assembly, uint32_t slot, int64_t now,
                            uint32_t *ret_block);
/* A block that the slot owes for long and nobody else was asked for since: it is asked once more.
 * It may have been overlooked. false: none. */
bool metadata_assembly_renew(struct metadata_assembly *assembly, uint32_t slot, int64_t now,
                             uint32_t *ret_block);
/* Takes a block that the slot was asked for, though another was asked since: where everybody is
 * slow each answer would come too late. `giver` is remembered. OK; NOT_FOUND: it was not asked of
 * the slot (or two were since), or is there already; RANGE: its length is not the block's. */
enum freshet_error metadata_assembly_put(struct metadata_assembly *assembly, uint32_t slot,
                                         const struct address *giver, uint32_t block,
                                         struct bytes bytes);
/* The slot said no to the block, or to all (it has left): somebody else may be asked. */
void metadata_assembly_reject(struct metadata_assembly *assembly, uint32_t slot, uint32_t block);
void metadata_assembly_release(struct metadata_assembly *assembly, uint32_t slot);
/* How many blocks the slot owes. */
uint32_t metadata_assembly_asked(const struct metadata_assembly *assembly, uint32_t slot);
/* When the next block becomes overdue; INT64_MAX: none is asked for. */
int64_t metadata_assembly_deadline(const struct metadata_assembly *assembly);
uint32_t metadata_assembly_bytes(const struct metadata_assembly *assembly); /* that are there */
bool metadata_assembly_is_complete(const struct metadata_assembly *assembly);
/* Appends the whole dictionary; only when complete. */
void metadata_assembly_read(const struct metadata_assembly *assembly, struct buffer *out);
/* The one address that gave every block; NULL: several did. Only when complete. */
const struct address *metadata_assembly_sole_giver(const struct metadata_assembly *assembly);
void metadata_assembly_check(const struct metadata_assembly *assembly);

#endif
