/* SPDX-License-Identifier: MIT */
/*
 * The page's files (web/dist), embedded when the program is built: a fixed table, so that serving
 * them is no look-up in a file system. The RPC's HTTP server hands them out.
 */
#ifndef FRESHET_HOST_WEB_ASSETS_H
#define FRESHET_HOST_WEB_ASSETS_H

#include "core/base/bytes.h"

struct web_asset {
    const char *path; /* "/index.html" */
    const char *type; /* for Content-Type */
    struct bytes bytes;
};

/* "/" is "/index.html". NULL: there is no such file. */
const struct web_asset *web_assets_find(const char *path);

/* What a browser may do with the page, for Content-Security-Policy: nothing comes from elsewhere,
 * and inline is only what stands in index.html, by its hash. The page's build writes it. */
const char *web_assets_policy(void);

#endif
