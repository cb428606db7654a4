/* SPDX-License-Identifier: MIT */
/* What the verbs of `freshet watch` and `freshet feed` share: rules by which a daemon takes
 * torrents by itself, over its API. */
#ifndef FRESHET_CLI_INTAKE_RULES_H
#define FRESHET_CLI_INTAKE_RULES_H

#include "cli/daemon_client.h"
#include "cli/daemon_table.h"

#define INTAKE_RULES_OPTIONS                                                                       \
    {"output", 'o', "DIR", "put the data there; default the daemon's download folder",             \
     .repeatable = false},                                                                         \
        {"stopped", 0, NULL, "do not start what is added", .repeatable = false},                   \
    {                                                                                              \
        "label", 0, "LABEL", "give it this label", .repeatable = true                              \
    }

/* Those options, as members of a rule. */
enum exit_code intake_rules_describe(const struct command_call *call, json_t *rule);
/* Gives the rule (taken) to the daemon, `path` "/watch" or "/feeds", and says its number. */
int intake_rules_add(const struct command_call *call, const char *path, json_t *rule);
/* Prints all of the kind: a row of a table each, whose cells `add_row` adds of {"rule", "status"};
 * with --json as they are. */
int intake_rules_list(const struct command_call *call, const char *path,
                      const char *const *headings,
                      void (*add_row)(struct daemon_table *table, const json_t *entry));
/* Removes those that the operands name: by number, or by what `key` of the rule is. */
int intake_rules_remove(const struct command_call *call, const char *path, const char *key);
/* A time of day with its date, "never" for 0. */
const char *intake_rules_time(const json_t *status, char text[32]);
/* The number of the rule that is called so; 0: none, and it is said. */
long intake_rules_find(struct daemon_client *client, const char *path, const char *key,
                       const char *name, enum exit_code *ret_code);
/* Labels, or what happens to all of them, joined by commas; "-" for none. */
void intake_rules_join(const json_t *list, char *text, size_t size);

#endif
