/* SPDX-License-Identifier: MIT */
/* A daemon for whoever needs one and finds none: this program, started beside the desktop. */
#ifndef FRESHET_CLI_DAEMON_START_H
#define FRESHET_CLI_DAEMON_START_H

#include "cli/daemon_client.h"

/* Waits until it answers. Fine when one is there; else says what went wrong. */
enum exit_code daemon_start_if_absent(const struct command_call *call,
                                      struct daemon_client *client);

#endif
