/* SPDX-License-Identifier: MIT */
/*
 * What commands share that do something with torrents of the daemon: without --json they say
 * nothing, with it they print what was done, all in one shape.
 */
#ifndef FRESHET_CLI_DAEMON_DEED_H
#define FRESHET_CLI_DAEMON_DEED_H

#include "cli/daemon_client.h"

/* Instead of DAEMON_CLIENT_OPTIONS. */
#define DAEMON_DEED_OPTIONS                                                                        \
    {"json", 0, NULL,                                                                              \
     "print what was done: {\"done\": COMMAND, \"torrents\": [{\"id\", \"name\", "                 \
     "\"hash_string\"}]}",                                                                         \
     .repeatable = false},                                                                         \
        DAEMON_CLIENT_PLACE_OPTIONS

/* Prints, if --json was given: `done` is the command's name, `rows` are the torrents (borrowed),
 * `more` has members beside these two (NULL: none; taken). */
void daemon_deed_tell(const struct command_call *call, const char *done, const json_t *rows,
                      json_t *more);
/* A whole command: `method` with the ids of all operands. */
int daemon_deed_run(const struct command_call *call, const char *done, const char *method);

#endif
