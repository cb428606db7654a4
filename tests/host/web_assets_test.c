/* SPDX-License-Identifier: MIT */
/* The page as it is embedded: every file whole, nothing inline that its policy would refuse. */
#include "core/base/memory.h"
#include "core/crypto/sha256.h"
#include "host/web_assets.h"
#include "services/rpc/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void compare(const char *path, const char *file)
{
    const struct web_asset *asset = web_assets_find(path);
    assert_non_null(asset);
    char name[4096];
    snprintf(name, sizeof name, "%s/web/dist/%s", TEST_SOURCE_DIR, file);
    FILE *stream = fopen(name, "rb");
    assert_non_null(stream);
    uint8_t *bytes = memory_new(asset->bytes.length + 1);
    assert_int_equal(fread(bytes, 1, asset->bytes.length + 1, stream), asset->bytes.length);
    assert_memory_equal(bytes, asset->bytes.data, asset->bytes.length);
    fclose(stream);
    memory_free(bytes);
}

static void web_assets_are_the_files_of_the_tree(void **state)
{
    (void)state;
    compare("/", "index.html");
    compare("/index.html", "index.html");
    compare("/app.js", "app.js");
    compare("/draw.js", "draw.js");
}

static void web_assets_are_a_table_and_no_folder(void **state)
{
    (void)state;
    static const char *const paths[] = {"", "app.js", "//", "/app.js/", "/../app.js", "/app.jsx"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_null(web_assets_find(paths[i]));
}

/* 'sha256-...' of what stands between the two, as a policy names it. */
static void hash_between(const char *text, const char *open, const char *close, char ret_name[64])
{
    const char *begin = strstr(text, open);
    assert_non_null(begin);
    begin += strlen(open);
    const char *end = strstr(begin, close);
    assert_non_null(end);
    assert_null(strstr(end, open)); /* there is one */
    uint8_t digest[SHA256_SIZE];
    sha256_of(begin, (size_t)(end - begin), digest);
    struct buffer base64 = {0};
    base64_encode((struct bytes){digest, sizeof digest}, &base64);
    snprintf(ret_name, 64, "'sha256-%.*s'", (int)base64.length, (const char *)base64.data);
    buffer_deinit(&base64);
}

static void web_assets_name_what_is_inline_in_their_policy(void **state)
{
    (void)state;
    const struct web_asset *page = web_assets_find("/");
    char *text = memory_new(page->bytes.length + 1), name[64], part[96];
    memcpy(text, page->bytes.data, page->bytes.length);
    const char *policy = web_assets_policy();
    hash_between(text, "<script>", "</script>", name);
    snprintf(part, sizeof part, "script-src 'self' %s;", name);
    assert_non_null(strstr(policy, part));
    hash_between(text, "<style>", "</style>", name);
    snprintf(part, sizeof part, "style-src %s;", name);
    assert_non_null(strstr(policy, part));
    assert_null(strstr(policy, "unsafe"));
    assert_non_null(strstr(policy, "default-src 'none'"));
    assert_null(strchr(policy, '\n'));
    assert_null(strstr(text, " style="));
    assert_null(strstr(text, " onclick="));
    assert_null(strstr(text, "javascript:"));
    assert_null(strstr(text, "<script "));
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_assets_are_the_files_of_the_tree),
        cmocka_unit_test(web_assets_are_a_table_and_no_folder),
        cmocka_unit_test(web_assets_name_what_is_inline_in_their_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
