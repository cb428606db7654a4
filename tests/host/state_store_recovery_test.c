/* SPDX-License-Identifier: MIT */
/* What becomes of the state when its file is damaged, empty or gone, and of older ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "host/catalog_store.h"
#include "tests/host/temporary_folder.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <utime.h>

static const uint8_t hash[32] = {1, 2, 3};

static struct state_store *open_store(const char *folder, char ret_text[STATE_TEXT_SIZE])
{
    struct state_store *store = NULL;

    assert_int_equal(state_store_open(folder, ret_text, &store), FRESHET_OK);
    return store;
}

static struct state_store *open_sound(const char *folder)
{
    char text[STATE_TEXT_SIZE];
    struct state_store *store = open_store(folder, text);

    assert_string_equal(text, "");
    return store;
}

static void put_row(struct state_store *store, torrent_id id)
{
    struct catalog_store_save save = {.type = CATALOG_SAVE,
                                      .torrent = {.id = id,
                                                  .has_v1 = true,
                                                  .v1 = {(uint8_t)id},
                                                  .name = memory_copy("n", 2),
                                                  .folder = memory_copy("/data", 6)}};

    assert_int_equal(catalog_store_commit(store, &save, 1), FRESHET_OK);
    catalog_store_save_deinit(&save);
}

static uint32_t row_count(struct state_store *store)
{
    struct catalog_store_content content;

    assert_int_equal(catalog_store_load(store, &content), FRESHET_OK);
    uint32_t count = content.row_count;
    catalog_store_content_deinit(&content);
    return count;
}

static int files_with(const char *folder, const char *part)
{
    DIR *entries = opendir(folder);
    int count = 0;

    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    closedir(entries);
    return count;
}

/* A state of 40 rows, a copy of it, and one more row that the copy does not have. */
static void make_state(const char *folder, bool with_copy)
{
    struct state_store *store = open_sound(folder);
    char text[STATE_TEXT_SIZE];
    struct file_stat stats[1] = {{0}};
    int lock = -1;
    pid_t holder = 0;
    struct resume_record record = {
        .root = folder, .pieces = BYTES_LITERAL("\xf0"), .stats = stats, .clean = true};

    memcpy(record.info_hash, hash, 32);
    for (torrent_id id = 1; id <= 40; id++)
        put_row(store, id);
    assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    if (with_copy) {
        assert_int_equal(state_store_keep_copy(store, NULL, text), FRESHET_OK);
        assert_string_equal(text, "");
    }
    put_row(store, 41);
    assert_int_equal(state_store_lock(store, hash, folder, &lock, &holder), FRESHET_OK);
    state_store_unlock(lock);
    state_store_close(store);
}

static void overwrite(const char *folder, const char *name, const void *bytes, size_t length,
                      off_t offset)
{
    char path[TEMPORARY_PATH];
    int fd = open(temporary_path(folder, name, path), O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, offset), (ssize_t)length);
    close(fd);
}

static void empty(const char *folder, const char *name)
{
    char path[TEMPORARY_PATH];

    assert_int_equal(truncate(temporary_path(folder, name, path), 0), 0);
}

static void tear_header(const char *folder, const char *name)
{
    overwrite(folder, name, "SQLite fo\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24, 0);
}

static void zero_pages(const char *folder, const char *name)
{
    static const uint8_t zeros[12288];

    overwrite(folder, name, zeros, sizeof zeros, 4096);
}

static void drop(const char *folder, const char *name)
{
    char path[TEMPORARY_PATH];

    assert_int_equal(unlink(temporary_path(folder, name, path)), 0);
}

/* What is wrong is told; with a copy, all that was in it is there; without, that is told. */
static void check_recovery(void (*damage)(const char *folder, const char *name), bool is_gone)
{
    char text[STATE_TEXT_SIZE];
    struct state_record taken;
    char *folder = temporary_folder_make();

    make_state(folder, true);
    damage(folder, "state.db");
    struct state_store *store = open_store(folder, text);
    assert_non_null(strstr(text, is_gone ? "missing" : "damaged"));
    assert_non_null(strstr(text, "last good copy"));
    assert_int_equal(row_count(store), 40);
    assert_true(is_gone || files_with(folder, ".damaged-") >= 1);
    assert_int_equal(files_with(folder, ".new-"), 0);
    /* No record of another day is the word of an orderly stop. */
    assert_int_equal(state_store_take(store, hash, folder, &taken), FRESHET_OK);
    assert_false(taken.record.clean);
    state_store_record_deinit(&taken);
    put_row(store, 50);
    state_store_close(store);
    /* Told once; the copy is still there for the next accident. */
    store = open_sound(folder);
    assert_int_equal(row_count(store), 41);
    state_store_close(store);
    assert_int_equal(files_with(folder, "state.db.good"), 1);
    temporary_folder_drop(folder);
}

static void check_loss(void (*damage)(const char *folder, const char *name))
{
    char text[STATE_TEXT_SIZE];
    char *folder = temporary_folder_make();

    make_state(folder, false);
    damage(folder, "state.db");
    struct state_store *store = open_store(folder, text);
    assert_non_null(strstr(text, "no torrents and no settings"));
    assert_int_equal(row_count(store), 0);
    put_row(store, 1);
    state_store_close(store);
    store = open_sound(folder);
    assert_int_equal(row_count(store), 1);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_recovery_survives_a_torn_header(void **state)
{
    (void)state;
    check_recovery(tear_header, false);
    check_loss(tear_header);
}

static void state_store_recovery_survives_zeroed_pages(void **state)
{
    (void)state;
    check_recovery(zero_pages, false);
    check_loss(zero_pages);
}

static void state_store_recovery_survives_an_empty_file(void **state)
{
    (void)state;
    check_recovery(empty, false);
    check_loss(empty);
}

static void state_store_recovery_survives_a_missing_file(void **state)
{
    (void)state;
    check_recovery(drop, true);
    check_loss(drop);
}

/* A killed program leaves a write-ahead log; it belongs to the file that is gone, not to the copy.
 */
static void state_store_recovery_does_not_mix_an_old_log_with_the_copy(void **state)
{
    void (*const damages[])(const char *, const char *) = {empty, drop};
    char text[STATE_TEXT_SIZE];
    int status;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char *folder = temporary_folder_make();
        make_state(folder, true);
        pid_t child = fork();
        if (child == 0) {
            struct state_store *store = open_sound(folder);
            for (torrent_id id = 100; id < 150; id++)
                put_row(store, id);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_int_equal(files_with(folder, "state.db-wal"), 1);
        damages[i](folder, "state.db");
        struct state_store *store = open_store(folder, text);
        assert_non_null(strstr(text, "last good copy"));
        assert_int_equal(row_count(store), 40);
        state_store_close(store);
        store = open_sound(folder);
        assert_int_equal(row_count(store), 40);
        state_store_close(store);
        temporary_folder_drop(folder);
    }
}

static void
state_store_recovery_sets_a_damaged_copy_aside_and_says_that_nothing_is_left(void **state)
{
    void (*const damages[])(const char *, const char *) = {tear_header, zero_pages, empty};
    char text[STATE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *folder = temporary_folder_make();
        make_state(folder, true);
        tear_header(folder, "state.db");
        damages[i](folder, "state.db.good");
        struct state_store *store = open_store(folder, text);
        assert_non_null(strstr(text, "THE LAST COPY IS DAMAGED TOO"));
        assert_int_equal(row_count(store), 0);
        assert_true(files_with(folder, "state.db.good.damaged-") >= 1);
        state_store_close(store);
        temporary_folder_drop(folder);
    }
}

static void state_store_recovery_keeps_the_former_copy_when_the_state_is_damaged(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE];

    (void)state;
    make_state(folder, true);
    struct state_store *store = open_sound(folder);
    zero_pages(folder, "state.db");
    assert_int_not_equal(state_store_keep_copy(store, NULL, text), FRESHET_OK);
    assert_non_null(strstr(text, "no copy"));
    assert_int_equal(files_with(folder, "state.db.new"), 0);
    state_store_close(store);
    store = open_store(folder, text);
    assert_int_equal(row_count(store), 40);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_recovery_gives_up_a_copy_that_nobody_wants_any_more(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE];
    atomic_bool is_cancelled = true;

    (void)state;
    make_state(folder, true);
    struct state_store *store = open_sound(folder);
    assert_int_equal(state_store_keep_copy(store, &is_cancelled, text), FRESHET_ERROR_CANCELLED);
    assert_int_equal(files_with(folder, "state.db.new"), 0);
    state_store_close(store);
    overwrite(folder, "state.db", "no database", 12, 0);
    store = open_store(folder, text);
    assert_int_equal(row_count(store), 40);
    is_cancelled = false;
    assert_int_equal(state_store_keep_copy(store, &is_cancelled, text), FRESHET_OK);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void begin_copy(const char *folder, pid_t pid, const char *suffix)
{
    char name[64], path[TEMPORARY_PATH];

    snprintf(name, sizeof name, "state.db.new-%ld%s", (long)pid, suffix);
    int fd = open(temporary_path(folder, name, path), O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void state_store_recovery_removes_copies_that_nobody_ends(void **state)
{
    char *folder = temporary_folder_make();
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    begin_copy(folder, child, "");
    begin_copy(folder, child, "-journal");
    begin_copy(folder, getppid(), "");
    state_store_close(open_sound(folder));
    assert_int_equal(files_with(folder, "state.db.new-"), 1);
    temporary_folder_drop(folder);
}

static void state_store_recovery_wants_a_copy_a_day(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE], path[TEMPORARY_PATH];
    struct state_store *store = open_sound(folder);
    struct utimbuf when = {1700000000, 1700000000};

    (void)state;
    assert_true(state_store_copy_is_due(store, 1700000000));
    assert_int_equal(state_store_keep_copy(store, NULL, text), FRESHET_OK);
    assert_int_equal(utime(temporary_path(folder, "state.db.good", path), &when), 0);
    assert_false(state_store_copy_is_due(store, 1700086399));
    assert_true(state_store_copy_is_due(store, 1700086400));
    /* A clock that went back. */
    assert_true(state_store_copy_is_due(store, 1699999999));
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_recovery_starts_empty_in_an_empty_folder_without_a_word(void **state)
{
    char *folder = temporary_folder_make();

    (void)state;
    struct state_store *store = open_sound(folder);
    assert_int_equal(row_count(store), 0);
    state_store_close(store);
    temporary_folder_drop(folder);
}

/* Eight programs that start at once: one mends, the others find it mended; or nothing was wrong. */
static void state_store_recovery_is_done_once_by_many_at_once(void **state)
{
    (void)state;
    for (int damaged = 0; damaged < 2; damaged++) {
        char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE];
        int told = 0, status;
        pid_t children[8];
        if (damaged) {
            make_state(folder, true);
            tear_header(folder, "state.db");
        }
        for (int i = 0; i < 8; i++) {
            children[i] = fork();
            if (children[i] == 0) {
                struct state_store *store = open_store(folder, text);
                int code = (text[0] != '\0') + (row_count(store) == (damaged ? 40 : 0) ? 0 : 2);
                state_store_close(store);
                _exit(code);
            }
        }
        for (int i = 0; i < 8; i++) {
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
            told += WEXITSTATUS(status);
        }
        assert_int_equal(told, damaged);
        temporary_folder_drop(folder);
    }
}

/* ---- older schemas, as their programs wrote them ---- */

#define VERSION_1                                                                                  \
    "PRAGMA journal_mode=WAL;"                                                                     \
    "CREATE TABLE records(info_hash BLOB NOT NULL, root TEXT NOT NULL,"                            \
    " pieces BLOB NOT NULL, stats BLOB NOT NULL, uploaded INTEGER NOT NULL,"                       \
    " downloaded INTEGER NOT NULL, complete INTEGER NOT NULL, clean INTEGER NOT NULL,"             \
    " root_device INTEGER NOT NULL, root_inode INTEGER NOT NULL, written INTEGER NOT NULL,"        \
    " PRIMARY KEY(info_hash, root));"                                                              \
    "CREATE TABLE torrents(info_hash BLOB PRIMARY KEY, torrent BLOB NOT NULL);"                    \
    "CREATE TABLE numbers(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"                         \
    "INSERT INTO records VALUES(x'0102030000000000000000000000000000000000000000000000"            \
    "000000000000', '/data', x'f0', zeroblob(50), 7, 8, 1, 1, 9, 10, 11);"                         \
    "INSERT INTO numbers VALUES('listen_port', 7000);"                                             \
    "INSERT INTO torrents VALUES(x'0102030000000000000000000000000000000000000000000000"           \
    "000000000000', 'd4:infoe');"
#define VERSION_2                                                                                  \
    VERSION_1 "CREATE TABLE blobs(name TEXT PRIMARY KEY, value BLOB NOT NULL);"                    \
              "INSERT INTO blobs VALUES('dht4', x'0102');"

static void make_older(const char *folder, const char *statements)
{
    char path[TEMPORARY_PATH];
    sqlite3 *database;

    assert_int_equal(sqlite3_open(temporary_path(folder, "state.db", path), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void check_older(const char *folder, bool has_blob)
{
    struct buffer blob = {0}, torrent = {0};
    struct state_record taken;
    struct state_store *store = open_sound(folder);

    assert_int_equal(state_store_number(store, "listen_port", 0), 7000);
    assert_int_equal(state_store_get_torrent(store, hash, &torrent), FRESHET_OK);
    assert_true(bytes_is(buffer_bytes(&torrent), "d4:infoe"));
    assert_int_equal(state_store_take(store, hash, "/data", &taken), FRESHET_OK);
    assert_int_equal(taken.record.uploaded, 7);
    assert_int_equal(taken.record.file_count, 1);
    assert_true(taken.record.complete);
    state_store_record_deinit(&taken);
    assert_int_equal(state_store_blob(store, "dht4", &blob),
                     has_blob ? FRESHET_OK : FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(blob.length, has_blob ? 2 : 0);
    /* What is new works. */
    assert_int_equal(row_count(store), 0);
    put_row(store, 1);
    state_store_close(store);
    store = open_sound(folder);
    assert_int_equal(row_count(store), 1);
    assert_int_equal(state_store_number(store, "listen_port", 0), 7000);
    state_store_close(store);
    buffer_deinit(&blob);
    buffer_deinit(&torrent);
}

static void state_store_recovery_brings_version_1_up(void **state)
{
    char *folder = temporary_folder_make();

    (void)state;
    make_older(folder, VERSION_1 "PRAGMA user_version=1;");
    check_older(folder, false);
    temporary_folder_drop(folder);
}

static void state_store_recovery_brings_version_2_up(void **state)
{
    char *folder = temporary_folder_make();

    (void)state;
    make_older(folder, VERSION_2 "PRAGMA user_version=2;");
    check_older(folder, true);
    temporary_folder_drop(folder);
}

/* The copy may be of an older program than the one that needs it. */
static void state_store_recovery_brings_an_older_copy_up(void **state)
{
    char *folder = temporary_folder_make(), from[TEMPORARY_PATH], to[TEMPORARY_PATH];
    char text[STATE_TEXT_SIZE];

    (void)state;
    make_older(folder, VERSION_2 "PRAGMA user_version=2;");
    assert_int_equal(rename(temporary_path(folder, "state.db", from),
                            temporary_path(folder, "state.db.good", to)),
                     0);
    struct state_store *store = open_store(folder, text);
    assert_non_null(strstr(text, "missing"));
    state_store_close(store);
    check_older(folder, true);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_store_recovery_survives_a_torn_header),
        cmocka_unit_test(state_store_recovery_survives_zeroed_pages),
        cmocka_unit_test(state_store_recovery_survives_an_empty_file),
        cmocka_unit_test(state_store_recovery_survives_a_missing_file),
        cmocka_unit_test(state_store_recovery_does_not_mix_an_old_log_with_the_copy),
        cmocka_unit_test(
            state_store_recovery_sets_a_damaged_copy_aside_and_says_that_nothing_is_left),
        cmocka_unit_test(state_store_recovery_keeps_the_former_copy_when_the_state_is_damaged),
        cmocka_unit_test(state_store_recovery_gives_up_a_copy_that_nobody_wants_any_more),
        cmocka_unit_test(state_store_recovery_removes_copies_that_nobody_ends),
        cmocka_unit_test(state_store_recovery_wants_a_copy_a_day),
        cmocka_unit_test(state_store_recovery_starts_empty_in_an_empty_folder_without_a_word),
        cmocka_unit_test(state_store_recovery_is_done_once_by_many_at_once),
        cmocka_unit_test(state_store_recovery_brings_version_1_up),
        cmocka_unit_test(state_store_recovery_brings_version_2_up),
        cmocka_unit_test(state_store_recovery_brings_an_older_copy_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
