/* SPDX-License-Identifier: MIT */
/* What a .torrent says outside its info dictionary: trackers (BEP 3, 12), web seeds (BEP 19) and
 * notes for people. Advice, not content: what makes no sense here is left out, not refused. */
#ifndef FRESHET_METAINFO_METAINFO_OUTER_H
#define FRESHET_METAINFO_METAINFO_OUTER_H

#include "core/metainfo/metainfo_draft.h"

void metainfo_outer_read(struct metainfo_draft *draft, const struct bencode_value *root);

#endif
