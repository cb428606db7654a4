/* SPDX-License-Identifier: MIT */
/*
 * A set of piece indices, one bit each, in the wire's order: piece 0 is the high bit of byte 0, and
 * the spare bits of the last byte are zero (BEP 3, bitfield). Keeps its own count of set bits, so
 * "how many" and "complete" are O(1).
 */
#ifndef FRESHET_BASE_BITFIELD_H
#define FRESHET_BASE_BITFIELD_H

#include "core/base/bytes.h"
#include "core/base/error.h"

struct bitfield {
    uint8_t *bytes;
    uint32_t size;  /* how many bits */
    uint32_t count; /* how many of them are set */
};

void bitfield_init(struct bitfield *field, uint32_t size);
void bitfield_deinit(struct bitfield *field);
/* Bytes that a bitfield of `size` bits has on the wire. */
size_t bitfield_wire_length(uint32_t size);
/* Takes the wire form. FRESHET_ERROR_RANGE, and nothing changed, on a wrong length or a spare bit.
 */
enum freshet_error bitfield_load(struct bitfield *field, struct bytes wire);
struct bytes bitfield_wire(const struct bitfield *field);
bool bitfield_has(const struct bitfield *field, uint32_t index);
void bitfield_set(struct bitfield *field, uint32_t index);
void bitfield_clear(struct bitfield *field, uint32_t index);
void bitfield_set_all(struct bitfield *field);
void bitfield_clear_all(struct bitfield *field);
void bitfield_copy(struct bitfield *to, const struct bitfield *from);
bool bitfield_is_full(const struct bitfield *field);
/* First set (or clear) bit at or after `from`; field->size when there is none. */
uint32_t bitfield_next_set(const struct bitfield *field, uint32_t from);
uint32_t bitfield_next_clear(const struct bitfield *field, uint32_t from);
/* Does `field` have a bit that `other` lacks? Both of one size. */
bool bitfield_has_beyond(const struct bitfield *field, const struct bitfield *other);

#endif
