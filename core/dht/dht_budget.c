/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_budget.h"

#include "core/base/limits.h"

#include <string.h>

#define WAYS 4u

void dht_budget_init(struct dht_budget *budget, uint64_t seed)
{
    memset(budget, 0, sizeof *budget);
    budget->seed = seed;
    budget->second = -1;
}

static uint64_t mix(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
    state = (state ^ state >> 31) * UINT64_C(0x94d049bb133111eb);
    return state ^ state >> 29;
}

static uint64_t hash_of(const struct dht_budget *budget, const struct address *source)
{
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){source->ip, 8});
    return mix(mix(budget->seed, source->family), cursor_u64(&cursor));
}

bool dht_budget_take_message(struct dht_budget *budget, const struct address *source, int64_t now)
{
    uint64_t hash = hash_of(budget, source);
    uint16_t second = (uint16_t)(now / SECOND_NS);
    struct dht_budget_source *set = &budget->sources[hash % (DHT_BUDGET_SOURCES / WAYS) * WAYS];
    struct dht_budget_source *place = NULL;
    for (uint32_t i = 0; i < WAYS; i++) {
        bool is_now = set[i].count && set[i].second == second;
        if (is_now && set[i].key == (uint32_t)(hash >> 32)) {
            if (set[i].count >= LIMIT_DHT_MESSAGES_SOURCE)
                return false;
            set[i].count++;
            return true;
        }
        if (!is_now)
            place = &set[i];
    }
    if (!place)
        return false;
    *place =
        (struct dht_budget_source){.key = (uint32_t)(hash >> 32), .second = second, .count = 1};
    return true;
}

bool dht_budget_take_bytes(struct dht_budget *budget, size_t length, int64_t now)
{
    if (budget->second != now / SECOND_NS) {
        budget->second = now / SECOND_NS;
        budget->bytes = 0;
    }
    if (length > LIMIT_DHT_BYTES_UNPROVEN - budget->bytes)
        return false;
    budget->bytes += (uint32_t)length;
    return true;
}
