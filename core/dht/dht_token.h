/* SPDX-License-Identifier: MIT */
/*
 * Tokens without any state (BEP 5): a keyed hash of the address that asked, the hash that it asked
 * for and a period of five minutes. Only who received our answer at that address may announce
 * itself there, only for that hash, and only for five to ten minutes.
 */
#ifndef FRESHET_DHT_DHT_TOKEN_H
#define FRESHET_DHT_DHT_TOKEN_H

#include "core/dht/dht_id.h"

#define DHT_TOKEN_SIZE  8u
#define DHT_SECRET_SIZE 32u

void dht_token_make(const uint8_t secret[DHT_SECRET_SIZE], const struct address *address,
                    const struct dht_id *target, int64_t now, uint8_t ret_token[DHT_TOKEN_SIZE]);
bool dht_token_is_good(const uint8_t secret[DHT_SECRET_SIZE], const struct address *address,
                       const struct dht_id *target, int64_t now, struct bytes token);

#endif
