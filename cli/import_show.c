/* SPDX-License-Identifier: MIT */
#include "cli/import_show.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/daemon_table.h"
#include "cli/terminal.h"
#include "cli/units.h"

#define CELL 512

static const char *state_of(const struct takeover *takeover)
{
    return takeover->refusal[0] ? "no" : takeover->stopped ? "stopped" : "running";
}

/* Negative: there is none. */
static double ratio_of(const struct import_entry *entry)
{
    const struct catalog_past *past = &entry->takeover->past;
    uint64_t base = past->downloaded ? past->downloaded : entry->size;

    return base ? (double)past->uploaded / (double)base : -1;
}

static void put(char cell[CELL], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(char cell[CELL], const char *format, ...)
{
    size_t length = strlen(cell);
    va_list arguments;

    if (length > 0 && length + 2 < CELL) {
        strcat(cell, ", ");
        length += 2;
    }
    va_start(arguments, format);
    vsnprintf(cell + length, CELL - length, format, arguments);
    va_end(arguments);
}

static void describe_limits(const struct catalog_wishes *wishes, char cell[CELL])
{
    char text[UNITS_TEXT_SIZE];

    cell[0] = '\0';
    if (wishes->download_limited)
        put(cell, "down %s", units_format_rate(wishes->download_limit, text));
    if (wishes->upload_limited)
        put(cell, "up %s", units_format_rate(wishes->upload_limit, text));
    if (wishes->ratio_mode == GOAL_OWN)
        put(cell, "ratio %.2f", wishes->ratio);
    if (wishes->ratio_mode == GOAL_UNLIMITED)
        put(cell, "any ratio");
    if (wishes->seed_time_s >= 0)
        put(cell, "seed %lld min", (long long)wishes->seed_time_s / 60);
    if (wishes->idle_mode == GOAL_OWN)
        put(cell, "idle %u min", wishes->idle_minutes);
    if (!cell[0])
        put(cell, "-");
}

static void describe_labels(const struct takeover *takeover, char cell[CELL])
{
    cell[0] = '\0';
    for (uint32_t i = 0; i < takeover->label_count; i++)
        put(cell, "%s", takeover->labels[i]);
    if (!cell[0])
        put(cell, "-");
}

static void add_row(struct daemon_table *table, const struct import_entry *entry)
{
    const struct takeover *takeover = entry->takeover;
    char cell[CELL], text[UNITS_TEXT_SIZE];

    daemon_table_add(table, entry->name);
    daemon_table_add(table, entry->size ? units_format_bytes(entry->size, text) : "-");
    /* Never 100 % before it is all there. */
    snprintf(cell, sizeof cell, "%d%%", (int)(takeover->done * 100));
    daemon_table_add(table, takeover->done < 0 ? "-" : cell);
    snprintf(cell, sizeof cell, "%u of %u", entry->files_there, entry->files);
    daemon_table_add(table, entry->files ? cell : "-");
    snprintf(cell, sizeof cell, "%.2f", ratio_of(entry));
    daemon_table_add(table, ratio_of(entry) < 0 ? "-" : cell);
    daemon_table_add(table, state_of(takeover));
    describe_labels(takeover, cell);
    daemon_table_add(table, cell);
    describe_limits(&takeover->wishes, cell);
    daemon_table_add(table, cell);
    daemon_table_add(table, takeover->folder ? takeover->folder : "-");
}

static void print_line(const struct import_entry *entry, const char *words)
{
    char name[256], safe[3 * TAKEOVER_NOTE];

    printf("  %s: %s\n", terminal_safe_text(entry->name, name, sizeof name),
           terminal_safe_text(words, safe, sizeof safe));
}

static void print_refusals(const struct import_list *list)
{
    bool any = false;

    for (size_t i = 0; i < list->count; i++) {
        if (!list->entries[i].takeover->refusal[0])
            continue;
        if (!any)
            printf("\nNot taken over:\n");
        any = true;
        print_line(&list->entries[i], list->entries[i].takeover->refusal);
    }
}

static void print_notes(const struct import_list *list)
{
    bool any = false;

    for (size_t i = 0; i < list->count; i++) {
        const struct takeover *takeover = list->entries[i].takeover;
        for (uint32_t j = 0; j < takeover->note_count && !takeover->refusal[0]; j++) {
            if (!any)
                printf("\nNot kept:\n");
            any = true;
            print_line(&list->entries[i], takeover->notes[j]);
        }
    }
}

size_t import_show_count(const struct import_list *list)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->entries[i].takeover->refusal[0] == '\0';
    return count;
}

void import_show_table(const struct import_list *list)
{
    static const char *const headings[] = {"name",  ">size",  ">done",  ">files", ">ratio",
                                           "state", "labels", "limits", "folder", NULL};
    struct daemon_table *table = daemon_table_new(headings);

    for (size_t i = 0; i < list->count; i++)
        add_row(table, &list->entries[i]);
    daemon_table_print(table);
    print_refusals(list);
    print_notes(list);
}

/* Texts of ours may have been cut within a character. */
static json_t *text_json(const char *text)
{
    json_t *json = text ? json_string(text) : json_null();
    char safe[1024];

    return json ? json : json_string(terminal_safe_text(text, safe, sizeof safe));
}

json_t *import_show_json(const struct import_entry *entry)
{
    const struct takeover *takeover = entry->takeover;
    json_t *labels = json_array(), *notes = json_array();
    char limits[CELL];

    describe_limits(&takeover->wishes, limits);
    for (uint32_t i = 0; i < takeover->label_count; i++)
        json_array_append_new(labels, json_string(takeover->labels[i]));
    for (uint32_t i = 0; i < takeover->note_count; i++)
        json_array_append_new(notes, text_json(takeover->notes[i]));
    json_t *json = json_pack(
        "{s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:s, s:o}", "name",
        text_json(entry->name), "folder", text_json(takeover->folder), "folder_done",
        text_json(takeover->folder_done), "state", state_of(takeover), "size",
        (json_int_t)entry->size, "files", (json_int_t)entry->files, "files_there",
        (json_int_t)entry->files_there, "files_unwanted", (json_int_t)takeover->unwanted, "renamed",
        (json_int_t)takeover->renamed_count, "uploaded", (json_int_t)takeover->past.uploaded,
        "downloaded", (json_int_t)takeover->past.downloaded, "added_date",
        (json_int_t)takeover->past.added_s, "labels", labels, "limits",
        limits[0] == '-' ? "" : limits, "not_kept", notes);
    json_object_set_new(json, "done", takeover->done < 0 ? json_null() : json_real(takeover->done));
    json_object_set_new(json, "refusal",
                        takeover->refusal[0] ? text_json(takeover->refusal) : json_null());
    return json;
}
