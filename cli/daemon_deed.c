/* SPDX-License-Identifier: MIT */
#include "cli/daemon_deed.h"

static json_t *names_of(const json_t *rows)
{
    static const char *const keys[] = {"id", "name", "hash_string"};
    json_t *list = json_array(), *row;
    size_t index;

    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        json_t *names = json_object();
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            json_object_set(names, keys[i], json_object_get(row, keys[i]));
        json_array_append_new(list, names);
    }
    return list;
}

void daemon_deed_tell(const struct command_call *call, const char *done, const json_t *rows,
                      json_t *more)
{
    if (command_has(call, "json")) {
        json_t *told = json_pack("{s:s, s:o}", "done", done, "torrents", names_of(rows));
        if (more)
            json_object_update(told, more);
        daemon_client_print(told);
    }
    json_decref(more);
}

int daemon_deed_run(const struct command_call *call, const struct daemon_deed *deed)
{
    struct daemon_client *client = NULL;
    json_t *rows = NULL, *params = deed->params ? deed->params : json_object();
    enum exit_code code = daemon_client_new(call, &client);

    if (!code)
        code = daemon_client_named(client, call, deed->spared, &rows);
    if (!code && deed->confirm)
        code = deed->confirm(call, rows);
    if (!code) {
        json_object_set_new(params, "ids", daemon_client_ids(rows));
        code = daemon_client_call(client, deed->method, json_incref(params), NULL);
    }
    if (!code)
        daemon_deed_tell(call, deed->done, rows, json_incref(deed->more));
    json_decref(deed->more);
    json_decref(params);
    json_decref(rows);
    daemon_client_free(client);
    return code;
}
