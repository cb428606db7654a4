/* SPDX-License-Identifier: MIT */
/* The v1 half of an info dictionary (BEP 3, padding and attributes of BEP 47). */
#ifndef FRESHET_METAINFO_METAINFO_V1_H
#define FRESHET_METAINFO_METAINFO_V1_H

#include "core/metainfo/metainfo_draft.h"

/* `length` or `files` into draft->v1. */
enum freshet_error metainfo_v1_read_files(struct metainfo_draft *draft);
/* `pieces`, once the geometry is known: exactly one SHA-1 a piece. */
enum freshet_error metainfo_v1_read_pieces(struct metainfo_draft *draft);

#endif
