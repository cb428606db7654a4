/* SPDX-License-Identifier: MIT */
/* Walking, hashing and writing, as create and verify use them, over a folder of our own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/folder_walk.h"
#include "cli/piece_hasher.h"
#include "cli/torrent_file.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG (3u * 1024 * 1024 + 777)

static char folder[] = "/tmp/freshet-hasher-XXXXXX";
static int root;

static uint8_t byte_of(uint64_t offset)
{
    return (uint8_t)(offset * 31 + offset / 1021);
}

static void write_file(const char *path, size_t length)
{
    int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    uint8_t *bytes = memory_new(length);
    assert_true(fd >= 0);
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_of(i);
    assert_int_equal(write(fd, bytes, length), length);
    memory_free(bytes);
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    root = open(folder, O_RDONLY | O_DIRECTORY);
    mkdirat(root, "sub", 0755);
    write_file("big", BIG);
    write_file("sub/small", 100);
    write_file("empty", 0);
    return root < 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"big", "sub/small", "empty", "out", "sub/up", "up"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlinkat(root, names[i], 0);
    unlinkat(root, "sub", AT_REMOVEDIR);
    close(root);
    return rmdir(folder);
}

struct seen {
    uint32_t count, failed, stop_after;
    file_index failed_file;
    enum freshet_error error;
    uint8_t sha1[8][SHA1_SIZE];
    uint8_t last_leaf[SHA256_SIZE];
    uint32_t leaf_count[8];
};

static bool take(void *context, const struct piece_hasher_result *result)
{
    struct seen *seen = context;
    seen->count++;
    if (result->error != FRESHET_OK) {
        seen->failed++;
        seen->error = result->error;
        seen->failed_file = result->file;
    } else {
        memcpy(seen->sha1[result->piece], result->sha1, SHA1_SIZE);
        seen->leaf_count[result->piece] = result->leaf_count;
        if (result->piece == 0)
            memcpy(seen->last_leaf, result->leaves + (size_t)(result->leaf_count - 1) * SHA256_SIZE,
                   SHA256_SIZE);
    }
    return seen->stop_after == 0 || seen->count < seen->stop_after;
}

/* "big", then padding, then "sub/small": pieces of 2 MiB, larger than what is read at once. */
static struct seen run(unsigned threads, uint32_t stop_after, const char *first)
{
    struct geometry_file files[] = {{0, BIG, false}, {0, 4 * MIB - BIG, true}, {0, 100, false}};
    const char *const paths[] = {first, "", "sub/small"};
    struct geometry geometry;
    struct seen seen = {.stop_after = stop_after};
    assert_int_equal(geometry_init(&geometry, 2 * MIB, files, 3, false), FRESHET_OK);
    struct piece_hasher_options options = {.geometry = &geometry,
                                           .root = root,
                                           .paths = paths,
                                           .want_sha1 = true,
                                           .want_leaves = true,
                                           .threads = threads,
                                           .done = take,
                                           .context = &seen};
    assert_int_equal(piece_hasher_run(&options), FRESHET_OK);
    geometry_deinit(&geometry);
    return seen;
}

static void piece_hasher_hashes_what_lies_on_the_disk(void **state)
{
    (void)state;
    uint8_t *bytes = memory_new(4 * MIB);
    uint8_t expected[SHA1_SIZE];
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = byte_of(i);
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct seen seen = run(threads, 0, "big");
        assert_int_equal(seen.count, 3);
        assert_int_equal(seen.failed, 0);
        for (unsigned piece = 0; piece < 3; piece++) {
            size_t size = piece == 2 ? 100 : 2 * MIB;
            sha1_of(piece == 2 ? bytes : bytes + (size_t)piece * 2 * MIB, size, expected);
            assert_memory_equal(seen.sha1[piece], expected, SHA1_SIZE);
        }
        uint8_t leaf[SHA256_SIZE];
        sha256_of(bytes + 2 * MIB - 16384, 16384, leaf);
        assert_memory_equal(seen.last_leaf, leaf, SHA256_SIZE);
        assert_int_equal(seen.leaf_count[1], (BIG - 2 * MIB + 16383) / 16384);
        assert_int_equal(seen.leaf_count[2], 1);
    }
    memory_free(bytes);
}

static void piece_hasher_says_which_file_is_short_or_missing(void **state)
{
    (void)state;
    struct seen seen = run(2, 0, "nothing");
    assert_int_equal(seen.failed, 2);
    assert_int_equal(seen.error, FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(seen.failed_file, 0);
    seen = run(2, 0, "empty");
    assert_int_equal(seen.failed, 2);
    assert_int_equal(seen.error, FRESHET_ERROR_NOT_FOUND);
    seen = run(1, 0, "../../etc/passwd");
    assert_int_equal(seen.failed, 2);
    assert_int_equal(seen.error, FRESHET_ERROR_REFUSED);
}

struct comparison {
    const struct geometry *geometry;
    const uint8_t *bytes;
    uint32_t good, failed;
};

static bool compare(void *context, const struct piece_hasher_result *result)
{
    struct comparison *comparison = context;
    uint8_t expected[SHA256_SIZE];
    if (result->error != FRESHET_OK) {
        comparison->failed++;
        return true;
    }
    const uint8_t *piece =
        comparison->bytes + (size_t)result->piece * comparison->geometry->piece_length;
    uint32_t size = geometry_piece_size(comparison->geometry, result->piece);
    sha1_of(piece, size, expected);
    assert_memory_equal(result->sha1, expected, SHA1_SIZE);
    for (uint32_t leaf = 0; leaf < result->leaf_count; leaf++) {
        uint32_t left = size - leaf * 16384;
        sha256_of(piece + (size_t)leaf * 16384, left < 16384 ? left : 16384, expected);
        assert_memory_equal(result->leaves + (size_t)leaf * SHA256_SIZE, expected, SHA256_SIZE);
    }
    comparison->good++;
    return true;
}

/* Enough pieces for lanes, whatever their length, and a file that ends too early among them. */
static void piece_hasher_finds_the_same_with_many_small_pieces(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {16384, 32768, 24000, 65536 + 16384, 100};
    uint8_t *bytes = memory_new(BIG);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = byte_of(i);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        for (unsigned threads = 1; threads <= 3; threads += 2)
            for (int is_short = 0; is_short < 2; is_short++) {
                struct geometry_file files[] = {{0, BIG, false}, {0, 200, false}};
                const char *const paths[] = {"big", is_short ? "empty" : "sub/small"};
                struct geometry geometry;
                files[1].length = is_short ? 200 : 100;
                assert_int_equal(geometry_init(&geometry, lengths[i], files, 2, false), FRESHET_OK);
                uint8_t *linear = memory_new(BIG + 200);
                memcpy(linear, bytes, BIG);
                memcpy(linear + BIG, bytes, 200);
                struct comparison comparison = {.geometry = &geometry, .bytes = linear};
                struct piece_hasher_options options = {.geometry = &geometry,
                                                       .root = root,
                                                       .paths = paths,
                                                       .want_sha1 = true,
                                                       .want_leaves = true,
                                                       .threads = threads,
                                                       .done = compare,
                                                       .context = &comparison};
                assert_int_equal(piece_hasher_run(&options), FRESHET_OK);
                assert_int_equal(comparison.good + comparison.failed, geometry.piece_count);
                assert_int_equal(comparison.failed > 0, is_short);
                assert_in_range(comparison.failed, 0, 3);
                memory_free(linear);
                geometry_deinit(&geometry);
            }
    memory_free(bytes);
}

static void piece_hasher_stops_when_told(void **state)
{
    (void)state;
    assert_int_equal(run(1, 1, "big").count, 1);
    assert_int_equal(run(4, 2, "big").count, 2);
}

static void folder_walk_finds_files_in_order_of_raw_names(void **state)
{
    (void)state;
    struct folder_walk walk;
    struct folder_walk_options options = {.keep_symlinks = true};
    assert_int_equal(symlinkat("../big", root, "sub/up"), 0);
    assert_int_equal(symlinkat("sub/../../x", root, "up"), 0);
    assert_int_equal(folder_walk_run(&walk, root, &options), EXIT_CODE_OK);
    static const char *const paths[] = {"big", "empty", "sub/small", "sub/up"};
    assert_int_equal(walk.count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(walk.files[i].path, paths[i]);
    assert_string_equal(walk.files[3].symlink, "big");
    assert_int_equal(walk.total_length, BIG + 100);
    folder_walk_deinit(&walk);
    const char *const excludes[] = {"b*", "sub"};
    options = (struct folder_walk_options){.excludes = excludes, .exclude_count = 2};
    assert_int_equal(folder_walk_run(&walk, root, &options), EXIT_CODE_OK);
    assert_int_equal(walk.count, 1);
    assert_string_equal(walk.files[0].path, "empty");
    folder_walk_deinit(&walk);
}

static void torrent_file_is_replaced_at_once_or_not_at_all(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "%s/out", folder);
    assert_int_equal(torrent_file_write(path, BYTES_LITERAL("one")), EXIT_CODE_OK);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(torrent_file_write(path, BYTES_LITERAL("two")), EXIT_CODE_OK);
    struct buffer bytes = {0};
    assert_int_equal(torrent_file_read(path, &bytes), EXIT_CODE_OK);
    assert_true(bytes_is(buffer_bytes(&bytes), "two"));
    buffer_deinit(&bytes);
    struct stat stat_of;
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/sub", folder); /* a folder can't be replaced by a file */
    assert_int_equal(torrent_file_write(path, BYTES_LITERAL("x")), EXIT_CODE_DISK);
    DIR *stream = opendir(folder);
    for (struct dirent *entry; (entry = readdir(stream));)
        assert_null(strstr(entry->d_name, "sub."));
    closedir(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(piece_hasher_hashes_what_lies_on_the_disk),
        cmocka_unit_test(piece_hasher_says_which_file_is_short_or_missing),
        cmocka_unit_test(piece_hasher_finds_the_same_with_many_small_pieces),
        cmocka_unit_test(piece_hasher_stops_when_told),
        cmocka_unit_test(folder_walk_finds_files_in_order_of_raw_names),
        cmocka_unit_test(torrent_file_is_replaced_at_once_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
