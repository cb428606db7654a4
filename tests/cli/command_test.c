/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/suggestion.h"
#include "core/base/limits.h"

static const struct command_option options[] = {
    {.name = "output", .letter = 'o', .argument = "DIR", .help = "where it goes"},
    {.name = "announce", .letter = 'a', .argument = "URL", .help = "a tracker", .repeatable = true},
    {.name = "transport", .argument = "tcp|udp|both", .help = "what to speak"},
    {.name = "down-limit", .letter = 'l', .argument = "RATE", .help = "most bytes a second"},
    {.name = "v1", .help = "one"},
    {.name = "v2", .help = "two"},
    {0},
};

static int (*inspect)(struct command_call *call);
static int times_run;
static int times_helped;

static int run(struct command_call *call)
{
    times_run++;
    return inspect ? inspect(call) : 42;
}

static void help(const struct command *command)
{
    (void)command;
    times_helped++;
}

static const struct command sample = {
    .name = "sample",
    .summary = "a sample",
    .operands = "FILE...",
    .description = "It is a sample.",
    .options = options,
    .operands_min = 1,
    .operands_max = 3,
    .run = run,
};

/* Runs `sample` with the words of one line. */
static int run_line(const char *line, int (*look)(struct command_call *call))
{
    char copy[256];
    char *argv[32];
    int argc = 0;
    inspect = look;
    times_run = times_helped = 0;
    strcpy(copy, line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return command_run(&sample, argc, argv, help);
}

static int see_values(struct command_call *call)
{
    assert_string_equal(command_value(call, "output"), "second");
    assert_int_equal(command_value_count(call, "announce"), 2);
    assert_string_equal(command_value_at(call, "announce", 0), "x");
    assert_string_equal(command_value_at(call, "announce", 1), "y");
    assert_null(command_value_at(call, "announce", 2));
    assert_false(command_has(call, "v1"));
    assert_int_equal(command_operand_count(call), 3);
    assert_string_equal(command_operand(call, 0), "file");
    assert_string_equal(command_operand(call, 1), "-");
    assert_string_equal(command_operand(call, 2), "--v1");
    return 7;
}

static void command_takes_options_among_operands_until_two_dashes(void **state)
{
    (void)state;
    assert_int_equal(
        run_line("sample -o first -ax file --announce=y - --output second -- --v1", see_values), 7);
    assert_int_equal(times_run, 1);
}

static void command_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "sample --ouptut=x file",
        "sample -z file",
        "sample file -o",
        "sample file --output",
        "sample --v1=x file",
        "sample --transport=pigeon file",
        "sample",
        "sample a b c d",
        "sample --transport=tcp|udp file",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_int_equal(run_line(lines[i], NULL), EXIT_CODE_USAGE);
        assert_int_equal(times_run, 0);
    }
}

static void command_answers_help_before_it_runs(void **state)
{
    (void)state;
    assert_int_equal(run_line("sample --help", NULL), EXIT_CODE_OK);
    assert_int_equal(times_helped, 1);
    assert_int_equal(run_line("sample file -h", NULL), EXIT_CODE_OK);
    assert_int_equal(times_helped, 1);
    assert_int_equal(times_run, 0);
}

static int see_environment(struct command_call *call)
{
    uint64_t rate = 0;
    assert_string_equal(command_value(call, "output"), "line");
    assert_true(command_rate(call, "down-limit", &rate));
    assert_int_equal(rate, 3 * MIB);
    assert_true(command_has(call, "v1"));
    assert_false(command_has(call, "v2"));
    assert_int_equal(command_value_count(call, "announce"), 1);
    assert_string_equal(command_value_at(call, "announce", 0), "from-line");
    return 0;
}

static void command_lets_the_line_go_before_the_environment(void **state)
{
    (void)state;
    setenv("FRESHET_OUTPUT", "environment", 1);
    setenv("FRESHET_DOWN_LIMIT", "3M", 1);
    setenv("FRESHET_V1", "yes", 1);
    setenv("FRESHET_V2", "0", 1);
    setenv("FRESHET_ANNOUNCE", "from-environment", 1);
    assert_int_equal(run_line("sample -o line -a from-line file", see_environment), 0);
    setenv("FRESHET_TRANSPORT", "pigeon", 1);
    assert_int_equal(run_line("sample file", NULL), EXIT_CODE_USAGE);
    static const char *const names[] = {"OUTPUT", "DOWN_LIMIT", "V1",
                                        "V2",     "ANNOUNCE",   "TRANSPORT"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64] = "FRESHET_";
        unsetenv(strcat(name, names[i]));
    }
}

static int see_last(struct command_call *call)
{
    static const char *const names[] = {"v1", "v2"};
    assert_string_equal(command_last_of(call, names, 2), "v1");
    return 0;
}

static void command_knows_which_of_two_flags_came_last(void **state)
{
    (void)state;
    assert_int_equal(run_line("sample --v2 file --v1", see_last), 0);
}

static int see_bad_rate(struct command_call *call)
{
    uint64_t rate = 11;
    assert_false(command_rate(call, "down-limit", &rate));
    assert_int_equal(rate, 11);
    return EXIT_CODE_USAGE;
}

static void command_refuses_a_rate_that_is_none(void **state)
{
    (void)state;
    assert_int_equal(run_line("sample -l fast file", see_bad_rate), EXIT_CODE_USAGE);
    assert_int_equal(times_run, 1);
}

static void suggestion_finds_the_nearest_word(void **state)
{
    (void)state;
    struct suggestion suggestion;
    suggestion_init(&suggestion, "craete");
    suggestion_offer(&suggestion, "get");
    suggestion_offer(&suggestion, "create");
    suggestion_offer(&suggestion, "seed");
    assert_string_equal(suggestion.best, "create");
    suggestion_init(&suggestion, "zzz");
    suggestion_offer(&suggestion, "get");
    suggestion_offer(&suggestion, "z");
    assert_null(suggestion.best);
    assert_int_equal(suggestion_distance("", "abc"), 3);
    assert_int_equal(suggestion_distance("ab", "ba"), 1);
    assert_int_equal(suggestion_distance("kitten", "sitting"), 3);
    assert_int_equal(suggestion_distance("same", "same"), 0);
}

static int see_verb(struct command_call *call)
{
    assert_string_equal(command_of(call)->name, "group two");
    assert_int_equal(command_operand_count(call), 1);
    assert_string_equal(command_operand(call, 0), "operand");
    assert_string_equal(command_value(call, "output"), "x");
    return 11;
}

static void command_runs_a_verb_of_its_group(void **state)
{
    static const struct command one = {
        .name = "group one", .operands = "", .options = options, .run = run};
    static const struct command two = {
        .name = "group two", .operands = "FILE", .options = options, .operands_max = 1, .run = run};
    static const struct command *const verbs[] = {&one, &two, NULL};
    static const struct command group = {.name = "group", .operands = "VERB", .verbs = verbs};
    char *call[] = {"group", "two", "-o", "x", "operand", NULL},
         *help_of_verb[] = {"group", "two", "-h", NULL};
    char *unknown[] = {"group", "twoo", NULL}, *none[] = {"group", NULL};

    (void)state;
    times_run = times_helped = 0;
    inspect = see_verb;
    assert_int_equal(command_run(&group, 5, call, help), 11);
    assert_int_equal(times_run, 1);
    assert_int_equal(command_run(&group, 3, help_of_verb, help), EXIT_CODE_OK);
    assert_int_equal(times_helped, 1);
    assert_int_equal(command_run(&group, 2, unknown, help), EXIT_CODE_USAGE);
    assert_int_equal(command_run(&group, 1, none, help), EXIT_CODE_USAGE);
    assert_int_equal(times_run, 1);
    assert_string_equal(command_word(&two), "two");
    assert_ptr_equal(command_verb(&group, "one"), &one);
    assert_null(command_verb(&group, "three"));
}

/* Every command of the program keeps the promises that help, man page and completions rest on. */
static void check_command(void *context, const struct command *command)
{
    (*(int *)context)++;
    assert_true(strlen(command->summary) > 0 && strlen(command->summary) < 64);
    assert_true(strlen(command->description) > 0);
    assert_non_null(command->operands);
    assert_non_null(command->examples[0]);
    assert_true((command->run == NULL) == (command->verbs != NULL));
    assert_true(command_option_count(command) < COMMAND_OPTIONS);
    assert_true(!command->verbs || command_option_count(command) == 0);
    for (size_t i = 0; command->verbs && command->verbs[i]; i++) {
        size_t length = strlen(command->name);
        const char *name = command->verbs[i]->name;
        assert_true(strncmp(name, command->name, length) == 0 && name[length] == ' ');
        assert_null(command->verbs[i]->verbs);
    }
    for (size_t j = 0; j < command_option_count(command); j++) {
        const struct command_option *option = &command->options[j];
        assert_true(option->help && *option->help);
        assert_true(option->letter != 'h' && strcmp(option->name, "help") != 0);
        for (size_t k = 0; k < j; k++) {
            assert_string_not_equal(option->name, command->options[k].name);
            assert_true(!option->letter || option->letter != command->options[k].letter);
        }
    }
}

static void commands_describe_themselves_wholly(void **state)
{
    int seen = 0;

    (void)state;
    assert_true(commands_count() > 0);
    for (size_t i = 0; i < commands_count(); i++) {
        assert_ptr_equal(commands_find(commands_at(i)->name), commands_at(i));
        if (commands_at(i)->hidden)
            check_command(&seen, commands_at(i));
    }
    commands_each(check_command, &seen);
    assert_true(seen >= (int)commands_count());
    assert_null(commands_find("no-such-command"));
    assert_string_equal(commands_find_page("dht-get-peers")->name, "dht get-peers");
    assert_string_equal(commands_find_page("dht")->name, "dht");
    assert_null(commands_find_page("dht-"));
    assert_null(commands_find_page("dht-get-peers-x"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_takes_options_among_operands_until_two_dashes),
        cmocka_unit_test(command_refuses_what_it_does_not_know),
        cmocka_unit_test(command_answers_help_before_it_runs),
        cmocka_unit_test(command_lets_the_line_go_before_the_environment),
        cmocka_unit_test(command_knows_which_of_two_flags_came_last),
        cmocka_unit_test(command_refuses_a_rate_that_is_none),
        cmocka_unit_test(suggestion_finds_the_nearest_word),
        cmocka_unit_test(command_runs_a_verb_of_its_group),
        cmocka_unit_test(commands_describe_themselves_wholly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
