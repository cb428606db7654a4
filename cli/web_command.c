/* SPDX-License-Identifier: MIT */
/* freshet web: the daemon's page. */
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/daemon_client.h"
#include "cli/message.h"

extern char **environ;

static const struct command_option options[] = {
    {"print", 0, NULL, "print the address with the token, open nothing", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

/* By the desktop's own opener; no shell sees the address. */
static bool open_page(const char *address)
{
    char *const words[] = {"xdg-open", (char *)(uintptr_t)address, NULL};
    pid_t pid;
    int status;

    return posix_spawnp(&pid, words[0], NULL, NULL, words, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The token travels behind '#', which no browser sends to anybody. */
static void show(const struct command_call *call, const json_t *where)
{
    char address[512];

    snprintf(address, sizeof address, "http://%.200s/#token=%.200s",
             daemon_client_text(where, "rpc"), daemon_client_text(where, "token"));
    if (!command_has(call, "print") && open_page(address))
        return;
    puts(address);
}

static int web_run(struct command_call *call)
{
    struct daemon_client *client;
    struct buffer body = {0};
    json_error_t error;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = daemon_client_get(client, "/local", &body);
    daemon_client_free(client);
    if (code)
        return code;
    json_t *where = json_loadb((const char *)body.data, body.length, 0, &error);
    buffer_deinit(&body);
    if (!daemon_client_text(where, "rpc")[0]) {
        message_error("the daemon has no page: it listens on its socket only (start it with "
                      "--rpc 127.0.0.1:9091)");
        code = EXIT_CODE_NETWORK;
    } else if (command_has(call, "json")) {
        daemon_client_print(json_incref(where));
    } else {
        show(call, where);
    }
    json_decref(where);
    return code;
}

extern const struct command web_command;
const struct command web_command = {
    .name = "web",
    .summary = "open the daemon's page",
    .operands = "",
    .description =
        "Opens the page in the desktop's browser, with the token that it asks for; where "
        "there is no desktop, or with --print, prints the address instead. Whoever has "
        "that address may do everything: keep it to yourself.",
    .options = options,
    .examples = {"freshet web", "freshet web --print"},
    .run = web_run,
};
