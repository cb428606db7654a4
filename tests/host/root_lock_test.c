/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/root_lock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/freshet-root-lock-XXXXXX";
static const uint8_t one[32] = {255, 255, 255, 255, 255, 1}, two[32] = {2};

static int open_folder(void)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Another process takes the lock, says so, and keeps it until the pipe closes. */
static pid_t start_holder(const uint8_t info_hash[32], int *ret_end)
{
    int ready[2], end[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pid_t pid;
        int fd = open(folder, O_RDONLY | O_DIRECTORY);
        close(end[1]);
        if (fd < 0 || root_lock_take(fd, info_hash, &pid) != FRESHET_OK ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        /* Another descriptor of the folder comes and goes. */
        close(open(folder, O_RDONLY | O_DIRECTORY));
        _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ready[1]);
    close(end[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *ret_end = end[1];
    return child;
}

static void stop_holder(pid_t child, int end)
{
    int status;
    close(end);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void root_lock_names_the_process_that_has_it(void **state)
{
    (void)state;
    int end, fd = open_folder();
    pid_t pid = 0, child = start_holder(one, &end);
    assert_int_equal(root_lock_look(folder, one, &pid), FRESHET_ERROR_BUSY);
    assert_int_equal(pid, child);
    pid = 0;
    assert_int_equal(root_lock_take(fd, one, &pid), FRESHET_ERROR_BUSY);
    assert_int_equal(pid, child);
    /* Another torrent in the same folder is another matter. */
    assert_int_equal(root_lock_look(folder, two, &pid), FRESHET_OK);
    assert_int_equal(root_lock_take(fd, two, &pid), FRESHET_OK);
    stop_holder(child, end);
    assert_int_equal(root_lock_look(folder, one, &pid), FRESHET_OK);
    assert_int_equal(root_lock_take(fd, one, &pid), FRESHET_OK);
    close(fd);
}

static void root_lock_refused_leaves_nothing_behind(void **state)
{
    (void)state;
    int end, fd = open_folder();
    pid_t pid = 0, child = start_holder(one, &end);
    assert_int_equal(root_lock_take(fd, one, &pid), FRESHET_ERROR_BUSY);
    stop_holder(child, end);
    /* A third one is not kept out by who was refused. */
    child = start_holder(one, &end);
    stop_holder(child, end);
    close(fd);
}

static void root_lock_is_no_obstacle_to_its_own_process(void **state)
{
    (void)state;
    pid_t pid = 0;
    int first = open_folder(), second = open_folder();
    assert_int_equal(root_lock_take(first, one, &pid), FRESHET_OK);
    assert_int_equal(root_lock_take(second, one, &pid), FRESHET_OK);
    assert_int_equal(root_lock_look(folder, one, &pid), FRESHET_OK);
    assert_int_equal(root_lock_look("/nowhere/at/all", one, &pid), FRESHET_OK);
    close(first);
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_lock_names_the_process_that_has_it),
        cmocka_unit_test(root_lock_refused_leaves_nothing_behind),
        cmocka_unit_test(root_lock_is_no_obstacle_to_its_own_process),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
