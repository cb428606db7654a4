/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_connection_id.h"

#include "core/base/limits.h"
#include "core/crypto/sha256.h"

static uint64_t make(const uint8_t *secret, const struct address *address, uint64_t seconds)
{
    uint8_t text[8 + 1 + 16];
    struct writer writer;
    writer_init(&writer, text, sizeof text);
    writer_u64(&writer, seconds);
    writer_u8(&writer, address->family);
    writer_bytes(&writer, address->ip, 16);
    uint8_t digest[SHA256_SIZE];
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, secret, TRACKER_SECRET_SIZE);
    sha256_update(&sha256, text, sizeof text);
    sha256_final(&sha256, digest);
    uint64_t id = seconds & 0xffff;
    for (size_t i = 0; i < 6; i++)
        id = id << 8 | digest[i];
    return id;
}

static uint64_t seconds_of(int64_t now)
{
    return (uint64_t)(now / SECOND_NS);
}

uint64_t tracker_connection_id_make(const uint8_t secret[TRACKER_SECRET_SIZE],
                                    const struct address *address, int64_t now)
{
    return make(secret, address, seconds_of(now));
}

bool tracker_connection_id_is_good(const uint8_t secret[TRACKER_SECRET_SIZE],
                                   const struct address *address, int64_t now, uint64_t id)
{
    uint64_t seconds = seconds_of(now);
    uint64_t age = (seconds - (id >> 48)) & 0xffff;
    return age <= LIMIT_TRACKER_CONNECTION_ID_S && make(secret, address, seconds - age) == id;
}
