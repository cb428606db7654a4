/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_token.h"

#include "core/base/limits.h"
#include "core/crypto/sha256.h"

#include <string.h>

#define PERIOD_NS (300 * SECOND_NS)

static void make(const uint8_t *secret, const struct address *address, const struct dht_id *target,
                 uint64_t period, uint8_t ret_token[DHT_TOKEN_SIZE])
{
    uint8_t text[8 + 1 + 16 + DHT_ID_SIZE], digest[SHA256_SIZE];
    struct writer writer;
    writer_init(&writer, text, sizeof text);
    writer_u64(&writer, period);
    writer_u8(&writer, address->family);
    writer_bytes(&writer, address->ip, sizeof address->ip);
    writer_bytes(&writer, target->bytes, DHT_ID_SIZE);
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, secret, DHT_SECRET_SIZE);
    sha256_update(&sha256, text, sizeof text);
    sha256_final(&sha256, digest);
    memcpy(ret_token, digest, DHT_TOKEN_SIZE);
}

void dht_token_make(const uint8_t secret[DHT_SECRET_SIZE], const struct address *address,
                    const struct dht_id *target, int64_t now, uint8_t ret_token[DHT_TOKEN_SIZE])
{
    make(secret, address, target, (uint64_t)(now / PERIOD_NS), ret_token);
}

bool dht_token_is_good(const uint8_t secret[DHT_SECRET_SIZE], const struct address *address,
                       const struct dht_id *target, int64_t now, struct bytes token)
{
    uint64_t period = (uint64_t)(now / PERIOD_NS);
    if (token.length != DHT_TOKEN_SIZE)
        return false;
    for (uint64_t age = 0; age < 2 && age <= period; age++) {
        uint8_t good[DHT_TOKEN_SIZE], differ = 0;
        make(secret, address, target, period - age, good);
        for (size_t i = 0; i < DHT_TOKEN_SIZE; i++)
            differ |= good[i] ^ token.data[i];
        if (differ == 0)
            return true;
    }
    return false;
}
