/* SPDX-License-Identifier: MIT */
/*
 * The page's files (web/dist), embedded when the program is built: a fixed table, so that serving
 * them is no look-up in a file system. The RPC's HTTP server hands them out.
 */
#ifndef FRESHET_HOST_WEB_ASSETS_H
#define FRESHET_HOST_WEB_ASSETS_H

#include "core/base/bytes.h"

/* What a browser may do with the page: nothing is inline, nothing comes from elsewhere. */
#define WEB_ASSETS_POLICY                                                                          \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "                \
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

struct web_asset {
    const char *path; /* "/index.html" */
    const char *type; /* for Content-Type */
    struct bytes bytes;
};

/* "/" is "/index.html". NULL: there is no such file. */
const struct web_asset *web_assets_find(const char *path);

#endif
