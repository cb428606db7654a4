/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo_v2.h"

#include "core/base/memory.h"
#include "core/metainfo/merkle.h"

#include <string.h>

static enum freshet_error fail_tree(struct metainfo_draft *draft, enum freshet_error error,
                                    const char *problem)
{
    return metainfo_draft_fail(draft, error, "info.file tree, file", draft->v2.count, problem);
}

/* The walk through the tree: one open folder a level, and the names that lead to it. */
struct tree_walk {
    struct bencode_iterator folders[LIMIT_PATH_DEPTH + 1];
    struct bytes names[LIMIT_PATH_DEPTH + 1]; /* names[i] leads from folders[i] to folders[i+1] */
    uint32_t depth;                           /* the innermost open folder */
};

static enum freshet_error read_properties(struct metainfo_draft *draft,
                                          const struct bencode_value *dict,
                                          struct metainfo_draft_file *file)
{
    int64_t length = 0;
    struct bytes root = {NULL, 0};
    struct bytes attributes;
    if (!bencode_find_integer(dict, "length", &length) &&
        !bencode_find_string(dict, "attr", &attributes))
        return fail_tree(draft, FRESHET_ERROR_MISSING, "length is missing or no integer");
    if (length < 0)
        return fail_tree(draft, FRESHET_ERROR_RANGE, "length is negative");
    file->length = (uint64_t)length;
    enum freshet_error error =
        metainfo_draft_attributes(draft, dict, "info.file tree, file", draft->v2.count - 1, file);
    if (error != FRESHET_OK)
        return error;
    if (file->padding)
        return fail_tree(draft, FRESHET_ERROR_RANGE, "padding does not belong in a file tree");
    if (length == 0)
        return FRESHET_OK;
    if (!bencode_find_string(dict, "pieces root", &root) || root.length != MERKLE_HASH)
        return fail_tree(draft, FRESHET_ERROR_MISSING, "no pieces root of 32 bytes");
    file->pieces_root = root.data;
    return FRESHET_OK;
}

/* `dict` is what the empty key holds; the walk's names are the file's path. */
static enum freshet_error read_file(struct metainfo_draft *draft, const struct tree_walk *walk,
                                    const struct bencode_value *dict)
{
    if (walk->depth == 0)
        return fail_tree(draft, FRESHET_ERROR_SYNTAX, "the root must not be a file");
    if (walk->folders[walk->depth].left != 0)
        return fail_tree(draft, FRESHET_ERROR_CONFLICT, "a file that is a folder too");
    if (!bencode_is(dict, BENCODE_DICT))
        return fail_tree(draft, FRESHET_ERROR_SYNTAX, "properties that are not a dictionary");
    struct bytes *elements = metainfo_draft_elements(draft, walk->depth);
    if (elements == NULL)
        return fail_tree(draft, FRESHET_ERROR_LIMIT, "too many path elements in all");
    memcpy(elements, walk->names, walk->depth * sizeof elements[0]);
    struct metainfo_draft_file *file = metainfo_draft_add(&draft->v2);
    if (file == NULL)
        return fail_tree(draft, FRESHET_ERROR_LIMIT, "too many files");
    file->raw = elements;
    file->raw_count = walk->depth;
    return read_properties(draft, dict, file);
}

static enum freshet_error walk_tree(struct metainfo_draft *draft, struct tree_walk *walk)
{
    for (;;) {
        struct bencode_iterator *folder = &walk->folders[walk->depth];
        if (!bencode_iterate_next(folder)) {
            if (walk->depth-- == 0)
                return FRESHET_OK;
            continue;
        }
        if (folder->key.length == 0) {
            enum freshet_error error = read_file(draft, walk, folder->value);
            if (error != FRESHET_OK)
                return error;
            continue;
        }
        if (!bencode_is(folder->value, BENCODE_DICT))
            return fail_tree(draft, FRESHET_ERROR_SYNTAX, "an entry that is not a dictionary");
        if (walk->depth == LIMIT_PATH_DEPTH)
            return fail_tree(draft, FRESHET_ERROR_LIMIT, "nested too deep");
        walk->names[walk->depth] = folder->key;
        walk->folders[++walk->depth] = bencode_iterate(folder->value);
    }
}

enum freshet_error metainfo_v2_read_files(struct metainfo_draft *draft)
{
    const struct bencode_value *tree = bencode_find_dict(draft->info, "file tree");
    if (tree == NULL)
        return metainfo_draft_fail(draft, FRESHET_ERROR_MISSING, "info.file tree",
                                   METAINFO_DRAFT_NO_INDEX, "missing, or not a dictionary");
    struct tree_walk walk = {.depth = 0};
    walk.folders[0] = bencode_iterate(tree);
    enum freshet_error error = walk_tree(draft, &walk);
    if (error != FRESHET_OK)
        return error;
    if (draft->v2.count == 0)
        return metainfo_draft_fail(draft, FRESHET_ERROR_MISSING, "info.file tree",
                                   METAINFO_DRAFT_NO_INDEX, "holds no files");
    const struct metainfo_draft_file *only = &draft->v2.items[0];
    draft->v2.single = draft->v2.count == 1 && only->raw_count == 1 &&
                       bytes_equal(only->raw[0], draft->made->raw_name);
    return FRESHET_OK;
}

static bool is_same_path(const struct metainfo_draft_file *a, const struct metainfo_draft_file *b)
{
    if (a->raw_count != b->raw_count)
        return false;
    for (uint32_t i = 0; i < a->raw_count; i++)
        if (!bytes_equal(a->raw[i], b->raw[i]))
            return false;
    return true;
}

static enum freshet_error fail_hybrid(struct metainfo_draft *draft, uint32_t index,
                                      const char *problem)
{
    return metainfo_draft_fail(draft, FRESHET_ERROR_CONFLICT, "info.files, file", index, problem);
}

enum freshet_error metainfo_v2_join_v1(struct metainfo_draft *draft)
{
    const struct geometry *geometry = &draft->made->geometry;
    if (draft->v1.single != draft->v2.single)
        return fail_hybrid(draft, 0, "one file in v1 or v2, a folder in the other");
    uint64_t next_offset = 0; /* where v2 starts the next file that is not empty */
    uint32_t twin = 0;
    for (uint32_t i = 0; i < draft->v1.count; i++) {
        struct metainfo_draft_file *file = &draft->v1.items[i];
        if (file->padding)
            continue;
        if (twin == draft->v2.count)
            return fail_hybrid(draft, i, "is not in the file tree of v2");
        const struct metainfo_draft_file *other = &draft->v2.items[twin++];
        if (!is_same_path(file, other))
            return fail_hybrid(draft, i, "v1 and v2 disagree on its name or place");
        if (file->length != other->length || file->is_symlink != other->is_symlink)
            return fail_hybrid(draft, i, "v1 and v2 disagree on its length");
        if (file->length == 0)
            continue;
        if (geometry->files[i].offset != next_offset)
            return fail_hybrid(draft, i, "does not start at the piece that v2 gives it");
        uint64_t pieces = (file->length - 1) / geometry->piece_length + 1;
        next_offset += pieces * geometry->piece_length;
        file->pieces_root = other->pieces_root;
    }
    if (twin != draft->v2.count)
        return metainfo_draft_fail(draft, FRESHET_ERROR_CONFLICT, "info.file tree, file", twin,
                                   "is not in the list of files of v1");
    if (geometry->total_length > next_offset)
        return metainfo_draft_fail(draft, FRESHET_ERROR_CONFLICT, "info.files", draft->v1.count - 1,
                                   "padding beyond the last piece");
    return FRESHET_OK;
}

/* Layers by root, to be searched; keys of a strict dictionary are ascending already. */
struct layer_index {
    struct bytes *roots;
    const struct bencode_value **values;
    uint32_t count;
};

static void index_layers(struct layer_index *index, const struct bencode_value *layers)
{
    uint32_t count = bencode_is(layers, BENCODE_DICT) ? layers->count : 0;
    index->roots = memory_new_array(count, sizeof index->roots[0]);
    index->values = memory_new_array(count, sizeof index->values[0]);
    index->count = 0;
    struct bencode_iterator each = bencode_iterate(layers);
    while (index->count < count && bencode_iterate_next(&each)) {
        index->roots[index->count] = each.key;
        index->values[index->count++] = each.value;
    }
}

static const struct bencode_value *find_layer(const struct layer_index *index, const uint8_t *root)
{
    struct bytes wanted = {root, MERKLE_HASH};
    uint32_t low = 0;
    uint32_t high = index->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(index->roots[middle], wanted);
        if (order == 0)
            return index->values[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static enum freshet_error read_layer(struct metainfo_draft *draft, const struct layer_index *index,
                                     uint32_t file_number)
{
    struct metainfo_file *file = &draft->made->files[file_number];
    uint32_t piece_length = draft->made->geometry.piece_length;
    if (file->pieces_root == NULL || file->length <= piece_length)
        return FRESHET_OK;
    const struct bencode_value *value = find_layer(index, file->pieces_root);
    if (value == NULL) {
        draft->made->layers_missing = true;
        return FRESHET_OK;
    }
    struct bytes layer = {NULL, 0};
    uint64_t pieces = (file->length - 1) / piece_length + 1;
    if (!bencode_string(value, &layer) || layer.length != pieces * MERKLE_HASH)
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, "piece layers, file", file_number,
                                   "must have 32 bytes a piece");
    if (!merkle_layer_matches(layer.data, pieces, piece_length / LIMIT_BLOCK_SIZE,
                              file->pieces_root))
        return metainfo_draft_fail(draft, FRESHET_ERROR_HASH, "piece layers, file", file_number,
                                   "does not lead to the file's pieces root");
    file->piece_layer = metainfo_arena_copy(draft->arena, layer).data;
    return FRESHET_OK;
}

enum freshet_error metainfo_v2_read_layers(struct metainfo_draft *draft,
                                           const struct bencode_value *layers)
{
    if (layers && !bencode_is(layers, BENCODE_DICT))
        return metainfo_draft_fail(draft, FRESHET_ERROR_SYNTAX, "piece layers",
                                   METAINFO_DRAFT_NO_INDEX, "not a dictionary");
    struct layer_index index;
    index_layers(&index, layers);
    enum freshet_error error = FRESHET_OK;
    for (uint32_t i = 0; i < draft->made->geometry.file_count && error == FRESHET_OK; i++)
        error = read_layer(draft, &index, i);
    memory_free(index.roots);
    memory_free(index.values);
    return error;
}
