/* SPDX-License-Identifier: MIT */
/*
 * The 160-bit ids of the DHT: nodes, info-hashes and targets alike, compared by XOR (BEP 5), and
 * the ids that a node's address allows it (BEP 42): 21 bits of an id follow from the address, so
 * that nobody can choose a place in the id space at will.
 */
#ifndef FRESHET_DHT_DHT_ID_H
#define FRESHET_DHT_DHT_ID_H

#include "core/base/address.h"
#include "core/base/rng.h"

#define DHT_ID_SIZE 20
#define DHT_ID_BITS 160u

struct dht_id {
    uint8_t bytes[DHT_ID_SIZE];
};

/* A node: who and where. */
struct dht_contact {
    struct dht_id id;
    struct address address;
};

bool dht_id_equal(const struct dht_id *a, const struct dht_id *b);
/* <0 when a is nearer to the target than b, 0 when they are one id, >0 when it is farther. */
int dht_id_compare_distance(const struct dht_id *target, const struct dht_id *a,
                            const struct dht_id *b);
/* Leading bits that both have: 0 to 160. */
uint32_t dht_id_shared_bits(const struct dht_id *a, const struct dht_id *b);
/* A random id that shares exactly `bits` leading bits with `id` (all 160: the id itself). */
struct dht_id dht_id_random_at(const struct dht_id *id, uint32_t bits, struct rng *rng);
/* A random id that the address allows (BEP 42). */
struct dht_id dht_id_of_address(const struct address *address, struct rng *rng);
/* The CRC of BEP 42 for an address and the low three bits of the id's last byte. */
uint32_t dht_id_address_crc(const struct address *address, uint8_t last_byte);
/* May this address bear this id? Always, when it is none of the public internet. */
bool dht_id_is_allowed(const struct dht_id *id, const struct address *address);
/* Loopback and private addresses: the rules of the public internet do not hold there. */
bool dht_id_is_exempt(const struct address *address);
/* One entry of `nodes` (26 bytes) or `nodes6` (38 bytes, BEP 32). false: another length. */
bool dht_id_read_contact(struct bytes compact, struct dht_contact *ret_contact);
/* Writes 26 or 38 bytes; returns how many. */
size_t dht_id_write_contact(const struct dht_contact *contact, uint8_t compact[38]);

#endif
