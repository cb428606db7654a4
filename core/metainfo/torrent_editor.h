/* SPDX-License-Identifier: MIT */
/*
 * Changes what stands outside the info dictionary of a .torrent: trackers, web seeds, comment. The
 * info dictionary and everything else are copied byte for byte, so the info-hash stays.
 */
#ifndef FRESHET_METAINFO_TORRENT_EDITOR_H
#define FRESHET_METAINFO_TORRENT_EDITOR_H

#include "core/base/bytes.h"
#include "core/base/error.h"

/* Each part is replaced only when its `set_` says so; empty then takes it out. */
struct torrent_editor_changes {
    bool set_trackers;
    const struct bytes *trackers;  /* in order of tiers */
    const uint32_t *tracker_tiers; /* tier of each, ascending */
    uint32_t tracker_count;
    bool set_web_seeds;
    const struct bytes *web_seeds;
    uint32_t web_seed_count;
    bool set_comment;
    struct bytes comment;
};

/* Appends the changed .torrent to `out`. `torrent` must be a bencoded dictionary (one that
 * metainfo_parse takes); else SYNTAX or what bencode_parse says. */
enum freshet_error torrent_editor_apply(struct bytes torrent,
                                        const struct torrent_editor_changes *changes,
                                        struct buffer *out);

#endif
