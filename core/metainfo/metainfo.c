/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/merkle.h"
#include "core/metainfo/metainfo_draft.h"
#include "core/metainfo/metainfo_outer.h"
#include "core/metainfo/metainfo_v1.h"
#include "core/metainfo/metainfo_v2.h"
#include "core/metainfo/path_name.h"

#include <string.h>

static enum freshet_error fail(struct metainfo_draft *draft, enum freshet_error error,
                               const char *where, const char *problem)
{
    return metainfo_draft_fail(draft, error, where, METAINFO_DRAFT_NO_INDEX, problem);
}

/* Which formats the dictionary speaks. */
static enum freshet_error read_version(struct metainfo_draft *draft)
{
    int64_t version = 1;
    const struct bencode_value *value = bencode_find(draft->info, "meta version");
    if (value && !bencode_integer(value, &version))
        return fail(draft, FRESHET_ERROR_SYNTAX, "info.meta version", "not an integer");
    if (version != 1 && version != 2)
        return fail(draft, FRESHET_ERROR_UNSUPPORTED, "info.meta version",
                    "only versions 1 and 2 are known");
    draft->made->has_v2 = version == 2;
    draft->made->has_v1 = version == 1 || bencode_find(draft->info, "pieces") != NULL;
    return FRESHET_OK;
}

static enum freshet_error read_name(struct metainfo_draft *draft)
{
    struct metainfo *made = draft->made;
    if (!bencode_find_string(draft->info, "name", &made->raw_name))
        return fail(draft, FRESHET_ERROR_MISSING, "info.name", "missing, or not a string");
    struct buffer safe = {0};
    made->renamed = !path_name_clean(made->raw_name, &safe);
    made->name = metainfo_arena_text(draft->arena, buffer_bytes(&safe));
    buffer_deinit(&safe);
    return FRESHET_OK;
}

static enum freshet_error read_files(struct metainfo_draft *draft)
{
    struct metainfo *made = draft->made;
    enum freshet_error error = FRESHET_OK;
    if (made->has_v2)
        error = metainfo_v2_read_files(draft);
    if (error == FRESHET_OK && made->has_v1)
        error = metainfo_v1_read_files(draft);
    if (error != FRESHET_OK)
        return error;
    /* A hybrid is laid out by its v1 half, which has the padding. */
    struct metainfo_draft_files *files = made->has_v1 ? &draft->v1 : &draft->v2;
    made->single_file = files->single;
    error = metainfo_draft_finish(draft, files);
    if (error == FRESHET_OK && made->has_v1)
        error = metainfo_v1_read_pieces(draft);
    if (error != FRESHET_OK || !made->has_v1 || !made->has_v2)
        return error;
    error = metainfo_v2_join_v1(draft);
    for (uint32_t i = 0; error == FRESHET_OK && i < draft->v1.count; i++)
        made->files[i].pieces_root = draft->v1.items[i].pieces_root;
    return error;
}

static enum freshet_error read_info(struct metainfo_draft *draft)
{
    struct metainfo *made = draft->made;
    int64_t is_private = 0;
    enum freshet_error error = read_version(draft);
    if (error == FRESHET_OK)
        error = read_name(draft);
    if (error == FRESHET_OK)
        error = read_files(draft);
    if (error != FRESHET_OK)
        return error;
    made->is_private = bencode_find_integer(draft->info, "private", &is_private) && is_private == 1;
    bencode_find_string(draft->info, "source", &made->source);
    if (made->has_v1)
        sha1_of(made->info.data, made->info.length, made->info_hash_v1);
    if (made->has_v2)
        sha256_of(made->info.data, made->info.length, made->info_hash_v2);
    return FRESHET_OK;
}

static enum freshet_error fail_bencode(struct metainfo_draft *draft, enum freshet_error error,
                                       const struct bencode *document)
{
    return metainfo_draft_fail(draft, error, "bencode at byte", (uint32_t)document->problem_offset,
                               document->problem);
}

/* Keeps a copy of the info dictionary and reads from that. `root` and its tail are NULL for a bare
 * info dictionary. */
static enum freshet_error read_all(struct metainfo_draft *draft, struct bytes info,
                                   const struct bencode_value *root)
{
    struct bencode document = {0};
    draft->made->info = metainfo_arena_copy(draft->arena, info);
    enum freshet_error error = bencode_parse(&document, draft->made->info, BENCODE_STRICT);
    draft->info = bencode_root(&document);
    if (error != FRESHET_OK)
        fail_bencode(draft, error, &document);
    else if (!bencode_is(draft->info, BENCODE_DICT))
        error = fail(draft, FRESHET_ERROR_SYNTAX, "info", "not a dictionary");
    else
        error = read_info(draft);
    if (error == FRESHET_OK && draft->made->has_v2)
        error = metainfo_v2_read_layers(draft, bencode_find(root, "piece layers"));
    if (error == FRESHET_OK)
        metainfo_outer_read(draft, root);
    bencode_deinit(&document);
    return error;
}

static enum freshet_error make(struct bytes info, const struct bencode_value *root,
                               struct metainfo **ret_metainfo, char *reason)
{
    struct metainfo_draft draft = {.reason = reason};
    draft.made = memory_new(sizeof *draft.made);
    draft.arena = draft.made->arena = metainfo_arena_new();
    enum freshet_error error = read_all(&draft, info, root);
    memory_free(draft.v1.items);
    memory_free(draft.v2.items);
    if (error != FRESHET_OK)
        metainfo_free(draft.made);
    else
        *ret_metainfo = draft.made;
    return error;
}

enum freshet_error metainfo_parse(struct bytes torrent, struct metainfo **ret_metainfo,
                                  char reason[METAINFO_REASON_SIZE])
{
    struct metainfo_draft nothing = {.reason = reason};
    struct bencode document = {0};
    reason[0] = '\0';
    if (torrent.length > LIMIT_TORRENT_FILE_SIZE)
        return fail(&nothing, FRESHET_ERROR_LIMIT, "file", "larger than 64 MiB");
    enum freshet_error error = bencode_parse(&document, torrent, BENCODE_STRICT);
    const struct bencode_value *root = bencode_root(&document);
    if (error != FRESHET_OK)
        fail_bencode(&nothing, error, &document);
    else if (!bencode_is(root, BENCODE_DICT))
        error = fail(&nothing, FRESHET_ERROR_SYNTAX, "file", "not a bencoded dictionary");
    else if (!bencode_find_dict(root, "info"))
        error = fail(&nothing, FRESHET_ERROR_MISSING, "info", "missing, or not a dictionary");
    else
        error = make(bencode_raw(bencode_find(root, "info")), root, ret_metainfo, reason);
    bencode_deinit(&document);
    return error;
}

enum freshet_error metainfo_parse_info(struct bytes info, struct metainfo **ret_metainfo,
                                       char reason[METAINFO_REASON_SIZE])
{
    struct metainfo_draft nothing = {.reason = reason};
    reason[0] = '\0';
    if (info.length > LIMIT_METADATA_SIZE)
        return fail(&nothing, FRESHET_ERROR_LIMIT, "info", "larger than 16 MiB");
    return make(info, NULL, ret_metainfo, reason);
}

void metainfo_free(struct metainfo *metainfo)
{
    if (metainfo == NULL)
        return;
    geometry_deinit(&metainfo->geometry);
    metainfo_arena_free(metainfo->arena);
    memory_free(metainfo);
}

static bool lacks_layer(const struct metainfo *metainfo, file_index number)
{
    const struct metainfo_file *file = &metainfo->files[number];
    return file->pieces_root && file->length > metainfo->geometry.piece_length &&
           file->piece_layer == NULL;
}

enum freshet_error metainfo_set_piece_layer(struct metainfo *metainfo, file_index file,
                                            struct bytes layer)
{
    CHECK(file < metainfo->geometry.file_count);
    uint32_t piece_length = metainfo->geometry.piece_length;
    struct metainfo_file *made = &metainfo->files[file];
    uint64_t pieces = made->length ? (made->length - 1) / piece_length + 1 : 0;
    if (made->pieces_root == NULL || pieces < 2 || layer.length != pieces * MERKLE_HASH)
        return FRESHET_ERROR_RANGE;
    if (!merkle_layer_matches(layer.data, pieces, piece_length / LIMIT_BLOCK_SIZE,
                              made->pieces_root))
        return FRESHET_ERROR_HASH;
    made->piece_layer = metainfo_arena_copy(metainfo->arena, layer).data;
    metainfo->layers_missing = false;
    for (file_index i = 0; i < metainfo->geometry.file_count; i++)
        metainfo->layers_missing = metainfo->layers_missing || lacks_layer(metainfo, i);
    return FRESHET_OK;
}

/* The node of the piece in its file's tree. A file of one piece is its own root. */
static void find_node(const struct metainfo *metainfo, piece_index piece,
                      struct piece_digest *digest)
{
    const struct geometry *geometry = &metainfo->geometry;
    uint64_t start = (uint64_t)piece * geometry->piece_length;
    file_index number = geometry_file_at(geometry, start);
    const struct metainfo_file *file = &metainfo->files[number];
    if (file->length <= geometry->piece_length) {
        digest->merkle = file->pieces_root;
        digest->merkle_leaves =
            (uint32_t)merkle_width((file->length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE);
        return;
    }
    digest->merkle_leaves = geometry->piece_length / LIMIT_BLOCK_SIZE;
    if (file->piece_layer == NULL)
        return;
    piece_index first = geometry_piece_at(geometry, geometry->files[number].offset);
    digest->merkle = file->piece_layer + (size_t)(piece - first) * MERKLE_HASH;
}

void metainfo_piece_digest(const struct metainfo *metainfo, piece_index piece,
                           struct piece_digest *ret_digest)
{
    CHECK(piece < metainfo->geometry.piece_count);
    *ret_digest = (struct piece_digest){0};
    if (metainfo->has_v1)
        ret_digest->sha1 = metainfo->pieces + (size_t)piece * SHA1_SIZE;
    if (metainfo->has_v2)
        find_node(metainfo, piece, ret_digest);
}

bool metainfo_piece_matches(const struct metainfo *metainfo, piece_index piece, const uint8_t *sha1,
                            const uint8_t *leaves, uint32_t leaf_count)
{
    struct piece_digest digest;
    metainfo_piece_digest(metainfo, piece, &digest);
    if (digest.sha1 == NULL && digest.merkle == NULL)
        return false; /* its layer is still missing */
    if (digest.sha1 && (sha1 == NULL || memcmp(sha1, digest.sha1, SHA1_SIZE) != 0))
        return false;
    if (digest.merkle == NULL)
        return true;
    if (leaves == NULL || leaf_count != geometry_piece_blocks(&metainfo->geometry, piece))
        return false;
    static const uint8_t zero_leaf[MERKLE_HASH];
    uint8_t node[MERKLE_HASH];
    merkle_root(leaves, leaf_count, digest.merkle_leaves, zero_leaf, node);
    return memcmp(node, digest.merkle, MERKLE_HASH) == 0;
}

const uint8_t *metainfo_wire_hash(const struct metainfo *metainfo)
{
    return metainfo->has_v1 ? metainfo->info_hash_v1 : metainfo->info_hash_v2;
}
