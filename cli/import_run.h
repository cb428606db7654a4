/* SPDX-License-Identifier: MIT */
/* What the verbs of `import` have in common: what was found is shown, a person is asked, and then
 * the running daemon gets one torrent after another. */
#ifndef FRESHET_CLI_IMPORT_RUN_H
#define FRESHET_CLI_IMPORT_RUN_H

#include "cli/daemon_client.h"
#include "cli/import_folder.h"

#define IMPORT_OPTIONS                                                                             \
    {"dry-run", 'n', NULL, "show what there is, take over nothing", .repeatable = false},          \
        {"yes", 'y', NULL, "do not ask", .repeatable = false}, DAEMON_CLIENT_OPTIONS

struct import_program {
    const char *name;          /* "Transmission" */
    const char *const *places; /* where its folder is, the first that is there; see below */
    enum exit_code (*read)(const char *folder, struct import_list *ret_list);
};

/* A place is an absolute path, or "VARIABLE:rest" below the folder that a variable of the
 * environment names; the list ends with NULL. */
int import_run(const struct command_call *call, const struct import_program *program);

#endif
