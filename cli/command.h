/* SPDX-License-Identifier: MIT */
/*
 * One command of the program, described as data. From this one table come parsing (getopt_long),
 * -h and --help, `freshet help CMD`, the man page, the shells' completions and the FRESHET_*
 * variables, so that none of them can disagree.
 *
 * A command is a file cli/<name>_command.c that exports `const struct command <name>_command`, and
 * a line in cli/commands.c. One that does several things (`freshet dht ping`) is a group: it has
 * verbs, which are commands too, and nothing else of its own.
 */
#ifndef FRESHET_CLI_COMMAND_H
#define FRESHET_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/exit_code.h"

struct command_option {
    const char *name;     /* "output", written --output; ends the table when NULL */
    char letter;          /* 'o', or 0 */
    const char *argument; /* "DIR"; NULL: a flag. "tcp|udp|both": one of these, nothing else.
                             "FILE" and "DIR" complete as such */
    const char *help;     /* lower case, no full stop */
    bool repeatable;      /* every value counts; else the last one does */
    bool hidden;          /* works, but is not listed */
    bool line_only; /* what it changes or takes away is said each time: files and environment, which
                       may mean another command's option of that name, are not asked */
};

struct command_call;

#define OPERANDS_ANY    SIZE_MAX
#define COMMAND_OPTIONS 64 /* at most, with the end mark */

struct command {
    const char *name;                     /* "get"; of a verb with its group, "dht ping" */
    const char *summary;                  /* one line, lower case, no full stop */
    const char *operands;                 /* "TORRENT...", or "" */
    const char *description;              /* paragraphs, an empty line between them */
    const struct command_option *options; /* may be NULL */
    const char *examples[3];              /* command lines; NULL where there are fewer */
    const struct command *const *verbs;   /* of a group, ended by NULL; else NULL */
    size_t operands_min;
    size_t operands_max;                   /* OPERANDS_ANY: no limit */
    bool hidden;                           /* works, but is not listed */
    int (*run)(struct command_call *call); /* NULL of a group */
};

/* What is typed for a verb behind its group's name: "ping" of "dht ping". */
const char *command_word(const struct command *command);
/* The verb of a group, or NULL. */
const struct command *command_verb(const struct command *command, const char *word);
/* Says that the group has no such verb, and which is nearest; returns EXIT_CODE_USAGE. */
int command_unknown_verb(const struct command *command, const char *word);

/* Parses argv (argv[0] is the command's name) and runs the command or its verb, or print_help for
 * -h and --help. Returns the exit code. */
int command_run(const struct command *command, int argc, char **argv,
                void (*print_help)(const struct command *command));

/* Where a value comes from; a later one goes before an earlier one. */
enum command_origin {
    ORIGIN_SYSTEM,      /* the system's configuration file (config_file.h) */
    ORIGIN_USER,        /* the user's */
    ORIGIN_ENVIRONMENT, /* FRESHET_<NAME> */
    ORIGIN_LINE,
};

/* One value of an option, as files and environment give it. */
struct command_setting {
    const struct command_option *option;
    const char *value; /* NULL: a flag */
    bool is_off;       /* a flag that is switched off here */
    enum command_origin origin;
    const char *path; /* of a file, and the line in it */
    int line;
};

/* Calls `see` with each value that would hold if the command were run without options: the last of
 * an option, or all of a repeatable one. false after saying what is wrong in a file. */
bool command_each_setting(const struct command *command,
                          void (*see)(void *context, const struct command_setting *setting),
                          void *context);

/* What the run function asks. `name` is an option's long name; another one is a failed CHECK. */
const struct command *command_of(const struct command_call *call);
/* Given on the command line, by FRESHET_<NAME> or in a file (a flag there: 1, yes, true, on). */
bool command_has(const struct command_call *call, const char *name);
/* The last value, or NULL. */
const char *command_value(const struct command_call *call, const char *name);
/* Repeated values in order. */
size_t command_value_count(const struct command_call *call, const char *name);
const char *command_value_at(const struct command_call *call, const char *name, size_t index);
/* Of two flags that exclude one another (--v1 --v2), which came last; NULL when neither came. */
const char *command_last_of(const struct command_call *call, const char *const *names,
                            size_t count);
size_t command_operand_count(const struct command_call *call);
const char *command_operand(const struct command_call *call, size_t index);

/*
 * Typed values: true when the option is absent (*value keeps its default) or understood; false
 * after saying on stderr what is wrong, and the command then returns EXIT_CODE_USAGE.
 */
bool command_size(const struct command_call *call, const char *name, uint64_t *value);
bool command_rate(const struct command_call *call, const char *name, uint64_t *value);
bool command_duration(const struct command_call *call, const char *name, int64_t *value_ns);
bool command_number(const struct command_call *call, const char *name, uint64_t most,
                    uint64_t *value);
bool command_ratio(const struct command_call *call, const char *name, uint32_t *value_thousandths);

/* Says what is wrong with the command line and where help is; returns EXIT_CODE_USAGE. */
__attribute__((format(printf, 1, 2))) int command_usage_error(const char *format, ...);

/* "FRESHET_DOWN_LIMIT" for "down-limit". */
#define COMMAND_VARIABLE_SIZE 64
void command_variable(const struct command_option *option, char name[COMMAND_VARIABLE_SIZE]);
size_t command_option_count(const struct command *command);

#endif
