/* SPDX-License-Identifier: MIT */
/*
 * What strangers may make us send: so many messages a second a source (an IPv4 address, an IPv6
 * /64), and so many bytes a second to all that have proven nothing, since any of them may be the
 * victim in whose name somebody else asks. Both are counted by whole seconds.
 *
 * The memory of sources is small and of fixed size: while it is full of others in this second, a
 * new source is refused, for we are being flooded.
 */
#ifndef FRESHET_DHT_DHT_BUDGET_H
#define FRESHET_DHT_DHT_BUDGET_H

#include "core/base/address.h"

#define DHT_BUDGET_SOURCES 128u

struct dht_budget_source {
    uint32_t key; /* of the address */
    uint16_t second;
    uint16_t count; /* 0: free */
};

struct dht_budget {
    uint64_t seed; /* keys what an adversary may not collide at will */
    int64_t second;
    uint32_t bytes; /* gone to unproven sources in this second */
    struct dht_budget_source sources[DHT_BUDGET_SOURCES];
};

void dht_budget_init(struct dht_budget *budget, uint64_t seed);
/* One more answer to this source in this second? */
bool dht_budget_take_message(struct dht_budget *budget, const struct address *source, int64_t now);
/* So many bytes more to sources that have proven nothing? */
bool dht_budget_take_bytes(struct dht_budget *budget, size_t length, int64_t now);

#endif
