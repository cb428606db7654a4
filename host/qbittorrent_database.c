/* SPDX-License-Identifier: MIT */
#include "host/qbittorrent_database.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/bencode/bencode_writer.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "host/posix_error.h"

struct qbittorrent_database {
    sqlite3 *handle;
    sqlite3_stmt *torrent;
};

/* What a .fastresume has beside libtorrent's own keys, and from which column. */
struct key {
    const char *column, *key;
    enum { KEY_TEXT, KEY_NUMBER, KEY_TAGS } type;
};

static const struct key keys[] = {
    {"name", "qBt-name", KEY_TEXT},
    {"category", "qBt-category", KEY_TEXT},
    {"tags", "qBt-tags", KEY_TAGS},
    {"target_save_path", "qBt-savePath", KEY_TEXT},
    {"download_path", "qBt-downloadPath", KEY_TEXT},
    {"ratio_limit", "qBt-ratioLimit", KEY_NUMBER},
    {"seeding_time_limit", "qBt-seedingTimeLimit", KEY_NUMBER},
    {"inactive_seeding_time_limit", "qBt-inactiveSeedingTimeLimit", KEY_NUMBER},
    {"has_outer_pieces_priority", "qBt-firstLastPiecePriority", KEY_NUMBER},
};

#define KEYS (sizeof keys / sizeof *keys)

/* ---- opening ---- */

/* What has a meaning in the URI of a file is written as %XX. */
static void append_uri(struct buffer *uri, const char *path)
{
    char escape[4];

    buffer_append_text(uri, "file:");
    for (; *path; path++) {
        if (*path != '?' && *path != '#' && *path != '%') {
            buffer_append_u8(uri, (uint8_t)*path);
            continue;
        }
        snprintf(escape, sizeof escape, "%%%02X", (unsigned char)*path);
        buffer_append_text(uri, escape);
    }
    buffer_append_text(uri, "?immutable=1");
    buffer_append_u8(uri, 0);
}

static enum freshet_error look_at_file(const char *path, char reason[QBITTORRENT_REASON_SIZE])
{
    struct stat status;
    struct buffer log = {0};

    if (stat(path, &status) != 0) {
        enum freshet_error error = posix_error_of_file(errno);
        snprintf(reason, QBITTORRENT_REASON_SIZE, "%s", error_text(error));
        return error;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(reason, QBITTORRENT_REASON_SIZE, "is no file");
        return FRESHET_ERROR_USAGE;
    }
    buffer_append_text(&log, path);
    buffer_append(&log, "-wal", 5);
    bool is_open = stat((const char *)log.data, &status) == 0 && status.st_size > 0;
    buffer_deinit(&log);
    if (!is_open)
        return FRESHET_OK;
    snprintf(
        reason, QBITTORRENT_REASON_SIZE,
        "has changes in torrents.db-wal: qBittorrent runs, or did not end well (quit it; if it "
        "does not run, start it once and quit it)");
    return FRESHET_ERROR_BUSY;
}

static enum freshet_error fails(const struct qbittorrent_database *database,
                                char reason[QBITTORRENT_REASON_SIZE])
{
    snprintf(reason, QBITTORRENT_REASON_SIZE,
             "is no database of qBittorrent's, or damaged (%.150s)",
             sqlite3_errmsg(database->handle));
    return FRESHET_ERROR_SYNTAX;
}

enum freshet_error qbittorrent_database_open(const char *path,
                                             struct qbittorrent_database **ret_database,
                                             char reason[QBITTORRENT_REASON_SIZE])
{
    enum freshet_error error = look_at_file(path, reason);
    struct buffer uri = {0};

    *ret_database = NULL;
    if (error)
        return error;
    struct qbittorrent_database *database = memory_new(sizeof *database);
    append_uri(&uri, path);
    int failed = sqlite3_open_v2((const char *)uri.data, &database->handle,
                                 SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    buffer_deinit(&uri);
    if (!failed) {
        /* The file may be made to harm: no schema of its is trusted, no value is longer than ours.
         */
        sqlite3_db_config(database->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_db_config(database->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(database->handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
        sqlite3_limit(database->handle, SQLITE_LIMIT_LENGTH, LIMIT_TORRENT_FILE_SIZE);
        failed = sqlite3_prepare_v2(database->handle, "SELECT metadata FROM torrents WHERE id = ?1",
                                    -1, &database->torrent, NULL);
    }
    if (failed) {
        error = fails(database, reason);
        qbittorrent_database_free(database);
        return error;
    }
    *ret_database = database;
    return FRESHET_OK;
}

void qbittorrent_database_free(struct qbittorrent_database *database)
{
    if (!database)
        return;
    sqlite3_finalize(database->torrent);
    sqlite3_close(database->handle);
    memory_free(database);
}

/* ---- rows ---- */

/* The columns of a statement by their names; -1: there is none. */
static int column_of(sqlite3_stmt *rows, const char *name)
{
    for (int i = 0; i < sqlite3_column_count(rows); i++) {
        const char *has = sqlite3_column_name(rows, i);
        if (has && strcmp(has, name) == 0)
            return i;
    }
    return -1;
}

static struct bytes value_of(sqlite3_stmt *rows, int column)
{
    struct bytes value = {.data = sqlite3_column_blob(rows, column)};

    value.length = value.data ? (size_t)sqlite3_column_bytes(rows, column) : 0;
    return value;
}

/* "a,b" as a list of two. */
static void write_tags(struct buffer *out, struct bytes tags)
{
    const uint8_t *end = tags.data + tags.length;

    bencode_writer_list(out);
    while (tags.length) {
        const uint8_t *comma = memchr(tags.data, ',', tags.length);
        size_t length = (size_t)((comma ? comma : end) - tags.data);
        bencode_writer_string(out, (struct bytes){tags.data, length});
        tags.data += length + (comma != NULL);
        tags.length = (size_t)(end - tags.data);
    }
    bencode_writer_end(out);
}

/* The pairs go behind those of the dictionary that is there; whether it is one is seen when it is
 * read. */
static void write_resume(sqlite3_stmt *rows, struct bytes resume, struct buffer *ret_resume)
{
    buffer_clear(ret_resume);
    buffer_append(ret_resume, resume.data, resume.length ? resume.length - 1 : 0);
    for (size_t i = 0; i < KEYS; i++) {
        int column = column_of(rows, keys[i].column);
        if (column < 0 || sqlite3_column_type(rows, column) == SQLITE_NULL)
            continue;
        bencode_writer_key(ret_resume, keys[i].key);
        switch (keys[i].type) {
        case KEY_TEXT: bencode_writer_string(ret_resume, value_of(rows, column)); break;
        case KEY_NUMBER:
            bencode_writer_integer(ret_resume, sqlite3_column_int64(rows, column));
            break;
        case KEY_TAGS: write_tags(ret_resume, value_of(rows, column)); break;
        }
    }
    bencode_writer_end(ret_resume);
}

enum freshet_error qbittorrent_database_each(struct qbittorrent_database *database,
                                             void (*each)(void *context,
                                                          const struct qbittorrent_row *row),
                                             void *context, char reason[QBITTORRENT_REASON_SIZE])
{
    sqlite3_stmt *rows = NULL;
    struct buffer resume = {0};
    enum freshet_error error = FRESHET_OK;
    int state = sqlite3_prepare_v2(
        database->handle, "SELECT * FROM torrents ORDER BY queue_position < 0, queue_position, id",
        -1, &rows, NULL);
    int id = state ? -1 : column_of(rows, "id"), hash = state ? -1 : column_of(rows, "torrent_id"),
        blob = state ? -1 : column_of(rows, "libtorrent_resume_data");

    if (id < 0 || hash < 0 || blob < 0) {
        error = fails(database, reason);
        sqlite3_finalize(rows);
        return error;
    }
    while ((state = sqlite3_step(rows)) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(rows, hash);
        write_resume(rows, value_of(rows, blob), &resume);
        struct qbittorrent_row row = {.number = sqlite3_column_int64(rows, id),
                                      .hash = text ? (const char *)text : "",
                                      .resume = buffer_bytes(&resume)};
        each(context, &row);
    }
    if (state != SQLITE_DONE)
        error = fails(database, reason);
    sqlite3_finalize(rows);
    buffer_deinit(&resume);
    return error;
}

enum freshet_error qbittorrent_database_torrent(struct qbittorrent_database *database,
                                                int64_t number, struct buffer *ret_torrent)
{
    enum freshet_error error = FRESHET_OK;

    sqlite3_bind_int64(database->torrent, 1, number);
    int state = sqlite3_step(database->torrent);
    struct bytes bytes = {0};
    if (state == SQLITE_ROW)
        bytes = value_of(database->torrent, 0);
    if (state != SQLITE_ROW && state != SQLITE_DONE)
        error = state == SQLITE_TOOBIG ? FRESHET_ERROR_LIMIT : FRESHET_ERROR_IO;
    else if (bytes.length == 0)
        error = FRESHET_ERROR_NOT_FOUND;
    else
        buffer_append(ret_torrent, bytes.data, bytes.length);
    sqlite3_reset(database->torrent);
    return error;
}
