/* SPDX-License-Identifier: MIT */
/* Other names on the disk for what a torrent brings; what the info-hash covers stays. */
#include "core/metainfo/metainfo.h"

#include "core/base/memory.h"
#include "core/metainfo/metainfo_arena.h"
#include "core/metainfo/path_name.h"

#include <string.h>

static struct bytes text_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static bool is_safe_name(const char *name)
{
    struct buffer clean = {0};
    bool safe = name[0] != '\0' && path_name_clean(text_of(name), &clean);
    buffer_deinit(&clean);
    return safe;
}

/* Is `path` the prefix itself, or below it? */
static bool is_below(const char *path, const char *prefix, size_t length)
{
    return strncmp(path, prefix, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* The path that takes the place of `path`. */
static const char *renamed_path(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    struct buffer text = {0};
    buffer_append(&text, path, slash ? (size_t)(slash + 1 - path) : 0);
    buffer_append_text(&text, name);
    buffer_append_u8(&text, 0);
    return (const char *)text.data;
}

static const char *with_prefix(struct metainfo *metainfo, const char *path, size_t old_length,
                               const char *prefix)
{
    struct buffer text = {0};
    buffer_append_text(&text, prefix);
    buffer_append_text(&text, path + old_length);
    const char *kept = metainfo_arena_text(metainfo->arena, buffer_bytes(&text));
    buffer_deinit(&text);
    return kept;
}

static enum freshet_error judge(const struct metainfo *metainfo, const char *path, const char *now)
{
    size_t length = strlen(path);
    bool found = false, taken = false;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        bool below = is_below(metainfo->files[i].path, path, length);
        found |= below;
        taken |= !below && is_below(metainfo->files[i].path, now, strlen(now));
    }
    if (!found)
        return FRESHET_ERROR_NOT_FOUND;
    return taken ? FRESHET_ERROR_EXISTS : FRESHET_OK;
}

enum freshet_error metainfo_rename_judge(const struct metainfo *metainfo, const char *path,
                                         const char *name)
{
    if (!is_safe_name(name))
        return FRESHET_ERROR_REFUSED;
    const char *now = renamed_path(path, name);
    enum freshet_error error = judge(metainfo, path, now);
    memory_free((void *)(uintptr_t)now);
    return error;
}

enum freshet_error metainfo_rename(struct metainfo *metainfo, const char *path, const char *name)
{
    size_t length = strlen(path);
    if (!is_safe_name(name))
        return FRESHET_ERROR_REFUSED;
    const char *now = renamed_path(path, name);
    enum freshet_error error = judge(metainfo, path, now);
    for (uint32_t i = 0; !error && i < metainfo->geometry.file_count; i++) {
        struct metainfo_file *file = &metainfo->files[i];
        if (is_below(file->path, path, length))
            file->path = with_prefix(metainfo, file->path, length, now);
        if (file->symlink && is_below(file->symlink, path, length))
            file->symlink = with_prefix(metainfo, file->symlink, length, now);
    }
    if (!error && strchr(path, '/') == NULL)
        metainfo->name = metainfo_arena_text(metainfo->arena, text_of(name));
    memory_free((void *)(uintptr_t)now);
    return error;
}
