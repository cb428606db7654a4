/* SPDX-License-Identifier: MIT */
/*
 * stdout and stderr of a command that serves others while it prints: a reader that stalls must not
 * stop it. From output_begin on nothing waits for a reader: what finds no room is kept, up to a
 * bound, and written when there is room; whoever tells of progress asks output_is_behind first, and
 * says nothing then. A text goes out whole or not at all, in order. Descriptors are polled, not set
 * to O_NONBLOCK: others may share them. Until output_begin all is written at once, through stdio.
 */
#ifndef FRESHET_CLI_OUTPUT_H
#define FRESHET_CLI_OUTPUT_H

#include <stdbool.h>

void output_begin(void);
/* Adds to the text that output_flush hands over. */
__attribute__((format(printf, 1, 2))) void output_printf(const char *format, ...);
/* Hands over what was printed since, to stdout. Never waits after output_begin. */
void output_flush(void);
/* For stderr, after what was printed to stdout. */
void output_error(const char *text);
/* Would more for stdout have to wait? Writes first what can be written. */
bool output_is_behind(void);
/* Writes what is kept; gives up after two seconds, or when a reader is gone. False: stdout could
 * not be written (nobody having read it is no failure). */
bool output_end(void);

#endif
