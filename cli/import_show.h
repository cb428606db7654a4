/* SPDX-License-Identifier: MIT */
/* What another program's torrents are, for a person and for programs. */
#ifndef FRESHET_CLI_IMPORT_SHOW_H
#define FRESHET_CLI_IMPORT_SHOW_H

#include <jansson.h>

#include "cli/import_folder.h"

/* A table, then what cannot be taken over and what gets lost. */
void import_show_table(const struct import_list *list);
json_t *import_show_json(const struct import_entry *entry);
/* How many can be taken over. */
size_t import_show_count(const struct import_list *list);

#endif
