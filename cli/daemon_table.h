/* SPDX-License-Identifier: MIT */
/* A table on stdout whose columns are as wide as what is in them; the last one takes what is left.
 */
#ifndef FRESHET_CLI_DAEMON_TABLE_H
#define FRESHET_CLI_DAEMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define DAEMON_TABLE_COLUMNS 12

struct daemon_table;

/* Headings, ended by NULL. One that begins with '>' is set to the right. */
struct daemon_table *daemon_table_new(const char *const *headings);
/* The next cell of the row; texts may come from anywhere, they are made safe here. After the last
 * column a new row begins. */
void daemon_table_add(struct daemon_table *table, const char *text);
/* Prints it and frees it. */
void daemon_table_print(struct daemon_table *table);

#endif
