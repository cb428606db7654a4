/* SPDX-License-Identifier: MIT */
#include "host/rpc_assets.h"

#include <string.h>

static const char index_page[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>freshet</title></head>\n"
    "<body><h1>freshet</h1>\n"
    "<p>The daemon runs. Programs that speak Transmission's RPC find it at "
    "<code>/transmission/rpc</code>; the password is the token in the file "
    "<code>rpc-token</code> of the state folder, with any user name.</p>\n"
    "</body></html>\n";

static const struct rpc_asset assets[] = {
    {"/", (const uint8_t *)index_page, sizeof index_page - 1, "text/html; charset=utf-8", false},
};

const struct rpc_asset *rpc_assets_find(const char *path)
{
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++)
        if (strcmp(assets[i].path, path) == 0)
            return &assets[i];
    return NULL;
}
