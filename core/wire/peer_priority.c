/* SPDX-License-Identifier: MIT */
#include "core/wire/peer_priority.h"

#include "core/crypto/crc32c.h"

#include <string.h>

/*
 * How many leading bytes of an address count whole; every other bit of the rest counts, so that who
 * holds many addresses of one net gains little. The nearer two peers are, the more bytes: else all
 * peers of one net would look alike to one another.
 *   IPv4   /16 differs: 2, same /16: 3, same /24: 4
 *   IPv6   /48 differs: 6, same /48: 7, same /56: 8, and so on
 */
static size_t whole_bytes(const uint8_t *a, const uint8_t *b, size_t length)
{
    size_t whole = length == 4 ? 2 : 6;
    while (whole < length && memcmp(a, b, whole) == 0)
        whole++;
    return whole;
}

static void put_masked(uint8_t *out, const uint8_t *ip, size_t whole, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = i < whole ? ip[i] : ip[i] & 0x55;
}

static uint32_t port_priority(uint16_t a, uint16_t b)
{
    uint16_t low = a < b ? a : b, high = a < b ? b : a;
    uint8_t ports[4] = {(uint8_t)(low >> 8), (uint8_t)low, (uint8_t)(high >> 8), (uint8_t)high};
    return crc32c_of(ports, sizeof ports);
}

uint32_t peer_priority(const struct address *a, const struct address *b)
{
    uint8_t both[32];
    if (a->family != b->family)
        return 0;
    size_t length = address_ip_length(a);
    if (memcmp(a->ip, b->ip, length) == 0)
        return port_priority(a->port, b->port);
    size_t whole = whole_bytes(a->ip, b->ip, length);
    /* Sorted by what is hashed: then both ends get one answer whatever the rest says. */
    put_masked(both, a->ip, whole, length);
    put_masked(both + length, b->ip, whole, length);
    if (memcmp(both, both + length, length) > 0) {
        put_masked(both, b->ip, whole, length);
        put_masked(both + length, a->ip, whole, length);
    }
    return crc32c_of(both, 2 * length);
}
