/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo_names.h"

#include "core/base/check.h"
#include "core/metainfo/metainfo_arena.h"

#include <string.h>

static bool is_plain(struct bytes element)
{
    if (element.length == 0 || bytes_is(element, ".") || bytes_is(element, ".."))
        return false;
    return memchr(element.data, '/', element.length) == NULL &&
           memchr(element.data, '\0', element.length) == NULL;
}

static bool append_element(struct bytes element, struct buffer *out)
{
    if (!is_plain(element) || element.length > LIMIT_PATH_ELEMENT)
        return false;
    buffer_append(out, element.data, element.length);
    return true;
}

static bool append_path(const struct metainfo *metainfo, const struct metainfo_file *file,
                        struct buffer *out)
{
    if (!append_element(metainfo->raw_name, out))
        return false;
    for (uint32_t i = 0; i < file->raw_count && !metainfo->single_file; i++) {
        buffer_append_u8(out, '/');
        if (!append_element(file->raw[i], out))
            return false;
    }
    buffer_append_u8(out, '\0');
    return true;
}

bool metainfo_names_raw_path(const struct metainfo *metainfo, file_index file, struct buffer *out)
{
    CHECK(file < metainfo->geometry.file_count);
    size_t start = out->length;
    if (append_path(metainfo, &metainfo->files[file], out) &&
        out->length - start <= LIMIT_PATH_LENGTH + 1)
        return true;
    out->length = start;
    return false;
}

bool metainfo_names_use_raw(struct metainfo *metainfo, file_index file)
{
    struct buffer path = {0};
    bool plain = metainfo_names_raw_path(metainfo, file, &path);
    if (plain)
        metainfo->files[file].path =
            metainfo_arena_text(metainfo->arena, (struct bytes){path.data, path.length - 1});
    buffer_deinit(&path);
    return plain;
}
