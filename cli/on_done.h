/* SPDX-License-Identifier: MIT */
/*
 * The program that a person wants run when a torrent is complete (--on-done). It is started with
 * an argument vector, never through a shell: names of torrents come from strangers. It gets the
 * path of what was downloaded as its last argument, and FRESHET_NAME, FRESHET_HASH and
 * FRESHET_FOLDER in its environment.
 */
#ifndef FRESHET_CLI_ON_DONE_H
#define FRESHET_CLI_ON_DONE_H

#include <sys/types.h>

#include "cli/exit_code.h"

#define ON_DONE_MAX 1024 /* programs at once */

struct on_done {
    const char *command; /* words with spaces between them; NULL: none */
    pid_t *running;
    size_t count;
};

struct on_done_facts {
    const char *name, *info_hash, *folder;
};

/* Starts it; says so when it cannot. */
void on_done_start(struct on_done *on_done, const struct on_done_facts *facts);
/* Waits for all; EXIT_CODE_OTHER when one of them failed, and says so. */
enum exit_code on_done_wait(struct on_done *on_done);

#endif
