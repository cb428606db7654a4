/* SPDX-License-Identifier: MIT */
/*
 * Where others may send us. Tracker and web-seed URLs come from torrents that strangers made; they
 * must not turn us into their hand inside a LAN or a cloud machine. The address that is really used
 * is judged where the socket is opened, and again at each redirect:
 *
 *   multicast, unspecified, cloud metadata   never
 *   loopback, private                        a tracker: only a path that begins with /announce (or
 *                                            /scrape); a web seed: only without a query string;
 *                                            and never by a redirect from a public address
 */
#ifndef FRESHET_HOST_ADDRESS_RULES_H
#define FRESHET_HOST_ADDRESS_RULES_H

#include "core/base/address.h"

enum address_purpose {
    ADDRESS_FOR_TRACKER,
    ADDRESS_FOR_WEB_SEED,
    ADDRESS_FOR_PERSON,   /* a URL that a person typed: only "never" holds */
    ADDRESS_FOR_DATAGRAM, /* a UDP tracker */
};

struct address_request {
    enum address_purpose purpose;
    const char *url;
    bool from_public; /* a redirect sent us here from a public address */
};

bool address_rules_allow(const struct address_request *request, const struct address *address);
/* Is the address one that strangers on the internet can name too? */
bool address_rules_is_public(const struct address *address);
/* The path of a URL ("/" when it has none), and its query after '?', both borrowed from the text.
 */
struct bytes address_rules_path(const char *url, bool *ret_has_query);

#endif
