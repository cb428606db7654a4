/* SPDX-License-Identifier: MIT */
#include "core/metainfo/path_name_set.h"

#include "core/base/limits.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/path_name.h"

#include <string.h>

/* Tries for a free name in all of a torrent; an honest one needs a few. */
#define PROBES_MAX 100000u

/* A name that is taken: of a folder (which has a number of its own) or of a file. */
struct taken_name {
    struct taken_name *next; /* all of them, to be freed */
    uint32_t folder;         /* 0 for files */
    uint32_t next_number;    /* the first ".<number>" that nobody has tried here */
    size_t length;
    uint8_t name[]; /* as it is on the disk */
};

/* Keys are digests, so that the map's seed need not be secret. */
struct path_name_set {
    struct map by_fold; /* digest of (folder, folded name) -> the name that holds it */
    struct map by_raw;  /* digest of (folder, raw name) -> the folder that was made of it */
    struct taken_name *all;
    uint32_t folder_count;
    uint32_t duplicates;
    uint32_t probes;
    struct buffer safe, numbered, fold; /* scratch */
};

struct path_name_set *path_name_set_new(void)
{
    struct path_name_set *set = memory_new(sizeof *set);
    map_init(&set->by_fold, SHA256_SIZE, 0);
    map_init(&set->by_raw, SHA256_SIZE, 0);
    return set;
}

void path_name_set_free(struct path_name_set *set)
{
    if (set == NULL)
        return;
    while (set->all) {
        struct taken_name *name = set->all;
        set->all = name->next;
        memory_free(name);
    }
    map_deinit(&set->by_fold);
    map_deinit(&set->by_raw);
    buffer_deinit(&set->safe);
    buffer_deinit(&set->numbered);
    buffer_deinit(&set->fold);
    memory_free(set);
}

static void digest_of(uint32_t folder, struct bytes name, uint8_t ret_digest[SHA256_SIZE])
{
    uint8_t number[4];
    struct writer writer;
    writer_init(&writer, number, sizeof number);
    writer_u32(&writer, folder);
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, number, sizeof number);
    if (name.length)
        sha256_update(&sha256, name.data, name.length);
    sha256_final(&sha256, ret_digest);
}

static void fold_digest(struct path_name_set *set, uint32_t folder, struct bytes safe,
                        uint8_t ret_digest[SHA256_SIZE])
{
    buffer_clear(&set->fold);
    path_name_fold(safe, &set->fold);
    digest_of(folder, buffer_bytes(&set->fold), ret_digest);
}

/* Makes set->safe a name that is free in the folder; ret_digest is its place in by_fold. */
static enum freshet_error find_free(struct path_name_set *set, uint32_t folder,
                                    uint8_t ret_digest[SHA256_SIZE])
{
    fold_digest(set, folder, buffer_bytes(&set->safe), ret_digest);
    struct taken_name *holder = map_get(&set->by_fold, ret_digest);
    if (holder == NULL)
        return FRESHET_OK;
    if (++set->duplicates > LIMIT_DUPLICATE_NAMES)
        return FRESHET_ERROR_LIMIT;
    do {
        if (++set->probes > PROBES_MAX)
            return FRESHET_ERROR_LIMIT;
        buffer_clear(&set->numbered);
        path_name_number(buffer_bytes(&set->safe), ++holder->next_number, &set->numbered);
        fold_digest(set, folder, buffer_bytes(&set->numbered), ret_digest);
    } while (map_get(&set->by_fold, ret_digest));
    struct buffer swap = set->safe;
    set->safe = set->numbered;
    set->numbered = swap;
    return FRESHET_OK;
}

/* Takes a name for one raw element in the folder. */
static enum freshet_error take(struct path_name_set *set, uint32_t folder, struct bytes raw,
                               struct taken_name **ret_name)
{
    buffer_clear(&set->safe);
    path_name_clean(raw, &set->safe);
    uint8_t digest[SHA256_SIZE];
    enum freshet_error error = find_free(set, folder, digest);
    if (error != FRESHET_OK)
        return error;
    struct taken_name *name = memory_new(sizeof *name + set->safe.length);
    name->length = set->safe.length;
    memcpy(name->name, set->safe.data, set->safe.length);
    name->next = set->all;
    set->all = name;
    map_put(&set->by_fold, digest, name);
    *ret_name = name;
    return FRESHET_OK;
}

/* The folder that a raw element stands for: the one of earlier files, or a new one. */
static enum freshet_error enter(struct path_name_set *set, uint32_t parent, struct bytes raw,
                                struct taken_name **ret_name)
{
    uint8_t digest[SHA256_SIZE];
    digest_of(parent, raw, digest);
    *ret_name = map_get(&set->by_raw, digest);
    if (*ret_name)
        return FRESHET_OK;
    enum freshet_error error = take(set, parent, raw, ret_name);
    if (error != FRESHET_OK)
        return error;
    (*ret_name)->folder = ++set->folder_count;
    map_put(&set->by_raw, digest, *ret_name);
    return FRESHET_OK;
}

enum freshet_error path_name_set_add(struct path_name_set *set, const struct bytes *elements,
                                     uint32_t element_count, struct buffer *out, bool *ret_changed)
{
    if (element_count == 0)
        return FRESHET_ERROR_RANGE;
    if (element_count > LIMIT_PATH_DEPTH)
        return FRESHET_ERROR_LIMIT;
    bool changed = false;
    uint32_t folder = 0;
    for (uint32_t i = 0; i < element_count; i++) {
        bool is_file = i + 1 == element_count;
        struct taken_name *name = NULL;
        enum freshet_error error = is_file ? take(set, folder, elements[i], &name)
                                           : enter(set, folder, elements[i], &name);
        if (error != FRESHET_OK)
            return error;
        struct bytes safe = {name->name, name->length};
        changed = changed || !bytes_equal(safe, elements[i]);
        buffer_append(out, safe.data, safe.length);
        if (!is_file)
            buffer_append_u8(out, '/');
        if (out->length > LIMIT_PATH_LENGTH)
            return FRESHET_ERROR_LIMIT;
        folder = name->folder;
    }
    *ret_changed = changed;
    return FRESHET_OK;
}
