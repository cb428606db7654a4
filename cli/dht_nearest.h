/* SPDX-License-Identifier: MIT */
/*
 * The eight nodes nearest to a target among those that answered, as the traces of a look-up tell
 * of them; and what their nearness says of the size of the network.
 */
#ifndef FRESHET_CLI_DHT_NEAREST_H
#define FRESHET_CLI_DHT_NEAREST_H

#include "core/dht/dht_node.h"

#define DHT_NEAREST_MAX 8u

struct dht_nearest_node {
    struct dht_id id;
    struct address address;
    uint16_t rtt_ms;
};

struct dht_nearest {
    struct dht_id target;
    uint32_t count;
    struct dht_nearest_node nodes[DHT_NEAREST_MAX]; /* nearest first */
};

void dht_nearest_init(struct dht_nearest *nearest, const struct dht_id *target);
/* The answer of a trace. */
void dht_nearest_add(struct dht_nearest *nearest, const struct dht_result *answer);
/* How many nodes there are if ids are spread evenly: with the k-th nearest of N at a share d of all
 * of the id space, d is k / N in the mean, and (k - 1) / d is N. Over several targets the shares
 * are added up first, since a mean of quotients would be ruled by the luckiest. 0: too few are
 * known to say. */
double dht_nearest_estimate(const struct dht_nearest *nearests, uint32_t count);

#endif
