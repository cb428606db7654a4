/* SPDX-License-Identifier: MIT */
/*
 * Keeps many torrents announced: each every 15 minutes, no two within a fifth of a second, so that
 * 10,000 of them are an even trickle. Says which is due; the node makes the announce.
 */
#ifndef FRESHET_DHT_DHT_ANNOUNCER_H
#define FRESHET_DHT_DHT_ANNOUNCER_H

#include "core/base/error.h"
#include "core/base/heap.h"
#include "core/base/limits.h"
#include "core/base/map.h"
#include "core/dht/dht_id.h"

struct dht_announcer {
    struct heap due;
    struct map by_hash;
    int64_t next_ns; /* the next free slot */
};

struct dht_announcement {
    struct heap_node node; /* private */
    struct dht_id info_hash;
    uint16_t port; /* 0: the port that our packets come from */
    bool is_seed;
};

void dht_announcer_init(struct dht_announcer *announcer, uint64_t seed);
void dht_announcer_deinit(struct dht_announcer *announcer);
/* Announced as soon as there is a slot; when it is kept already only its facts are changed. LIMIT:
 * more than LIMIT_TORRENTS × 2 (a hybrid torrent has two hashes). */
enum freshet_error dht_announcer_keep(struct dht_announcer *announcer, int64_t now,
                                      const struct dht_id *info_hash, uint16_t port, bool is_seed);
/* NULL: it is not kept. */
const struct dht_announcement *dht_announcer_find(const struct dht_announcer *announcer,
                                                  const struct dht_id *info_hash);
void dht_announcer_drop(struct dht_announcer *announcer, const struct dht_id *info_hash);
/* The one whose turn it is, its next turn set; NULL: none now. */
const struct dht_announcement *dht_announcer_take(struct dht_announcer *announcer, int64_t now);
/* The announce that was taken came to nothing: its next turn is at `when_ns`, if that is sooner. */
void dht_announcer_retry(struct dht_announcer *announcer, const struct dht_id *info_hash,
                         int64_t when_ns);
int64_t dht_announcer_deadline(const struct dht_announcer *announcer);
uint32_t dht_announcer_count(const struct dht_announcer *announcer);

#endif
