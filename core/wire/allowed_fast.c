/* SPDX-License-Identifier: MIT */
#include "core/wire/allowed_fast.h"

#include "core/crypto/sha1.h"

#include <string.h>

static bool is_among(const uint32_t *pieces, uint32_t count, uint32_t piece)
{
    for (uint32_t i = 0; i < count; i++)
        if (pieces[i] == piece)
            return true;
    return false;
}

uint32_t allowed_fast_set(const struct address *peer, const uint8_t info_hash[20],
                          uint32_t piece_count, uint32_t *ret_pieces, uint32_t max)
{
    uint8_t x[24];
    uint32_t count = 0;
    if (peer->family != ADDRESS_IPV4 || piece_count == 0)
        return 0;
    if (piece_count <= max) {
        /* All of them; the loop below would look for the last ones for a long time. */
        for (; count < piece_count; count++)
            ret_pieces[count] = count;
        return count;
    }
    memcpy(x, peer->ip, 3);
    x[3] = 0;
    memcpy(x + 4, info_hash, 20);
    for (size_t length = sizeof x; count < max; length = SHA1_SIZE) {
        uint8_t digest[SHA1_SIZE];
        sha1_of(x, length, digest);
        memcpy(x, digest, SHA1_SIZE);
        for (int i = 0; i < 5 && count < max; i++) {
            const uint8_t *y = x + 4 * i;
            uint32_t value =
                (uint32_t)y[0] << 24 | (uint32_t)y[1] << 16 | (uint32_t)y[2] << 8 | y[3];
            if (!is_among(ret_pieces, count, value % piece_count))
                ret_pieces[count++] = value % piece_count;
        }
    }
    return count;
}
