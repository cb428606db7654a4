/* SPDX-License-Identifier: MIT */
/* What stands before each datagram between a client and a SOCKS 5 proxy (RFC 1928, 7). */
#ifndef FRESHET_SOCKS_SOCKS_DATAGRAM_H
#define FRESHET_SOCKS_SOCKS_DATAGRAM_H

#include "core/base/address.h"
#include "core/base/error.h"

#define SOCKS_DATAGRAM_HEADER_MAX 22u

/* Returns the header's length, 10 or 22. */
size_t socks_datagram_write(const struct address *remote,
                            uint8_t ret_header[SOCKS_DATAGRAM_HEADER_MAX]);
/* Whom a datagram is from, and what it carries (borrowed). Pieces of a cut one and senders that are
 * known by a name alone are UNSUPPORTED. */
enum freshet_error socks_datagram_parse(struct bytes bytes, struct address *ret_remote,
                                        struct bytes *ret_payload);

#endif
