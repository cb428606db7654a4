/* SPDX-License-Identifier: MIT */
#include "cli/command_help.h"

#include <string.h>
#include <unistd.h>

#include "cli/terminal.h"

#define HEADING_WIDTH 26

void command_help_print_wrapped(FILE *stream, const char *text, int indent)
{
    int width = terminal_width(STDOUT_FILENO);
    int column = 0;
    while (*text) {
        if (*text == '\n') {
            /* An empty line parts paragraphs; a single line end is a space. */
            if (text[1] == '\n') {
                fputs("\n\n", stream);
                column = 0;
                text++;
            }
            text++;
            continue;
        }
        if (*text == ' ') {
            text++;
            continue;
        }
        int word = (int)strcspn(text, " \n");
        if (column > indent && column + 1 + word > width) {
            fputc('\n', stream);
            column = 0;
        }
        if (column == 0)
            column = fprintf(stream, "%*s", indent, "");
        else
            column += fprintf(stream, " ");
        column += fprintf(stream, "%.*s", word, text);
        text += word;
        if (column == 0) /* an empty indent prints nothing */
            column = 1;
    }
    fputc('\n', stream);
}

void command_help_option_heading(const struct command_option *option, char *text, size_t size)
{
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(text, size, "%s--%s%s%s", letter, option->name, option->argument ? "=" : "",
             option->argument ? option->argument : "");
}

static void print_beside(const char *heading, const char *help)
{
    char line[1024];
    int width = terminal_width(STDOUT_FILENO);
    int indent = HEADING_WIDTH + 2;
    if (width < 60 || (int)strlen(heading) > HEADING_WIDTH - 1) {
        printf("  %s\n", heading);
        command_help_print_wrapped(stdout, help, width < 60 ? 6 : indent);
        return;
    }
    printf("  %-*s", HEADING_WIDTH, heading);
    /* The first line continues behind the heading. */
    int left = width - indent;
    int length = (int)strlen(help);
    int cut = length;
    if (length > left) {
        cut = left;
        while (cut > 0 && help[cut] != ' ')
            cut--;
        if (cut == 0)
            cut = (int)strcspn(help, " ");
    }
    snprintf(line, sizeof line, "%.*s", cut, help);
    puts(line);
    if (cut < length)
        command_help_print_wrapped(stdout, help + cut, indent);
}

static void print_usage(const struct command *command)
{
    bool options = command_option_count(command) > 0;
    printf("usage: freshet %s%s%s%s\n", command->name, options ? " [OPTION]..." : "",
           *command->operands ? " " : "", command->operands);
}

static void print_options(const struct command *command)
{
    static const struct command_option help = {.name = "help", .letter = 'h', .help = ""};
    char heading[128];
    for (size_t i = 0; i < command_option_count(command); i++) {
        if (command->options[i].hidden)
            continue;
        command_help_option_heading(&command->options[i], heading, sizeof heading);
        print_beside(heading, command->options[i].help);
    }
    command_help_option_heading(&help, heading, sizeof heading);
    print_beside(heading, "this help");
}

static void print_verbs(const struct command *command)
{
    char heading[128];
    for (size_t i = 0; command->verbs[i]; i++) {
        if (command->verbs[i]->hidden)
            continue;
        snprintf(heading, sizeof heading, "%s %s", command_word(command->verbs[i]),
                 command->verbs[i]->operands);
        print_beside(heading, command->verbs[i]->summary);
    }
}

static void print_examples(const struct command *command, int indent)
{
    for (size_t i = 0; i < 3 && command->examples[i]; i++)
        printf("%*s%s\n", indent, "", command->examples[i]);
}

void command_help_print(const struct command *command)
{
    print_usage(command);
    printf("\n%s\n", command->summary);
    if (command->verbs) {
        puts("\nverbs:");
        print_verbs(command);
    }
    puts("\noptions:");
    print_options(command);
    if (command->examples[0]) {
        puts("\nexamples:");
        print_examples(command, 2);
    }
}

static void print_environment(const struct command *command)
{
    puts("\nENVIRONMENT");
    command_help_print_wrapped(stdout,
                               "These options have a variable; the command line goes before it. A "
                               "flag is on at 1, yes, true or on.",
                               4);
    for (size_t i = 0; i < command_option_count(command); i++) {
        char name[COMMAND_VARIABLE_SIZE];
        if (command->options[i].hidden || command->options[i].line_only)
            continue;
        command_variable(&command->options[i], name);
        printf("    %s\n", name);
    }
}

void command_help_print_manual(const struct command *command)
{
    printf("NAME\n    freshet %s - %s\n\nSYNOPSIS\n    freshet %s%s%s%s\n\nDESCRIPTION\n",
           command->name, command->summary, command->name,
           command_option_count(command) ? " [OPTION]..." : "", *command->operands ? " " : "",
           command->operands);
    command_help_print_wrapped(stdout, command->description, 4);
    if (command->verbs) {
        puts("\nVERBS");
        print_verbs(command);
    }
    puts("\nOPTIONS");
    print_options(command);
    if (command_option_count(command))
        print_environment(command);
    puts("\nEXIT CODES");
    for (int code = 0; code < EXIT_CODE_COUNT; code++)
        printf("    %d  %s\n", code, exit_code_text((enum exit_code)code));
    if (command->examples[0]) {
        puts("\nEXAMPLES");
        print_examples(command, 4);
    }
}
