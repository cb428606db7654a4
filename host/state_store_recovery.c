/* SPDX-License-Identifier: MIT */
/*
 * How the state is opened, and what is done when it is damaged:
 *   1. what is unreadable, or should not be empty, is set aside under another name, never deleted
 *   2. the last good copy takes its place, if it is one
 *   3. else it begins empty, and that is said in as many words
 */
#include "core/base/check.h"
#include "host/clock.h"
#include "host/posix_error.h"
#include "host/state_store_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SCHEMA_VERSION  5
#define BUSY_TIMEOUT_MS 10000
#define COPY_EVERY_S    86400
#define COPY_LOOK_STEPS 100 /* of SQLite's machine; a row takes some */
#define PATH_SIZE       (LIMIT_PATH_LENGTH + 96)

/* Tables are only ever added, and columns at a table's end (new_columns), so that this brings any
 * older version to ours:
 * 1: records, torrents, numbers. 2: blobs. 3: catalog, settings. 4: catalog.bandwidth_group.
 * 5: catalog.transport. */
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS records("
    " info_hash BLOB NOT NULL, root TEXT NOT NULL, pieces BLOB NOT NULL, stats BLOB NOT NULL,"
    " uploaded INTEGER NOT NULL, downloaded INTEGER NOT NULL, complete INTEGER NOT NULL,"
    " clean INTEGER NOT NULL, root_device INTEGER NOT NULL, root_inode INTEGER NOT NULL,"
    " written INTEGER NOT NULL, PRIMARY KEY(info_hash, root));"
    "CREATE TABLE IF NOT EXISTS torrents(info_hash BLOB PRIMARY KEY, torrent BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS numbers(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS blobs(name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS catalog("
    " id INTEGER PRIMARY KEY, info_hash BLOB NOT NULL, v1 BLOB, v2 BLOB, name TEXT NOT NULL,"
    " folder TEXT NOT NULL, folder_done TEXT, move_to TEXT, rename_path TEXT, rename_name TEXT,"
    " renamed TEXT, magnet TEXT, is_private INTEGER NOT NULL, choose_files INTEGER NOT NULL,"
    " wanted_running INTEGER NOT NULL, force_start INTEGER NOT NULL, wants_check INTEGER NOT NULL,"
    " removing INTEGER NOT NULL, remove_data INTEGER NOT NULL, finished INTEGER NOT NULL,"
    " queue_order INTEGER NOT NULL, labels TEXT, upload_limit INTEGER NOT NULL,"
    " upload_limited INTEGER NOT NULL, download_limit INTEGER NOT NULL,"
    " download_limited INTEGER NOT NULL, honors_session_limits INTEGER NOT NULL,"
    " sequential INTEGER NOT NULL, super_seed INTEGER NOT NULL,"
    " bandwidth_priority INTEGER NOT NULL, peers_max INTEGER NOT NULL,"
    " upload_slots INTEGER NOT NULL, ratio_mode INTEGER NOT NULL, ratio REAL NOT NULL,"
    " idle_mode INTEGER NOT NULL, idle_minutes INTEGER NOT NULL, seed_time_s INTEGER NOT NULL,"
    " file_count INTEGER NOT NULL, piece_count INTEGER NOT NULL, piece_length INTEGER NOT NULL,"
    " priorities BLOB, made BLOB, added_s INTEGER NOT NULL, done_s INTEGER NOT NULL,"
    " started_s INTEGER NOT NULL, edited_s INTEGER NOT NULL, active_s INTEGER NOT NULL,"
    " uploaded INTEGER NOT NULL, downloaded INTEGER NOT NULL, corrupt INTEGER NOT NULL,"
    " seconds_downloading INTEGER NOT NULL, seconds_seeding INTEGER NOT NULL,"
    " total_bytes INTEGER NOT NULL, wanted_bytes INTEGER NOT NULL,"
    " verified_bytes INTEGER NOT NULL, complete INTEGER NOT NULL, trouble INTEGER NOT NULL,"
    " trouble_text TEXT);"
    "CREATE TABLE IF NOT EXISTS settings("
    " name TEXT NOT NULL, place INTEGER NOT NULL, value, PRIMARY KEY(name, place));";

static const struct {
    const char *table, *column, *type;
} new_columns[] = {
    {"catalog", "bandwidth_group", "TEXT"},
    {"catalog", "transport", "INTEGER"},
};

static bool is_damage(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

/* First column of the first row. */
static int query_number(sqlite3 *database, const char *query, int64_t *ret_value)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, query, -1, &statement, NULL);

    *ret_value = 0;
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        *ret_value = sqlite3_column_int64(statement, 0);
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return code;
}

static int check(sqlite3 *database)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const unsigned char *answer = sqlite3_column_text(statement, 0);
        code = answer && strcmp((const char *)answer, "ok") == 0 ? SQLITE_OK : SQLITE_CORRUPT;
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int add_columns(sqlite3 *database)
{
    char query[256];
    int64_t count = 0;
    int code = SQLITE_OK;

    for (size_t i = 0; i < sizeof new_columns / sizeof *new_columns && code == SQLITE_OK; i++) {
        snprintf(query, sizeof query,
                 "SELECT count(*) FROM pragma_table_info('%s') WHERE name='%s'",
                 new_columns[i].table, new_columns[i].column);
        code = query_number(database, query, &count);
        if (code != SQLITE_OK || count > 0)
            continue;
        snprintf(query, sizeof query, "ALTER TABLE %s ADD COLUMN %s %s", new_columns[i].table,
                 new_columns[i].column, new_columns[i].type);
        code = sqlite3_exec(database, query, NULL, NULL, NULL);
    }
    return code;
}

/* Brings a database to our schema. Another process may be doing the same, or be newer. */
static int bring_up(sqlite3 *database, int64_t *ret_version)
{
    char stamp[64];
    int code = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (code == SQLITE_OK)
        code = query_number(database, "PRAGMA user_version", ret_version);
    if (code == SQLITE_OK && *ret_version < SCHEMA_VERSION) {
        snprintf(stamp, sizeof stamp, "PRAGMA user_version=%d", SCHEMA_VERSION);
        code = sqlite3_exec(database, schema, NULL, NULL, NULL);
        if (code == SQLITE_OK)
            code = add_columns(database);
        if (code == SQLITE_OK)
            code = sqlite3_exec(database, stamp, NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? sqlite3_exec(database, "COMMIT", NULL, NULL, NULL) : code;
}

/* Opens one database file and brings it to our schema. *ret_version: the one that it had. */
static int open_file(const char *path, sqlite3 **ret_database, int64_t *ret_version)
{
    sqlite3 *database = NULL;
    int code = sqlite3_open_v2(
        path, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    *ret_version = 0;
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
        sqlite3_extended_result_codes(database, 1); /* which tell a full disk */
        code = check(database);
    }
    if (code == SQLITE_OK)
        code = sqlite3_exec(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;", NULL,
                            NULL, NULL);
    if (code == SQLITE_OK)
        code = query_number(database, "PRAGMA user_version", ret_version);
    if (code == SQLITE_OK && *ret_version < SCHEMA_VERSION)
        code = bring_up(database, ret_version);
    if (code != SQLITE_OK) {
        sqlite3_close(database);
        return code;
    }
    *ret_database = database;
    return SQLITE_OK;
}

/* ---- setting aside ---- */

/* Renames the damaged file and what SQLite keeps beside it. `ret_aside`: its new name. */
static enum freshet_error set_aside(const char *path, char ret_aside[PATH_SIZE])
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char from[PATH_SIZE], to[PATH_SIZE + 64];
    long long when = (long long)(clock_wall() / SECOND_NS);

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(from, sizeof from, "%.4150s%s", path, suffixes[i]);
        snprintf(to, sizeof to, "%.4100s.damaged-%lld-%ld%s", path, when, (long)getpid(),
                 suffixes[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return posix_error_of_file(errno);
        if (i == 0)
            snprintf(ret_aside, PATH_SIZE, "%.4180s", to);
    }
    return FRESHET_OK;
}

static enum freshet_error sync_path(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    enum freshet_error error = synced ? FRESHET_OK : posix_error_of_file(errno);

    if (fd >= 0)
        close(fd);
    return error;
}

/* ---- the copy ---- */

static int is_to_end(void *is_cancelled)
{
    return atomic_load((const atomic_bool *)is_cancelled);
}

/* VACUUM reads every page, so a damaged database gives an error and no copy. */
static int write_copy(const char *from, const char *to, const atomic_bool *is_cancelled)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_open_v2(from, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(database, BUSY_TIMEOUT_MS);
        if (is_cancelled)
            sqlite3_progress_handler(database, COPY_LOOK_STEPS, is_to_end,
                                     (void *)(uintptr_t)is_cancelled);
        code = sqlite3_prepare_v2(database, "VACUUM INTO ?1", -1, &statement, NULL);
    }
    if (code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, to, -1, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

enum freshet_error state_store_keep_copy(struct state_store *store, const atomic_bool *is_cancelled,
                                         char ret_text[STATE_TEXT_SIZE])
{
    char path[PATH_SIZE], fresh[PATH_SIZE], good[PATH_SIZE];
    enum freshet_error error;

    snprintf(path, sizeof path, "%s/state.db", store->folder);
    /* Two processes that copy at once do not meet in one file. */
    snprintf(fresh, sizeof fresh, "%s/state.db.new-%ld", store->folder, (long)getpid());
    snprintf(good, sizeof good, "%s/state.db.good", store->folder);
    ret_text[0] = '\0';
    unlink(fresh);
    error = state_store_error(write_copy(path, fresh, is_cancelled));
    if (!error)
        error = sync_path(fresh, O_RDONLY);
    if (!error && rename(fresh, good) != 0)
        error = posix_error_of_file(errno);
    if (!error)
        error = sync_path(store->folder, O_RDONLY | O_DIRECTORY);
    if (error) {
        unlink(fresh);
        snprintf(ret_text, STATE_TEXT_SIZE, "no copy of the state could be made: %s",
                 error_text(error));
    }
    return error;
}

bool state_store_copy_is_due(struct state_store *store, int64_t wall_s)
{
    char good[PATH_SIZE];
    struct stat facts;

    snprintf(good, sizeof good, "%s/state.db.good", store->folder);
    return stat(good, &facts) != 0 || facts.st_mtime > wall_s ||
           wall_s - facts.st_mtime >= COPY_EVERY_S;
}

/* Puts the good copy in place of state.db. The copy itself stays. Its records are of another day:
 * none of them is the word of an orderly stop. */
static int use_copy(const char *good, const char *path, const char *folder)
{
    char fresh[PATH_SIZE];
    sqlite3 *database = NULL;
    int64_t version = 0;
    int code;

    snprintf(fresh, sizeof fresh, "%.4150s.new-%ld", path, (long)getpid());
    unlink(fresh);
    code = sqlite3_open_v2(good, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = check(database);
    if (code == SQLITE_OK)
        code = query_number(database, "PRAGMA user_version", &version);
    sqlite3_close(database);
    if (code == SQLITE_OK && version == 0)
        code = SQLITE_CORRUPT;
    if (code == SQLITE_OK)
        code = write_copy(good, fresh, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_open_v2(fresh, &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        if (code == SQLITE_OK)
            code = sqlite3_exec(database, "UPDATE records SET clean=0", NULL, NULL, NULL);
        sqlite3_close(database);
    }
    if (code == SQLITE_OK &&
        (sync_path(fresh, O_RDONLY) != FRESHET_OK || rename(fresh, path) != 0 ||
         sync_path(folder, O_RDONLY | O_DIRECTORY) != FRESHET_OK))
        code = SQLITE_IOERR;
    if (code != SQLITE_OK)
        unlink(fresh);
    return code;
}

static void say_used(const struct stat *copy, const char *what, char ret_text[STATE_TEXT_SIZE])
{
    char date[32] = "";
    struct tm local;

    if (localtime_r(&copy->st_mtime, &local))
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &local);
    snprintf(ret_text, STATE_TEXT_SIZE,
             "%.300s; the last good copy, of %s, is used: what was changed since then is lost, and "
             "data on the disk will be checked again",
             what, date);
}

/* state.db is not there (any more). What stood in it comes from the copy, or from nowhere. */
static enum freshet_error recover(const char *folder, const char *path, const char *what,
                                  char ret_text[STATE_TEXT_SIZE])
{
    char good[PATH_SIZE], aside[PATH_SIZE];
    struct stat copy;
    int code;

    snprintf(good, sizeof good, "%s/state.db.good", folder);
    if (stat(good, &copy) != 0) {
        snprintf(ret_text, STATE_TEXT_SIZE,
                 "%.300s; THERE IS NO GOOD COPY: it begins with no torrents and no settings. Data "
                 "on the disk is untouched: add the torrents again, and it will be checked",
                 what);
        return FRESHET_OK;
    }
    code = use_copy(good, path, folder);
    if (code == SQLITE_OK) {
        say_used(&copy, what, ret_text);
        return FRESHET_OK;
    }
    if (!is_damage(code) && code != SQLITE_CANTOPEN) {
        snprintf(ret_text, STATE_TEXT_SIZE, "%.300s; the last good copy could not be used: %s",
                 what, error_text(state_store_error(code)));
        return state_store_error(code);
    }
    enum freshet_error error = set_aside(good, aside);
    snprintf(
        ret_text, STATE_TEXT_SIZE,
        "%.250s; THE LAST COPY IS DAMAGED TOO and is set aside: it begins with no torrents and "
        "no settings. Data on the disk is untouched: add the torrents again, and it will be "
        "checked",
        what);
    return error;
}

/* Locks are made after the state, and stay. */
static bool has_run_before(const char *folder)
{
    char path[PATH_SIZE];
    struct stat facts;

    snprintf(path, sizeof path, "%s/locks", folder);
    return stat(path, &facts) == 0;
}

/* What is wrong with the file before SQLite looks at it; it would take an empty or a missing one
 * for a new one. */
static enum freshet_error look_for_loss(const char *folder, const char *path,
                                        char ret_text[STATE_TEXT_SIZE])
{
    char good[PATH_SIZE], aside[PATH_SIZE], what[STATE_TEXT_SIZE];
    struct stat facts, copy;
    bool has_copy, is_missing;
    enum freshet_error error;

    snprintf(good, sizeof good, "%s/state.db.good", folder);
    has_copy = stat(good, &copy) == 0;
    is_missing = stat(path, &facts) != 0;
    if (is_missing && errno != ENOENT)
        return posix_error_of_file(errno);
    if (is_missing && !has_copy && !has_run_before(folder))
        return FRESHET_OK;
    if (is_missing) {
        /* What SQLite kept beside it would be played into the copy. */
        error = set_aside(path, aside);
        snprintf(what, sizeof what, "the state %.250s was missing", path);
        return error ? error : recover(folder, path, what, ret_text);
    }
    if (facts.st_size != 0)
        return FRESHET_OK;
    if (!has_copy) {
        /* Also what a first start leaves that was killed. */
        snprintf(ret_text, STATE_TEXT_SIZE,
                 "the state %.250s was an empty file, and there is no good copy: it begins with no "
                 "torrents and no settings",
                 path);
        return FRESHET_OK;
    }
    error = set_aside(path, aside);
    snprintf(what, sizeof what, "the state was damaged (an empty file) and is set aside as %.250s",
             aside);
    return error ? error : recover(folder, path, what, ret_text);
}

static enum freshet_error open_state(const char *folder, char ret_text[STATE_TEXT_SIZE],
                                     sqlite3 **ret_database)
{
    char path[PATH_SIZE], aside[PATH_SIZE], what[STATE_TEXT_SIZE];
    sqlite3 *database = NULL;
    int64_t version = 0;
    int code = SQLITE_OK;

    snprintf(path, sizeof path, "%s/state.db", folder);
    enum freshet_error error = look_for_loss(folder, path, ret_text);
    if (!error)
        code = open_file(path, &database, &version);
    if (is_damage(code)) {
        error = set_aside(path, aside);
        snprintf(what, sizeof what, "the state was damaged and is set aside as %.250s", aside);
        if (!error)
            error = recover(folder, path, what, ret_text);
        if (!error)
            code = open_file(path, &database, &version);
    }
    if (!error && code != SQLITE_OK)
        error = state_store_error(code);
    if (!error && version > SCHEMA_VERSION) {
        sqlite3_close(database);
        error = FRESHET_ERROR_UNSUPPORTED;
    }
    if (error)
        snprintf(ret_text, STATE_TEXT_SIZE, "state %.300s: %s", path,
                 error == FRESHET_ERROR_UNSUPPORTED ? "written by a newer freshet"
                                                    : error_text(error));
    else
        *ret_database = database;
    return error;
}

/* A copy that somebody had begun who was killed: nobody ends it. */
static void remove_begun(const char *folder)
{
    static const char begun[] = "state.db.new-";
    char path[PATH_SIZE + 256];
    struct dirent *entry;
    DIR *listing = opendir(folder);

    while (listing && (entry = readdir(listing))) {
        long pid = strncmp(entry->d_name, begun, sizeof begun - 1) == 0
                       ? strtol(entry->d_name + sizeof begun - 1, NULL, 10)
                       : 0;
        if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        unlink(path);
    }
    if (listing)
        closedir(listing);
}

enum freshet_error state_store_recovery_open(const char *folder, char ret_text[STATE_TEXT_SIZE],
                                             sqlite3 **ret_database)
{
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum freshet_error error;

    /* One process at a time: a file that another is making just now looks empty, and two that mend
     * would set aside what the other has mended. File systems without such locks do without. */
    if (lock >= 0)
        flock(lock, LOCK_EX);
    remove_begun(folder);
    error = open_state(folder, ret_text, ret_database);
    if (lock >= 0)
        close(lock);
    return error;
}
