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

struct daemon_deed {
    const char *done, *method;
    size_t spared;  /* operands at the end that name no torrent */
    json_t *params; /* of the method, beside the ids; NULL: none; taken */
    json_t *more;   /* as of daemon_deed_tell */
    /* Asked before anything is done to the rows; NULL: nobody is. */
    enum exit_code (*confirm)(const struct command_call *call, const json_t *rows);
};

/* A whole command: the method with the ids of all operands. */
int daemon_deed_run(const struct command_call *call, const struct daemon_deed *deed);

#endif
