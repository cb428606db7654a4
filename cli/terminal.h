/* SPDX-License-Identifier: MIT */
/*
 * What the terminal can show: its width, whether it takes UTF-8 and colour; and text from outside
 * made safe to print, since a torrent's name may hold escape sequences.
 */
#ifndef FRESHET_CLI_TERMINAL_H
#define FRESHET_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Takes the locale from the environment; once, at the start of the program. */
void terminal_init(void);
/* May characters beyond ASCII be written (the locale's character set is UTF-8)? */
bool terminal_is_utf8(void);
bool terminal_is_interactive(int descriptor);
/* Colour: a terminal that is not dumb, and NO_COLOR is unset or empty. */
bool terminal_has_colour(int descriptor);
/* May lines be redrawn there? A terminal with TERM other than "dumb". */
bool terminal_can_redraw(int descriptor);
/* COLUMNS, else what the terminal says, else 80; at least 20. */
int terminal_width(int descriptor);
/*
 * Copies text into safe[size] with control characters, invalid UTF-8 and (unless the locale is
 * UTF-8) everything beyond ASCII replaced by '?'. Bidirectional overrides are replaced too: they
 * let "gpj.exe" look like "exe.jpg". Always NUL-terminated, cut between characters. Returns safe.
 */
const char *terminal_safe_text(const char *text, char *safe, size_t size);
/* Columns that a safe text takes; every character counts as one, combining marks as none, wide
 * East Asian ones as two. */
int terminal_text_width(const char *text);

#endif
