/* SPDX-License-Identifier: MIT */
#include "core/base/bitfield.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

static uint8_t bit_of(uint32_t index)
{
    return (uint8_t)(0x80u >> (index & 7));
}

size_t bitfield_wire_length(uint32_t size)
{
    return ((size_t)size + 7) / 8;
}

void bitfield_init(struct bitfield *field, uint32_t size)
{
    field->bytes = memory_new(bitfield_wire_length(size));
    field->size = size;
    field->count = 0;
}

void bitfield_deinit(struct bitfield *field)
{
    memory_free(field->bytes);
    *field = (struct bitfield){0};
}

static uint32_t bits_in(const uint8_t *bytes, size_t length)
{
    uint32_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += (uint32_t)__builtin_popcount(bytes[i]);
    return count;
}

enum freshet_error bitfield_load(struct bitfield *field, struct bytes wire)
{
    size_t length = bitfield_wire_length(field->size);
    if (wire.length != length)
        return FRESHET_ERROR_RANGE;
    if (field->size & 7 && wire.data[length - 1] & (0xffu >> (field->size & 7)))
        return FRESHET_ERROR_RANGE;
    if (length)
        memcpy(field->bytes, wire.data, length);
    field->count = bits_in(field->bytes, length);
    return FRESHET_OK;
}

struct bytes bitfield_wire(const struct bitfield *field)
{
    return (struct bytes){field->bytes, bitfield_wire_length(field->size)};
}

bool bitfield_has(const struct bitfield *field, uint32_t index)
{
    CHECK(index < field->size);
    return field->bytes[index >> 3] & bit_of(index);
}

void bitfield_set(struct bitfield *field, uint32_t index)
{
    if (bitfield_has(field, index))
        return;
    field->bytes[index >> 3] |= bit_of(index);
    field->count++;
}

void bitfield_clear(struct bitfield *field, uint32_t index)
{
    if (!bitfield_has(field, index))
        return;
    field->bytes[index >> 3] &= (uint8_t)~bit_of(index);
    field->count--;
}

void bitfield_set_all(struct bitfield *field)
{
    size_t length = bitfield_wire_length(field->size);
    memset(field->bytes, 0xff, length);
    if (field->size & 7)
        field->bytes[length - 1] = (uint8_t)(0xff00u >> (field->size & 7));
    field->count = field->size;
}

void bitfield_clear_all(struct bitfield *field)
{
    memset(field->bytes, 0, bitfield_wire_length(field->size));
    field->count = 0;
}

void bitfield_copy(struct bitfield *to, const struct bitfield *from)
{
    CHECK(to->size == from->size);
    memcpy(to->bytes, from->bytes, bitfield_wire_length(from->size));
    to->count = from->count;
}

bool bitfield_is_full(const struct bitfield *field)
{
    return field->count == field->size;
}

/* Walks bytes, not bits, over stretches of `skip` (0x00 or 0xff). */
static uint32_t next_bit(const struct bitfield *field, uint32_t from, bool set)
{
    uint8_t skip = set ? 0x00 : 0xff;
    for (uint32_t i = from; i < field->size; i++) {
        if ((i & 7) == 0 && field->bytes[i >> 3] == skip) {
            i += 7;
            continue;
        }
        if (((field->bytes[i >> 3] & bit_of(i)) != 0) == set)
            return i;
    }
    return field->size;
}

uint32_t bitfield_next_set(const struct bitfield *field, uint32_t from)
{
    return next_bit(field, from, true);
}

uint32_t bitfield_next_clear(const struct bitfield *field, uint32_t from)
{
    return next_bit(field, from, false);
}

bool bitfield_has_beyond(const struct bitfield *field, const struct bitfield *other)
{
    CHECK(field->size == other->size);
    size_t length = bitfield_wire_length(field->size);
    for (size_t i = 0; i < length; i++)
        if (field->bytes[i] & ~other->bytes[i])
            return true;
    return false;
}
