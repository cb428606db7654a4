/* SPDX-License-Identifier: MIT */
#include "cli/daemon_start.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/message.h"
#include "core/base/check.h"

#define LOOKS        600 /* at whether it answers, before we give up */
#define LOOK_WAIT_NS (50 * 1000 * 1000)

extern char **environ;

static bool answers(struct daemon_client *client)
{
    struct buffer body = {0};

    daemon_client_quiet(client, true);
    enum exit_code code = daemon_client_get(client, "/local", &body);
    daemon_client_quiet(client, false);
    buffer_deinit(&body);
    return code != EXIT_CODE_NETWORK;
}

/* In a session of its own, so that it outlives a terminal, in which its log has no place. */
static bool spawn(const struct command_call *call, bool any_port, pid_t *ret_pid)
{
    const char *state = command_value(call, "state"), *socket = command_value(call, "socket");
    const char *words[10] = {"freshet", "daemon", "--progress=none"};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    size_t count = 3;

    if (state) {
        words[count++] = "--state";
        words[count++] = state;
    }
    if (socket) {
        words[count++] = "--socket";
        words[count++] = socket;
    }
    if (any_port) {
        words[count++] = "--rpc";
        words[count++] = "127.0.0.1:0";
    }
    CHECK(posix_spawn_file_actions_init(&actions) == 0);
    CHECK(posix_spawnattr_init(&attributes) == 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (isatty(2))
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int error = posix_spawn(ret_pid, "/proc/self/exe", &actions, &attributes,
                            (char *const *)(uintptr_t)words, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error)
        message_error("the daemon cannot be started: %s", strerror(error));
    return error == 0;
}

/* Until it answers or has ended. */
static enum exit_code wait_for(struct daemon_client *client, pid_t pid)
{
    const struct timespec wait = {.tv_nsec = LOOK_WAIT_NS};
    int status;

    for (int i = 0; i < LOOKS; i++) {
        /* It may end because another one was faster: then that one answers. */
        bool has_ended = waitpid(pid, &status, WNOHANG) == pid;
        if (answers(client))
            return EXIT_CODE_OK;
        if (has_ended)
            return WIFEXITED(status) && WEXITSTATUS(status) ? (enum exit_code)WEXITSTATUS(status)
                                                            : EXIT_CODE_OTHER;
        nanosleep(&wait, NULL);
    }
    message_error("the daemon was started and does not answer");
    return EXIT_CODE_NETWORK;
}

enum exit_code daemon_start_if_absent(const struct command_call *call, struct daemon_client *client)
{
    enum exit_code code = EXIT_CODE_OK;
    pid_t pid;

    /* The usual port of the page may be another program's; it is found at any port. */
    for (int any_port = 0; any_port < 2; any_port++) {
        if (answers(client))
            return EXIT_CODE_OK;
        if (!spawn(call, any_port, &pid))
            return EXIT_CODE_OTHER;
        code = wait_for(client, pid);
        if (code != EXIT_CODE_NETWORK)
            break;
    }
    if (code)
        message_error("no daemon could be started (see what 'freshet daemon' says)");
    return code;
}
