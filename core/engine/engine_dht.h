/* SPDX-License-Identifier: MIT */
/*
 * What the engine is told to have a DHT of its own (BEP 5, 32): COMMAND_START_DHT, once, after
 * EVENT_LISTENING. The nodes speak over the engine's UDP socket.
 */
#ifndef FRESHET_ENGINE_ENGINE_DHT_H
#define FRESHET_ENGINE_ENGINE_DHT_H

#include "core/dht/dht_node.h"

/* Somewhere to enter the DHT. */
struct engine_dht_name {
    const char *host; /* a name or numeric address */
    uint16_t port;
};

/* Everything is copied. */
struct engine_dht_options {
    bool has_ipv4, has_ipv6; /* what the socket can send to */
    bool is_read_only;       /* ask, never answer (BEP 43) */
    uint8_t secret[DHT_SECRET_SIZE];
    struct dht_verifier verifier;
    struct bytes record_ipv4, record_ipv6; /* of engine_dht_save, or empty */
    const struct engine_dht_name *names;
    uint32_t name_count;
};

#endif
