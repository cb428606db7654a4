/* SPDX-License-Identifier: MIT */
#include "host/web_assets.h"

#include "core/base/check.h"

#include <string.h>

/* gcc 12 has no #embed. FRESHET_WEB_DIST is the folder, from CMakeLists.txt. */
#define EMBED(name, file)                                                                          \
    __asm__(".section .rodata, \"a\"\n"                                                            \
            ".balign 16\n"                                                                         \
            "web_asset_" #name ":\n"                                                               \
            ".incbin \"" FRESHET_WEB_DIST "/" file "\"\n"                                          \
            "web_asset_" #name "_end:\n"                                                           \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const uint8_t name##_begin[] __asm__("web_asset_" #name);                               \
    extern const uint8_t name##_end[] __asm__("web_asset_" #name "_end")

EMBED(index, "index.html");
EMBED(script, "app.js");
EMBED(draw, "draw.js");
EMBED(policy, "policy.txt");

static const struct web_asset *one(const char *path, const char *type, const uint8_t *begin,
                                   const uint8_t *end, struct web_asset *asset)
{
    *asset = (struct web_asset){path, type, {begin, (size_t)(end - begin)}};
    return asset;
}

const struct web_asset *web_assets_find(const char *path)
{
    /* Only the linker knows the lengths, so each call writes them, the same ones, on its thread. */
    static _Thread_local struct web_asset page, script, draw;
    if (strcmp(path, "/") == 0 || strcmp(path, "/index.html") == 0)
        return one("/index.html", "text/html; charset=utf-8", index_begin, index_end, &page);
    if (strcmp(path, "/app.js") == 0)
        return one("/app.js", "text/javascript; charset=utf-8", script_begin, script_end, &script);
    if (strcmp(path, "/draw.js") == 0)
        return one("/draw.js", "text/javascript; charset=utf-8", draw_begin, draw_end, &draw);
    return NULL;
}

const char *web_assets_policy(void)
{
    /* The file ends with a line end, which a header may not have. */
    static _Thread_local char policy[512];
    size_t length = (size_t)(policy_end - policy_begin) - 1;
    CHECK(length < sizeof policy);
    memcpy(policy, policy_begin, length);
    policy[length] = '\0';
    return policy;
}
