/* SPDX-License-Identifier: MIT */
/* freshet web: the daemon's page. */
#include "cli/web_page.h"

static const struct command_option options[] = {
    {"print", 0, NULL, "print the address with the token, open nothing", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static int web_run(struct command_call *call)
{
    struct daemon_client *client;
    json_t *where;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = web_page_find(client, &where);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json"))
        daemon_client_print(json_incref(where));
    else
        web_page_show(where, command_has(call, "print"));
    json_decref(where);
    return EXIT_CODE_OK;
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
