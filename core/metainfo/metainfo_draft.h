/* SPDX-License-Identifier: MIT */
/*
 * A metainfo while it is being read: what the readers of v1, v2 and the outer dictionary share.
 * Only core/metainfo includes it.
 */
#ifndef FRESHET_METAINFO_METAINFO_DRAFT_H
#define FRESHET_METAINFO_METAINFO_DRAFT_H

#include "core/bencode/bencode.h"
#include "core/metainfo/metainfo.h"
#include "core/metainfo/metainfo_arena.h"

/* One file as v1 or v2 lists it. */
struct metainfo_draft_file {
    const struct bytes *raw;
    uint32_t raw_count;
    uint64_t length;
    bool padding, executable, hidden, is_symlink;
    const struct bencode_value *symlink_path; /* a list of strings when is_symlink */
    const uint8_t *pieces_root;
};

struct metainfo_draft_files {
    struct metainfo_draft_file *items;
    uint32_t count, capacity;
    bool single; /* the torrent is this one file, without a folder */
};

struct metainfo_draft {
    struct metainfo *made;
    struct metainfo_arena *arena;
    const struct bencode_value *info;
    struct metainfo_draft_files v1, v2;
    size_t raw_elements; /* path elements of all files so far, capped */
    char *reason;        /* METAINFO_REASON_SIZE bytes */
};

/* Writes the reason, "<where> <index>: <problem>", and returns the error. An index of
 * METAINFO_DRAFT_NO_INDEX is left out. */
#define METAINFO_DRAFT_NO_INDEX UINT32_MAX
enum freshet_error metainfo_draft_fail(struct metainfo_draft *draft, enum freshet_error error,
                                       const char *where, uint32_t index, const char *problem);
/* A new zeroed entry; NULL beyond LIMIT_FILES_MAX. */
struct metainfo_draft_file *metainfo_draft_add(struct metainfo_draft_files *files);
/* Room for the path elements of one file; NULL when all of them are too many. */
struct bytes *metainfo_draft_elements(struct metainfo_draft *draft, uint32_t count);
/* BEP 47: attr and symlink path of a file's dictionary. `where` and `index` name it. */
enum freshet_error metainfo_draft_attributes(struct metainfo_draft *draft,
                                             const struct bencode_value *dict, const char *where,
                                             uint32_t index, struct metainfo_draft_file *file);
/* Makes the paths safe, the files and the geometry of the finished list. */
enum freshet_error metainfo_draft_finish(struct metainfo_draft *draft,
                                         const struct metainfo_draft_files *files);

#endif
