/* SPDX-License-Identifier: MIT */
/*
 * Files move, are renamed and deleted; every move is also killed before each of its steps and begun
 * again. Processes of their own have the disks that a move needs: a tmpfs in a mount namespace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/payload_move.h"
#include "tests/host/temporary_folder.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define FILES     5u
#define PART_NAME ".0123456789012345678901234567890123456789.parts"
#define MOVING    ".0123456789012345678901234567890123456789.parts.moving"

static const char *const paths[FILES] = {"top/a", "top/sub/b", NULL, "top/sub/deep/c", "top/empty"};
static const char *const renamed[FILES] = {"other/a", "other/sub/b", NULL, "other/sub/deep/c",
                                           "other/empty"};
/* Two of them as they lie there while they are not complete. */
static const char *const parted[FILES] = {"top/a.part", "top/sub/b", NULL, "top/sub/deep/c.part",
                                          "top/empty"};
static const char *const renamed_parted[FILES] = {"other/a.part", "other/sub/b", NULL,
                                                  "other/sub/deep/c.part", "other/empty"};
/* Under which names the source is written and looked for. */
static const char *const *lying = paths;
static const size_t sizes[FILES] = {3000, 5, 0, 40000, 0};

struct ground {
    char *folder;
    char from[TEMPORARY_PATH], to[TEMPORARY_PATH];
    struct payload_task task;
    struct file_stat before[FILES + 1], after[FILES + 1];
    uint8_t existing[FILES + 1];
};

static uint8_t byte_at(uint32_t file, size_t at)
{
    return (uint8_t)(at * 7 + at / 251 + file * 31 + 1);
}

static void make_folder(const char *root, const char *name)
{
    char path[TEMPORARY_PATH];
    if (mkdir(temporary_path(root, name, path), 0755) != 0)
        abort();
}

static void write_file(const char *root, const char *path, uint32_t file, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(file, i);
    temporary_write(root, path, bytes, size);
    free(bytes);
}

static void write_source(const char *root)
{
    make_folder(root, "top");
    make_folder(root, "top/sub");
    make_folder(root, "top/sub/deep");
    for (uint32_t i = 0; i < FILES; i++)
        if (lying[i])
            write_file(root, lying[i], i, sizes[i]);
    write_file(root, PART_NAME, FILES, 1000);
}

static struct ground *new_ground(void)
{
    struct ground *ground = calloc(1, sizeof *ground);
    ground->folder = temporary_folder_make();
    make_folder(ground->folder, "from");
    make_folder(ground->folder, "to");
    temporary_path(ground->folder, "from", ground->from);
    temporary_path(ground->folder, "to", ground->to);
    return ground;
}

static void free_ground(struct ground *ground)
{
    temporary_folder_drop(ground->folder);
    free(ground);
}

static struct payload_task *task_of(struct ground *ground, enum payload_operation operation)
{
    ground->task = (struct payload_task){
        .operation = operation,
        .root = ground->from,
        .target = ground->to,
        .paths = paths,
        .file_count = FILES,
        .part_name = PART_NAME,
        .ret_before = memset(ground->before, 0, sizeof ground->before),
        .ret_after = memset(ground->after, 0, sizeof ground->after),
        .ret_existing = ground->existing,
    };
    return &ground->task;
}

static enum freshet_error run(struct ground *ground, enum payload_operation operation)
{
    struct payload_task *task = task_of(ground, operation);
    payload_move_run(task);
    return task->error;
}

static bool exists(const char *root, const char *path)
{
    char full[TEMPORARY_PATH];
    struct stat stat;
    return lstat(temporary_path(root, path, full), &stat) == 0;
}

/* Is the file there, whole? */
static bool is_whole(const char *root, const char *path, uint32_t file, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    bool whole = temporary_read(root, path, bytes, size + 1) == (long)size;
    for (size_t i = 0; whole && i < size; i++)
        whole = bytes[i] == byte_at(file, i);
    free(bytes);
    return whole;
}

static void check_all_at(const char *root, const char *const *at)
{
    for (uint32_t i = 0; i < FILES; i++)
        assert_true(at[i] == NULL || is_whole(root, at[i], i, sizes[i]));
    assert_true(is_whole(root, PART_NAME, FILES, 1000));
    assert_false(exists(root, MOVING));
    assert_false(exists(root, "top/" MOVING));
    assert_false(exists(root, "top/sub/" MOVING));
    assert_false(exists(root, "top/sub/deep/" MOVING));
}

/* ---- in a process of its own ---- */

/* Two file systems, `to` of so many bytes. */
static void separate(struct ground *ground, const char *size)
{
    char options[64];
    int namespaces = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    snprintf(options, sizeof options, "size=%s", size);
    if (unshare(namespaces) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", ground->to, "tmpfs", 0, options) != 0)
        abort();
}

/* Runs `body` in a child; a failed assertion of it is ours. */
static void in_child(void (*body)(struct ground *ground), struct ground *ground)
{
    pid_t child = fork();
    int status;
    assert_true(child >= 0);
    if (child == 0) {
        body(ground);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* cmocka would jump out of the child's process into the parent's tests. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

/* Each is whole under one of its two names, and nowhere half. */
static void must_have_lost_nothing(const struct ground *ground, const char *const *targets)
{
    for (uint32_t i = 0; i <= FILES; i++) {
        const char *a = i == FILES ? PART_NAME : lying[i];
        const char *b = i == FILES ? PART_NAME : targets[i];
        size_t size = i == FILES ? 1000 : sizes[i];
        if (!a)
            continue;
        bool at_a = is_whole(ground->from, a, i, size), at_b = is_whole(ground->to, b, i, size);
        MUST(at_a || at_b);
        MUST(at_a || !exists(ground->from, a));
        MUST(at_b || !exists(ground->to, b));
    }
}

static uint32_t steps_left;

static void die_at_step(struct payload_task *task)
{
    (void)task;
    if (--steps_left == 0)
        raise(SIGKILL);
}

/* Runs the operation and kills it before its nth step; false: it ended before. */
static bool run_killed(struct ground *ground, enum payload_operation operation, uint32_t step,
                       const char *const *targets)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct payload_task *task = task_of(ground, operation);
        steps_left = step;
        task->target_paths = targets;
        task->on_step = die_at_step;
        payload_move_run(task);
        _exit(task->error == FRESHET_OK ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    if (WIFSIGNALED(status))
        return true;
    if (WEXITSTATUS(status) != 0)
        abort();
    return false;
}

/* ---- moves ---- */

static void payload_move_takes_files_and_part_store_along(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    assert_string_equal(ground->task.text, "");
    check_all_at(ground->to, paths);
    for (uint32_t i = 0; i <= FILES; i++) {
        bool there = i == FILES || paths[i];
        assert_int_equal(ground->before[i].exists, there);
        assert_memory_equal(&ground->before[i], &ground->after[i], sizeof ground->after[i]);
    }
    assert_int_equal(run(ground, PAYLOAD_CLEAR), FRESHET_OK);
    assert_false(exists(ground->from, "top"));
    assert_true(exists(ground->folder, "from"));
    /* Again, as after a crash that forgot it. */
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    assert_int_equal(run(ground, PAYLOAD_CLEAR), FRESHET_OK);
    check_all_at(ground->to, paths);
    free_ground(ground);
}

static void payload_move_makes_its_target(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    temporary_path(ground->folder, "to/new/one", ground->to);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    check_all_at(ground->to, paths);
    free_ground(ground);
}

static void payload_move_renames_within_a_root(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    strcpy(ground->to, ground->from);
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    task->target_paths = renamed;
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_OK);
    check_all_at(ground->from, renamed);
    task->operation = PAYLOAD_CLEAR;
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_OK);
    assert_false(exists(ground->from, "top"));
    check_all_at(ground->from, renamed);
    free_ground(ground);
}

static void payload_move_to_the_same_folder_is_refused(void **state)
{
    struct ground *ground = new_ground();
    char link[TEMPORARY_PATH];
    (void)state;
    write_source(ground->from);
    temporary_path(ground->folder, "alias", link);
    assert_int_equal(symlink(ground->from, link), 0);
    strcpy(ground->to, link);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_ERROR_USAGE);
    check_all_at(ground->from, paths);
    free_ground(ground);
}

static void payload_move_refuses_before_it_touches_anything(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    make_folder(ground->to, "top");
    temporary_write(ground->to, "top/empty", "somebody's", 10);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_ERROR_EXISTS);
    assert_non_null(strstr(ground->task.text, "top/empty: there is another file of that name"));
    check_all_at(ground->from, paths);
    assert_false(exists(ground->to, "top/a"));
    char bytes[16];
    assert_int_equal(temporary_read(ground->to, "top/empty", bytes, sizeof bytes), 10);
    free_ground(ground);
}

static void payload_move_takes_an_equal_file_for_its_copy(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    make_folder(ground->to, "top");
    write_file(ground->to, "top/a", 0, sizes[0]);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    assert_true(is_whole(ground->from, "top/a", 0, sizes[0]));
    assert_int_equal(run(ground, PAYLOAD_CLEAR), FRESHET_OK);
    check_all_at(ground->to, paths);
    assert_false(exists(ground->from, "top"));
    free_ground(ground);
}

static void payload_move_keeps_what_is_not_its_own(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    temporary_write(ground->from, "top/sub/mine", "mine", 4);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    assert_int_equal(run(ground, PAYLOAD_CLEAR), FRESHET_OK);
    assert_true(exists(ground->from, "top/sub/mine"));
    assert_false(exists(ground->from, "top/sub/deep"));
    free_ground(ground);
}

static void payload_move_follows_no_symlink(void **state)
{
    struct ground *ground = new_ground();
    char link[TEMPORARY_PATH], outside[TEMPORARY_PATH];
    (void)state;
    write_source(ground->from);
    make_folder(ground->folder, "outside");
    temporary_path(ground->folder, "outside", outside);
    temporary_path(ground->to, "top", link);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_not_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    check_all_at(ground->from, paths);
    assert_false(exists(outside, "a"));
    free_ground(ground);
}

static void payload_move_without_its_root_is_absent(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    /* An empty folder on another disk than the recorded one: what a lost mount leaves behind. */
    task->expected = (struct root_identity){1, 1};
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_ERROR_ABSENT);
    temporary_path(ground->folder, "nowhere", ground->from);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_ERROR_ABSENT);
    assert_int_equal(run(ground, PAYLOAD_DELETE), FRESHET_ERROR_ABSENT);
    assert_int_equal(run(ground, PAYLOAD_PROBE), FRESHET_OK);
    assert_int_equal(ground->existing[0], 0);
    free_ground(ground);
}

static void move_across(struct ground *ground)
{
    struct stat hole;
    char path[TEMPORARY_PATH];
    separate(ground, "8m");
    write_source(ground->from);
    MUST(truncate(temporary_path(ground->from, PART_NAME, path), 64 << 20) == 0);
    MUST(chmod(temporary_path(ground->from, "top/a", path), 0755) == 0);
    MUST(symlink("a", temporary_path(ground->from, "top/sub/b2", path)) == 0);
    const char *with_link[FILES] = {"top/a", "top/sub/b", "top/sub/b2", "top/sub/deep/c",
                                    "top/empty"};
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    task->paths = with_link;
    payload_move_run(task);
    MUST(task->error == FRESHET_OK);
    MUST(task->bytes_done == task->bytes_total);
    for (uint32_t i = 0; i < FILES; i++)
        MUST(i == 2 || (is_whole(ground->to, paths[i], i, sizes[i]) &&
                        is_whole(ground->from, paths[i], i, sizes[i])));
    MUST(lstat(temporary_path(ground->to, "top/sub/b2", path), &hole) == 0);
    MUST(S_ISLNK(hole.st_mode));
    MUST(stat(temporary_path(ground->to, "top/a", path), &hole) == 0);
    MUST((hole.st_mode & 0777) == 0755);
    MUST(ground->after[0].exists && ground->after[0].mtime_ns == ground->before[0].mtime_ns);
    /* 64 MiB did not fit, but for the hole. */
    MUST(stat(temporary_path(ground->to, PART_NAME, path), &hole) == 0);
    MUST(hole.st_size == 64 << 20 && hole.st_blocks * 512 < 1 << 20);
    task->operation = PAYLOAD_CLEAR;
    payload_move_run(task);
    MUST(task->error == FRESHET_OK);
    MUST(!exists(ground->from, "top") && !exists(ground->from, PART_NAME));
    MUST(is_whole(ground->to, paths[0], 0, sizes[0]));
}

static void payload_move_copies_to_another_file_system(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    in_child(move_across, ground);
    free_ground(ground);
}

static void fill_target(struct payload_task *task)
{
    struct ground *ground = task->context;
    char bytes[4096] = {1};
    /* Somebody else fills the disk while we copy. */
    if (exists(ground->to, "top/a") && !exists(ground->to, "filler")) {
        char path[TEMPORARY_PATH];
        int fd = open(temporary_path(ground->to, "filler", path), O_WRONLY | O_CREAT, 0600);
        while (write(fd, bytes, sizeof bytes) > 0)
            continue;
        close(fd);
    }
}

static void move_without_space(struct ground *ground)
{
    separate(ground, "32k");
    write_source(ground->from);
    /* Too little from the start: nothing is even begun. */
    MUST(run(ground, PAYLOAD_MOVE) == FRESHET_ERROR_NO_SPACE);
    MUST(!exists(ground->to, "top") && !exists(ground->to, PART_NAME));
    umount(ground->to);
    separate(ground, "64k");
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    task->context = ground;
    task->on_step = fill_target;
    payload_move_run(task);
    MUST(exists(ground->to, "filler"));
    MUST(task->error == FRESHET_ERROR_NO_SPACE);
    MUST(strstr(task->text, "no space") != NULL);
    MUST(!exists(ground->to, "top") && !exists(ground->to, PART_NAME));
    for (uint32_t i = 0; i < FILES; i++)
        MUST(!paths[i] || is_whole(ground->from, paths[i], i, sizes[i]));
    MUST(is_whole(ground->from, PART_NAME, FILES, 1000));
}

static void payload_move_without_space_leaves_the_source(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    in_child(move_without_space, ground);
    free_ground(ground);
}

/* The state lies at the target, and has given of its reserve. */
static void move_beside_the_state(struct ground *ground)
{
    struct state_reserve reserve;
    separate(ground, "8m");
    write_source(ground->from);
    state_reserve_init(&reserve, ground->to);
    state_reserve_want(&reserve);
    MUST(reserve.size == 512 * KIB);
    write_file(ground->to, "filler", FILES, 7 * MIB + 64 * KIB);
    MUST(state_reserve_give(&reserve));
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    task->reserve = &reserve;
    payload_move_run(task);
    MUST(task->error == FRESHET_ERROR_NO_SPACE);
    MUST(strstr(task->text, "no space") != NULL);
    MUST(!exists(ground->to, "top") && !exists(ground->to, PART_NAME));
    for (uint32_t i = 0; i < FILES; i++)
        MUST(!paths[i] || is_whole(ground->from, paths[i], i, sizes[i]));
    char path[TEMPORARY_PATH];
    unlink(temporary_path(ground->to, "filler", path));
    payload_move_run(task);
    MUST(task->error == FRESHET_OK);
    MUST(is_whole(ground->to, "top/a", 0, sizes[0]));
    state_reserve_deinit(&reserve);
}

static void payload_move_leaves_the_state_its_room(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    in_child(move_beside_the_state, ground);
    free_ground(ground);
}

static void cancel_after_one(struct payload_task *task)
{
    struct ground *ground = task->context;
    if (exists(ground->to, "top/a"))
        payload_move_cancel(task);
}

static void payload_move_can_be_cancelled_between_files(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    write_source(ground->from);
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    task->context = ground;
    task->on_step = cancel_after_one;
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_ERROR_CANCELLED);
    assert_true(exists(ground->to, "top/a"));
    assert_true(exists(ground->from, PART_NAME));
    must_have_lost_nothing(ground, paths);
    /* And back again. */
    char swap[TEMPORARY_PATH];
    strcpy(swap, ground->from);
    strcpy(ground->from, ground->to);
    strcpy(ground->to, swap);
    assert_int_equal(run(ground, PAYLOAD_MOVE), FRESHET_OK);
    check_all_at(ground->to, paths);
    free_ground(ground);
}

/* ---- killed before each step ---- */

static void drop_all(const char *root)
{
    static const char *const folders[] = {"top", "other"};
    char path[TEMPORARY_PATH];
    for (size_t i = 0; i < 2; i++)
        if (exists(root, folders[i]))
            nftw(temporary_path(root, folders[i], path), temporary_folder_drop_one, 16,
                 FTW_DEPTH | FTW_PHYS);
    unlink(temporary_path(root, PART_NAME, path));
    unlink(temporary_path(root, MOVING, path));
}

static void must_run(struct ground *ground, enum payload_operation operation,
                     const char *const *targets)
{
    struct payload_task *task = task_of(ground, operation);
    task->target_paths = targets;
    payload_move_run(task);
    MUST(task->error == FRESHET_OK);
}

/* Kill before step n of the move, or of the clearing; then all of it again. */
static void kill_at_each_step(struct ground *ground, const char *const *targets,
                              const char *const *lying_targets)
{
    enum payload_operation killed = PAYLOAD_MOVE;
    for (uint32_t step = 1;; step++) {
        MUST(step < 200);
        drop_all(ground->from);
        drop_all(ground->to);
        write_source(ground->from);
        if (killed == PAYLOAD_CLEAR)
            must_run(ground, PAYLOAD_MOVE, targets);
        bool was_killed = run_killed(ground, killed, step, targets);
        must_have_lost_nothing(ground, lying_targets);
        for (int i = 0; i < 2; i++) {
            must_run(ground, PAYLOAD_MOVE, targets);
            must_run(ground, PAYLOAD_CLEAR, targets);
        }
        must_have_lost_nothing(ground, lying_targets);
        MUST(!exists(ground->from, "top") && is_whole(ground->to, lying_targets[0], 0, sizes[0]));
        MUST(!exists(ground->to, MOVING) && !exists(ground->to, "top/sub/deep/" MOVING));
        if (was_killed)
            continue;
        MUST(step > FILES);
        if (killed == PAYLOAD_CLEAR)
            return;
        killed = PAYLOAD_CLEAR;
        step = 0;
    }
}

static void kill_renames(struct ground *ground)
{
    kill_at_each_step(ground, paths, paths);
    strcpy(ground->to, ground->from);
    kill_at_each_step(ground, renamed, renamed);
}

static void kill_renames_of_parts(struct ground *ground)
{
    lying = parted;
    kill_at_each_step(ground, paths, parted);
    strcpy(ground->to, ground->from);
    kill_at_each_step(ground, renamed, renamed_parted);
}

static void kill_copies_to(struct ground *ground, const char *const *lying_targets)
{
    separate(ground, "8m");
    kill_at_each_step(ground, paths, lying_targets);
}

static void kill_copies(struct ground *ground)
{
    kill_copies_to(ground, paths);
}

static void kill_copies_of_parts(struct ground *ground)
{
    lying = parted;
    kill_copies_to(ground, parted);
}

static void payload_move_killed_at_any_step_loses_nothing(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    in_child(kill_renames, ground);
    in_child(kill_copies, ground);
    free_ground(ground);
}

static void payload_move_killed_with_parts_loses_none(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    in_child(kill_renames_of_parts, ground);
    in_child(kill_copies_of_parts, ground);
    free_ground(ground);
}

static void payload_move_finds_and_deletes_parts(void **state)
{
    struct ground *ground = new_ground();
    static const uint8_t made[FILES] = {1, 1, 0, 1, 1};
    (void)state;
    lying = parted;
    write_source(ground->from);
    lying = paths;
    assert_int_equal(run(ground, PAYLOAD_PROBE), FRESHET_OK);
    for (uint32_t i = 0; i <= FILES; i++)
        assert_int_equal(ground->existing[i], i == FILES || paths[i] != NULL);
    struct payload_task *task = task_of(ground, PAYLOAD_DELETE);
    task->made = made;
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_OK);
    assert_ptr_equal(task->paths, paths);
    assert_false(exists(ground->from, "top"));
    free_ground(ground);
}

/* A file that is called so is no part of another. */
static void payload_move_knows_a_name_from_a_part(void **state)
{
    struct ground *ground = new_ground();
    static const char *const twins[2] = {"a", "a.part"};
    static const uint8_t made[2] = {1, 0};
    (void)state;
    write_file(ground->from, "a.part", 1, 10);
    struct payload_task *task = task_of(ground, PAYLOAD_DELETE);
    task->paths = twins;
    task->file_count = 2;
    task->made = made;
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_OK);
    assert_true(exists(ground->from, "a.part"));
    free_ground(ground);
}

/* ---- the others ---- */

static void payload_move_deletes_what_was_made_and_nothing_else(void **state)
{
    struct ground *ground = new_ground();
    const uint8_t made[FILES] = {1, 0, 0, 1, 1};
    (void)state;
    write_source(ground->from);
    temporary_write(ground->from, "top/sub/deep/" MOVING, "half", 4);
    struct payload_task *task = task_of(ground, PAYLOAD_DELETE);
    task->made = made;
    payload_move_run(task);
    assert_int_equal(task->error, FRESHET_OK);
    assert_false(exists(ground->from, "top/a"));
    assert_false(exists(ground->from, "top/sub/deep"));
    assert_false(exists(ground->from, PART_NAME));
    assert_true(is_whole(ground->from, "top/sub/b", 1, sizes[1]));
    assert_int_equal(run(ground, PAYLOAD_DELETE), FRESHET_OK);
    assert_true(is_whole(ground->from, "top/sub/b", 1, sizes[1]));
    free_ground(ground);
}

static void payload_move_delete_killed_at_any_step_can_be_ended(void **state)
{
    struct ground *ground = new_ground();
    const uint8_t made[FILES] = {1, 1, 0, 1, 1};
    bool was_killed = true;
    (void)state;
    for (uint32_t step = 1; was_killed; step++) {
        int status;
        assert_true(step < 100);
        write_source(ground->from);
        pid_t child = fork();
        struct payload_task *task = task_of(ground, PAYLOAD_DELETE);
        task->made = made;
        if (child == 0) {
            steps_left = step;
            task->on_step = die_at_step;
            payload_move_run(task);
            _exit(task->error != FRESHET_OK);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        was_killed = WIFSIGNALED(status);
        payload_move_run(task);
        assert_int_equal(task->error, FRESHET_OK);
        assert_false(exists(ground->from, "top"));
        assert_false(exists(ground->from, PART_NAME));
    }
    free_ground(ground);
}

static void payload_move_probes_what_is_there(void **state)
{
    struct ground *ground = new_ground();
    (void)state;
    make_folder(ground->from, "top");
    temporary_write(ground->from, "top/a", "x", 1);
    memset(ground->existing, 9, sizeof ground->existing);
    assert_int_equal(run(ground, PAYLOAD_PROBE), FRESHET_OK);
    const uint8_t expected[FILES + 1] = {1};
    assert_memory_equal(ground->existing, expected, sizeof expected);
    free_ground(ground);
}

static void on_done(struct payload_task *task)
{
    *(bool *)task->context = true;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

static void payload_move_runs_on_a_worker(void **state)
{
    struct ground *ground = new_ground();
    uv_loop_t loop;
    uv_timer_t timer; /* the pool alone does not keep a loop waiting */
    bool done = false;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_timer_init(&loop, &timer), 0);
    assert_int_equal(uv_timer_start(&timer, on_timer, 1000, 1000), 0);
    struct worker_pool *pool = worker_pool_new(&loop, 1, WORKER_TRANSFER);
    write_source(ground->from);
    struct payload_task *task = task_of(ground, PAYLOAD_MOVE);
    task->done = on_done;
    task->context = &done;
    payload_move_submit(task, pool);
    while (!done)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(task->error, FRESHET_OK);
    check_all_at(ground->to, paths);
    worker_pool_free(pool);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    free_ground(ground);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_move_takes_files_and_part_store_along),
        cmocka_unit_test(payload_move_makes_its_target),
        cmocka_unit_test(payload_move_renames_within_a_root),
        cmocka_unit_test(payload_move_to_the_same_folder_is_refused),
        cmocka_unit_test(payload_move_refuses_before_it_touches_anything),
        cmocka_unit_test(payload_move_takes_an_equal_file_for_its_copy),
        cmocka_unit_test(payload_move_keeps_what_is_not_its_own),
        cmocka_unit_test(payload_move_follows_no_symlink),
        cmocka_unit_test(payload_move_without_its_root_is_absent),
        cmocka_unit_test(payload_move_copies_to_another_file_system),
        cmocka_unit_test(payload_move_without_space_leaves_the_source),
        cmocka_unit_test(payload_move_leaves_the_state_its_room),
        cmocka_unit_test(payload_move_can_be_cancelled_between_files),
        cmocka_unit_test(payload_move_killed_at_any_step_loses_nothing),
        cmocka_unit_test(payload_move_killed_with_parts_loses_none),
        cmocka_unit_test(payload_move_finds_and_deletes_parts),
        cmocka_unit_test(payload_move_knows_a_name_from_a_part),
        cmocka_unit_test(payload_move_deletes_what_was_made_and_nothing_else),
        cmocka_unit_test(payload_move_delete_killed_at_any_step_can_be_ended),
        cmocka_unit_test(payload_move_probes_what_is_there),
        cmocka_unit_test(payload_move_runs_on_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
