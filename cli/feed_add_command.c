/* SPDX-License-Identifier: MIT */
/* freshet feed add: one more feed, or other filters for one. */
#include "cli/intake_rules.h"
#include "core/base/limits.h"

static const struct command_option options[] = {
    INTAKE_RULES_OPTIONS,
    {"include", 'i', "FILTER", "take what fits; one of several is enough", .repeatable = true},
    {"exclude", 'x', "FILTER", "never take what fits", .repeatable = true},
    {"once", 0, NULL,
     "take an episode (S01E02, 1x02, a date) once, whatever its releases are called",
     .repeatable = false},
    {"interval", 0, "TIME", "read it so often, default 30m, at least 1m", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static int feed_add_run(struct command_call *call)
{
    int64_t interval_ns = 0;

    if (!command_duration(call, "interval", &interval_ns))
        return EXIT_CODE_USAGE;
    if (command_has(call, "interval") && (interval_ns < LIMIT_FEED_INTERVAL_MIN_S * SECOND_NS ||
                                          interval_ns > LIMIT_FEED_INTERVAL_MAX_S * SECOND_NS))
        return command_usage_error("--interval: from 1m to 1w");
    json_t *rule = json_object();
    enum exit_code code = intake_rules_describe(call, rule);
    if (code) {
        json_decref(rule);
        return code;
    }
    json_object_set_new(rule, "url", json_string(command_operand(call, 0)));
    json_object_set_new(rule, "include", daemon_client_values(call, "include"));
    json_object_set_new(rule, "exclude", daemon_client_values(call, "exclude"));
    json_object_set_new(rule, "once", json_boolean(command_has(call, "once")));
    if (interval_ns)
        json_object_set_new(rule, "interval", json_integer(interval_ns / SECOND_NS));
    return intake_rules_add(call, "/feeds", rule);
}

extern const struct command feed_add_command;
const struct command feed_add_command = {
    .name = "feed add",
    .summary = "take torrents from a feed",
    .operands = "URL",
    .description =
        "Prints the number by which the other verbs call it. A feed that is there already gets "
        "these filters and options instead of those that it had, and is read again at once.\n"
        "\n"
        "Without --include everything is taken that is not excluded. With --once the releases of "
        "an episode count as one; one that is called proper or repack counts once more.",
    .options = options,
    .examples = {"freshet feed add https://example.org/iso.rss -i 'ubuntu amd64' -x beta",
                 "freshet feed add https://example.org/tv.rss -i '/^some show/' --once -o /srv/tv"},
    .operands_min = 1,
    .operands_max = 1,
    .run = feed_add_run,
};
