/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/state_store.h"
#include "tests/host/temporary_folder.h"

#include <dirent.h>
#include <sqlite3.h>
#include <sys/wait.h>

static const uint8_t hash[32] = {1, 2, 3};

static struct state_store *open_store(const char *folder)
{
    char text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;

    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    assert_string_equal(text, "");
    return store;
}

static void state_store_keeps_a_record_over_a_restart(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct file_stat stats[3] = {
        {true, 5000000000u, 1700000000123456789, 42}, {false, 0, 0, 0}, {true, 7, -5, 9}};
    struct resume_record record = {.root = folder,
                                   .pieces = BYTES_LITERAL("\xf0\x80"),
                                   .stats = stats,
                                   .file_count = 2,
                                   .uploaded = 1ull << 40,
                                   .downloaded = 77,
                                   .complete = true,
                                   .clean = true};
    struct state_record taken;

    (void)state;
    memcpy(record.info_hash, hash, 32);
    assert_int_equal(state_store_take(store, hash, folder, &taken), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    record.downloaded = 78;
    assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    state_store_close(store);

    store = open_store(folder);
    assert_int_equal(state_store_take(store, hash, "/elsewhere", &taken), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_take(store, hash, folder, &taken), FRESHET_OK);
    assert_string_equal(taken.record.root, folder);
    assert_true(bytes_equal(taken.record.pieces, BYTES_LITERAL("\xf0\x80")));
    assert_int_equal(taken.record.file_count, 2);
    assert_true(taken.record.stats[0].exists);
    assert_int_equal(taken.record.stats[0].size, 5000000000u);
    assert_int_equal(taken.record.stats[0].mtime_ns, 1700000000123456789);
    assert_false(taken.record.stats[1].exists);
    assert_int_equal(taken.record.stats[2].mtime_ns, -5);
    assert_int_equal(taken.record.stats[2].inode, 9);
    assert_int_equal(taken.record.uploaded, 1ull << 40);
    assert_int_equal(taken.record.downloaded, 78);
    assert_true(taken.record.complete);
    assert_true(taken.record.clean);
    assert_true(taken.root.device != 0);
    assert_true(taken.root.inode != 0);
    state_store_record_deinit(&taken);
    /* In use since: a second look, as after a crash, does not call it clean. */
    assert_int_equal(state_store_take(store, hash, folder, &taken), FRESHET_OK);
    assert_false(taken.record.clean);
    state_store_record_deinit(&taken);
    assert_int_equal(state_store_forget(store, hash, folder), FRESHET_OK);
    assert_int_equal(state_store_take(store, hash, folder, &taken), FRESHET_ERROR_NOT_FOUND);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_keeps_torrents_and_numbers(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct buffer torrent = {0};

    (void)state;
    assert_int_equal(state_store_get_torrent(store, hash, &torrent), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_put_torrent(store, hash, BYTES_LITERAL("d4:infoe")), FRESHET_OK);
    assert_int_equal(state_store_get_torrent(store, hash, &torrent), FRESHET_OK);
    assert_true(bytes_is(buffer_bytes(&torrent), "d4:infoe"));
    buffer_deinit(&torrent);
    assert_int_equal(state_store_number(store, "listen_port", 6881), 6881);
    assert_int_equal(state_store_set_number(store, "listen_port", 7000), FRESHET_OK);
    assert_int_equal(state_store_number(store, "listen_port", 6881), 7000);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void check_blob(struct state_store *store, const char *name, struct bytes expected)
{
    struct buffer blob = {0};

    assert_int_equal(state_store_blob(store, name, &blob), FRESHET_OK);
    assert_true(bytes_equal(buffer_bytes(&blob), expected));
    buffer_deinit(&blob);
}

static void state_store_keeps_blobs_by_name(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct buffer blob = {0};

    (void)state;
    assert_int_equal(state_store_blob(store, "dht4", &blob), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_put_blob(store, "dht4", BYTES_LITERAL("one\0two")), FRESHET_OK);
    assert_int_equal(state_store_put_blob(store, "dht6", (struct bytes){NULL, 0}), FRESHET_OK);
    state_store_close(store);
    store = open_store(folder);
    check_blob(store, "dht4", BYTES_LITERAL("one\0two"));
    check_blob(store, "dht6", (struct bytes){NULL, 0});
    assert_int_equal(state_store_put_blob(store, "dht4", BYTES_LITERAL("3")), FRESHET_OK);
    check_blob(store, "dht4", BYTES_LITERAL("3"));
    state_store_close(store);
    temporary_folder_drop(folder);
}

/* As the first version left it, with a number and a torrent in it. */
static void make_state_of_version_1(const char *folder)
{
    char path[TEMPORARY_PATH];
    sqlite3 *database;

    assert_int_equal(sqlite3_open(temporary_path(folder, "state.db", path), &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(
            database,
            "PRAGMA journal_mode=WAL;"
            "CREATE TABLE records(info_hash BLOB NOT NULL, root TEXT NOT NULL,"
            " pieces BLOB NOT NULL, stats BLOB NOT NULL, uploaded INTEGER NOT NULL,"
            " downloaded INTEGER NOT NULL, complete INTEGER NOT NULL, clean INTEGER NOT NULL,"
            " root_device INTEGER NOT NULL, root_inode INTEGER NOT NULL, written INTEGER NOT NULL,"
            " PRIMARY KEY(info_hash, root));"
            "CREATE TABLE torrents(info_hash BLOB PRIMARY KEY, torrent BLOB NOT NULL);"
            "CREATE TABLE numbers(name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
            "INSERT INTO numbers VALUES('listen_port', 7000);"
            "INSERT INTO torrents VALUES(x'0102030000000000000000000000000000000000000000000000"
            "000000000000', 'd4:infoe');"
            "PRAGMA user_version=1;",
            NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(database);
}

static void state_store_opens_what_an_older_program_wrote(void **state)
{
    char *folder = temporary_folder_make();
    struct buffer torrent = {0};

    (void)state;
    make_state_of_version_1(folder);
    struct state_store *store = open_store(folder);
    assert_int_equal(state_store_number(store, "listen_port", 0), 7000);
    assert_int_equal(state_store_get_torrent(store, hash, &torrent), FRESHET_OK);
    assert_true(bytes_is(buffer_bytes(&torrent), "d4:infoe"));
    assert_int_equal(state_store_put_blob(store, "dht4", BYTES_LITERAL("x")), FRESHET_OK);
    state_store_close(store);
    store = open_store(folder);
    check_blob(store, "dht4", BYTES_LITERAL("x"));
    assert_int_equal(state_store_number(store, "listen_port", 0), 7000);
    state_store_close(store);
    buffer_deinit(&torrent);
    temporary_folder_drop(folder);
}

static int damaged_files(const char *folder)
{
    DIR *entries = opendir(folder);
    int count = 0;

    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        count += strstr(entry->d_name, ".damaged-") != NULL;
    closedir(entries);
    return count;
}

static void state_store_sets_a_damaged_file_aside_and_says_so(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;

    (void)state;
    temporary_write(folder, "state.db", "this is no database, whatever its name says", 43);
    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    assert_non_null(strstr(text, "damaged"));
    assert_true(damaged_files(folder) >= 1);
    assert_int_equal(state_store_set_number(store, "a", 1), FRESHET_OK);
    state_store_close(store);
    store = open_store(folder);
    assert_int_equal(state_store_number(store, "a", 0), 1);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_notices_a_page_that_was_overwritten(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE], path[TEMPORARY_PATH];
    static uint8_t junk[8192], pieces[200000];
    struct state_store *store = open_store(folder);
    struct file_stat stats[1] = {{0}};
    struct resume_record record = {
        .root = folder, .pieces = {pieces, sizeof pieces}, .stats = stats};

    (void)state;
    for (int i = 0; i < 8; i++) {
        record.info_hash[0] = (uint8_t)i;
        assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    }
    state_store_close(store);
    memset(junk, 0x5a, sizeof junk);
    int fd = open(temporary_path(folder, "state.db", path), O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 4096), sizeof junk);
    close(fd);
    store = NULL;
    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    assert_non_null(strstr(text, "damaged"));
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_refuses_what_a_newer_program_wrote(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE], path[TEMPORARY_PATH];
    struct state_store *store = open_store(folder);
    sqlite3 *database;

    (void)state;
    state_store_close(store);
    assert_int_equal(sqlite3_open(temporary_path(folder, "state.db", path), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
    assert_int_equal(state_store_open(folder, text, &store), FRESHET_ERROR_UNSUPPORTED);
    assert_non_null(strstr(text, "newer"));
    temporary_folder_drop(folder);
}

static void state_store_locks_a_torrent_for_one_process(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    int lock = -1, other = -1, ready[2], go[2], status;
    pid_t holder = 0;
    char byte;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        int mine = -1;
        pid_t nobody;
        if (state_store_lock(store, hash, "/root", &mine, &nobody) != FRESHET_OK)
            _exit(1);
        if (write(ready[1], "r", 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(2);
        _exit(0); /* without unlocking: its end does it */
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(state_store_lock(store, hash, "/root", &lock, &holder), FRESHET_ERROR_BUSY);
    assert_int_equal(holder, child);
    assert_int_equal(state_store_lock(store, hash, "/other", &other, &holder), FRESHET_OK);
    state_store_unlock(other);
    assert_int_equal(write(go[1], "g", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(state_store_lock(store, hash, "/root", &lock, &holder), FRESHET_OK);
    state_store_unlock(lock);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void state_store_says_why_it_cannot_open(void **state)
{
    char *folder = temporary_folder_make(), text[STATE_TEXT_SIZE], path[TEMPORARY_PATH];
    struct state_store *store = NULL;

    (void)state;
    temporary_write(folder, "file", "x", 1);
    assert_int_not_equal(state_store_open(temporary_path(folder, "file/state", path), text, &store),
                         FRESHET_OK);
    assert_non_null(strstr(text, "file/state"));
    temporary_folder_drop(folder);
}

static void state_store_takes_a_record_to_another_root(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct file_stat before[3] = {{true, 5, 6, 7}, {true, 8, 9, 10}, {0}};
    struct file_stat after[3] = {{true, 5, 6, 70}, {true, 8, 9, 100}, {true, 1, 2, 3}};
    struct file_stat recorded[3] = {{true, 5, 6, 7}, {true, 8, 1, 10}, {0}};
    struct state_relocation relocation = {
        .from = "/old", .to = folder, .before = before, .after = after, .file_count = 2};
    struct resume_record record = {.root = "/old",
                                   .pieces = BYTES_LITERAL("\xf0"),
                                   .stats = recorded,
                                   .file_count = 2,
                                   .uploaded = 12,
                                   .clean = true};
    struct state_record taken;
    struct stat here;

    (void)state;
    memcpy(record.info_hash, hash, 32);
    memcpy(relocation.info_hash, hash, 32);
    assert_int_equal(state_store_relocate(store, &relocation), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    /* One that lay there from an earlier life goes. */
    record.root = folder;
    record.uploaded = 1;
    assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    assert_int_equal(state_store_relocate(store, &relocation), FRESHET_OK);
    assert_int_equal(state_store_relocate(store, &relocation), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_take(store, hash, "/old", &taken), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_take(store, hash, folder, &taken), FRESHET_OK);
    assert_int_equal(taken.record.uploaded, 12);
    assert_true(taken.record.clean);
    assert_int_equal(taken.record.stats[0].inode, 70);
    /* It had changed since it was recorded: still so. */
    assert_int_equal(taken.record.stats[1].inode, 10);
    assert_int_equal(taken.record.stats[1].mtime_ns, 1);
    /* Nothing was recorded in it. */
    assert_false(taken.record.stats[2].exists);
    assert_int_equal(stat(folder, &here), 0);
    assert_int_equal(taken.root.device, here.st_dev);
    assert_int_equal(taken.root.inode, here.st_ino);
    state_store_record_deinit(&taken);
    relocation.from = folder;
    assert_int_equal(state_store_relocate(store, &relocation), FRESHET_ERROR_USAGE);
    state_store_close(store);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_store_keeps_a_record_over_a_restart),
        cmocka_unit_test(state_store_takes_a_record_to_another_root),
        cmocka_unit_test(state_store_keeps_torrents_and_numbers),
        cmocka_unit_test(state_store_keeps_blobs_by_name),
        cmocka_unit_test(state_store_opens_what_an_older_program_wrote),
        cmocka_unit_test(state_store_sets_a_damaged_file_aside_and_says_so),
        cmocka_unit_test(state_store_notices_a_page_that_was_overwritten),
        cmocka_unit_test(state_store_refuses_what_a_newer_program_wrote),
        cmocka_unit_test(state_store_locks_a_torrent_for_one_process),
        cmocka_unit_test(state_store_says_why_it_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
