/* SPDX-License-Identifier: MIT */
/* planted: core/metainfo/path_name.c */
/* finds: internal check failed: element.data[i] >= ' ' :: path_name_fuzz.c */
/* covers: core/metainfo/path_name.c core/metainfo/path_name_set.c */
/* max_len: 2048 */
/* Names of files: lines are files, tabs part their elements, the rest of a line is any bytes. No
 * path escapes, no element is unsafe, and no two files meet on a disk that ignores case. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/metainfo/path_name.h"
#include "core/metainfo/path_name_set.h"

#include <string.h>

#define FILES_MAX 48u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_element(struct bytes element)
{
    CHECK(element.length > 0 && element.length <= LIMIT_PATH_ELEMENT);
    CHECK(utf8_is_valid(element));
    CHECK(element.data[element.length - 1] != '.' && element.data[element.length - 1] != ' ');
    for (size_t i = 0; i < element.length; i++)
        CHECK(element.data[i] >= ' ' && element.data[i] != 0x7f && element.data[i] != '\\' &&
              element.data[i] != '/');
}

/* What is safe stays as it is, alone and numbered. */
static void check_clean(struct bytes raw)
{
    struct buffer once = {0}, twice = {0}, numbered = {0};
    bool same = path_name_clean(raw, &once);
    CHECK(same == bytes_equal(raw, buffer_bytes(&once)));
    check_element(buffer_bytes(&once));
    CHECK(path_name_clean(buffer_bytes(&once), &twice));
    path_name_number(buffer_bytes(&once), 4294967295u, &numbered);
    check_element(buffer_bytes(&numbered));
    buffer_deinit(&once);
    buffer_deinit(&twice);
    buffer_deinit(&numbered);
}

static void check_path(struct bytes path)
{
    CHECK(path.length > 0 && path.length <= LIMIT_PATH_LENGTH);
    size_t start = 0;
    for (size_t i = 0; i <= path.length; i++) {
        if (i < path.length && path.data[i] != '/')
            continue;
        check_element((struct bytes){path.data + start, i - start});
        start = i + 1;
    }
}

/* Neither equal, nor one the folder of the other. */
static void check_apart(struct bytes a, struct bytes b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    if (memcmp(a.data, b.data, shorter) != 0)
        return;
    CHECK(a.length != b.length);
    CHECK((a.length > b.length ? a : b).data[shorter] != '/');
}

static uint32_t split(struct bytes line, struct bytes elements[LIMIT_PATH_DEPTH + 1])
{
    uint32_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= line.length && count <= LIMIT_PATH_DEPTH; i++) {
        if (i < line.length && line.data[i] != '\t')
            continue;
        elements[count++] = (struct bytes){line.data + start, i - start};
        check_clean(elements[count - 1]);
        start = i + 1;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct path_name_set *set = path_name_set_new();
    struct buffer folded[FILES_MAX] = {{0}};
    uint32_t file_count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= size && file_count < FILES_MAX; i++) {
        if (i < size && data[i] != '\n')
            continue;
        struct bytes elements[LIMIT_PATH_DEPTH + 1];
        struct buffer path = {0};
        bool changed;
        uint32_t count = split((struct bytes){data + start, i - start}, elements);
        if (path_name_set_add(set, elements, count, &path, &changed) == FRESHET_OK) {
            check_path(buffer_bytes(&path));
            path_name_fold(buffer_bytes(&path), &folded[file_count++]);
        }
        buffer_deinit(&path);
        start = i + 1;
    }
    for (uint32_t i = 0; i < file_count; i++)
        for (uint32_t j = 0; j < i; j++)
            check_apart(buffer_bytes(&folded[i]), buffer_bytes(&folded[j]));
    for (uint32_t i = 0; i < file_count; i++)
        buffer_deinit(&folded[i]);
    path_name_set_free(set);
    return 0;
}
