/* SPDX-License-Identifier: MIT */
/*
 * How far hashing has come, on stderr: a line that is redrawn at most ten times a second on a
 * terminal; elsewhere a line every 10 s; with json one object a line.
 */
#ifndef FRESHET_CLI_HASH_PROGRESS_H
#define FRESHET_CLI_HASH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum hash_progress_style {
    HASH_PROGRESS_NONE,
    HASH_PROGRESS_BAR,
    HASH_PROGRESS_PLAIN,
    HASH_PROGRESS_JSON
};

struct hash_progress {
    enum hash_progress_style style;
    const char *name; /* borrowed */
    uint64_t done, total;
    int64_t started_ns, shown_ns;
    bool drawn;
};

/* `style` as --progress has it (NULL: auto). */
void hash_progress_init(struct hash_progress *progress, const char *style, const char *name,
                        uint64_t total);
void hash_progress_add(struct hash_progress *progress, uint64_t bytes);
/* Takes the line away again. */
void hash_progress_end(struct hash_progress *progress);

#endif
