/* SPDX-License-Identifier: MIT */
#include "cli/daemon_table.h"

#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"
#include "core/base/check.h"
#include "core/base/memory.h"

struct daemon_table {
    const char *headings[DAEMON_TABLE_COLUMNS];
    int widths[DAEMON_TABLE_COLUMNS];
    size_t columns;
    char **cells;
    size_t count, capacity;
};

static const char *heading_text(const struct daemon_table *table, size_t column)
{
    return table->headings[column] + (table->headings[column][0] == '>');
}

struct daemon_table *daemon_table_new(const char *const *headings)
{
    struct daemon_table *table = memory_new(sizeof *table);

    for (; headings[table->columns]; table->columns++) {
        CHECK(table->columns < DAEMON_TABLE_COLUMNS);
        table->headings[table->columns] = headings[table->columns];
        table->widths[table->columns] = terminal_text_width(heading_text(table, table->columns));
    }
    return table;
}

void daemon_table_add(struct daemon_table *table, const char *text)
{
    size_t size = strlen(text) * 3 + 1, column = table->count % table->columns;
    char *safe = memory_new(size);

    terminal_safe_text(text, safe, size);
    if (table->count == table->capacity) {
        table->capacity = table->capacity ? 2 * table->capacity : 64;
        table->cells = memory_resize_array(table->cells, table->capacity, sizeof *table->cells);
    }
    table->cells[table->count++] = safe;
    if (terminal_text_width(safe) > table->widths[column])
        table->widths[column] = terminal_text_width(safe);
}

static void print_cell(const struct daemon_table *table, size_t column, const char *text)
{
    int gap = table->widths[column] - terminal_text_width(text);
    bool last = column + 1 == table->columns;

    if (table->headings[column][0] == '>')
        printf("%*s%s", gap, "", text);
    else
        printf("%s%*s", text, last ? 0 : gap, "");
    fputs(last ? "\n" : "  ", stdout);
}

void daemon_table_print(struct daemon_table *table)
{
    for (size_t column = 0; column < table->columns; column++)
        print_cell(table, column, heading_text(table, column));
    for (size_t i = 0; i < table->count; i++) {
        print_cell(table, i % table->columns, table->cells[i]);
        memory_free(table->cells[i]);
    }
    memory_free(table->cells);
    memory_free(table);
}
