/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_reorder.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#include <string.h>

#define CAPACITY_FIRST 16u

struct utp_held {
    uint32_t length;
    uint8_t bytes[];
};

void utp_reorder_init(struct utp_reorder *reorder, uint16_t next)
{
    *reorder = (struct utp_reorder){.next = next};
}

void utp_reorder_deinit(struct utp_reorder *reorder)
{
    for (uint32_t i = 0; i < reorder->capacity; i++)
        memory_free(reorder->slots[i]);
    memory_free(reorder->slots);
    *reorder = (struct utp_reorder){.next = reorder->next};
}

static struct utp_held **slot_at(const struct utp_reorder *reorder, uint16_t seq)
{
    return &reorder->slots[seq & (reorder->capacity - 1)];
}

static void grow(struct utp_reorder *reorder, uint32_t wanted)
{
    struct utp_reorder grown = *reorder;
    if (grown.capacity == 0)
        grown.capacity = CAPACITY_FIRST;
    while (grown.capacity < wanted)
        grown.capacity *= 2;
    grown.slots = memory_new_array(grown.capacity, sizeof *grown.slots);
    for (uint32_t i = 0; i < reorder->spread; i++) {
        uint16_t seq = (uint16_t)(reorder->next + i);
        *slot_at(&grown, seq) = *slot_at(reorder, seq);
    }
    memory_free(reorder->slots);
    *reorder = grown;
}

bool utp_reorder_put(struct utp_reorder *reorder, uint16_t seq, struct bytes payload)
{
    uint32_t ahead = (uint16_t)(seq - reorder->next);
    if (ahead == 0 || ahead >= LIMIT_UTP_PACKETS)
        return false;
    if (ahead >= reorder->capacity)
        grow(reorder, ahead + 1);
    struct utp_held **slot = slot_at(reorder, seq);
    if (*slot)
        return true;
    *slot = memory_new(sizeof **slot + payload.length);
    (*slot)->length = (uint32_t)payload.length;
    if (payload.length)
        memcpy((*slot)->bytes, payload.data, payload.length);
    reorder->count++;
    reorder->bytes += (uint32_t)payload.length;
    if (ahead + 1 > reorder->spread)
        reorder->spread = ahead + 1;
    return true;
}

bool utp_reorder_peek(const struct utp_reorder *reorder, struct bytes *ret_payload)
{
    const struct utp_held *held = reorder->count ? *slot_at(reorder, reorder->next) : NULL;
    if (held == NULL)
        return false;
    *ret_payload = (struct bytes){held->bytes, held->length};
    return true;
}

void utp_reorder_advance(struct utp_reorder *reorder)
{
    struct utp_held **slot = reorder->count ? slot_at(reorder, reorder->next) : NULL;
    if (slot && *slot) {
        reorder->count--;
        reorder->bytes -= (*slot)->length;
        memory_free(*slot);
        *slot = NULL;
    }
    if (reorder->spread)
        reorder->spread--;
    reorder->next++;
}

size_t utp_reorder_sack(const struct utp_reorder *reorder, uint8_t *ret_sack, size_t size)
{
    if (reorder->count == 0)
        return 0;
    /* `next` is acked + 1 and missing; bit 0 is the one behind it. */
    uint32_t bits = reorder->spread - 1;
    if (bits > size * 8)
        bits = (uint32_t)size * 8;
    size_t length = (bits + 31) / 32 * 4;
    memset(ret_sack, 0, length);
    for (uint32_t i = 0; i < bits; i++)
        if (*slot_at(reorder, (uint16_t)(reorder->next + 1 + i)))
            ret_sack[i / 8] |= (uint8_t)(1u << i % 8);
    return length;
}

uint64_t utp_reorder_memory(const struct utp_reorder *reorder)
{
    return reorder->bytes + (uint64_t)reorder->count * sizeof(struct utp_held) +
           (uint64_t)reorder->capacity * sizeof *reorder->slots;
}

void utp_reorder_check(const struct utp_reorder *reorder)
{
    uint32_t count = 0, bytes = 0;
    for (uint32_t i = 0; i < reorder->capacity; i++)
        if (reorder->slots[i]) {
            count++;
            bytes += reorder->slots[i]->length;
        }
    CHECK(count == reorder->count);
    CHECK(bytes == reorder->bytes);
    CHECK(reorder->spread <= LIMIT_UTP_PACKETS);
    CHECK(reorder->count == 0 || reorder->count < reorder->spread ||
          *slot_at(reorder, reorder->next));
}
