/* SPDX-License-Identifier: MIT */
/*
 * A daemon's log: one line an event on stderr, `time level event key=value ...`. Values from
 * outside are made safe to print, and what could be a secret in them is left out: a tracker's URL
 * ends behind its host, long runs of letters and digits (passkeys, tokens) become dots. Who does
 * not read them holds up nothing: lines without room are lost, and their number is logged later.
 */
#ifndef FRESHET_HOST_DAEMON_LOG_H
#define FRESHET_HOST_DAEMON_LOG_H

#include "core/base/bytes.h"

/* Pairs of key and value end with NULL: daemon_log("info", "added", "name", name, NULL). */
__attribute__((sentinel)) void daemon_log(const char *level, const char *event, ...);
/* The last LIMIT_LOG_LINES lines are kept, as JSON: {"number", "time" (unix seconds), "level",
 * "event", "fields" {key: value}}, redacted as on stderr. The first one whose number is not below
 * `from`; numbers begin with 1 and have no gaps, so a larger one than the next is of an earlier
 * run, and the first line of this one comes. Borrowed until the next line. false: none yet. The
 * loop's thread, as daemon_log. */
bool daemon_log_line(uint64_t from, uint64_t *ret_number, struct bytes *ret_line);
/* Appends what may be printed of a text; for tests too. */
void daemon_log_redact(struct bytes text, struct buffer *out);

#endif
