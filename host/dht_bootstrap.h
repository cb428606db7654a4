/* SPDX-License-Identifier: MIT */
/*
 * Where a DHT is entered: what a person named, else what was named last time (kept in the state),
 * else the well-known routers, which nobody who listens on a loopback address asks.
 */
#ifndef FRESHET_HOST_DHT_BOOTSTRAP_H
#define FRESHET_HOST_DHT_BOOTSTRAP_H

#include "core/engine/engine_dht.h"
#include "host/state_store.h"

struct dht_bootstrap {
    struct engine_dht_name names[LIMIT_DHT_NAMES];
    uint32_t count;
    char *memory[LIMIT_DHT_NAMES];
};

/* "HOST:PORT" or "[V6]:PORT"; false: it is none. */
bool dht_bootstrap_is_name(const char *text);
/* `given` (checked before; `count` of them) are kept in the state, which may be NULL. `listen`:
 * what is listened on; of family ADDRESS_NONE: every address. Names beyond LIMIT_DHT_NAMES are left
 * out. */
void dht_bootstrap_load(struct dht_bootstrap *bootstrap, struct state_store *state,
                        const char *const *given, uint32_t count, const struct address *listen);
void dht_bootstrap_deinit(struct dht_bootstrap *bootstrap);

#endif
