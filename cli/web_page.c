/* SPDX-License-Identifier: MIT */
#include "cli/web_page.h"

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "cli/message.h"

extern char **environ;

enum exit_code web_page_find(struct daemon_client *client, json_t **ret_where)
{
    struct buffer body = {0};
    json_error_t error;
    enum exit_code code = daemon_client_get(client, "/local", &body);

    if (code)
        return code;
    json_t *where = json_loadb((const char *)body.data, body.length, 0, &error);
    buffer_deinit(&body);
    if (daemon_client_text(where, "rpc")[0]) {
        *ret_where = where;
        return EXIT_CODE_OK;
    }
    message_error("the daemon has no page: it listens on its socket only (start it with "
                  "--rpc 127.0.0.1:9091)");
    json_decref(where);
    return EXIT_CODE_NETWORK;
}

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
void web_page_show(const json_t *where, bool print)
{
    char address[512];

    snprintf(address, sizeof address, "http://%.200s/#token=%.200s",
             daemon_client_text(where, "rpc"), daemon_client_text(where, "token"));
    if (!print && open_page(address))
        return;
    puts(address);
}
