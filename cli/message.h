/* SPDX-License-Identifier: MIT */
/*
 * What the program says on stderr: `freshet get: message (hint)`, one line each. Texts from outside
 * may stand in it; they are made safe to print here.
 */
#ifndef FRESHET_CLI_MESSAGE_H
#define FRESHET_CLI_MESSAGE_H

#include "core/base/error.h"

/* The command that speaks, "get"; NULL: the program itself. The text is borrowed for good. */
void message_set_command(const char *name);
__attribute__((format(printf, 1, 2))) void message_error(const char *format, ...);
/* "freshet get: WHAT: words of the error". */
void message_error_code(const char *what, enum freshet_error error);
/* A thing that a person may want to know but that stops nothing. */
__attribute__((format(printf, 1, 2))) void message_note(const char *format, ...);

#endif
