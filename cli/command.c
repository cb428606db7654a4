/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/config_file.h"
#include "cli/message.h"
#include "cli/suggestion.h"
#include "cli/units.h"
#include "core/base/check.h"

/* getopt's value for option i of the table; letters are below it. */
#define LONG_BASE 1000
#define HELP_CODE (LONG_BASE + COMMAND_OPTIONS)

struct given {
    size_t option;
    const char *value; /* NULL for a flag */
    bool is_off;       /* of a flag */
    enum command_origin origin;
    const struct config_entry *entry; /* of files, else NULL */
};

struct command_call {
    const struct command *command;
    struct given *given;
    size_t given_count;
    size_t given_capacity;
    char **operands;
    size_t operand_count;
    struct config_file config;
};

size_t command_option_count(const struct command *command)
{
    size_t count = 0;
    while (command->options && command->options[count].name)
        count++;
    return count;
}

const char *command_word(const struct command *command)
{
    const char *space = strrchr(command->name, ' ');
    return space ? space + 1 : command->name;
}

const struct command *command_verb(const struct command *command, const char *word)
{
    for (size_t i = 0; command->verbs && command->verbs[i]; i++)
        if (strcmp(command_word(command->verbs[i]), word) == 0)
            return command->verbs[i];
    return NULL;
}

int command_unknown_verb(const struct command *command, const char *word)
{
    struct suggestion suggestion;
    message_set_command(command->name);
    suggestion_init(&suggestion, word);
    for (size_t i = 0; command->verbs[i]; i++)
        if (!command->verbs[i]->hidden)
            suggestion_offer(&suggestion, command_word(command->verbs[i]));
    if (suggestion.best)
        message_error("no '%.60s' here, did you mean '%s'?", word, suggestion.best);
    else
        message_error("no '%.60s' here (-h lists what there is)", word);
    return EXIT_CODE_USAGE;
}

void command_variable(const struct command_option *option, char name[COMMAND_VARIABLE_SIZE])
{
    size_t used = (size_t)snprintf(name, COMMAND_VARIABLE_SIZE, "FRESHET_");
    for (const char *at = option->name; *at && used + 1 < COMMAND_VARIABLE_SIZE; at++)
        name[used++] = (char)(*at == '-' ? '_' : *at >= 'a' && *at <= 'z' ? *at - 32 : *at);
    name[used] = '\0';
}

int command_usage_error(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    message_error("%s (-h shows how)", text);
    return EXIT_CODE_USAGE;
}

/* Is the value one of "tcp|udp|both"? An argument without '|' takes anything. */
static bool choice_is_known(const char *argument, const char *value)
{
    size_t length = strlen(value);
    if (!strchr(argument, '|'))
        return true;
    for (const char *at = argument; at; at = strchr(at, '|')) {
        at += *at == '|';
        size_t word = strcspn(at, "|");
        if (word == length && strncmp(at, value, word) == 0)
            return true;
    }
    return false;
}

static bool call_add(struct command_call *call, const struct given *given)
{
    const struct command_option *known = &call->command->options[given->option];
    const char *value = given->value;
    if (value && !choice_is_known(known->argument, value)) {
        command_usage_error("--%s wants one of %s, not '%s'", known->name, known->argument, value);
        return false;
    }
    if (call->given_count == call->given_capacity) {
        size_t capacity = call->given_capacity ? call->given_capacity * 2 : 16;
        struct given *grown = realloc(call->given, capacity * sizeof *grown);
        CHECK(grown != NULL);
        call->given = grown;
        call->given_capacity = capacity;
    }
    call->given[call->given_count++] = *given;
    return true;
}

static bool flag_is_on(const char *text)
{
    return strcmp(text, "1") == 0 || strcasecmp(text, "yes") == 0 ||
           strcasecmp(text, "true") == 0 || strcasecmp(text, "on") == 0;
}

/* What the environment says comes first, so that the command line has the last word. */
static bool read_environment(struct command_call *call)
{
    for (size_t i = 0; i < command_option_count(call->command); i++) {
        const struct command_option *option = &call->command->options[i];
        char name[COMMAND_VARIABLE_SIZE];
        command_variable(option, name);
        const char *value = option->line_only ? NULL : getenv(name);
        if (!value || !*value)
            continue;
        struct given given = {.option = i,
                              .value = option->argument ? value : NULL,
                              .is_off = !option->argument && !flag_is_on(value),
                              .origin = ORIGIN_ENVIRONMENT};
        if (!call_add(call, &given))
            return false;
    }
    return true;
}

static size_t find_option(const struct command *command, const char *name)
{
    size_t count = command_option_count(command), i = 0;
    while (i < count && strcmp(command->options[i].name, name) != 0)
        i++;
    return i < count ? i : SIZE_MAX;
}

/* A key above all sections may be meant for other commands. */
static bool take_entry(struct command_call *call, const struct config_entry *entry)
{
    size_t option = find_option(call->command, entry->key);
    if (option == SIZE_MAX && entry->section[0] == '\0')
        return true;
    if (option == SIZE_MAX) {
        message_error("%s:%d: %s has no option '%.60s' (freshet %s -h lists them)", entry->path,
                      entry->line, call->command->name, entry->key, call->command->name);
        return false;
    }
    if (call->command->options[option].line_only && entry->section[0] == '\0')
        return true;
    if (call->command->options[option].line_only) {
        message_error("%s:%d: --%s of %s is for the command line alone", entry->path, entry->line,
                      call->command->options[option].name, call->command->name);
        return false;
    }
    bool has_argument = call->command->options[option].argument != NULL;
    struct given given = {.option = option,
                          .value = has_argument ? entry->value : NULL,
                          .is_off = !has_argument && !flag_is_on(entry->value),
                          .origin = entry->is_user ? ORIGIN_USER : ORIGIN_SYSTEM,
                          .entry = entry};
    return call_add(call, &given);
}

/* The system's file, then the user's; in each what is above all sections, then the command's own.
 */
static bool read_files(struct command_call *call)
{
    if (command_option_count(call->command) == 0)
        return true;
    if (!config_file_load(&call->config))
        return false;
    for (int is_user = 0; is_user < 2; is_user++)
        for (int is_own = 0; is_own < 2; is_own++)
            for (size_t i = 0; i < call->config.count; i++) {
                const struct config_entry *entry = &call->config.entries[i];
                const char *section = is_own ? call->command->name : "";
                if (entry->is_user == (bool)is_user && strcmp(entry->section, section) == 0 &&
                    !take_entry(call, entry))
                    return false;
            }
    return true;
}

struct getopt_tables {
    struct option longs[COMMAND_OPTIONS + 2];
    char letters[3 * COMMAND_OPTIONS + 4];
};

static void make_tables(const struct command *command, struct getopt_tables *tables)
{
    size_t count = command_option_count(command);
    CHECK(count < COMMAND_OPTIONS);
    memset(tables, 0, sizeof *tables);
    char *letter = tables->letters;
    *letter++ = ':'; /* a missing argument is told apart, and getopt prints nothing */
    *letter++ = 'h';
    for (size_t i = 0; i < count; i++) {
        const struct command_option *option = &command->options[i];
        int has_argument = option->argument ? required_argument : no_argument;
        tables->longs[i] = (struct option){option->name, has_argument, NULL, LONG_BASE + (int)i};
        if (option->letter) {
            *letter++ = option->letter;
            if (option->argument)
                *letter++ = ':';
        }
    }
    tables->longs[count] = (struct option){"help", no_argument, NULL, HELP_CODE};
}

/* `argument` is the word as typed, "--otuput=x". */
static int bad_option(const struct command *command, const char *argument)
{
    char typed[64];
    snprintf(typed, sizeof typed, "%.*s", (int)strcspn(argument + 2, "="), argument + 2);
    struct suggestion suggestion;
    suggestion_init(&suggestion, typed);
    for (size_t i = 0; i < command_option_count(command); i++)
        if (!command->options[i].hidden)
            suggestion_offer(&suggestion, command->options[i].name);
    if (suggestion.best)
        return command_usage_error("unknown option '--%s', did you mean --%s?", typed,
                                   suggestion.best);
    return command_usage_error("unknown or ambiguous option '--%s'", typed);
}

static size_t option_of_code(const struct command *command, int code)
{
    if (code >= LONG_BASE)
        return (size_t)(code - LONG_BASE);
    size_t i = 0;
    while (command->options[i].letter != code)
        i++;
    return i;
}

/* -1: go on and run; else the exit code. */
static int read_line(struct command_call *call, int argc, char **argv,
                     void (*print_help)(const struct command *command))
{
    struct getopt_tables tables;
    make_tables(call->command, &tables);
    optind = 0; /* 0 rather than 1: start afresh, in GNU's getopt */
    for (;;) {
        int code = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
        if (code == -1)
            break;
        if (code == '?' && optopt >= LONG_BASE)
            return command_usage_error("%.60s takes no value", argv[optind - 1]);
        if (code == '?' && optopt == 0)
            return bad_option(call->command, argv[optind - 1]);
        if (code == '?')
            return command_usage_error("unknown option '-%c'", optopt);
        if (code == ':')
            return command_usage_error("%.60s wants a value", argv[optind - 1]);
        if (code == 'h' || code == HELP_CODE) {
            print_help(call->command);
            return EXIT_CODE_OK;
        }
        size_t option = option_of_code(call->command, code);
        struct given given = {.option = option,
                              .value = call->command->options[option].argument ? optarg : NULL,
                              .origin = ORIGIN_LINE};
        if (!call_add(call, &given))
            return EXIT_CODE_USAGE;
    }
    call->operands = argv + optind;
    call->operand_count = (size_t)(argc - optind);
    return -1;
}

static int check_operands(const struct command_call *call)
{
    const struct command *command = call->command;
    /* "--" before a verb: options of what, since a group has none? */
    if (command->verbs)
        return command_usage_error("which one? a verb is missing");
    if (call->operand_count < command->operands_min)
        return command_usage_error("%s is missing", command->operands);
    if (call->operand_count > command->operands_max)
        return command_usage_error("'%s' is too much", call->operands[command->operands_max]);
    return -1;
}

int command_run(const struct command *command, int argc, char **argv,
                void (*print_help)(const struct command *command))
{
    struct command_call call = {.command = command};
    if (command->verbs && argc > 1 && argv[1][0] != '-') {
        const struct command *verb = command_verb(command, argv[1]);
        return verb ? command_run(verb, argc - 1, argv + 1, print_help)
                    : command_unknown_verb(command, argv[1]);
    }
    message_set_command(command->name);
    int code = read_files(&call) && read_environment(&call) ? -1 : EXIT_CODE_USAGE;
    if (code < 0)
        code = read_line(&call, argc, argv, print_help);
    if (code < 0)
        code = check_operands(&call);
    if (code < 0)
        code = command->run(&call);
    free(call.given);
    config_file_deinit(&call.config);
    return code;
}

const struct command *command_of(const struct command_call *call)
{
    return call->command;
}

static size_t option_named(const struct command_call *call, const char *name)
{
    size_t option = find_option(call->command, name);
    CHECK(option != SIZE_MAX);
    return option;
}

/* A repeated option that is given nearer to the person replaces those from farther away. */
static bool is_overridden(const struct command_call *call, const struct given *given)
{
    for (size_t i = 0; i < call->given_count; i++)
        if (call->given[i].option == given->option && call->given[i].origin > given->origin)
            return true;
    return false;
}

/* Does a later one of the same option follow? */
static bool is_given_again(const struct command_call *call, size_t place)
{
    for (size_t i = place + 1; i < call->given_count; i++)
        if (call->given[i].option == call->given[place].option)
            return true;
    return false;
}

bool command_each_setting(const struct command *command,
                          void (*see)(void *context, const struct command_setting *setting),
                          void *context)
{
    struct command_call call = {.command = command};
    bool is_good = read_files(&call) && read_environment(&call);
    for (size_t i = 0; is_good && i < call.given_count; i++) {
        const struct given *given = &call.given[i];
        const struct command_option *option = &command->options[given->option];
        if (is_overridden(&call, given) || (!option->repeatable && is_given_again(&call, i)))
            continue;
        struct command_setting setting = {option,
                                          given->value,
                                          given->is_off,
                                          given->origin,
                                          given->entry ? given->entry->path : NULL,
                                          given->entry ? given->entry->line : 0};
        see(context, &setting);
    }
    free(call.given);
    config_file_deinit(&call.config);
    return is_good;
}

static const struct given *last_given(const struct command_call *call, const char *name)
{
    size_t option = option_named(call, name);
    for (size_t i = call->given_count; i > 0; i--)
        if (call->given[i - 1].option == option)
            return call->given[i - 1].is_off ? NULL : &call->given[i - 1];
    return NULL;
}

bool command_has(const struct command_call *call, const char *name)
{
    return last_given(call, name) != NULL;
}

const char *command_value(const struct command_call *call, const char *name)
{
    const struct given *given = last_given(call, name);
    return given ? given->value : NULL;
}

size_t command_value_count(const struct command_call *call, const char *name)
{
    size_t option = option_named(call, name);
    size_t count = 0;
    for (size_t i = 0; i < call->given_count; i++)
        count += call->given[i].option == option && !is_overridden(call, &call->given[i]);
    return count;
}

const char *command_value_at(const struct command_call *call, const char *name, size_t index)
{
    size_t option = option_named(call, name);
    for (size_t i = 0; i < call->given_count; i++) {
        const struct given *given = &call->given[i];
        if (given->option == option && !is_overridden(call, given) && index-- == 0)
            return given->value;
    }
    return NULL;
}

const char *command_last_of(const struct command_call *call, const char *const *names, size_t count)
{
    const char *found = NULL;
    const struct given *latest = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct given *given = last_given(call, names[i]);
        if (given && (!latest || given > latest)) {
            latest = given;
            found = names[i];
        }
    }
    return found;
}

size_t command_operand_count(const struct command_call *call)
{
    return call->operand_count;
}

const char *command_operand(const struct command_call *call, size_t index)
{
    CHECK(index < call->operand_count);
    return call->operands[index];
}

static bool refuse_value(const char *name, const char *value, const char *wanted)
{
    command_usage_error("--%s wants %s, not '%s'", name, wanted, value);
    return false;
}

bool command_size(const struct command_call *call, const char *name, uint64_t *value)
{
    const char *text = command_value(call, name);
    return !text || units_parse_size(text, value) || refuse_value(name, text, "a size such as 10M");
}

bool command_rate(const struct command_call *call, const char *name, uint64_t *value)
{
    const char *text = command_value(call, name);
    return !text || units_parse_rate(text, value) || refuse_value(name, text, "a rate such as 2M");
}

bool command_duration(const struct command_call *call, const char *name, int64_t *value_ns)
{
    const char *text = command_value(call, name);
    return !text || units_parse_duration(text, value_ns) ||
           refuse_value(name, text, "a time such as 1h30m");
}

bool command_number(const struct command_call *call, const char *name, uint64_t most,
                    uint64_t *value)
{
    const char *text = command_value(call, name);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "a whole number of at most %" PRIu64, most);
    return !text || units_parse_number(text, most, value) || refuse_value(name, text, wanted);
}

bool command_ratio(const struct command_call *call, const char *name, uint32_t *value_thousandths)
{
    const char *text = command_value(call, name);
    return !text || units_parse_ratio(text, value_thousandths) ||
           refuse_value(name, text, "a ratio such as 1.5");
}
