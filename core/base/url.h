/* SPDX-License-Identifier: MIT */
/*
 * What is asked of URLs as texts, by everybody: is it one that is fetched, and what of it may
 * others see. Who takes one apart to go there is somebody else (tracker_url.h, libcurl).
 */
#ifndef FRESHET_BASE_URL_H
#define FRESHET_BASE_URL_H

#include "core/base/bytes.h"

/* http or https, in letters of either case, and the first character of a host. */
bool url_is_http(const char *url);
/* The length of scheme, "://" and what stands before the path at the text's start; 0: no URL begins
 * there. */
size_t url_origin_length(struct bytes text);
/* Appends what is no secret: of a URL its scheme and host, without a login, and "/..." for what
 * follows, where passkeys stand; of a magnet link the parameters that say which torrent it is (xt,
 * dn, xl, so); of anything else "...". */
void url_append_public(struct bytes url, struct buffer *out);

#endif
