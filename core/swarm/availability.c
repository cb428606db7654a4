/* SPDX-License-Identifier: MIT */
#include "core/swarm/availability.h"

#include "core/base/check.h"
#include "core/base/memory.h"

void availability_init(struct availability *availability, uint32_t piece_count)
{
    *availability = (struct availability){.piece_count = piece_count};
    availability->counts = memory_new_array(piece_count, sizeof *availability->counts);
}

void availability_deinit(struct availability *availability)
{
    memory_free(availability->counts);
    *availability = (struct availability){0};
}

uint32_t availability_add(struct availability *availability, uint32_t piece)
{
    CHECK(piece < availability->piece_count);
    CHECK(availability->counts[piece] < UINT16_MAX);
    return ++availability->counts[piece];
}

uint32_t availability_remove(struct availability *availability, uint32_t piece)
{
    CHECK(piece < availability->piece_count);
    CHECK(availability->counts[piece] > 0);
    return --availability->counts[piece];
}

uint32_t availability_of(const struct availability *availability, uint32_t piece)
{
    CHECK(piece < availability->piece_count);
    return availability->counts[piece] + availability->seeds;
}

uint32_t availability_copies_permille(const struct availability *availability)
{
    if (availability->piece_count == 0)
        return 0;
    uint32_t rarest = UINT32_MAX;
    uint32_t commoner = 0;
    for (uint32_t i = 0; i < availability->piece_count; i++) {
        uint32_t count = availability->counts[i];
        if (count < rarest) {
            rarest = count;
            commoner = i; /* all before this one are commoner */
        } else if (count > rarest) {
            commoner++;
        }
    }
    uint64_t share = (uint64_t)commoner * 1000 / availability->piece_count;
    return (rarest + availability->seeds) * 1000 + (uint32_t)share;
}
