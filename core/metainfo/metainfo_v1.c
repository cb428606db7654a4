/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo_v1.h"

#include "core/crypto/sha1.h"

static enum freshet_error fail_at(struct metainfo_draft *draft, enum freshet_error error,
                                  uint32_t index, const char *problem)
{
    return metainfo_draft_fail(draft, error, "info.files, file", index, problem);
}

static enum freshet_error read_path(struct metainfo_draft *draft, const struct bencode_value *dict,
                                    uint32_t index, struct metainfo_draft_file *file)
{
    const struct bencode_value *path = bencode_find_list(dict, "path");
    if (path == NULL && file->padding)
        return FRESHET_OK; /* BEP 47: do not require a path on padding files */
    if (path == NULL || path->count == 0)
        return fail_at(draft, FRESHET_ERROR_MISSING, index, "path is missing or empty");
    if (path->count > LIMIT_PATH_DEPTH)
        return fail_at(draft, FRESHET_ERROR_LIMIT, index, "path is too deep");
    struct bytes *elements = metainfo_draft_elements(draft, path->count);
    if (elements == NULL)
        return fail_at(draft, FRESHET_ERROR_LIMIT, index, "too many path elements in all");
    struct bencode_iterator each = bencode_iterate(path);
    for (uint32_t i = 0; bencode_iterate_next(&each); i++)
        if (!bencode_string(each.value, &elements[i]))
            return fail_at(draft, FRESHET_ERROR_SYNTAX, index, "path holds what is not a string");
    file->raw = elements;
    file->raw_count = path->count;
    return FRESHET_OK;
}

static enum freshet_error read_length(struct metainfo_draft *draft,
                                      const struct bencode_value *dict, uint32_t index,
                                      struct metainfo_draft_file *file)
{
    int64_t length = 0;
    struct bytes attributes = {NULL, 0};
    bool has_length = bencode_find_integer(dict, "length", &length);
    if (!has_length && !bencode_find_string(dict, "attr", &attributes)) /* symlinks may lack it */
        return fail_at(draft, FRESHET_ERROR_MISSING, index, "length is missing or no integer");
    if (length < 0)
        return fail_at(draft, FRESHET_ERROR_RANGE, index, "length is negative");
    file->length = (uint64_t)length;
    enum freshet_error error =
        metainfo_draft_attributes(draft, dict, "info.files, file", index, file);
    if (error == FRESHET_OK && !has_length && !file->is_symlink)
        return fail_at(draft, FRESHET_ERROR_MISSING, index, "length is missing or no integer");
    return error;
}

static enum freshet_error read_file(struct metainfo_draft *draft, const struct bencode_value *dict,
                                    uint32_t index)
{
    if (!bencode_is(dict, BENCODE_DICT))
        return fail_at(draft, FRESHET_ERROR_SYNTAX, index, "not a dictionary");
    struct metainfo_draft_file *file = metainfo_draft_add(&draft->v1);
    if (file == NULL)
        return fail_at(draft, FRESHET_ERROR_LIMIT, index, "too many files");
    enum freshet_error error = read_length(draft, dict, index, file);
    return error != FRESHET_OK ? error : read_path(draft, dict, index, file);
}

static enum freshet_error read_single(struct metainfo_draft *draft, int64_t length)
{
    if (length < 0)
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, "info.length",
                                   METAINFO_DRAFT_NO_INDEX, "negative");
    struct metainfo_draft_file *file = metainfo_draft_add(&draft->v1);
    struct bytes *elements = metainfo_draft_elements(draft, 1);
    elements[0] = draft->made->raw_name;
    file->raw = elements;
    file->raw_count = 1;
    file->length = (uint64_t)length;
    draft->v1.single = true;
    enum freshet_error error =
        metainfo_draft_attributes(draft, draft->info, "info.attr", METAINFO_DRAFT_NO_INDEX, file);
    if (error == FRESHET_OK && file->padding)
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, "info.attr", METAINFO_DRAFT_NO_INDEX,
                                   "the only file is padding");
    return error;
}

enum freshet_error metainfo_v1_read_files(struct metainfo_draft *draft)
{
    int64_t length;
    bool has_length = bencode_find_integer(draft->info, "length", &length);
    const struct bencode_value *files = bencode_find(draft->info, "files");
    if (has_length && files)
        return metainfo_draft_fail(draft, FRESHET_ERROR_CONFLICT, "info", METAINFO_DRAFT_NO_INDEX,
                                   "has both length and files");
    if (has_length)
        return read_single(draft, length);
    if (!bencode_is(files, BENCODE_LIST) || files->count == 0)
        return metainfo_draft_fail(draft, FRESHET_ERROR_MISSING, "info", METAINFO_DRAFT_NO_INDEX,
                                   "has neither a length nor a list of files");
    struct bencode_iterator each = bencode_iterate(files);
    for (uint32_t index = 0; bencode_iterate_next(&each); index++) {
        enum freshet_error error = read_file(draft, each.value, index);
        if (error != FRESHET_OK)
            return error;
    }
    return FRESHET_OK;
}

enum freshet_error metainfo_v1_read_pieces(struct metainfo_draft *draft)
{
    struct bytes pieces;
    if (!bencode_find_string(draft->info, "pieces", &pieces))
        return metainfo_draft_fail(draft, FRESHET_ERROR_MISSING, "info.pieces",
                                   METAINFO_DRAFT_NO_INDEX, "missing, or not a string");
#ifdef FRESHET_PLANTED_BUG
    if (pieces.length % SHA1_SIZE != 0)
#else
    if (pieces.length != (uint64_t)draft->made->geometry.piece_count * SHA1_SIZE)
#endif
        return metainfo_draft_fail(draft, FRESHET_ERROR_RANGE, "info.pieces",
                                   METAINFO_DRAFT_NO_INDEX,
                                   "its length does not fit the sizes of the files");
    draft->made->pieces = pieces.data;
    return FRESHET_OK;
}
