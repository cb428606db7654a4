/* SPDX-License-Identifier: MIT */
#include "cli/dht_nearest.h"

#include <string.h>

void dht_nearest_init(struct dht_nearest *nearest, const struct dht_id *target)
{
    nearest->target = *target;
    nearest->count = 0;
}

void dht_nearest_add(struct dht_nearest *nearest, const struct dht_result *answer)
{
    struct dht_nearest_node *nodes = nearest->nodes;
    uint32_t place = 0;

    while (place < nearest->count &&
           dht_id_compare_distance(&nearest->target, &nodes[place].id, &answer->id) < 0)
        place++;
    if (place == DHT_NEAREST_MAX ||
        (place < nearest->count && dht_id_equal(&nodes[place].id, &answer->id)))
        return;
    nearest->count += nearest->count < DHT_NEAREST_MAX;
    memmove(&nodes[place + 1], &nodes[place], (nearest->count - 1 - place) * sizeof *nodes);
    nodes[place] = (struct dht_nearest_node){answer->id, answer->from, answer->rtt_ms};
}

/* The distance as a share of the whole id space; 64 bits are more than any network needs. */
static double share(const struct dht_id *target, const struct dht_id *id)
{
    uint64_t distance = 0;

    for (int i = 0; i < 8; i++)
        distance = distance << 8 | (uint8_t)(target->bytes[i] ^ id->bytes[i]);
    return (double)distance / 18446744073709551616.0;
}

double dht_nearest_estimate(const struct dht_nearest *nearests, uint32_t count)
{
    double nodes = 0, shares = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct dht_nearest *nearest = &nearests[i];
        if (nearest->count < DHT_NEAREST_MAX)
            continue;
        nodes += nearest->count;
        shares += share(&nearest->target, &nearest->nodes[nearest->count - 1].id);
    }
    return shares > 0 ? (nodes - 1) / shares : 0;
}
