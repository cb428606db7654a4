/* SPDX-License-Identifier: MIT */
/*
 * One list says which field stands in which column, so that writing and reading cannot differ. What
 * a row cannot be (a text that is missing, a number out of range: somebody edited it) is read as
 * the nearest thing that it can.
 */
#include "host/catalog_store_columns.h"

#include "core/base/memory.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum column_kind {
    COLUMN_TEXT,
    COLUMN_BOOL,
    COLUMN_I8,
    COLUMN_U16,
    COLUMN_U32,
    COLUMN_U64, /* and int64_t */
    COLUMN_REAL,
    COLUMN_GOAL,      /* enum catalog_goal_mode */
    COLUMN_TRANSPORT, /* enum transport */
    COLUMN_FILES,     /* a byte for each file */
};

struct column {
    const char *name;
    enum column_kind kind;
    size_t offset;
};

#define ROW(kind, field)                                                                           \
    {                                                                                              \
#field, kind, offsetof(struct catalog_torrent, field)                                      \
    }
#define WISH(kind, field)                                                                          \
    {                                                                                              \
#field, kind, offsetof(struct catalog_torrent, wishes.field)                               \
    }
#define SETTING(kind, field)                                                                       \
    {                                                                                              \
#field, kind, offsetof(struct catalog_settings, field)                                     \
    }
#define SCHEDULE(kind, name, field)                                                                \
    {                                                                                              \
        name, kind, offsetof(struct catalog_settings, schedule.field)                              \
    }
#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct column columns[] = {
    ROW(COLUMN_TEXT, name),
    ROW(COLUMN_TEXT, folder),
    ROW(COLUMN_TEXT, folder_done),
    ROW(COLUMN_TEXT, move_to),
    ROW(COLUMN_TEXT, rename_path),
    ROW(COLUMN_TEXT, rename_name),
    ROW(COLUMN_TEXT, magnet),
    ROW(COLUMN_BOOL, is_private),
    ROW(COLUMN_BOOL, choose_files),
    ROW(COLUMN_BOOL, wanted_running),
    ROW(COLUMN_BOOL, force_start),
    ROW(COLUMN_BOOL, wants_check),
    ROW(COLUMN_BOOL, removing),
    ROW(COLUMN_BOOL, remove_data),
    ROW(COLUMN_BOOL, finished),
    ROW(COLUMN_U64, queue_order),
    WISH(COLUMN_U64, upload_limit),
    WISH(COLUMN_BOOL, upload_limited),
    WISH(COLUMN_U64, download_limit),
    WISH(COLUMN_BOOL, download_limited),
    WISH(COLUMN_BOOL, honors_session_limits),
    WISH(COLUMN_BOOL, sequential),
    WISH(COLUMN_BOOL, super_seed),
    WISH(COLUMN_I8, bandwidth_priority),
    WISH(COLUMN_U32, peers_max),
    WISH(COLUMN_U32, upload_slots),
    WISH(COLUMN_GOAL, ratio_mode),
    WISH(COLUMN_REAL, ratio),
    WISH(COLUMN_GOAL, idle_mode),
    WISH(COLUMN_U32, idle_minutes),
    WISH(COLUMN_U64, seed_time_s),
    ROW(COLUMN_U32, file_count),
    ROW(COLUMN_U32, piece_count),
    ROW(COLUMN_U32, piece_length),
    ROW(COLUMN_FILES, priorities), /* behind file_count, which says how long they are */
    ROW(COLUMN_FILES, made),
    ROW(COLUMN_U64, added_s),
    ROW(COLUMN_U64, done_s),
    ROW(COLUMN_U64, started_s),
    ROW(COLUMN_U64, edited_s),
    ROW(COLUMN_U64, active_s),
    ROW(COLUMN_U64, uploaded),
    ROW(COLUMN_U64, downloaded),
    ROW(COLUMN_U64, corrupt),
    ROW(COLUMN_U64, seconds_downloading),
    ROW(COLUMN_U64, seconds_seeding),
    ROW(COLUMN_U64, total_bytes),
    ROW(COLUMN_U64, wanted_bytes),
    ROW(COLUMN_U64, verified_bytes),
    ROW(COLUMN_BOOL, complete),
    ROW(COLUMN_TEXT, trouble_text),
    ROW(COLUMN_TEXT, bandwidth_group),
    WISH(COLUMN_TRANSPORT, transport),
};

/* Columns without a field that is of one of these kinds come first: id, info_hash, v1, v2, labels,
 * trouble, renamed. */
#define COLUMNS_FIRST 7

static const struct column settings_columns[] = {
    SETTING(COLUMN_TEXT, download_folder),
    SETTING(COLUMN_TEXT, incomplete_folder),
    SETTING(COLUMN_BOOL, incomplete_enabled),
    SETTING(COLUMN_BOOL, part_suffix),
    SETTING(COLUMN_BOOL, start_added),
    SETTING(COLUMN_BOOL, trash_original),
    SETTING(COLUMN_U64, upload_limit),
    SETTING(COLUMN_U64, download_limit),
    SETTING(COLUMN_BOOL, upload_limited),
    SETTING(COLUMN_BOOL, download_limited),
    SETTING(COLUMN_U64, alt_upload_limit),
    SETTING(COLUMN_U64, alt_download_limit),
    SETTING(COLUMN_BOOL, alt_enabled),
    SCHEDULE(COLUMN_BOOL, "schedule_enabled", enabled),
    SCHEDULE(COLUMN_U32, "schedule_begin_minute", begin_minute),
    SCHEDULE(COLUMN_U32, "schedule_end_minute", end_minute),
    SCHEDULE(COLUMN_I8, "schedule_days", days),
    SETTING(COLUMN_BOOL, ratio_limited),
    SETTING(COLUMN_BOOL, idle_limited),
    SETTING(COLUMN_REAL, ratio),
    SETTING(COLUMN_U32, idle_minutes),
    SETTING(COLUMN_BOOL, download_queue_enabled),
    SETTING(COLUMN_BOOL, seed_queue_enabled),
    SETTING(COLUMN_U32, download_queue),
    SETTING(COLUMN_U32, seed_queue),
    SETTING(COLUMN_BOOL, queue_stalled_enabled),
    SETTING(COLUMN_U32, queue_stalled_minutes),
    SETTING(COLUMN_U32, peers_max),
    SETTING(COLUMN_U32, peers_per_torrent),
    SETTING(COLUMN_U32, upload_slots),
    SETTING(COLUMN_U16, peer_port),
    SETTING(COLUMN_BOOL, pex),
    SETTING(COLUMN_BOOL, dht),
    SETTING(COLUMN_BOOL, lsd),
    SETTING(COLUMN_BOOL, utp),
    SETTING(COLUMN_BOOL, port_mapping),
    SETTING(COLUMN_U32, encryption),
    SETTING(COLUMN_TEXT, blocklist_url),
    SETTING(COLUMN_BOOL, blocklist_enabled),
};

struct settings_list {
    const char *name;
    size_t texts, count;
};

#define LIST(name, field, number)                                                                  \
    {                                                                                              \
        name, offsetof(struct catalog_settings, field), offsetof(struct catalog_settings, number)  \
    }

static const struct settings_list settings_lists[] = {
    LIST("default_trackers", default_trackers, default_tracker_count),
    LIST("watch_folders", watch_folders, watch_folder_count),
    LIST("bandwidth_groups", bandwidth_groups, bandwidth_group_count),
    LIST("feeds", feeds, feed_count),
};

/* ---- one field ---- */

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    if (text)
        sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, place);
}

static void bind_blob(sqlite3_stmt *statement, int place, const void *bytes, size_t length)
{
    if (bytes && length)
        sqlite3_bind_blob64(statement, place, bytes, length, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, place);
}

static void bind_field(sqlite3_stmt *statement, int place, const struct column *column,
                       const void *object, uint32_t file_count)
{
    const void *field = (const char *)object + column->offset;
    uint64_t number = 0;

    switch (column->kind) {
    case COLUMN_TEXT: bind_text(statement, place, *(char *const *)field); return;
    case COLUMN_FILES: bind_blob(statement, place, *(uint8_t *const *)field, file_count); return;
    case COLUMN_REAL: sqlite3_bind_double(statement, place, *(const double *)field); return;
    case COLUMN_BOOL: number = *(const bool *)field; break;
    case COLUMN_I8: number = (uint64_t) * (const int8_t *)field; break;
    case COLUMN_U16: number = *(const uint16_t *)field; break;
    case COLUMN_U32: number = *(const uint32_t *)field; break;
    case COLUMN_U64: memcpy(&number, field, sizeof number); break;
    case COLUMN_GOAL: number = *(const enum catalog_goal_mode *)field; break;
    case COLUMN_TRANSPORT: number = *(const enum transport *)field; break;
    }
    sqlite3_bind_int64(statement, place, (sqlite3_int64)number);
}

static char *column_text(sqlite3_stmt *statement, int place)
{
    const unsigned char *text = sqlite3_column_text(statement, place);
    return text ? memory_copy(text, strlen((const char *)text) + 1) : NULL;
}

static uint8_t *column_files(sqlite3_stmt *statement, int place, uint32_t file_count)
{
    const void *bytes = sqlite3_column_blob(statement, place);

    if (bytes == NULL || (uint32_t)sqlite3_column_bytes(statement, place) != file_count)
        return NULL;
    return memory_copy(bytes, file_count);
}

static void read_field(sqlite3_stmt *statement, int place, const struct column *column,
                       void *object, uint32_t file_count)
{
    void *field = (char *)object + column->offset;
    int64_t number = sqlite3_column_int64(statement, place);

    switch (column->kind) {
    case COLUMN_TEXT:
        memory_free(*(char **)field);
        *(char **)field = column_text(statement, place);
        break;
    case COLUMN_FILES: *(uint8_t **)field = column_files(statement, place, file_count); break;
    case COLUMN_REAL: *(double *)field = sqlite3_column_double(statement, place); break;
    case COLUMN_BOOL: *(bool *)field = number != 0; break;
    case COLUMN_I8: *(int8_t *)field = (int8_t)number; break;
    case COLUMN_U16: *(uint16_t *)field = (uint16_t)number; break;
    case COLUMN_U32: *(uint32_t *)field = (uint32_t)number; break;
    case COLUMN_U64: memcpy(field, &number, sizeof number); break;
    case COLUMN_GOAL:
        *(enum catalog_goal_mode *)field = number == GOAL_OWN         ? GOAL_OWN
                                           : number == GOAL_UNLIMITED ? GOAL_UNLIMITED
                                                                      : GOAL_GLOBAL;
        break;
    case COLUMN_TRANSPORT: /* NULL: a row of an older schema */
        *(enum transport *)field = number == TRANSPORT_TCP   ? TRANSPORT_TCP
                                   : number == TRANSPORT_UTP ? TRANSPORT_UTP
                                                             : TRANSPORT_ANY;
        break;
    }
}

/* ---- rows ---- */

static char *query_text(const char *begin, bool with_places, const char *end)
{
    struct buffer text = {0};
    char place[16];

    buffer_append_text(&text, begin);
    for (size_t i = 0; i < COLUMNS_FIRST + COUNT(columns) && with_places; i++) {
        snprintf(place, sizeof place, "%s?%zu", i ? "," : "", i + 1);
        buffer_append_text(&text, place);
    }
    buffer_append_text(&text, end);
    buffer_append_u8(&text, 0);
    return (char *)text.data;
}

static char *column_names(const char *begin, const char *end)
{
    struct buffer text = {0};

    buffer_append_text(&text, begin);
    buffer_append_text(&text, "id,info_hash,v1,v2,labels,trouble,renamed");
    for (size_t i = 0; i < COUNT(columns); i++) {
        buffer_append_text(&text, ",");
        buffer_append_text(&text, columns[i].name);
    }
    buffer_append_text(&text, end);
    buffer_append_u8(&text, 0);
    return (char *)text.data;
}

/* Labels, paths and names hold no control characters: a line each. NULL when there are none. */
static char *join_lines(char *const *first, char *const *second, uint32_t count)
{
    struct buffer text = {0};

    if (count == 0)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        buffer_append_text(&text, i ? "\n" : "");
        buffer_append_text(&text, first[i]);
        if (second) {
            buffer_append_text(&text, "\n");
            buffer_append_text(&text, second[i]);
        }
    }
    buffer_append_u8(&text, 0);
    return (char *)text.data;
}

static char **split_lines(const char *text, uint32_t *ret_count)
{
    uint32_t count = 1;
    char **lines;

    *ret_count = 0;
    if (text == NULL || text[0] == '\0')
        return NULL;
    for (const char *at = text; *at; at++)
        count += *at == '\n';
    lines = memory_new_array(count, sizeof *lines);
    for (const char *at = text; *ret_count < count;) {
        size_t length = strcspn(at, "\n");
        char *line = memory_new(length + 1);
        memcpy(line, at, length);
        lines[(*ret_count)++] = line;
        at += length + (at[length] == '\n');
    }
    return lines;
}

/* Lines in pairs: path, name. */
static void read_renamed(struct catalog_torrent *torrent, const char *text)
{
    uint32_t count;
    char **lines = split_lines(text, &count);

    if (count >= 2) {
        torrent->renamed_paths = memory_new_array(count / 2, sizeof *lines);
        torrent->renamed_names = memory_new_array(count / 2, sizeof *lines);
    }
    for (uint32_t i = 0; i + 1 < count; i += 2) {
        torrent->renamed_paths[torrent->renamed_count] = lines[i];
        torrent->renamed_names[torrent->renamed_count++] = lines[i + 1];
    }
    if (count % 2)
        memory_free(lines[count - 1]);
    memory_free(lines);
}

int catalog_store_columns_prepare(sqlite3 *database, sqlite3_stmt **ret_statement)
{
    char *names = column_names("INSERT OR REPLACE INTO catalog(", ") VALUES(");
    char *query = query_text(names, true, ")");
    int code = sqlite3_prepare_v2(database, query, -1, ret_statement, NULL);

    memory_free(query);
    memory_free(names);
    return code;
}

int catalog_store_columns_put(sqlite3_stmt *statement, const struct catalog_torrent *torrent)
{
    char *labels = join_lines(torrent->labels, NULL, torrent->label_count);
    char *renamed =
        join_lines(torrent->renamed_paths, torrent->renamed_names, torrent->renamed_count);
    int code;

    sqlite3_bind_int64(statement, 1, torrent->id);
    bind_blob(statement, 2, torrent->key, 32);
    bind_blob(statement, 3, torrent->has_v1 ? torrent->v1 : NULL, 20);
    bind_blob(statement, 4, torrent->has_v2 ? torrent->v2 : NULL, 32);
    bind_text(statement, 5, labels);
    sqlite3_bind_int(statement, 6, (int)torrent->trouble);
    bind_text(statement, 7, renamed);
    for (size_t i = 0; i < COUNT(columns); i++)
        bind_field(statement, (int)(COLUMNS_FIRST + i + 1), &columns[i], torrent,
                   torrent->file_count);
    code = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    memory_free(renamed);
    memory_free(labels);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static bool read_hash(sqlite3_stmt *statement, int place, uint8_t *ret_hash, int length)
{
    const void *hash = sqlite3_column_blob(statement, place);

    if (hash == NULL || sqlite3_column_bytes(statement, place) != length)
        return false;
    memcpy(ret_hash, hash, (size_t)length);
    return true;
}

static void read_row(sqlite3_stmt *statement, struct catalog_torrent *torrent)
{
    int trouble = sqlite3_column_int(statement, 5);

    torrent->id = (torrent_id)sqlite3_column_int64(statement, 0);
    torrent->has_v1 = read_hash(statement, 2, torrent->v1, 20);
    torrent->has_v2 = read_hash(statement, 3, torrent->v2, 32);
    torrent->labels =
        split_lines((const char *)sqlite3_column_text(statement, 4), &torrent->label_count);
    read_renamed(torrent, (const char *)sqlite3_column_text(statement, 6));
    for (size_t i = 0; i < COUNT(columns); i++)
        read_field(statement, (int)(COLUMNS_FIRST + i), &columns[i], torrent, torrent->file_count);
    if (torrent->file_count > LIMIT_FILES_MAX)
        torrent->file_count = 0;
    torrent->metadata_missing = torrent->magnet != NULL;
    if (torrent->trouble_text && trouble > TROUBLE_NONE && trouble <= TROUBLE_LOCAL) {
        torrent->trouble = (enum catalog_trouble)trouble;
    } else {
        memory_free(torrent->trouble_text);
        torrent->trouble_text = NULL;
    }
}

int catalog_store_columns_get(sqlite3 *database, struct catalog_torrent **ret_rows,
                              uint32_t *ret_count)
{
    char *query = column_names("SELECT ", " FROM catalog WHERE id BETWEEN 1 AND 4294967294"
                                          " ORDER BY id");
    sqlite3_stmt *statement = NULL;
    struct catalog_torrent *rows = NULL;
    uint32_t count = 0, capacity = 0;
    int code = sqlite3_prepare_v2(database, query, -1, &statement, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            rows = memory_resize_array(rows, capacity, sizeof *rows);
        }
        memset(&rows[count], 0, sizeof rows[count]);
        read_row(statement, &rows[count++]);
    }
    sqlite3_finalize(statement);
    memory_free(query);
    *ret_rows = rows;
    *ret_count = count;
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* ---- settings ---- */

static int put_setting(sqlite3_stmt *statement, const char *name, uint32_t place)
{
    int code;

    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, place);
    code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int put_list(sqlite3_stmt *statement, const struct settings_list *list,
                    const struct catalog_settings *settings)
{
    char *const *texts = *(char *const *const *)((const char *)settings + list->texts);
    uint32_t count = *(const uint32_t *)((const char *)settings + list->count);
    int code = SQLITE_OK;

    for (uint32_t i = 0; i < count && code == SQLITE_OK; i++) {
        bind_text(statement, 3, texts[i]);
        code = put_setting(statement, list->name, i + 1);
    }
    return code;
}

int catalog_store_columns_put_settings(sqlite3 *database, const struct catalog_settings *settings)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_exec(database, "DELETE FROM settings", NULL, NULL, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(database, "INSERT INTO settings VALUES(?1,?2,?3)", -1, &statement,
                                  NULL);
    for (size_t i = 0; i < COUNT(settings_columns) && code == SQLITE_OK; i++) {
        bind_field(statement, 3, &settings_columns[i], settings, 0);
        code = put_setting(statement, settings_columns[i].name, 0);
    }
    for (size_t i = 0; i < COUNT(settings_lists) && code == SQLITE_OK; i++)
        code = put_list(statement, &settings_lists[i], settings);
    sqlite3_finalize(statement);
    return code;
}

static void add_to_list(sqlite3_stmt *statement, const struct settings_list *list,
                        struct catalog_settings *settings)
{
    char ***texts = (char ***)(void *)((char *)settings + list->texts);
    uint32_t *count = (uint32_t *)(void *)((char *)settings + list->count);
    char *text = column_text(statement, 2);

    if (text == NULL)
        return;
    *texts = memory_resize_array(*texts, *count + 1, sizeof **texts);
    (*texts)[(*count)++] = text;
}

static void read_setting(sqlite3_stmt *statement, struct catalog_settings *settings)
{
    const char *name = (const char *)sqlite3_column_text(statement, 0);

    for (size_t i = 0; i < COUNT(settings_columns) && name; i++)
        if (strcmp(name, settings_columns[i].name) == 0)
            read_field(statement, 2, &settings_columns[i], settings, 0);
    for (size_t i = 0; i < COUNT(settings_lists) && name; i++)
        if (strcmp(name, settings_lists[i].name) == 0)
            add_to_list(statement, &settings_lists[i], settings);
}

int catalog_store_columns_get_settings(sqlite3 *database, struct catalog_settings *ret_settings,
                                       bool *ret_found)
{
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(database, "SELECT name, place, value FROM settings ORDER BY name, place",
                           -1, &statement, NULL);

    catalog_settings_defaults(ret_settings);
    *ret_found = false;
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        *ret_found = true;
        read_setting(statement, ret_settings);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}
