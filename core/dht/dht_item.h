/* SPDX-License-Identifier: MIT */
/*
 * An item of BEP 44 with memory of its own, and the proof of its signature. The core has no ed25519
 * of its own: libcrypto's needs a context that allocates and reads configuration, so the host lends
 * the check as a function. Without one, mutable items are neither taken nor believed.
 */
#ifndef FRESHET_DHT_DHT_ITEM_H
#define FRESHET_DHT_DHT_ITEM_H

#include "core/base/limits.h"
#include "core/dht/krpc.h"

/* Verifies ed25519 (RFC 8032); called during dht_node_input, must not call back. */
struct dht_verifier {
    bool (*verify)(void *context, const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                   const uint8_t signature[KRPC_SIGNATURE_SIZE]);
    void *context;
};

struct dht_item {
    struct krpc_item item; /* points into what follows */
    uint8_t key[KRPC_KEY_SIZE];
    uint8_t signature[KRPC_SIGNATURE_SIZE];
    uint8_t salt[LIMIT_DHT_SALT];
    uint8_t value[LIMIT_DHT_VALUE];
};

/* Copies value, key, signature, salt and numbers; the lengths must be within limits. */
void dht_item_init(struct dht_item *copy, const struct krpc_item *item);
/* 0, or what is wrong with it (enum krpc_error_code). */
int dht_item_judge(const struct krpc_item *item, const struct dht_verifier *verifier);

#endif
