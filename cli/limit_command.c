/* SPDX-License-Identifier: MIT */
/* freshet limit: how fast the daemon may be in all, when, and how many torrents at once. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/units.h"
#include "cli/week_times.h"
#include "core/base/limits.h"

#define QUEUE_MAX 100000u

static const struct command_option options[] = {
    {"down-limit", 'l', "RATE", "receive at most so much a second; 0: no limit",
     .repeatable = false, .line_only = true},
    {"up-limit", 'u', "RATE", "send at most so much a second; 0: no limit", .repeatable = false,
     .line_only = true},
    {"alternative", 0, "on|off", "use the alternative limits now", .repeatable = false,
     .line_only = true},
    {"alternative-down", 0, "RATE", "the alternative limit of what is received",
     .repeatable = false, .line_only = true},
    {"alternative-up", 0, "RATE", "the alternative limit of what is sent", .repeatable = false,
     .line_only = true},
    {"schedule", 0, "TIMES",
     "use the alternative limits at such times of the week; 'off': only by hand",
     .repeatable = false, .line_only = true},
    {"downloads", 0, "N", "so many downloads at once, the others wait; 0: no limit",
     .repeatable = false, .line_only = true},
    {"seeds", 0, "N", "so many seeds at once, the others wait; 0: no limit", .repeatable = false,
     .line_only = true},
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

/* Here 0 is as good as nothing, so it has to be said as a number. */
static bool set_alternative_limit(const struct command_call *call, const char *option,
                                  const char *key, json_t *params)
{
    const char *text = command_value(call, option);
    uint64_t rate = 0;

    if (!text)
        return true;
    if (!command_rate(call, option, &rate))
        return false;
    if (rate == 0 && text[0] != '0') {
        command_usage_error("--%s wants a rate", option);
        return false;
    }
    json_object_set_new(params, key, json_integer((json_int_t)((rate + 999) / 1000)));
    return true;
}

static bool set_schedule(const struct command_call *call, json_t *params)
{
    const char *text = command_value(call, "schedule");
    struct week_times times;

    if (!text)
        return true;
    bool is_off = strcmp(text, "off") == 0;
    if (!is_off && !week_times_parse(text, &times)) {
        command_usage_error("--schedule '%.80s' is not understood ('mon-fri 8:00-17:00', "
                            "'22:00-6:00', 'off')",
                            text);
        return false;
    }
    json_object_set_new(params, "alt_speed_time_enabled", json_boolean(!is_off));
    if (is_off)
        return true;
    json_object_set_new(params, "alt_speed_time_day", json_integer(times.days));
    json_object_set_new(params, "alt_speed_time_begin", json_integer(times.begin));
    json_object_set_new(params, "alt_speed_time_end", json_integer(times.end));
    return true;
}

static bool set_queue(const struct command_call *call, const char *option, const char *key,
                      const char *enabled_key, json_t *params)
{
    uint64_t count = 0;

    if (!command_has(call, option))
        return true;
    if (!command_number(call, option, QUEUE_MAX, &count))
        return false;
    json_object_set_new(params, enabled_key, json_boolean(count > 0));
    if (count > 0)
        json_object_set_new(params, key, json_integer((json_int_t)count));
    return true;
}

static bool read_options(const struct command_call *call, json_t *params)
{
    const char *alternative = command_value(call, "alternative");

    if (alternative)
        json_object_set_new(params, "alt_speed_enabled",
                            json_boolean(strcmp(alternative, "on") == 0));
    return set_limit(call, "down-limit", "speed_limit_down", "speed_limit_down_enabled", params) &&
           set_limit(call, "up-limit", "speed_limit_up", "speed_limit_up_enabled", params) &&
           set_alternative_limit(call, "alternative-down", "alt_speed_down", params) &&
           set_alternative_limit(call, "alternative-up", "alt_speed_up", params) &&
           set_schedule(call, params) &&
           set_queue(call, "downloads", "download_queue_size", "download_queue_enabled", params) &&
           set_queue(call, "seeds", "seed_queue_size", "seed_queue_enabled", params);
}

static bool is_on(const json_t *settings, const char *key)
{
    return json_is_true(json_object_get(settings, key));
}

static void print_limit(const char *label, const json_t *settings, const char *key,
                        const char *enabled_key)
{
    char text[UNITS_TEXT_SIZE];
    double rate = daemon_client_number(settings, key) * 1000;

    printf("%-12s %s\n", label,
           !enabled_key || is_on(settings, enabled_key) ? units_format_rate((uint64_t)rate, text)
                                                        : "no limit");
}

static void print_schedule(const json_t *settings)
{
    struct week_times times = {
        .begin = (uint32_t)daemon_client_number(settings, "alt_speed_time_begin"),
        .end = (uint32_t)daemon_client_number(settings, "alt_speed_time_end"),
        .days = (uint8_t)daemon_client_number(settings, "alt_speed_time_day"),
    };
    char text[WEEK_TIMES_TEXT_SIZE];

    printf("%-12s %s\n", "  schedule",
           is_on(settings, "alt_speed_time_enabled") ? week_times_format(&times, text) : "off");
}

static void print_queue(const char *label, const json_t *settings, const char *key,
                        const char *enabled_key)
{
    if (is_on(settings, enabled_key))
        printf("%-12s %.0f at once\n", label, daemon_client_number(settings, key));
    else
        printf("%-12s no limit\n", label);
}

static void print(const json_t *settings)
{
    print_limit("down", settings, "speed_limit_down", "speed_limit_down_enabled");
    print_limit("up", settings, "speed_limit_up", "speed_limit_up_enabled");
    printf("%-12s %s\n", "alternative", is_on(settings, "alt_speed_enabled") ? "on" : "off");
    print_limit("  down", settings, "alt_speed_down", NULL);
    print_limit("  up", settings, "alt_speed_up", NULL);
    print_schedule(settings);
    print_queue("downloads", settings, "download_queue_size", "download_queue_enabled");
    print_queue("seeds", settings, "seed_queue_size", "seed_queue_enabled");
}

static int limit_run(struct command_call *call)
{
    struct daemon_client *client;
    json_t *params = json_object(), *settings = NULL;

    if (!read_options(call, params)) {
        json_decref(params);
        return EXIT_CODE_USAGE;
    }
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
    .summary = "how fast the daemon may be, and how many torrents at once",
    .operands = "",
    .description =
        "Changes the limits of all torrents together and shows them. 'freshet set' has those of "
        "one "
        "torrent.\n"
        "\n"
        "The alternative limits take the place of the others while they are on: by hand, or by the "
        "week. Times are local: days (mon-fri,sun; none: every day), then from when to when; what "
        "ends before it begins ends on the next day. What is switched by hand holds until the "
        "schedule switches next.",
    .options = options,
    .examples = {"freshet limit -l 5M -u 1M", "freshet limit --downloads 3 --seeds 20",
                 "freshet limit --alternative-up 100K --schedule 'mon-fri 8:00-17:00'"},
    .run = limit_run,
};
