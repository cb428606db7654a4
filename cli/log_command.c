/* SPDX-License-Identifier: MIT */
/* freshet log: what the daemon has logged. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/daemon_client.h"
#include "cli/terminal.h"
#include "core/base/limits.h"

#define POLL_NS (SECOND_NS / 2)

static const struct command_option options[] = {
    {"follow", 'f', NULL, "go on with what comes, until the daemon ends", .repeatable = false},
    {"lines", 'n', "N", "only the last N lines of what is kept", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static void print_line(const json_t *line)
{
    time_t seconds = (time_t)daemon_client_number(line, "time");
    json_t *fields = json_object_get(line, "fields"), *value;
    const char *key;
    char stamp[32], text[1024];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    printf("%s %s %s", stamp, daemon_client_text(line, "level"),
           terminal_safe_text(daemon_client_text(line, "event"), text, sizeof text));
    json_object_foreach(fields, key, value)
        printf(" %s=\"%s\"", key,
               terminal_safe_text(json_string_value(value) ? json_string_value(value) : "", text,
                                  sizeof text));
    putchar('\n');
}

static void print_lines(const struct command_call *call, const json_t *lines, uint64_t most)
{
    size_t count = json_array_size(lines);

    for (size_t i = count > most ? count - (size_t)most : 0; i < count; i++) {
        const json_t *line = json_array_get(lines, i);
        if (command_has(call, "json")) {
            json_dumpf(line, stdout, JSON_COMPACT);
            putchar('\n');
        } else {
            print_line(line);
        }
    }
    fflush(stdout);
}

/* Lines from `*from` on; it is moved behind them. */
static enum exit_code print_from(struct daemon_client *client, const struct command_call *call,
                                 uint64_t most, uint64_t *from)
{
    json_t *answer = NULL;
    char path[64];

    snprintf(path, sizeof path, "/log?from=%llu", (unsigned long long)*from);
    enum exit_code code = daemon_client_api(client, "GET", path, NULL, &answer);
    if (code)
        return code;
    print_lines(call, json_object_get(answer, "lines"), most);
    *from = (uint64_t)daemon_client_number(answer, "next");
    json_decref(answer);
    return EXIT_CODE_OK;
}

static int log_run(struct command_call *call)
{
    static const struct timespec wait = {.tv_nsec = POLL_NS};
    struct daemon_client *client;
    uint64_t most = LIMIT_LOG_LINES, from = 0;

    if (!command_number(call, "lines", LIMIT_LOG_LINES, &most))
        return EXIT_CODE_USAGE;
    enum exit_code code = daemon_client_new(call, &client);
    if (code)
        return code;
    code = print_from(client, call, most, &from);
    daemon_client_quiet(client, true);
    while (!code && command_has(call, "follow") && !ferror(stdout)) {
        nanosleep(&wait, NULL);
        if (print_from(client, call, LIMIT_LOG_LINES, &from))
            break; /* it has ended: nothing more will come */
    }
    daemon_client_free(client);
    return code;
}

extern const struct command log_command;
const struct command log_command = {
    .name = "log",
    .summary = "show what the daemon has logged",
    .operands = "",
    .description =
        "The daemon keeps its last 1000 lines: what was added, what is complete, what went wrong. "
        "What could be a secret is left out, as it is in the log on its stderr: of URLs only the "
        "host is shown, and long runs of letters and digits are dots.\n"
        "\n"
        "With --json one object a line: number, time (Unix seconds), level, event, fields.",
    .options = options,
    .examples = {"freshet log", "freshet log -f", "freshet log -n 20 --json"},
    .run = log_run,
};
