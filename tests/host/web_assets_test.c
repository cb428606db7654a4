/* SPDX-License-Identifier: MIT */
/* The page as it is embedded: every file whole, nothing inline that its policy would refuse. */
#include "core/base/memory.h"
#include "host/web_assets.h"

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
    compare("/app.css", "app.css");
}

static void web_assets_are_a_table_and_no_folder(void **state)
{
    (void)state;
    static const char *const paths[] = {"", "app.js", "//", "/app.js/", "/../app.js", "/app.jsx"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_null(web_assets_find(paths[i]));
}

static void web_assets_hold_nothing_inline(void **state)
{
    (void)state;
    const struct web_asset *page = web_assets_find("/");
    char *text = memory_new(page->bytes.length + 1);
    memcpy(text, page->bytes.data, page->bytes.length);
    assert_null(strstr(text, "<style"));
    assert_null(strstr(text, "style="));
    assert_null(strstr(text, "javascript:"));
    for (char *at = text; (at = strstr(at, "<script")); at++)
        assert_non_null(strstr(at, "src=\"app.js\"></script>"));
    memory_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(web_assets_are_the_files_of_the_tree),
        cmocka_unit_test(web_assets_are_a_table_and_no_folder),
        cmocka_unit_test(web_assets_hold_nothing_inline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
