/* SPDX-License-Identifier: MIT */
/*
 * The packet of local service discovery (BEP 14): text in the form of an HTTP request, sent to a
 * multicast group. Bytes to facts and back.
 *
 *     BT-SEARCH * HTTP/1.1
 *     Host: 239.192.152.143:6771
 *     Port: 6881
 *     Infohash: 631a31dd0a46257d5078c0dee4e66e26f73e42ac      (one line or more)
 *     cookie: name                                            (may be absent)
 *     (two empty lines; one is taken too)
 */
#ifndef FRESHET_LSD_LSD_PACKET_H
#define FRESHET_LSD_LSD_PACKET_H

#include "core/base/address.h"
#include "core/base/error.h"
#include "core/base/limits.h"

#define LSD_PORT 6771u

struct lsd_packet {
    uint16_t port; /* where the sender listens; never 0 */
    uint32_t hash_count;
    uint8_t hashes[LIMIT_LSD_HASHES][20];
    struct bytes cookie; /* borrowed from the packet; empty: there is none */
};

/* The group of a family, with its port. */
struct address lsd_packet_group(enum address_family family);
/* Names of headers in any case and order; lines end in CR LF or LF; headers that we do not know and
 * hashes that are none are passed over, and so are hashes beyond LIMIT_LSD_HASHES. TRUNCATED: no
 * empty line; LIMIT: longer than LIMIT_LSD_PACKET_IN; MISSING: no port or no hash. */
enum freshet_error lsd_packet_parse(struct bytes bytes, struct lsd_packet *ret_packet);
/* Appends at most LIMIT_LSD_PACKET bytes, for the group of a family: as many hashes as fit, and
 * returns how many. */
uint32_t lsd_packet_write(const struct lsd_packet *packet, enum address_family family,
                          struct buffer *out);

#endif
