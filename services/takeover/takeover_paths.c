/* SPDX-License-Identifier: MIT */
/*
 * Other programs map each file to a path of its own; ours rename an element of a path, which stays
 * where it is in the tree. So paths are compared element by element from the top, and each that
 * differs is one renaming, which then holds for all that lies below. At the end every file must lie
 * where it was told to: else the layout is one that renamings cannot make, and is refused.
 *
 * Two layouts that qBittorrent makes are ours with another folder: without the torrent's own folder
 * ("/a/b" + "x/y" is "/a" + "b/x/y"), and a lone file in a folder ("/a" + "b/f" is "/a/b" + "f").
 */
#include "core/base/memory.h"
#include "services/takeover/takeover.h"

#include <string.h>

static size_t depth_of(const char *path)
{
    size_t depth = 1;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

static char *join(const char *folder, const char *name)
{
    struct buffer text = {0};

    buffer_append_text(&text, folder);
    if (!folder[0] || folder[strlen(folder) - 1] != '/')
        buffer_append_u8(&text, '/');
    buffer_append_text(&text, name);
    buffer_append_u8(&text, 0);
    return (char *)text.data;
}

/* No element is empty, "." or "..". */
static bool is_plain(const char *path)
{
    for (const char *at = path;; at++) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length <= 2 && strspn(at, ".") >= length))
            return false;
        at += length;
        if (!*at)
            return true;
    }
}

/* The wanted path of each file; NULL: its own. false: refused. */
static bool read_paths(struct takeover *takeover, const struct metainfo *metainfo,
                       const struct bencode_value *list, char **wanted)
{
    struct bencode_iterator each = bencode_iterate(list);
    int form = takeover_list_form(metainfo, list->count);
    struct bytes path;

    if (form < 0) {
        takeover_refuse(takeover, "%u names are told of, and it has %u files", list->count,
                        metainfo->geometry.file_count);
        return false;
    }
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        if (form == 1 && metainfo->files[i].padding)
            continue;
        if (!bencode_iterate_next(&each))
            break;
        if (!bencode_string(each.value, &path) || path.length == 0 || metainfo->files[i].padding)
            continue;
        wanted[i] = takeover_text(path, LIMIT_PATH_LENGTH);
        if (!wanted[i] || !is_plain(wanted[i])) {
            takeover_refuse(takeover, "file %u has a name on the disk that ours cannot have",
                            i + 1);
            return false;
        }
    }
    return true;
}

/* Were all files mapped to one element less than they have? */
static bool lacks_top(const struct metainfo *metainfo, char **wanted)
{
    bool any = false;

    if (metainfo->single_file)
        return false;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        if (metainfo->files[i].padding)
            continue;
        any = true;
        if (!wanted[i] || depth_of(wanted[i]) + 1 != depth_of(metainfo->files[i].path))
            return false;
    }
    return any;
}

/* The folder's own name takes the place of the torrent's. */
static void put_top(struct takeover *takeover, const struct metainfo *metainfo, char **wanted)
{
    char *slash = takeover->folder ? strrchr(takeover->folder, '/') : NULL;

    if (!slash || !slash[1] || takeover->folder_done) {
        takeover_refuse(takeover, "its files lie without a folder of their own");
        return;
    }
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        if (!wanted[i])
            continue;
        char *whole = join(slash + 1, wanted[i]);
        memory_free(wanted[i]);
        wanted[i] = whole;
    }
    slash[slash == takeover->folder] = '\0';
}

/* What leads to a lone file becomes part of the folder. */
static void cut_top(struct takeover *takeover, char **wanted)
{
    char *slash = strrchr(*wanted, '/'), *name, *folder;

    if (!takeover->folder || takeover->folder_done) {
        takeover_refuse(takeover, "its file lies in a folder of its own");
        return;
    }
    name = memory_copy(slash + 1, strlen(slash + 1) + 1);
    *slash = '\0';
    folder = join(takeover->folder, *wanted);
    memory_free(*wanted);
    memory_free(takeover->folder);
    *wanted = name;
    takeover->folder = folder;
}

static bool rename_one(struct takeover *takeover, struct metainfo *metainfo, const char *path,
                       const char *name)
{
    uint32_t count = takeover->renamed_count;

    if (count == TAKEOVER_RENAMED || metainfo_rename(metainfo, path, name))
        return false;
    if (count == 0) {
        takeover->renamed_paths = memory_new_array(TAKEOVER_RENAMED, sizeof(char *));
        takeover->renamed_names = memory_new_array(TAKEOVER_RENAMED, sizeof(char *));
    }
    takeover->renamed_paths[count] = memory_copy(path, strlen(path) + 1);
    takeover->renamed_names[count] = memory_copy(name, strlen(name) + 1);
    takeover->renamed_count++;
    return true;
}

/* The element of both paths that begins at their `at`, which is the same up to there. */
static bool rename_element(struct takeover *takeover, struct metainfo *metainfo, const char *path,
                           const char *wanted, size_t at)
{
    size_t old_length = at + strcspn(path + at, "/"), new_length = strcspn(wanted + at, "/");
    char *from = memory_new(old_length + 1), *name = memory_new(new_length + 1);

    memcpy(from, path, old_length);
    memcpy(name, wanted + at, new_length);
    bool done = rename_one(takeover, metainfo, from, name);
    memory_free(from);
    memory_free(name);
    return done;
}

static bool rename_file(struct takeover *takeover, struct metainfo *metainfo, uint32_t file,
                        const char *wanted)
{
    if (depth_of(wanted) != depth_of(metainfo->files[file].path))
        return false;
    for (size_t at = 0;;) {
        const char *path = metainfo->files[file].path;
        size_t length = strcspn(wanted + at, "/");
        if ((strncmp(path + at, wanted + at, length) != 0 || strcspn(path + at, "/") != length) &&
            !rename_element(takeover, metainfo, path, wanted, at))
            return false;
        at += length;
        if (!wanted[at])
            return true;
        at++;
    }
}

static void rename_all(struct takeover *takeover, struct metainfo *metainfo, char **wanted)
{
    uint32_t count = metainfo->geometry.file_count, elsewhere = 0;
    bool done = true;

    for (uint32_t i = 0; i < count && done; i++)
        done = !wanted[i] || rename_file(takeover, metainfo, i, wanted[i]);
    for (uint32_t i = 0; i < count; i++)
        elsewhere += wanted[i] && strcmp(wanted[i], metainfo->files[i].path) != 0;
    if (elsewhere)
        takeover_refuse(takeover,
                        "%u of its files lie where renaming within the torrent does not lead",
                        elsewhere);
}

void takeover_paths(struct takeover *takeover, struct metainfo *metainfo,
                    const struct bencode_value *paths)
{
    uint32_t count = metainfo->geometry.file_count;

    if (!paths || paths->count == 0)
        return;
    char **wanted = memory_new_array(count, sizeof *wanted);
    if (read_paths(takeover, metainfo, paths, wanted)) {
        if (lacks_top(metainfo, wanted))
            put_top(takeover, metainfo, wanted);
        else if (metainfo->single_file && count == 1 && wanted[0] && strchr(wanted[0], '/'))
            cut_top(takeover, wanted);
        if (!takeover->refusal[0])
            rename_all(takeover, metainfo, wanted);
    }
    for (uint32_t i = 0; i < count; i++)
        memory_free(wanted[i]);
    memory_free(wanted);
}
