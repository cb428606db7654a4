/* SPDX-License-Identifier: MIT */
/* The bloom filters of BEP 33: which addresses seed or download a torrent, in 256 bytes. */
#ifndef FRESHET_DHT_DHT_BLOOM_H
#define FRESHET_DHT_DHT_BLOOM_H

#include "core/base/address.h"

#define DHT_BLOOM_SIZE 256u

void dht_bloom_insert(uint8_t bloom[DHT_BLOOM_SIZE], const struct address *address);
/* Adds another filter of the same torrent. */
void dht_bloom_unite(uint8_t bloom[DHT_BLOOM_SIZE], const uint8_t other[DHT_BLOOM_SIZE]);
/* About how many addresses are in it, rounded. Integers only: the same on every machine. */
uint32_t dht_bloom_estimate(const uint8_t bloom[DHT_BLOOM_SIZE]);

#endif
