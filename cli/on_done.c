/* SPDX-License-Identifier: MIT */
#include "cli/on_done.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/message.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#define WORDS_MAX 64

extern char **environ;

/* Splits at spaces; the words point into `text`. Room is kept for the path and the end. */
static size_t split(char *text, char *words[WORDS_MAX])
{
    size_t count = 0;

    for (char *word = strtok(text, " "); word && count < WORDS_MAX - 2; word = strtok(NULL, " "))
        words[count++] = word;
    return count;
}

static bool spawn(char *const words[], pid_t *ret_pid)
{
    int error = posix_spawnp(ret_pid, words[0], NULL, NULL, words, environ);

    if (error)
        message_error("--on-done %s: %s", words[0], strerror(error));
    return error == 0;
}

void on_done_start(struct on_done *on_done, const struct on_done_facts *facts)
{
    char path[LIMIT_PATH_LENGTH + LIMIT_PATH_ELEMENT + 2], *words[WORDS_MAX];
    pid_t pid;

    if (!on_done->command || on_done->count == ON_DONE_MAX)
        return;
    char *text = memory_copy(on_done->command, strlen(on_done->command) + 1);
    size_t count = split(text, words);
    snprintf(path, sizeof path, "%s/%s", facts->folder, facts->name);
    words[count] = path;
    words[count + 1] = NULL;
    setenv("FRESHET_NAME", facts->name, 1);
    setenv("FRESHET_HASH", facts->info_hash, 1);
    setenv("FRESHET_FOLDER", facts->folder, 1);
    if (count > 0 && spawn(words, &pid)) {
        on_done->running =
            memory_resize_array(on_done->running, on_done->count + 1, sizeof *on_done->running);
        on_done->running[on_done->count++] = pid;
    }
    memory_free(text);
}

enum exit_code on_done_wait(struct on_done *on_done)
{
    enum exit_code code = EXIT_CODE_OK;

    for (size_t i = 0; i < on_done->count; i++) {
        int status = 0;
        while (waitpid(on_done->running[i], &status, 0) < 0 && errno == EINTR)
            continue;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        message_error("--on-done %s: ended with %d", on_done->command,
                      WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
        code = EXIT_CODE_OTHER;
    }
    memory_free(on_done->running);
    *on_done = (struct on_done){0};
    return code;
}
