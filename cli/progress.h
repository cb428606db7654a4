/* SPDX-License-Identifier: MIT */
/*
 * How far torrents are, told in one of four ways: `bar` redraws a line a torrent on a terminal at
 * most ten times a second, `plain` prints a line every 10 s or 5 %, `json` prints one object a
 * line, `none` is silent. `auto` is bar on a terminal, else plain.
 */
#ifndef FRESHET_CLI_PROGRESS_H
#define FRESHET_CLI_PROGRESS_H

#include "core/engine/engine.h"

struct progress;

/* `mode`: "auto", "bar", "plain", "json" or "none". */
struct progress *progress_new(const char *mode);
void progress_free(struct progress *progress);
/* How often progress_show wants to be called. */
uint32_t progress_tick_ms(const struct progress *progress);

/* One torrent as it stands. */
struct progress_line {
    const char *name;
    const char *info_hash; /* hex */
    struct torrent_status status;
    const char *strip; /* its pieces (piece_strip.h), below its bar; NULL: none */
};

/* What one peer and we gave one another, in bytes of payload. */
struct progress_peer {
    struct address address;
    const char *info_hash; /* of the torrent */
    uint64_t uploaded, downloaded;
};

/* NULL: nothing is listened on. */
void progress_ready(struct progress *progress, const struct address *listen);
/* A magnet link that was asked for. */
void progress_magnet(struct progress *progress, const char *link);
/* Checked; downloading or seeding from now on. */
void progress_checked(struct progress *progress, const struct progress_line *line);
void progress_show(struct progress *progress, int64_t now, const struct progress_line *lines,
                   size_t count);
/* Every byte is checked and durable. */
void progress_done(struct progress *progress, int64_t elapsed_ns, const struct progress_line *line);
void progress_stats(struct progress *progress, int64_t elapsed_ns,
                    const struct progress_line *lines, size_t count,
                    const struct progress_peer *peers, size_t peer_count);
/* Takes the bars off the screen, so that something else can be printed; the next show brings them
 * back. */
void progress_hide(struct progress *progress);

#endif
