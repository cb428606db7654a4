/* SPDX-License-Identifier: MIT */
/* The files of the web page, inside the program: nothing that a request names is looked up on a
 * disk. */
#ifndef FRESHET_HOST_RPC_ASSETS_H
#define FRESHET_HOST_RPC_ASSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpc_asset {
    const char *path; /* "/app.js" */
    const uint8_t *bytes;
    size_t length;
    const char *type; /* "text/javascript; charset=utf-8" */
    bool is_gzip;     /* the bytes are, and are sent so */
};

/* NULL: there is none of that path. "/" is the first page. */
const struct rpc_asset *rpc_assets_find(const char *path);

#endif
