/* SPDX-License-Identifier: MIT */
/* freshet limit: how fast the daemon may be in all. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/units.h"
#include "core/base/limits.h"

static const struct command_option options[] = {
    {"down-limit", 'l', "RATE", "receive at most so much a second; 0: no limit",
     .repeatable = false},
    {"up-limit", 'u', "RATE", "send at most so much a second; 0: no limit", .repeatable = false},
    {"alternative", 0, "on|off", "use the alternative limits now", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

/* The RPC's limits are in kB (1000 bytes) a second. */
static bool set_limit(const struct command_call *call, const char *option, const char *key,
                      const char *enabled_key, json_t *params)
{
    uint64_t rate = 0;

    if (!command_has(call, option))
        return true;
    if (!command_rate(call, option, &rate))
        return false;
    json_object_set_new(params, enabled_key, json_boolean(rate > 0));
    if (rate > 0)
        json_object_set_new(params, key, json_integer((json_int_t)((rate + 999) / 1000)));
    return true;
}

static void print_limit(const char *label, const json_t *settings, const char *key,
                        const char *enabled_key)
{
    char text[UNITS_TEXT_SIZE];
    double rate = daemon_client_number(settings, key) * 1000;

    printf("%-12s %s\n", label,
           !enabled_key || json_is_true(json_object_get(settings, enabled_key))
               ? units_format_rate((uint64_t)rate, text)
               : "no limit");
}

static void print(const json_t *settings)
{
    print_limit("down", settings, "speed_limit_down", "speed_limit_down_enabled");
    print_limit("up", settings, "speed_limit_up", "speed_limit_up_enabled");
    printf("%-12s %s\n", "alternative",
           json_is_true(json_object_get(settings, "alt_speed_enabled")) ? "on" : "off");
    print_limit("  down", settings, "alt_speed_down", NULL);
    print_limit("  up", settings, "alt_speed_up", NULL);
}

static int limit_run(struct command_call *call)
{
    struct daemon_client *client;
    json_t *params = json_object(), *settings = NULL;
    const char *alternative = command_value(call, "alternative");

    if (!set_limit(call, "down-limit", "speed_limit_down", "speed_limit_down_enabled", params) ||
        !set_limit(call, "up-limit", "speed_limit_up", "speed_limit_up_enabled", params)) {
        json_decref(params);
        return EXIT_CODE_USAGE;
    }
    if (alternative)
        json_object_set_new(params, "alt_speed_enabled",
                            json_boolean(strcmp(alternative, "on") == 0));
    enum exit_code code = daemon_client_new(call, &client);
    if (code) {
        json_decref(params);
        return code;
    }
    if (json_object_size(params))
        code = daemon_client_call(client, "session_set", params, NULL);
    else
        json_decref(params);
    if (!code)
        code = daemon_client_call(client, "session_get", NULL, &settings);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json"))
        daemon_client_print(json_incref(settings));
    else
        print(settings);
    json_decref(settings);
    return EXIT_CODE_OK;
}

extern const struct command limit_command;
const struct command limit_command = {
    .name = "limit",
    .summary = "how fast the daemon may be in all",
    .operands = "",
    .description = "Changes the limits of all torrents together and shows them. 'freshet set' has "
                   "those of one torrent.",
    .options = options,
    .examples = {"freshet limit", "freshet limit -l 5M -u 1M", "freshet limit --alternative on"},
    .run = limit_run,
};
