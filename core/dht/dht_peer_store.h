/* SPDX-License-Identifier: MIT */
/*
 * The peers that others announced to us (BEP 5, 33): at most 2,000 torrents of 500 peers, in memory
 * that grows with them. A peer is an address with a port; behind one address there are at most
 * four. Who was silent for 45 minutes is gone. When torrents are too many, the one with the fewest
 * peers goes, the oldest of equals: a flood of made-up hashes puts out itself.
 */
#ifndef FRESHET_DHT_DHT_PEER_STORE_H
#define FRESHET_DHT_DHT_PEER_STORE_H

#include "core/base/limits.h"
#include "core/dht/dht_bloom.h"
#include "core/dht/dht_id.h"

struct dht_peer_store;

struct dht_peer_store *dht_peer_store_new(enum address_family family, uint64_t seed);
void dht_peer_store_free(struct dht_peer_store *store);
void dht_peer_store_announce(struct dht_peer_store *store, const struct dht_id *info_hash,
                             const struct address *peer, bool is_seed, int64_t now);
/* A random choice of at most `peers_max`; returns how many. */
uint32_t dht_peer_store_pick(const struct dht_peer_store *store, const struct dht_id *info_hash,
                             bool no_seeds, struct rng *rng, struct address *ret_peers,
                             uint32_t peers_max);
/* The filters of BEP 33; false: the torrent is not here. */
bool dht_peer_store_blooms(const struct dht_peer_store *store, const struct dht_id *info_hash,
                           uint8_t ret_seeds[DHT_BLOOM_SIZE], uint8_t ret_peers[DHT_BLOOM_SIZE]);
/* A choice of info-hashes (BEP 51), the same for the same seed; returns how many. */
uint32_t dht_peer_store_sample(const struct dht_peer_store *store, uint64_t seed,
                               struct dht_id *ret_hashes, uint32_t hashes_max);
uint32_t dht_peer_store_torrent_count(const struct dht_peer_store *store);
uint32_t dht_peer_store_peer_count(const struct dht_peer_store *store);
/* Forgets who is silent. Cheap to call often: it looks once a minute. */
void dht_peer_store_tick(struct dht_peer_store *store, int64_t now);
void dht_peer_store_check(const struct dht_peer_store *store);

#endif
