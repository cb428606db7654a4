/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "host/clock.h"
#include "host/disk.h"
#include "tests/host/temporary_folder.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

/* A disk with one storage of three files: 20000 bytes, 12768 bytes of padding, 40000 bytes in a
 * folder; and one unwanted. */
struct fixture {
    uv_loop_t loop;
    struct block_memory memory;
    struct disk *disk;
    char *folder;
    char root[TEMPORARY_PATH];
    struct storage_file files[4];
    struct storage_layout layout;
    struct file_stat stats[5];
    struct event last;
    job_id next;
    bool keep_alive_closed;
    uv_timer_t keep_alive;
};

static void on_done(void *context, struct event *event)
{
    struct fixture *fixture = context;

    fixture->last = *event;
}

static void on_keep_alive(uv_timer_t *timer)
{
    (void)timer;
}

static void fixture_init(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    uv_timer_init(&fixture->loop, &fixture->keep_alive);
    uv_timer_start(&fixture->keep_alive, on_keep_alive, 1000, 1000);
    assert_int_equal(block_memory_init(&fixture->memory, 64), FRESHET_OK);
    struct disk_options options = {.loop = &fixture->loop,
                                   .pool = &fixture->memory,
                                   .open_files_max = 8,
                                   .job_done = on_done,
                                   .context = fixture};
    fixture->disk = disk_new(&options);
    fixture->folder = temporary_folder_make();
    snprintf(fixture->root, sizeof fixture->root, "%s/new/root", fixture->folder);
    fixture->files[0] = (struct storage_file){.path = "one", .length = 20000, .wanted = true};
    fixture->files[1] = (struct storage_file){.path = "pad", .length = 12768, .padding = true};
    fixture->files[2] = (struct storage_file){
        .path = "sub/two", .length = 40000, .wanted = true, .executable = true};
    fixture->files[3] = (struct storage_file){.path = "sub/unwanted", .length = 5};
    fixture->layout = (struct storage_layout){.root = fixture->root,
                                              .part_name = ".parts",
                                              .files = fixture->files,
                                              .file_count = 4,
                                              .piece_length = 65536,
                                              .create_root = true};
}

static void fixture_deinit(struct fixture *fixture)
{
    disk_free(fixture->disk);
    uv_close((uv_handle_t *)&fixture->keep_alive, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    block_memory_deinit(&fixture->memory);
    temporary_folder_drop(fixture->folder);
}

static enum freshet_error run_job(struct fixture *fixture, struct disk_job *job)
{
    job->id = ++fixture->next;
    job->storage = job->extent.storage = 7;
    disk_submit(fixture->disk, job);
    while (fixture->last.job != job->id)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    return fixture->last.error;
}

static enum freshet_error run_plain(struct fixture *fixture, enum disk_operation operation)
{
    struct disk_job job = {
        .operation = operation, .layout = &fixture->layout, .ret_stats = fixture->stats};

    return run_job(fixture, &job);
}

/* The piece of 72768 bytes over the first three files, in five blocks. */
static const struct file_range piece_ranges[] = {
    {0, 20000, 0}, {FILE_PADDING, 12768, 0}, {2, 40000, 0}};
static const block_id piece_blocks[] = {9, 3, 17, 4, 30};
static const struct extent piece_extent = {.length = 72768,
                                           .ranges = piece_ranges,
                                           .range_count = 3,
                                           .block_count = 5,
                                           .blocks = piece_blocks};

static void fill_blocks(struct fixture *fixture, uint8_t *ret_piece)
{
    for (uint32_t i = 0; i < 72768; i++) {
        uint8_t byte = (uint8_t)(i * 7 + i / 251);
        block_memory_at(&fixture->memory, piece_blocks[i / 16384])[i % 16384] = byte;
        ret_piece[i] = i >= 20000 && i < 32768 ? 0 : byte;
    }
}

static void disk_writes_hashes_and_reads_a_piece_over_files(void **state)
{
    struct fixture fixture;
    static uint8_t piece[72768], file[40001];
    uint8_t sha1[20], expected[20], leaves[5 * 32], leaf[32];
    static const block_id absent[] = {BLOCK_NONE, BLOCK_NONE, 17, BLOCK_NONE, BLOCK_NONE};
    static const block_id others[] = {40, 41, 42, 43, 44};
    struct stat stat_buffer;
    char path[TEMPORARY_PATH];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_false(fixture.stats[0].exists);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    fill_blocks(&fixture, piece);
    struct disk_job write = {.operation = DISK_WRITE, .extent = piece_extent};
    assert_int_equal(run_job(&fixture, &write), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_SYNC), FRESHET_OK);
    assert_int_equal(temporary_read(fixture.root, "one", file, sizeof file), 20000);
    assert_memory_equal(file, piece, 20000);
    assert_int_equal(temporary_read(fixture.root, "sub/two", file, sizeof file), 40000);
    assert_memory_equal(file, piece + 32768, 40000);
    assert_int_equal(temporary_read(fixture.root, "pad", file, 1), -1);
    assert_int_equal(temporary_read(fixture.root, "sub/unwanted", file, 1), -1);
    assert_int_equal(stat(temporary_path(fixture.root, "sub/two", path), &stat_buffer), 0);
    assert_true(stat_buffer.st_mode & S_IXUSR);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_int_equal(fixture.stats[2].size, 40000);
    assert_false(fixture.stats[4].exists);

    sha1_of(piece, sizeof piece, expected);
    struct disk_job hash = {
        .operation = DISK_HASH, .extent = piece_extent, .ret_sha1 = sha1, .ret_leaves = leaves};
    assert_int_equal(run_job(&fixture, &hash), FRESHET_OK);
    assert_memory_equal(sha1, expected, 20);
    for (int i = 0; i < 5; i++) {
        sha256_of(piece + i * 16384, i == 4 ? 72768 - 65536 : 16384, leaf);
        assert_memory_equal(leaves + i * 32, leaf, 32);
    }
    memset(sha1, 0, sizeof sha1);
    memset(leaves, 0, sizeof leaves);
    hash.extent.blocks = absent;
    hash.leaf_length = 70000;
    assert_int_equal(run_job(&fixture, &hash), FRESHET_OK);
    assert_memory_equal(sha1, expected, 20);
    sha256_of(piece + 65536, 70000 - 65536, leaf);
    assert_memory_equal(leaves + 4 * 32, leaf, 32);
    struct disk_job read = {.operation = DISK_READ, .extent = piece_extent};
    read.extent.blocks = others;
    assert_int_equal(run_job(&fixture, &read), FRESHET_OK);
    for (int i = 0; i < 5; i++)
        assert_memory_equal(block_memory_at(&fixture.memory, others[i]), piece + i * 16384,
                            i == 4 ? 72768 - 65536 : 16384);
    assert_int_equal(run_plain(&fixture, DISK_CLOSE), FRESHET_OK);
    fixture_deinit(&fixture);
}

/* Many leaves, in memory and on the disk in turns, so that they gather in every way. */
static void disk_hashes_many_leaves_wherever_they_are(void **state)
{
    enum { BLOCKS = 41, LENGTH = 40 * 16384 + 777 };
    struct fixture fixture;
    static uint8_t piece[LENGTH], leaves[BLOCKS * 32];
    struct file_range ranges[] = {{0, 300001, 0}, {FILE_PADDING, 9000, 0}, {2, LENGTH - 309001, 0}};
    block_id all[BLOCKS], some[BLOCKS];
    uint8_t sha1[20], expected[20], leaf[32];

    (void)state;
    fixture_init(&fixture);
    fixture.files[0].length = 300001;
    fixture.files[2].length = LENGTH - 309001;
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    for (uint32_t i = 0; i < LENGTH; i++) {
        all[i / 16384] = 60 - i / 16384;
        piece[i] = i >= 300001 && i < 309001 ? 0 : (uint8_t)(i * 11 + i / 300);
        block_memory_at(&fixture.memory, all[i / 16384])[i % 16384] = (uint8_t)(i * 11 + i / 300);
    }
    struct disk_job job = {.operation = DISK_WRITE,
                           .extent = {.length = LENGTH,
                                      .ranges = ranges,
                                      .range_count = 3,
                                      .block_count = BLOCKS,
                                      .blocks = all}};
    assert_int_equal(run_job(&fixture, &job), FRESHET_OK);
    sha1_of(piece, LENGTH, expected);
    job.operation = DISK_HASH;
    job.ret_sha1 = sha1;
    job.ret_leaves = leaves;
    for (uint32_t step = 1; step < 30; step += 3) {
        for (uint32_t i = 0; i < BLOCKS; i++)
            some[i] = i / step % 2 ? BLOCK_NONE : all[i];
        job.extent.blocks = some;
        memset(leaves, 0, sizeof leaves);
        assert_int_equal(run_job(&fixture, &job), FRESHET_OK);
        assert_memory_equal(sha1, expected, 20);
        for (uint32_t i = 0; i < BLOCKS; i++) {
            sha256_of(piece + i * 16384, i == BLOCKS - 1 ? 777 : 16384, leaf);
            assert_memory_equal(leaves + i * 32, leaf, 32);
        }
    }
    fixture_deinit(&fixture);
}

static void disk_gives_files_their_length_and_cuts_longer_ones(void **state)
{
    struct fixture fixture;
    static uint8_t long_file[30000];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    temporary_write(fixture.root, "one", long_file, sizeof long_file);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_int_equal(fixture.stats[0].size, 20000);
    assert_int_equal(fixture.stats[2].size, 40000);
    assert_false(fixture.stats[3].exists);
    fixture.files[3].wanted = true;
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_int_equal(fixture.stats[3].size, 5);
    fixture_deinit(&fixture);
}

static void disk_lets_go_of_a_file_that_was_replaced(void **state)
{
    struct fixture fixture;
    static uint8_t piece[72768], file[20000];
    char path[TEMPORARY_PATH], other[TEMPORARY_PATH];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    fill_blocks(&fixture, piece);
    struct disk_job write = {.operation = DISK_WRITE, .extent = piece_extent};
    assert_int_equal(run_job(&fixture, &write), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_SYNC), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    /* Another file takes the name, a third one is gone. */
    temporary_write(fixture.root, "other", file, sizeof file);
    assert_int_equal(rename(temporary_path(fixture.root, "other", other),
                            temporary_path(fixture.root, "one", path)),
                     0);
    assert_int_equal(unlink(temporary_path(fixture.root, "sub/two", path)), 0);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_false(fixture.stats[2].exists);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_int_equal(run_job(&fixture, &write), FRESHET_OK);
    assert_int_equal(temporary_read(fixture.root, "one", file, sizeof file), 20000);
    assert_memory_equal(file, piece, 20000);
    assert_int_equal(temporary_read(fixture.root, "sub/two", file, sizeof file), 20000);
    assert_memory_equal(file, piece + 32768, 20000);
    fixture_deinit(&fixture);
}

static bool is_there(const struct fixture *fixture, const char *name)
{
    char path[TEMPORARY_PATH];
    return access(temporary_path(fixture->root, name, path), F_OK) == 0;
}

/* By its fields: what lies between them is anything. */
static void assert_same_stat(const struct file_stat *a, const struct file_stat *b)
{
    assert_int_equal(a->exists, b->exists);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->mtime_ns, b->mtime_ns);
    assert_int_equal(a->inode, b->inode);
}

static void disk_names_files_when_they_are_recorded(void **state)
{
    struct fixture fixture;
    static uint8_t piece[72768], file[20000];

    (void)state;
    fixture_init(&fixture);
    fixture.layout.part_suffix = true;
    fixture.files[0].piece_end = fixture.files[2].piece_end = 2;
    fixture.files[3] = (struct storage_file){.path = "sub/empty", .wanted = true};
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_true(is_there(&fixture, "one.part") && is_there(&fixture, "sub/two.part"));
    assert_true(is_there(&fixture, "sub/empty"));
    fill_blocks(&fixture, piece);
    struct disk_job write = {.operation = DISK_WRITE, .extent = piece_extent};
    assert_int_equal(run_job(&fixture, &write), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    struct file_stat before = fixture.stats[0];
    assert_true(before.exists);
    struct storage_files *files = disk_files(fixture.disk, 7);
    assert_true(storage_files_has_suffixes(files));
    assert_int_equal(storage_files_drop_recorded(files, (struct bytes){(uint8_t[]){0x40}, 1}),
                     FRESHET_OK);
    assert_true(is_there(&fixture, "one.part") && !is_there(&fixture, "one"));
    assert_int_equal(storage_files_drop_recorded(files, (struct bytes){(uint8_t[]){0xc0}, 1}),
                     FRESHET_OK);
    assert_false(storage_files_has_suffixes(files));
    assert_false(is_there(&fixture, "one.part") || is_there(&fixture, "sub/two.part"));
    assert_int_equal(temporary_read(fixture.root, "one", file, sizeof file), 20000);
    assert_memory_equal(file, piece, 20000);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_same_stat(&before, &fixture.stats[0]);
    storage_files_free(files);
    fixture_deinit(&fixture);
}

static void disk_finds_parts_whatever_the_layout_wants_now(void **state)
{
    struct fixture fixture;
    char path[TEMPORARY_PATH];

    (void)state;
    fixture_init(&fixture);
    fixture.layout.part_suffix = true;
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_CLOSE), FRESHET_OK);
    fixture.layout.part_suffix = false;
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_true(fixture.stats[0].exists && fixture.stats[2].exists);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_false(is_there(&fixture, "one") || is_there(&fixture, "sub/two"));
    /* Another's file of that name is not replaced. */
    struct storage_files *files = disk_files(fixture.disk, 7);
    temporary_write(fixture.root, "one", "mine", 4);
    assert_int_equal(storage_files_drop_suffixes(files, (uint8_t[]){1, 0, 1, 0}),
                     FRESHET_ERROR_EXISTS);
    assert_int_equal(temporary_read(fixture.root, "one", path, sizeof path), 4);
    assert_true(is_there(&fixture, "one.part") && is_there(&fixture, "sub/two"));
    storage_files_free(files);
    fixture_deinit(&fixture);
}

static void disk_gives_no_suffix_beside_a_file_of_that_name(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    fixture.layout.part_suffix = true;
    fixture.files[2].path = "one.part";
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    assert_true(is_there(&fixture, "one") && is_there(&fixture, "one.part"));
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_int_not_equal(fixture.stats[0].inode, fixture.stats[2].inode);
    fixture_deinit(&fixture);
}

static void disk_moves_parts_out_of_the_part_store(void **state)
{
    struct fixture fixture;
    struct file_range range = {FILE_PART_STORE, 5, 100};
    block_id block = 2;
    char bytes[16];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    memcpy(block_memory_at(&fixture.memory, block), "parts", 5);
    struct disk_job job = {
        .operation = DISK_WRITE,
        .extent = {
            .length = 5, .ranges = &range, .range_count = 1, .block_count = 1, .blocks = &block}};
    assert_int_equal(run_job(&fixture, &job), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_STAT), FRESHET_OK);
    assert_int_equal(fixture.stats[4].size, 105);
    job.operation = DISK_COPY;
    job.copy_to = (struct file_range){3, 5, 0};
    assert_int_equal(run_job(&fixture, &job), FRESHET_OK);
    assert_int_equal(temporary_read(fixture.root, "sub/unwanted", bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "parts", 5);
    assert_int_equal(run_plain(&fixture, DISK_DROP_PARTS), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_SYNC), FRESHET_OK);
    assert_int_equal(temporary_read(fixture.root, ".parts", bytes, 1), -1);
    assert_int_equal(run_plain(&fixture, DISK_DROP_PARTS), FRESHET_OK);
    fixture_deinit(&fixture);
}

static void disk_hashes_holes_as_the_zeros_that_they_are(void **state)
{
    struct fixture fixture;
    static uint8_t piece[72768];
    uint8_t sha1[20], expected[20], leaves[5 * 32], leaf[32];
    static const block_id absent[] = {BLOCK_NONE, BLOCK_NONE, BLOCK_NONE, BLOCK_NONE, BLOCK_NONE};
    char path[TEMPORARY_PATH];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    struct disk_job hash = {
        .operation = DISK_HASH, .extent = piece_extent, .ret_sha1 = sha1, .ret_leaves = leaves};
    hash.extent.blocks = absent;
    hash.leaf_length = 70000;
    /* Twice nothing but holes, then one byte of data in the last of 40000, then a file too short.
     */
    for (int round = 0; round < 2; round++) {
        memset(sha1, 1, sizeof sha1);
        memset(leaves, 1, sizeof leaves);
        assert_int_equal(run_job(&fixture, &hash), FRESHET_OK);
        sha1_of(piece, sizeof piece, expected);
        assert_memory_equal(sha1, expected, 20);
        for (int i = 0; i < 5; i++) {
            sha256_of(piece + i * 16384, i == 4 ? 70000 - 65536 : 16384, leaf);
            assert_memory_equal(leaves + i * 32, leaf, 32);
        }
        piece[32768 + 35000] = 7;
        temporary_write(fixture.root, "sub/two", piece + 32768, 40000);
    }
    assert_int_equal(truncate(temporary_path(fixture.root, "one", path), 19999), 0);
    memset(piece, 0, sizeof piece);
    temporary_write(fixture.root, "sub/two", piece, 0);
    assert_int_equal(truncate(temporary_path(fixture.root, "sub/two", path), 40000), 0);
    assert_int_equal(run_job(&fixture, &hash), FRESHET_ERROR_NOT_FOUND);
    fixture_deinit(&fixture);
}

static void disk_tells_a_short_file_when_it_hashes(void **state)
{
    struct fixture fixture;
    uint8_t sha1[20];
    static const block_id absent[] = {BLOCK_NONE, BLOCK_NONE, BLOCK_NONE, BLOCK_NONE, BLOCK_NONE};

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    struct disk_job hash = {.operation = DISK_HASH, .extent = piece_extent, .ret_sha1 = sha1};
    hash.extent.blocks = absent;
    assert_int_equal(run_job(&fixture, &hash), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(fixture.last.result.disk.file, 0);
    temporary_write(fixture.root, "one", "short", 5);
    assert_int_equal(run_job(&fixture, &hash), FRESHET_ERROR_NOT_FOUND);
    fixture_deinit(&fixture);
}

static void disk_refuses_a_symlink_in_a_payload_path(void **state)
{
    struct fixture fixture;
    char path[TEMPORARY_PATH];
    static uint8_t piece[72768];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(symlink(fixture.folder, temporary_path(fixture.root, "sub", path)), 0);
    fill_blocks(&fixture, piece);
    struct disk_job write = {.operation = DISK_WRITE, .extent = piece_extent};
    assert_int_equal(run_job(&fixture, &write), FRESHET_ERROR_REFUSED);
    assert_int_equal(fixture.last.result.disk.file, 2);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_ERROR_REFUSED);
    assert_int_equal(access(temporary_path(fixture.folder, "two", path), F_OK), -1);
    fixture_deinit(&fixture);
}

static void disk_deletes_only_what_it_made(void **state)
{
    struct fixture fixture;
    char path[TEMPORARY_PATH];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    temporary_write(fixture.root, "one", "mine", 4);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    temporary_write(fixture.root, "sub/theirs", "theirs", 6);
    assert_int_equal(run_plain(&fixture, DISK_DELETE), FRESHET_OK);
    assert_int_equal(access(temporary_path(fixture.root, "one", path), F_OK), 0);
    assert_int_equal(access(temporary_path(fixture.root, "sub/theirs", path), F_OK), 0);
    assert_int_equal(access(temporary_path(fixture.root, "sub/two", path), F_OK), -1);
    fixture_deinit(&fixture);
}

static void disk_knows_an_absent_root(void **state)
{
    struct fixture fixture;
    char path[TEMPORARY_PATH];
    struct root_identity other = {.device = 1, .inode = 1};

    (void)state;
    fixture_init(&fixture);
    fixture.layout.create_root = false;
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_ERROR_ABSENT);
    assert_int_equal(access(fixture.root, F_OK), -1);
    /* An empty folder that is not the one recorded: a mount point without its disk. */
    mkdir(temporary_path(fixture.folder, "new", path), 0755);
    mkdir(fixture.root, 0755);
    disk_expect_root(fixture.disk, fixture.root, &other);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_ERROR_ABSENT);
    /* An empty folder on the disk that was recorded: emptied by somebody, and no mistake. */
    struct stat disk_stat;
    assert_int_equal(stat(fixture.root, &disk_stat), 0);
    other.device = disk_stat.st_dev;
    disk_expect_root(fixture.disk, fixture.root, &other);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_CLOSE), FRESHET_OK);
    other.device = 1;
    disk_expect_root(fixture.disk, fixture.root, &other);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_ERROR_ABSENT);
    /* With one of our files in it, it is ours under another device number. */
    temporary_write(fixture.root, "one", "x", 1);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    fixture_deinit(&fixture);
}

static void disk_keeps_few_files_open(void **state)
{
    struct fixture fixture;
    struct storage_file files[40];
    struct file_stat stats[41];
    char names[40][16];

    (void)state;
    fixture_init(&fixture);
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        files[i] = (struct storage_file){.path = names[i], .length = 1000, .wanted = true};
    }
    fixture.layout.files = files;
    fixture.layout.file_count = 40;
    struct disk_job open_job = {
        .operation = DISK_OPEN, .layout = &fixture.layout, .ret_stats = stats};
    assert_int_equal(run_job(&fixture, &open_job), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    int before = dup(0);
    close(before);
    /* 40 files were opened, the lowest free descriptor tells that few still are. */
    assert_true(before < 40);
    assert_int_equal(run_plain(&fixture, DISK_SYNC), FRESHET_OK);
    fixture_deinit(&fixture);
}

/* In a mount namespace of its own: a disk of 48 KiB. Ends with 0 when all is as it should be. */
static int short_disk_child(const char *mount_point)
{
    struct fixture fixture;
    static uint8_t piece[72768];

    int namespaces = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);

    if (unshare(namespaces) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", mount_point, "tmpfs", 0, "size=48k") != 0)
        return 2;
    fixture_init(&fixture);
    snprintf(fixture.root, sizeof fixture.root, "%s/root", mount_point);
    if (run_plain(&fixture, DISK_OPEN) || run_plain(&fixture, DISK_PREPARE))
        return 3;
    fill_blocks(&fixture, piece);
    struct disk_job write = {.operation = DISK_WRITE, .extent = piece_extent};
    if (run_job(&fixture, &write) != FRESHET_ERROR_NO_SPACE)
        return 4;
    if (fixture.last.result.disk.file != 2)
        return 5;
    fixture.layout.allocation = ALLOCATION_FULL;
    if (run_plain(&fixture, DISK_PREPARE) != FRESHET_ERROR_NO_SPACE)
        return 6;
    return 0;
}

/* A disk that is unmounted under a running torrent and mounted again: 0 when all is well. */
static int lost_mount_child(const char *folder)
{
    struct fixture fixture;
    static uint8_t piece[72768];
    char store[300], mount_point[300];
    uint8_t byte[4];
    int namespaces = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);

    snprintf(store, sizeof store, "%s/store", folder);
    snprintf(mount_point, sizeof mount_point, "%s/mounted", folder);
    if (mkdir(store, 0755) != 0 || mkdir(mount_point, 0755) != 0 || unshare(namespaces) != 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", store, "tmpfs", 0, "size=1m") != 0 ||
        mount(store, mount_point, NULL, MS_BIND, NULL) != 0)
        return 2;
    fixture_init(&fixture);
    snprintf(fixture.root, sizeof fixture.root, "%s", mount_point);
    if (run_plain(&fixture, DISK_OPEN) || run_plain(&fixture, DISK_PREPARE))
        return 3;
    fill_blocks(&fixture, piece);
    struct disk_job write = {.operation = DISK_WRITE, .extent = piece_extent};
    if (run_job(&fixture, &write) || run_plain(&fixture, DISK_SYNC) ||
        run_plain(&fixture, DISK_STAT))
        return 4;
    if (umount2(mount_point, MNT_DETACH) != 0)
        return 5;
    if (run_plain(&fixture, DISK_STAT) != FRESHET_ERROR_ABSENT || run_plain(&fixture, DISK_CLOSE))
        return 6;
    fixture.layout.create_root = false;
    if (run_plain(&fixture, DISK_OPEN) != FRESHET_ERROR_ABSENT || rmdir(mount_point) != 0)
        return 7; /* rmdir: nothing was made below */
    if (run_plain(&fixture, DISK_OPEN) != FRESHET_ERROR_ABSENT || mkdir(mount_point, 0755) != 0 ||
        mount(store, mount_point, NULL, MS_BIND, NULL) != 0)
        return 8;
    if (run_plain(&fixture, DISK_OPEN) || run_plain(&fixture, DISK_STAT))
        return 9;
    if (temporary_read(mount_point, fixture.layout.files[0].path, byte, 4) != 4 ||
        memcmp(byte, piece, 4) != 0)
        return 10;
    return 0;
}

static void disk_waits_for_a_lost_mount_and_writes_nothing_below(void **state)
{
    char *folder = temporary_folder_make();
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(lost_mount_child(folder));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    temporary_folder_drop(folder);
}

static void disk_says_when_it_is_full(void **state)
{
    char *folder = temporary_folder_make();
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0)
        _exit(short_disk_child(folder));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    temporary_folder_drop(folder);
}

static void disk_ends_every_job_once_when_it_is_stopped(void **state)
{
    struct fixture fixture;
    struct disk_job jobs[50];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    memset(jobs, 0, sizeof jobs);
    for (int i = 0; i < 50; i++) {
        jobs[i] = (struct disk_job){.id = 1000 + (job_id)i, .operation = DISK_SYNC, .storage = 7};
        disk_submit(fixture.disk, &jobs[i]);
    }
    disk_cancel(fixture.disk, 1049);
    disk_cancel(fixture.disk, 1049);
    disk_cancel(fixture.disk, 77);
    fixture_deinit(&fixture);
    assert_true(fixture.last.job >= 1000);
}

static void disk_measures_what_it_hashes_and_writes(void **state)
{
    struct fixture fixture;
    struct disk_loads loads;
    static uint8_t piece[72768];
    uint8_t sha1[20];

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_plain(&fixture, DISK_OPEN), FRESHET_OK);
    assert_int_equal(run_plain(&fixture, DISK_PREPARE), FRESHET_OK);
    fill_blocks(&fixture, piece);
    disk_measure(fixture.disk, clock_now(), &loads);
    assert_true(loads.hash.threads > 0 && loads.write.threads > 0);
    assert_int_equal(loads.hash.jobs + loads.write.jobs, 0);
    assert_int_equal(loads.hash.bytes + loads.write.bytes, 0);
    struct disk_job jobs[2] = {
        {.operation = DISK_HASH, .extent = piece_extent, .ret_sha1 = sha1, .id = 1000},
        {.operation = DISK_WRITE, .extent = piece_extent, .id = 1001}};
    for (int i = 0; i < 2; i++) {
        jobs[i].extent.storage = 7;
        disk_submit(fixture.disk, &jobs[i]);
    }
    disk_measure(fixture.disk, clock_now(), &loads);
    assert_int_equal(loads.hash.jobs, 1);
    assert_int_equal(loads.write.jobs, 1);
    while (loads.hash.jobs + loads.write.jobs > 0) {
        uv_run(&fixture.loop, UV_RUN_ONCE);
        disk_measure(fixture.disk, clock_now(), &loads);
    }
    assert_int_equal(loads.hash.bytes, sizeof piece);
    assert_int_equal(loads.write.bytes, sizeof piece);
    assert_true(loads.hash.rate > 0);
    fixture_deinit(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disk_writes_hashes_and_reads_a_piece_over_files),
        cmocka_unit_test(disk_hashes_many_leaves_wherever_they_are),
        cmocka_unit_test(disk_gives_files_their_length_and_cuts_longer_ones),
        cmocka_unit_test(disk_lets_go_of_a_file_that_was_replaced),
        cmocka_unit_test(disk_names_files_when_they_are_recorded),
        cmocka_unit_test(disk_finds_parts_whatever_the_layout_wants_now),
        cmocka_unit_test(disk_gives_no_suffix_beside_a_file_of_that_name),
        cmocka_unit_test(disk_moves_parts_out_of_the_part_store),
        cmocka_unit_test(disk_hashes_holes_as_the_zeros_that_they_are),
        cmocka_unit_test(disk_tells_a_short_file_when_it_hashes),
        cmocka_unit_test(disk_refuses_a_symlink_in_a_payload_path),
        cmocka_unit_test(disk_deletes_only_what_it_made),
        cmocka_unit_test(disk_knows_an_absent_root),
        cmocka_unit_test(disk_keeps_few_files_open),
        cmocka_unit_test(disk_says_when_it_is_full),
        cmocka_unit_test(disk_waits_for_a_lost_mount_and_writes_nothing_below),
        cmocka_unit_test(disk_measures_what_it_hashes_and_writes),
        cmocka_unit_test(disk_ends_every_job_once_when_it_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
