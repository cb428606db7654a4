/* SPDX-License-Identifier: MIT */
/* One torrent's progress as text for people. */
#ifndef FRESHET_CLI_PROGRESS_BAR_H
#define FRESHET_CLI_PROGRESS_BAR_H

#include "cli/progress.h"

#define PROGRESS_BAR_SIZE 1024

/* Of what is wanted; while checking, of what is checked. 100 only when everything is durable. */
int progress_bar_percent(const struct torrent_status *status);
/* "name ███▉░░ 63% 1.2/1.9 GiB ↓ 11.4 MiB/s ↑ 0.3 MiB/s 12 peers ETA 1:02", at most `width`
 * columns. */
void progress_bar_text(const struct progress_line *line, int width, bool utf8,
                       char text[PROGRESS_BAR_SIZE]);
/* The same without a bar, for logs. */
void progress_bar_plain_text(const struct progress_line *line, char text[PROGRESS_BAR_SIZE]);

#endif
