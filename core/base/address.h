/* SPDX-License-Identifier: MIT */
/*
 * An IPv4 or IPv6 address with a port, as peers and trackers name one another. Compact forms are
 * those of BEP 23 (4+2 bytes) and BEP 7 (16+2 bytes). An IPv4-mapped IPv6 address is always held as
 * IPv4, so that one peer has one form.
 */
#ifndef FRESHET_BASE_ADDRESS_H
#define FRESHET_BASE_ADDRESS_H

#include "core/base/bytes.h"

enum address_family { ADDRESS_NONE = 0, ADDRESS_IPV4 = 4, ADDRESS_IPV6 = 6 };

struct address {
    uint8_t family; /* enum address_family */
    uint8_t pad;
    uint16_t port;  /* host order */
    uint8_t ip[16]; /* IPv4 uses the first four; the rest are zero */
};

_Static_assert(sizeof(struct address) == 20, "an address is stored by the million");

struct address address_ipv4(const uint8_t ip[4], uint16_t port);
/* Turns ::ffff:a.b.c.d into IPv4. */
struct address address_ipv6(const uint8_t ip[16], uint16_t port);
bool address_equal(const struct address *a, const struct address *b);
bool address_same_ip(const struct address *a, const struct address *b);
/* Of one network that a single party may own: an IPv4 /24 or an IPv6 /48. */
bool address_same_network(const struct address *a, const struct address *b);
int address_compare(const struct address *a, const struct address *b);
/* 4 or 16. */
size_t address_ip_length(const struct address *address);
/* One entry of a compact list: 6 or 18 bytes. false when `compact` has another length. */
bool address_from_compact(struct bytes compact, struct address *ret_address);
/* Writes 6 or 18 bytes; returns how many. */
size_t address_to_compact(const struct address *address, uint8_t compact[18]);

#define ADDRESS_TEXT_SIZE 56
/* "192.0.2.1:6881" or "[2001:db8::1]:6881", NUL-terminated. */
void address_to_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* The same without the port and brackets. */
void address_ip_to_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
/* Reads "A:P" and "[V6]:P", numeric only; with `port_optional` also a bare address (port 0). */
bool address_from_text(const char *text, bool port_optional, struct address *ret_address);

/* Where an address leads. A public address is one that is none of these. */
bool address_is_loopback(const struct address *address);
bool address_is_private(
    const struct address *address); /* RFC 1918, 100.64/10, fc00::/7, link-local */
bool address_is_multicast(const struct address *address); /* with broadcast and reserved ranges */
bool address_is_unspecified(const struct address *address);
/* Cloud metadata services: 169.254.169.254, fd00:ec2::254. */
bool address_is_metadata_service(const struct address *address);

#endif
