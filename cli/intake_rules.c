/* SPDX-License-Identifier: MIT */
#include "cli/intake_rules.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/message.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "host/root_path.h"

enum exit_code intake_rules_describe(const struct command_call *call, json_t *rule)
{
    enum exit_code code = daemon_client_put_folder(call, rule, "folder");

    if (code)
        return code;
    json_object_set_new(rule, "stopped", json_boolean(command_has(call, "stopped")));
    json_object_set_new(rule, "labels", daemon_client_values(call, "label"));
    return EXIT_CODE_OK;
}

int intake_rules_add(const struct command_call *call, const char *path, json_t *rule)
{
    struct daemon_client *client;
    json_t *answer = NULL;
    enum exit_code code = daemon_client_new(call, &client);

    if (code) {
        json_decref(rule);
        return code;
    }
    code = daemon_client_api(client, "POST", path, rule, &answer);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json"))
        daemon_client_print(json_incref(answer));
    else
        printf("%.0f%s\n", daemon_client_number(json_object_get(answer, "rule"), "id"),
               json_is_true(json_object_get(answer, "added")) ? "" : "  (in place of what it had)");
    json_decref(answer);
    return EXIT_CODE_OK;
}

static enum exit_code get_rules(struct daemon_client *client, const char *path, json_t **ret_rules)
{
    json_t *answer = NULL;
    enum exit_code code = daemon_client_api(client, "GET", path, NULL, &answer);

    if (code)
        return code;
    *ret_rules = json_incref(json_object_get(answer, "rules"));
    json_decref(answer);
    return EXIT_CODE_OK;
}

int intake_rules_list(const struct command_call *call, const char *path,
                      const char *const *headings,
                      void (*add_row)(struct daemon_table *table, const json_t *entry))
{
    struct daemon_client *client;
    enum exit_code code = daemon_client_new(call, &client);
    json_t *rules, *entry;
    size_t index;

    if (code)
        return code;
    code = get_rules(client, path, &rules);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json")) {
        daemon_client_print(rules);
        return EXIT_CODE_OK;
    }
    struct daemon_table *table = daemon_table_new(headings);
    json_array_foreach(rules, index, entry) add_row(table, entry);
    daemon_table_print(table);
    json_decref(rules);
    return EXIT_CODE_OK;
}

static bool is_named(const json_t *rule, const char *key, const char *name)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    const char *value = daemon_client_text(rule, key);
    uint64_t number;

    if (units_parse_number(name, UINT32_MAX, &number))
        return daemon_client_number(rule, "id") == (double)number;
    return strcmp(value, name) == 0 ||
           (strcmp(key, "path") == 0 && !root_path_resolve(name, folder) &&
            strcmp(value, folder) == 0);
}

long intake_rules_find(struct daemon_client *client, const char *path, const char *key,
                       const char *name, enum exit_code *ret_code)
{
    json_t *rules = NULL, *entry;
    char shown[256];
    size_t index;
    long id = 0;

    *ret_code = get_rules(client, path, &rules);
    if (*ret_code)
        return 0;
    json_array_foreach(rules, index, entry)
    {
        const json_t *rule = json_object_get(entry, "rule");
        if (id == 0 && is_named(rule, key, name))
            id = (long)daemon_client_number(rule, "id");
    }
    json_decref(rules);
    if (id == 0) {
        message_error("there is no '%s'", terminal_safe_text(name, shown, sizeof shown));
        *ret_code = EXIT_CODE_USAGE;
    }
    return id;
}

int intake_rules_remove(const struct command_call *call, const char *path, const char *key)
{
    struct daemon_client *client;
    json_t *removed = json_array();
    enum exit_code code = daemon_client_new(call, &client), worst = code;

    for (size_t i = 0; i < command_operand_count(call) && client && !code; i++) {
        enum exit_code one;
        char below[64];
        long id = intake_rules_find(client, path, key, command_operand(call, i), &one);
        snprintf(below, sizeof below, "%s/%ld", path, id);
        if (id)
            one = daemon_client_api(client, "DELETE", below, NULL, NULL);
        if (!one)
            json_array_append_new(removed, json_integer(id));
        worst = worst ? worst : one;
    }
    if (!code) {
        daemon_client_free(client);
        if (command_has(call, "json"))
            daemon_client_print(json_incref(removed));
    }
    json_decref(removed);
    return worst;
}

const char *intake_rules_time(const json_t *status, char text[32])
{
    time_t seconds = (time_t)daemon_client_number(status, "looked");
    struct tm local;

    if (seconds == 0)
        return "never";
    localtime_r(&seconds, &local);
    strftime(text, 32, "%Y-%m-%d %H:%M:%S", &local);
    return text;
}

void intake_rules_join(const json_t *list, char *text, size_t size)
{
    size_t index, length = 0;
    json_t *one;

    snprintf(text, size, "-");
    json_array_foreach(list, index, one) if (length < size) length +=
        (size_t)snprintf(text + length, size - length, "%s%s", index ? "," : "",
                         json_string_value(one) ? json_string_value(one) : "");
}
