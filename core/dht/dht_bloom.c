/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_bloom.h"

#include "core/crypto/sha1.h"

#define BITS 2048u

void dht_bloom_insert(uint8_t bloom[DHT_BLOOM_SIZE], const struct address *address)
{
    uint8_t digest[SHA1_SIZE];
    sha1_of(address->ip, address_ip_length(address), digest);
    for (int i = 0; i < 2; i++) {
        unsigned index = (digest[2 * i] | (unsigned)digest[2 * i + 1] << 8) % BITS;
        bloom[index / 8] |= (uint8_t)(1u << index % 8);
    }
}

void dht_bloom_unite(uint8_t bloom[DHT_BLOOM_SIZE], const uint8_t other[DHT_BLOOM_SIZE])
{
    for (unsigned i = 0; i < DHT_BLOOM_SIZE; i++)
        bloom[i] |= other[i];
}

/* log2(numerator / denominator) with 32 bits behind the point, by squaring: each squaring of a
 * number in [1, 2) shows one more bit. 0 < denominator <= numerator <= 2048. */
static uint64_t log2_of(uint32_t numerator, uint32_t denominator)
{
    uint64_t result = 0, ratio = ((uint64_t)numerator << 31) / denominator;
    while (ratio >= UINT64_C(1) << 32) {
        ratio >>= 1;
        result += UINT64_C(1) << 32;
    }
    for (int bit = 31; bit >= 0; bit--) {
        ratio = ratio * ratio >> 31;
        if (ratio >= UINT64_C(1) << 32) {
            ratio >>= 1;
            result |= UINT64_C(1) << bit;
        }
    }
    return result;
}

uint32_t dht_bloom_estimate(const uint8_t bloom[DHT_BLOOM_SIZE])
{
    uint32_t zeros = 0;
    for (unsigned i = 0; i < BITS; i++)
        zeros += !(bloom[i / 8] >> i % 8 & 1);
    if (zeros == BITS)
        return 0;
    if (zeros == 0)
        zeros = 1;
    /* ln(c/m) / (2 ln(1 - 1/m)), BEP 33. */
    uint64_t each = 2 * log2_of(BITS, BITS - 1);
    return (uint32_t)((log2_of(BITS, zeros) + each / 2) / each);
}
