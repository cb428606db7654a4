/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo_draft.h"

#include "core/base/memory.h"
#include "core/metainfo/path_name.h"
#include "core/metainfo/path_name_set.h"

#include <string.h>

static void append_reason(struct writer *writer, const char *text)
{
    size_t room = (size_t)(writer->end - writer->at);
    size_t length = strlen(text);
    writer_bytes(writer, text, length < room ? length : room);
}

enum freshet_error metainfo_draft_fail(struct metainfo_draft *draft, enum freshet_error error,
                                       const char *where, uint32_t index, const char *problem)
{
    struct writer writer;
    writer_init(&writer, (uint8_t *)draft->reason, METAINFO_REASON_SIZE - 1);
    append_reason(&writer, where);
    if (index != METAINFO_DRAFT_NO_INDEX) {
        struct buffer number = {0};
        buffer_append_i64(&number, index);
        buffer_append_u8(&number, 0);
        append_reason(&writer, " ");
        append_reason(&writer, (const char *)number.data);
        buffer_deinit(&number);
    }
    append_reason(&writer, ": ");
    append_reason(&writer, problem);
    draft->reason[writer_length(&writer)] = '\0';
    return error;
}

struct metainfo_draft_file *metainfo_draft_add(struct metainfo_draft_files *files)
{
    if (files->count == LIMIT_FILES_MAX)
        return NULL;
    if (files->count == files->capacity) {
        files->capacity = files->capacity ? 2 * files->capacity : 16;
        files->items = memory_resize_array(files->items, files->capacity, sizeof files->items[0]);
    }
    struct metainfo_draft_file *file = &files->items[files->count++];
    *file = (struct metainfo_draft_file){0};
    return file;
}

struct bytes *metainfo_draft_elements(struct metainfo_draft *draft, uint32_t count)
{
    if (count > LIMIT_PATH_ELEMENTS_MAX - draft->raw_elements)
        return NULL;
    draft->raw_elements += count;
    return metainfo_arena_array(draft->arena, count, sizeof(struct bytes));
}

static bool is_list_of_strings(const struct bencode_value *list)
{
    if (!bencode_is(list, BENCODE_LIST) || list->count == 0)
        return false;
    struct bencode_iterator each = bencode_iterate(list);
    while (bencode_iterate_next(&each))
        if (!bencode_is(each.value, BENCODE_STRING))
            return false;
    return true;
}

enum freshet_error metainfo_draft_attributes(struct metainfo_draft *draft,
                                             const struct bencode_value *dict, const char *where,
                                             uint32_t index, struct metainfo_draft_file *file)
{
    struct bytes attributes = {NULL, 0};
    bencode_find_string(dict, "attr", &attributes);
    for (size_t i = 0; i < attributes.length; i++) {
        file->padding = file->padding || attributes.data[i] == 'p';
        file->executable = file->executable || attributes.data[i] == 'x';
        file->hidden = file->hidden || attributes.data[i] == 'h';
        file->is_symlink = file->is_symlink || attributes.data[i] == 'l';
    }
    if (!file->is_symlink)
        return FRESHET_OK;
    file->symlink_path = bencode_find(dict, "symlink path");
    if (!is_list_of_strings(file->symlink_path))
        return metainfo_draft_fail(draft, FRESHET_ERROR_MISSING, where, index,
                                   "a symlink without its symlink path");
    if (file->length != 0)
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, where, index,
                                   "a symlink must have length 0");
    if (file->symlink_path->count > LIMIT_PATH_DEPTH)
        return metainfo_draft_fail(draft, FRESHET_ERROR_LIMIT, where, index,
                                   "the symlink path is too deep");
    return FRESHET_OK;
}

struct path_maker {
    struct metainfo_draft *draft;
    struct path_name_set *names;
    struct buffer path;   /* scratch */
    size_t prefix_length; /* of "name/", which every path of a folder begins with */
    uint64_t bytes;       /* of all paths, capped */
};

/* Elements made safe one by one, without regard to other files: padding and symlink targets. */
static enum freshet_error join_clean(struct path_maker *maker, const struct bytes *elements,
                                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buffer_append_u8(&maker->path, '/');
        path_name_clean(elements[i], &maker->path);
        if (maker->path.length > LIMIT_PATH_LENGTH)
            return FRESHET_ERROR_LIMIT;
    }
    return FRESHET_OK;
}

static enum freshet_error make_path(struct path_maker *maker,
                                    const struct metainfo_draft_file *from, bool single,
                                    const char **ret_path)
{
    struct metainfo *made = maker->draft->made;
    bool changed = false;
    enum freshet_error error = FRESHET_OK;
    if (single) {
        *ret_path = made->name;
        return FRESHET_OK;
    }
    maker->path.length = maker->prefix_length;
    if (from->padding)
        error = join_clean(maker, from->raw, from->raw_count);
    else
        error = path_name_set_add(maker->names, from->raw, from->raw_count, &maker->path, &changed);
    maker->bytes += maker->path.length;
    if (error != FRESHET_OK || maker->bytes > LIMIT_PATH_BYTES_MAX)
        return FRESHET_ERROR_LIMIT;
    made->renamed = made->renamed || changed;
    *ret_path = metainfo_arena_text(maker->draft->arena, buffer_bytes(&maker->path));
    return FRESHET_OK;
}

static enum freshet_error make_symlink(struct path_maker *maker, const struct bencode_value *list,
                                       bool single, const char **ret_symlink)
{
    struct bytes elements[LIMIT_PATH_DEPTH];
    uint32_t count = 0;
    struct bencode_iterator each = bencode_iterate(list);
    while (bencode_iterate_next(&each))
        bencode_string(each.value, &elements[count++]);
    maker->path.length = single ? 0 : maker->prefix_length;
    enum freshet_error error = join_clean(maker, elements, count);
    maker->bytes += maker->path.length;
    if (error != FRESHET_OK || maker->bytes > LIMIT_PATH_BYTES_MAX)
        return FRESHET_ERROR_LIMIT;
    *ret_symlink = metainfo_arena_text(maker->draft->arena, buffer_bytes(&maker->path));
    return FRESHET_OK;
}

static enum freshet_error make_file(struct path_maker *maker,
                                    const struct metainfo_draft_file *from, bool single,
                                    struct metainfo_file *to)
{
    to->raw = from->raw;
    to->raw_count = from->raw_count;
    to->length = from->length;
    to->padding = from->padding;
    to->executable = from->executable;
    to->hidden = from->hidden;
    to->pieces_root = from->pieces_root;
    enum freshet_error error = make_path(maker, from, single, &to->path);
    if (error == FRESHET_OK && from->is_symlink)
        error = make_symlink(maker, from->symlink_path, single, &to->symlink);
    return error;
}

static enum freshet_error make_files(struct metainfo_draft *draft,
                                     const struct metainfo_draft_files *files)
{
    struct metainfo *made = draft->made;
    struct path_maker maker = {.draft = draft, .names = path_name_set_new()};
    buffer_append_text(&maker.path, made->name);
    buffer_append_u8(&maker.path, '/');
    maker.prefix_length = maker.path.length;
    made->files = metainfo_arena_array(draft->arena, files->count, sizeof made->files[0]);
    enum freshet_error error = FRESHET_OK;
    for (uint32_t i = 0; i < files->count && error == FRESHET_OK; i++) {
        error = make_file(&maker, &files->items[i], files->single, &made->files[i]);
        if (error != FRESHET_OK)
            metainfo_draft_fail(draft, error, "info.files, file", i,
                                "a path too long or too deep, or too many equal names");
    }
    buffer_deinit(&maker.path);
    path_name_set_free(maker.names);
    return error;
}

static enum freshet_error make_geometry(struct metainfo_draft *draft,
                                        const struct metainfo_draft_files *files)
{
    int64_t piece_length = 0;
    if (!bencode_find_integer(draft->info, "piece length", &piece_length))
        return metainfo_draft_fail(draft, FRESHET_ERROR_MISSING, "info.piece length",
                                   METAINFO_DRAFT_NO_INDEX, "missing, or not an integer");
    if (piece_length < 1 || piece_length > LIMIT_PIECE_LENGTH_MAX)
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, "info.piece length",
                                   METAINFO_DRAFT_NO_INDEX, "must be from 1 byte to 512 MiB");
    if (draft->made->has_v2 &&
        (piece_length < LIMIT_PIECE_LENGTH_MIN_V2 || (piece_length & (piece_length - 1)) != 0))
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, "info.piece length",
                                   METAINFO_DRAFT_NO_INDEX,
                                   "must be a power of two of at least 16 KiB (BEP 52)");
    struct geometry_file *places = memory_new_array(files->count, sizeof places[0]);
    for (uint32_t i = 0; i < files->count; i++)
        places[i] = (struct geometry_file){0, files->items[i].length, files->items[i].padding};
    enum freshet_error error =
        geometry_init(&draft->made->geometry, (uint32_t)piece_length, places, files->count,
                      draft->made->has_v2 && !draft->made->has_v1);
    memory_free(places);
    if (error == FRESHET_ERROR_LIMIT)
        metainfo_draft_fail(draft, error, "info", METAINFO_DRAFT_NO_INDEX,
                            "more than 2097152 pieces, or sizes that add up to over 2^63 bytes");
    else if (error != FRESHET_OK)
        metainfo_draft_fail(draft, error, "info", METAINFO_DRAFT_NO_INDEX,
                            "holds no content, all files are empty");
    return error;
}

enum freshet_error metainfo_draft_finish(struct metainfo_draft *draft,
                                         const struct metainfo_draft_files *files)
{
    enum freshet_error error = make_geometry(draft, files);
    return error != FRESHET_OK ? error : make_files(draft, files);
}
