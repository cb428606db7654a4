/* SPDX-License-Identifier: MIT */
/*
 * The parts of a tracker's URL that decide how it is asked: scheme, host and port, and what BEP 41
 * sends to a UDP tracker. HTTP URLs are fetched whole; only their host is looked at here.
 */
#ifndef FRESHET_TRACKER_TRACKER_URL_H
#define FRESHET_TRACKER_TRACKER_URL_H

#include "core/base/address.h"
#include "core/base/error.h"

#define TRACKER_HOST_SIZE 256 /* a name of at most 253 characters, or an address */

enum tracker_scheme { TRACKER_SCHEME_HTTP, TRACKER_SCHEME_UDP };

struct tracker_url {
    enum tracker_scheme scheme; /* https is HTTP here */
    char host[TRACKER_HOST_SIZE];
    uint16_t port;
    enum address_family family;  /* of a numeric host; ADDRESS_NONE for a name */
    struct bytes path_and_query; /* borrowed from the URL; without a fragment */
};

/* FRESHET_ERROR_UNSUPPORTED for other schemes, SYNTAX, RANGE (port), LIMIT (LIMIT_URL_LENGTH). */
enum freshet_error tracker_url_parse(struct bytes url, struct tracker_url *ret_url);
/* Whether a text that a person gave is a tracker that can be asked: it parses, and has no blanks or
 * control characters. */
bool tracker_url_is_good(const char *text);

#endif
