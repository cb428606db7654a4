/* SPDX-License-Identifier: MIT */
/*
 * The allowed fast set of BEP 6: pieces that a peer may request while it is choked, derived from
 * its IPv4 address (of which the last byte is ignored) and the info-hash, so that reconnecting does
 * not give another set.
 */
#ifndef FRESHET_WIRE_ALLOWED_FAST_H
#define FRESHET_WIRE_ALLOWED_FAST_H

#include "core/base/address.h"

/* Fills up to `max` different piece indices; returns how many: fewer when the torrent has fewer
 * pieces, 0 for an IPv6 peer, for which the BEP defines no set. */
uint32_t allowed_fast_set(const struct address *peer, const uint8_t info_hash[20],
                          uint32_t piece_count, uint32_t *ret_pieces, uint32_t max);

#endif
