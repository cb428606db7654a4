/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_id.h"

#include "core/crypto/crc32c.h"

#include <string.h>

#define SECURE_BITS_MASK 0xfffff800u /* the first 21 bits */

bool dht_id_equal(const struct dht_id *a, const struct dht_id *b)
{
    return memcmp(a->bytes, b->bytes, DHT_ID_SIZE) == 0;
}

int dht_id_compare_distance(const struct dht_id *target, const struct dht_id *a,
                            const struct dht_id *b)
{
    for (size_t i = 0; i < DHT_ID_SIZE; i++) {
        int from_a = a->bytes[i] ^ target->bytes[i], from_b = b->bytes[i] ^ target->bytes[i];
        if (from_a != from_b)
            return from_a - from_b;
    }
    return 0;
}

uint32_t dht_id_shared_bits(const struct dht_id *a, const struct dht_id *b)
{
    for (uint32_t i = 0; i < DHT_ID_SIZE; i++) {
        unsigned differ = a->bytes[i] ^ b->bytes[i];
        if (differ == 0)
            continue;
        uint32_t bits = i * 8;
        for (; !(differ & 0x80); differ <<= 1)
            bits++;
        return bits;
    }
    return DHT_ID_BITS;
}

struct dht_id dht_id_random_at(const struct dht_id *id, uint32_t bits, struct rng *rng)
{
    struct dht_id made;
    rng_fill(rng, made.bytes, sizeof made.bytes);
    for (uint32_t bit = 0; bit <= bits && bit < DHT_ID_BITS; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        uint8_t wanted = id->bytes[bit / 8] & mask;
        if (bit == bits)
            wanted ^= mask;
        made.bytes[bit / 8] = (uint8_t)((made.bytes[bit / 8] & ~mask) | wanted);
    }
    return made;
}

uint32_t dht_id_address_crc(const struct address *address, uint8_t last_byte)
{
    static const uint8_t mask4[4] = {0x03, 0x0f, 0x3f, 0xff};
    static const uint8_t mask6[8] = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
    bool is_ipv4 = address->family == ADDRESS_IPV4;
    size_t length = is_ipv4 ? sizeof mask4 : sizeof mask6;
    uint8_t masked[8];
    for (size_t i = 0; i < length; i++)
        masked[i] = address->ip[i] & (is_ipv4 ? mask4[i] : mask6[i]);
    masked[0] |= (uint8_t)((last_byte & 7) << 5);
    return crc32c_of(masked, length);
}

struct dht_id dht_id_of_address(const struct address *address, struct rng *rng)
{
    struct dht_id id;
    rng_fill(rng, id.bytes, sizeof id.bytes);
    uint32_t crc = dht_id_address_crc(address, id.bytes[19]);
    id.bytes[0] = (uint8_t)(crc >> 24);
    id.bytes[1] = (uint8_t)(crc >> 16);
    id.bytes[2] = (uint8_t)((crc >> 8 & 0xf8) | (id.bytes[2] & 7));
    return id;
}

bool dht_id_is_exempt(const struct address *address)
{
    return address_is_loopback(address) || address_is_private(address);
}

bool dht_id_is_allowed(const struct dht_id *id, const struct address *address)
{
    if (dht_id_is_exempt(address))
        return true;
    uint32_t said =
        (uint32_t)id->bytes[0] << 24 | (uint32_t)id->bytes[1] << 16 | (uint32_t)id->bytes[2] << 8;
    return ((said ^ dht_id_address_crc(address, id->bytes[19])) & SECURE_BITS_MASK) == 0;
}

bool dht_id_read_contact(struct bytes compact, struct dht_contact *ret_contact)
{
    struct address address;
    if (compact.length <= DHT_ID_SIZE ||
        !address_from_compact(
            (struct bytes){compact.data + DHT_ID_SIZE, compact.length - DHT_ID_SIZE}, &address))
        return false;
    memcpy(ret_contact->id.bytes, compact.data, DHT_ID_SIZE);
    ret_contact->address = address;
    return true;
}

size_t dht_id_write_contact(const struct dht_contact *contact, uint8_t compact[38])
{
    memcpy(compact, contact->id.bytes, DHT_ID_SIZE);
    return DHT_ID_SIZE + address_to_compact(&contact->address, compact + DHT_ID_SIZE);
}
