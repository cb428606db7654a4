/* SPDX-License-Identifier: MIT */
#include "host/state_store_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "host/clock.h"
#include "host/posix_error.h"
#include "host/state_lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool state_store_default_folder(char ret_folder[LIMIT_PATH_LENGTH + 1])
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length;

    if (state && state[0] == '/')
        length = snprintf(ret_folder, LIMIT_PATH_LENGTH + 1, "%s/freshet", state);
    else if (home && home[0] == '/')
        length = snprintf(ret_folder, LIMIT_PATH_LENGTH + 1, "%s/.local/state/freshet", home);
    else
        return false;
    return length > 0 && length <= (int)LIMIT_PATH_LENGTH;
}

enum freshet_error state_store_error(int code)
{
    if (code == SQLITE_IOERR_SHMSIZE) /* the file beside the log could not grow */
        return FRESHET_ERROR_NO_SPACE;
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW: return FRESHET_OK;
    case SQLITE_FULL: return FRESHET_ERROR_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return FRESHET_ERROR_BUSY;
    case SQLITE_NOMEM: return FRESHET_ERROR_MEMORY;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH: return FRESHET_ERROR_PERMISSION;
    case SQLITE_TOOBIG: return FRESHET_ERROR_LIMIT;
    case SQLITE_INTERRUPT: return FRESHET_ERROR_CANCELLED;
    default: return FRESHET_ERROR_IO;
    }
}

enum freshet_error state_store_make_folder(const char *folder)
{
    char path[LIMIT_PATH_LENGTH + 1];
    size_t length = strlen(folder);

    if (length == 0 || length > LIMIT_PATH_LENGTH - 64)
        return FRESHET_ERROR_LIMIT;
    memcpy(path, folder, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char end = path[i];
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return posix_error_of_file(errno);
        path[i] = end;
    }
    return FRESHET_OK;
}

enum freshet_error state_store_open(const char *folder, char ret_text[STATE_TEXT_SIZE],
                                    struct state_store **ret_store)
{
    sqlite3 *database = NULL;
    enum freshet_error error = state_store_make_folder(folder);

    if (error) {
        snprintf(ret_text, STATE_TEXT_SIZE, "state folder %.300s: %s", folder, error_text(error));
        return error;
    }
    struct state_store *store = memory_new(sizeof *store);
    state_reserve_init(&store->reserve, folder);
    do { /* even who only reads needs some room, for what SQLite keeps beside the file */
        ret_text[0] = '\0';
        error = state_store_recovery_open(folder, ret_text, &database);
    } while (error == FRESHET_ERROR_NO_SPACE && state_reserve_give(&store->reserve));
    if (error) {
        state_reserve_deinit(&store->reserve);
        memory_free(store);
        return error;
    }
    store->database = database;
    CHECK(pthread_mutex_init(&store->lock, NULL) == 0);
    strcpy(store->folder, folder);
    memcpy(store->trouble, ret_text, STATE_TEXT_SIZE);
    *ret_store = store;
    return FRESHET_OK;
}

const char *state_store_trouble(const struct state_store *store)
{
    return store->trouble[0] ? store->trouble : NULL;
}

struct state_reserve *state_store_reserve(struct state_store *store)
{
    return &store->reserve;
}

struct sqlite3 *state_store_hold(struct state_store *store)
{
    pthread_mutex_lock(&store->lock);
    return store->database;
}

void state_store_release(struct state_store *store)
{
    pthread_mutex_unlock(&store->lock);
}

void state_store_close(struct state_store *store)
{
    if (!store)
        return;
    sqlite3_close(store->database);
    state_reserve_deinit(&store->reserve);
    pthread_mutex_destroy(&store->lock);
    memory_free(store);
}

sqlite3_stmt *state_store_prepare(struct state_store *store, const char *query,
                                  const uint8_t *info_hash, const char *root)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(store->database, query, -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_blob(statement, 1, info_hash, 32, SQLITE_STATIC);
    if (root)
        sqlite3_bind_text(statement, 2, root, -1, SQLITE_STATIC);
    return statement;
}

void state_store_encode_stats(const struct resume_record *record, struct writer *writer)
{
    for (uint32_t i = 0; i <= record->file_count; i++) {
        writer_u8(writer, record->stats[i].exists);
        writer_u64(writer, record->stats[i].size);
        writer_u64(writer, (uint64_t)record->stats[i].mtime_ns);
        writer_u64(writer, record->stats[i].inode);
    }
}

void state_store_decode_stats(struct bytes bytes, struct file_stat *ret_stats)
{
    struct cursor cursor;

    cursor_init(&cursor, bytes);
    for (size_t i = 0; i < bytes.length / STATE_STAT_SIZE; i++) {
        ret_stats[i].exists = cursor_u8(&cursor) != 0;
        ret_stats[i].size = cursor_u64(&cursor);
        ret_stats[i].mtime_ns = (int64_t)cursor_u64(&cursor);
        ret_stats[i].inode = cursor_u64(&cursor);
    }
}

/* One block of memory: pieces, then stats (aligned), then the root. */
static void state_record_fill(sqlite3_stmt *row, const uint8_t *info_hash, const char *root,
                              struct state_record *ret_record)
{
    struct bytes pieces = {sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0)};
    struct bytes stats = {sqlite3_column_blob(row, 1), (size_t)sqlite3_column_bytes(row, 1)};
    uint32_t stat_count = (uint32_t)(stats.length / STATE_STAT_SIZE);
    size_t stats_size = stat_count * sizeof(struct file_stat), root_size = strlen(root) + 1;
    uint8_t *memory = memory_new(stats_size + pieces.length + root_size);
    struct resume_record *record = &ret_record->record;

    memset(ret_record, 0, sizeof *ret_record);
    ret_record->memory = memory;
    state_store_decode_stats(stats, (struct file_stat *)(void *)memory);
    if (pieces.length > 0)
        memcpy(memory + stats_size, pieces.data, pieces.length);
    memcpy(memory + stats_size + pieces.length, root, root_size);
    memcpy(record->info_hash, info_hash, 32);
    record->root = (const char *)memory + stats_size + pieces.length;
    record->pieces = (struct bytes){memory + stats_size, pieces.length};
    record->stats = (const struct file_stat *)(const void *)memory;
    record->file_count = stat_count - 1;
    record->uploaded = (uint64_t)sqlite3_column_int64(row, 2);
    record->downloaded = (uint64_t)sqlite3_column_int64(row, 3);
    record->complete = sqlite3_column_int(row, 4) != 0;
    record->clean = sqlite3_column_int(row, 5) != 0;
    ret_record->root.device = (uint64_t)sqlite3_column_int64(row, 6);
    ret_record->root.inode = (uint64_t)sqlite3_column_int64(row, 7);
}

enum freshet_error state_store_take(struct state_store *store, const uint8_t info_hash[32],
                                    const char *root, struct state_record *ret_record)
{
    enum freshet_error error = FRESHET_ERROR_NOT_FOUND;

    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *row = state_store_prepare(
        store,
        "SELECT pieces, stats, uploaded, downloaded, complete, clean, root_device, root_inode "
        "FROM records WHERE info_hash=?1 AND root=?2",
        info_hash, root);
    int code = row ? sqlite3_step(row) : sqlite3_errcode(store->database);
    if (code == SQLITE_ROW && sqlite3_column_bytes(row, 1) >= (int)STATE_STAT_SIZE) {
        state_record_fill(row, info_hash, root, ret_record);
        error = FRESHET_OK;
    } else if (code != SQLITE_ROW && code != SQLITE_DONE) {
        error = state_store_error(code);
    }
    sqlite3_finalize(row);
    if (!error) {
        error = state_store_run(store, state_store_prepare(store,
                                                           "UPDATE records SET clean=0 "
                                                           "WHERE info_hash=?1 AND root=?2",
                                                           info_hash, root));
        if (error)
            state_store_record_deinit(ret_record);
    }
    pthread_mutex_unlock(&store->lock);
    return error;
}

enum freshet_error state_store_pieces(struct state_store *store, const uint8_t info_hash[32],
                                      const char *root, struct buffer *ret_pieces)
{
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *row = state_store_prepare(
        store, "SELECT pieces FROM records WHERE info_hash=?1 AND root=?2", info_hash, root);
    int code = row ? sqlite3_step(row) : sqlite3_errcode(store->database);
    enum freshet_error error =
        code == SQLITE_DONE ? FRESHET_ERROR_NOT_FOUND : state_store_error(code);
    if (code == SQLITE_ROW)
        buffer_append(ret_pieces, sqlite3_column_blob(row, 0),
                      (size_t)sqlite3_column_bytes(row, 0));
    sqlite3_finalize(row);
    pthread_mutex_unlock(&store->lock);
    return error;
}

void state_store_record_deinit(struct state_record *record)
{
    memory_free(record->memory);
    memset(record, 0, sizeof *record);
}

enum freshet_error state_store_persist(struct state_store *store,
                                       const struct resume_record *record)
{
    size_t stats_size = ((size_t)record->file_count + 1) * STATE_STAT_SIZE;
    uint8_t *stats = memory_new(stats_size);
    struct writer writer;
    struct stat root = {0};

    writer_init(&writer, stats, stats_size);
    state_store_encode_stats(record, &writer);
    bool root_known = stat(record->root, &root) == 0;
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *row = state_store_prepare(
        store,
        "INSERT INTO records VALUES(?1,?2,?3,?4,?5,?6,?7,?11,?8,?9,?10) "
        "ON CONFLICT(info_hash,root) DO UPDATE SET pieces=?3, stats=?4, uploaded=?5, "
        "downloaded=?6, complete=?7, clean=?11, written=?10, "
        "root_device=CASE ?8 WHEN 0 THEN root_device ELSE ?8 END, "
        "root_inode=CASE ?8 WHEN 0 THEN root_inode ELSE ?9 END",
        record->info_hash, record->root);
    if (row) {
        sqlite3_bind_blob64(row, 3, record->pieces.length ? record->pieces.data : stats,
                            record->pieces.length, SQLITE_STATIC);
        sqlite3_bind_blob64(row, 4, stats, stats_size, SQLITE_STATIC);
        sqlite3_bind_int64(row, 5, (sqlite3_int64)record->uploaded);
        sqlite3_bind_int64(row, 6, (sqlite3_int64)record->downloaded);
        sqlite3_bind_int(row, 7, record->complete);
        sqlite3_bind_int64(row, 8, root_known ? (sqlite3_int64)root.st_dev : 0);
        sqlite3_bind_int64(row, 9, root_known ? (sqlite3_int64)root.st_ino : 0);
        sqlite3_bind_int64(row, 10, clock_wall() / SECOND_NS);
        sqlite3_bind_int(row, 11, record->clean);
    }
    enum freshet_error error = state_store_run(store, row);
    pthread_mutex_unlock(&store->lock);
    memory_free(stats);
    return error;
}

static enum freshet_error state_store_change(struct state_store *store, const char *query,
                                             const uint8_t *info_hash, const char *root)
{
    pthread_mutex_lock(&store->lock);
    enum freshet_error error =
        state_store_run(store, state_store_prepare(store, query, info_hash, root));
    pthread_mutex_unlock(&store->lock);
    return error;
}

enum freshet_error state_store_forget(struct state_store *store, const uint8_t info_hash[32],
                                      const char *root)
{
    return state_store_change(store, "DELETE FROM records WHERE info_hash=?1 AND root=?2",
                              info_hash, root);
}

enum freshet_error state_store_put_torrent(struct state_store *store, const uint8_t info_hash[32],
                                           struct bytes torrent)
{
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *row = state_store_prepare(store, "INSERT OR REPLACE INTO torrents VALUES(?1,?2)",
                                            info_hash, NULL);
    if (row)
        sqlite3_bind_blob64(row, 2, torrent.data, torrent.length, SQLITE_STATIC);
    enum freshet_error error = state_store_run(store, row);
    pthread_mutex_unlock(&store->lock);
    return error;
}

enum freshet_error state_store_get_torrent(struct state_store *store, const uint8_t info_hash[32],
                                           struct buffer *ret_torrent)
{
    pthread_mutex_lock(&store->lock);
    sqlite3_stmt *row = state_store_prepare(
        store, "SELECT torrent FROM torrents WHERE info_hash=?1", info_hash, NULL);
    int code = row ? sqlite3_step(row) : sqlite3_errcode(store->database);
    enum freshet_error error =
        code == SQLITE_DONE ? FRESHET_ERROR_NOT_FOUND : state_store_error(code);
    if (code == SQLITE_ROW)
        buffer_append(ret_torrent, sqlite3_column_blob(row, 0),
                      (size_t)sqlite3_column_bytes(row, 0));
    sqlite3_finalize(row);
    pthread_mutex_unlock(&store->lock);
    return error;
}

int64_t state_store_number(struct state_store *store, const char *name, int64_t otherwise)
{
    sqlite3_stmt *row = NULL;
    int64_t value = otherwise;

    pthread_mutex_lock(&store->lock);
    if (sqlite3_prepare_v2(store->database, "SELECT value FROM numbers WHERE name=?1", -1, &row,
                           NULL) == SQLITE_OK) {
        sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
        if (sqlite3_step(row) == SQLITE_ROW)
            value = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    pthread_mutex_unlock(&store->lock);
    return value;
}

enum freshet_error state_store_set_number(struct state_store *store, const char *name,
                                          int64_t value)
{
    sqlite3_stmt *row = NULL;

    pthread_mutex_lock(&store->lock);
    sqlite3_prepare_v2(store->database, "INSERT OR REPLACE INTO numbers VALUES(?1,?2)", -1, &row,
                       NULL);
    if (row) {
        sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(row, 2, value);
    }
    enum freshet_error error = state_store_run(store, row);
    pthread_mutex_unlock(&store->lock);
    return error;
}

enum freshet_error state_store_blob(struct state_store *store, const char *name,
                                    struct buffer *ret_blob)
{
    sqlite3_stmt *row = NULL;

    pthread_mutex_lock(&store->lock);
    int code = sqlite3_prepare_v2(store->database, "SELECT value FROM blobs WHERE name=?1", -1,
                                  &row, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
        code = sqlite3_step(row);
    }
    enum freshet_error error =
        code == SQLITE_DONE ? FRESHET_ERROR_NOT_FOUND : state_store_error(code);
    if (code == SQLITE_ROW)
        buffer_append(ret_blob, sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0));
    sqlite3_finalize(row);
    pthread_mutex_unlock(&store->lock);
    return error;
}

enum freshet_error state_store_put_blob(struct state_store *store, const char *name,
                                        struct bytes blob)
{
    sqlite3_stmt *row = NULL;

    pthread_mutex_lock(&store->lock);
    sqlite3_prepare_v2(store->database, "INSERT OR REPLACE INTO blobs VALUES(?1,?2)", -1, &row,
                       NULL);
    if (row) {
        sqlite3_bind_text(row, 1, name, -1, SQLITE_STATIC);
        /* Without a pointer it would be NULL rather than empty. */
        sqlite3_bind_blob64(row, 2, blob.length ? (const void *)blob.data : "", blob.length,
                            SQLITE_STATIC);
    }
    enum freshet_error error = state_store_run(store, row);
    pthread_mutex_unlock(&store->lock);
    return error;
}

enum freshet_error state_store_lock(struct state_store *store, const uint8_t info_hash[32],
                                    const char *root, int *ret_lock, pid_t *ret_pid)
{
    char path[LIMIT_PATH_LENGTH + 96], name[2 * SHA1_SIZE + 1];
    uint8_t digest[SHA1_SIZE];
    struct sha1 sha1;

    sha1_init(&sha1);
    sha1_update(&sha1, info_hash, 32);
    sha1_update(&sha1, root, strlen(root));
    sha1_final(&sha1, digest);
    bytes_to_hex(digest, sizeof digest, name);
    snprintf(path, sizeof path, "%s/locks", store->folder);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return posix_error_of_file(errno);
    snprintf(path, sizeof path, "%s/locks/%s", store->folder, name);
    enum freshet_error error;
    do
        error = state_lock_take(path, ret_lock, ret_pid);
    while (error == FRESHET_ERROR_NO_SPACE && state_reserve_give(&store->reserve));
    return error;
}

void state_store_unlock(int lock)
{
    state_lock_release(lock);
}
