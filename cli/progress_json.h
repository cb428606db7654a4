/* SPDX-License-Identifier: MIT */
/* Progress for programs: one JSON object a line on stdout. */
#ifndef FRESHET_CLI_PROGRESS_JSON_H
#define FRESHET_CLI_PROGRESS_JSON_H

#include "cli/progress.h"

/* NULL: nowhere. */
void progress_json_ready(const char *listen);
void progress_json_magnet(const char *link);
/* event: "checked" or "progress". */
void progress_json_line(const char *event, const struct progress_line *line);
void progress_json_done(int64_t elapsed_ns, const struct progress_line *line);
void progress_json_stats(int64_t elapsed_ns, const struct progress_line *lines, size_t count,
                         const struct progress_peer *peers, size_t peer_count);

#endif
