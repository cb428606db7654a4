/* SPDX-License-Identifier: MIT */
/* The v2 half of a metainfo (BEP 52): file tree, agreement with v1 in a hybrid, piece layers. */
#ifndef FRESHET_METAINFO_METAINFO_V2_H
#define FRESHET_METAINFO_METAINFO_V2_H

#include "core/metainfo/metainfo_draft.h"

/* `file tree` into draft->v2, in the order of its raw names. */
enum freshet_error metainfo_v2_read_files(struct metainfo_draft *draft);
/* Hybrid: draft->v1 without padding must be draft->v2, and each file must start at the same piece
 * in both. Gives the v1 files their merkle roots. Needs the geometry. */
enum freshet_error metainfo_v2_join_v1(struct metainfo_draft *draft);
/* Attaches the piece layers (`layers` may be NULL: there are none), each verified against its
 * file's root, and copies them into the arena. */
enum freshet_error metainfo_v2_read_layers(struct metainfo_draft *draft,
                                           const struct bencode_value *layers);

#endif
