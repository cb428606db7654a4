/* SPDX-License-Identifier: MIT */
#include "cli/man_page.h"

#include <ctype.h>
#include <string.h>

#include "cli/commands.h"

/* troff reads backslashes, and dots and quotes at the start of a line; a plain '-' may become a
 * typographic one that cannot be copied into a shell. */
static void print_text(FILE *stream, const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stream);
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else if (text[0] == '\n' && text[1] == '\n')
            fputs("\n.PP\n", stream), text++;
        else
            fputc(*text, stream);
        line_start = *text == '\n';
    }
    fputc('\n', stream);
}

static void print_heading(FILE *stream, const char *name)
{
    fprintf(stream, ".\\\" SPDX-License-Identifier: MIT\n.TH ");
    for (; *name; name++)
        fputc(toupper((unsigned char)*name), stream);
    fputs(" 1 \"\" \"freshet " FRESHET_VERSION "\" \"freshet\"\n", stream);
}

static void print_exit_codes(FILE *stream)
{
    fputs(".SH EXIT STATUS\n", stream);
    for (int code = 0; code < EXIT_CODE_COUNT; code++) {
        fprintf(stream, ".TP\n.B %d\n", code);
        print_text(stream, exit_code_text((enum exit_code)code));
    }
}

static void print_option(FILE *stream, const struct command_option *option)
{
    fputs(".TP\n", stream);
    if (option->letter)
        fprintf(stream, "\\fB\\-%c\\fR, ", option->letter);
    fputs("\\fB\\-\\-", stream);
    for (const char *at = option->name; *at; at++)
        fprintf(stream, *at == '-' ? "\\-" : "%c", *at);
    fputs("\\fR", stream);
    if (option->argument)
        fprintf(stream, "=\\fI%s\\fR", option->argument);
    fputc('\n', stream);
    print_text(stream, option->help);
}

static void print_environment(FILE *stream, const struct command *command)
{
    fputs(".SH ENVIRONMENT\n"
          "These options have a variable; the command line goes before it, and it goes before the\n"
          "files that freshet\\-config (1) tells of.\n"
          "A flag is on at 1, yes, true or on.\n",
          stream);
    for (size_t i = 0; i < command_option_count(command); i++) {
        char name[COMMAND_VARIABLE_SIZE];
        if (command->options[i].hidden || command->options[i].line_only)
            continue;
        command_variable(&command->options[i], name);
        fprintf(stream, ".br\n.B %s\n", name);
    }
}

/* "freshet\-dht\-ping" for "dht ping"; with `space` a space stays one. */
static void print_page_name(FILE *stream, const struct command *command, bool space)
{
    fputs(space ? "freshet " : "freshet\\-", stream);
    for (const char *at = command->name; *at; at++)
        if (*at == '-' || (*at == ' ' && !space))
            fputs("\\-", stream);
        else
            fputc(*at, stream);
}

static void print_verbs(FILE *stream, const struct command *command)
{
    fputs(".SH VERBS\n", stream);
    for (size_t i = 0; command->verbs[i]; i++) {
        if (command->verbs[i]->hidden)
            continue;
        fputs(".TP\n.BR ", stream);
        print_page_name(stream, command->verbs[i], false);
        fputs(" (1)\n", stream);
        print_text(stream, command->verbs[i]->summary);
    }
}

static void print_examples(FILE *stream, const struct command *command)
{
    if (!command->examples[0])
        return;
    fputs(".SH EXAMPLES\n.nf\n", stream);
    for (size_t i = 0; i < 3 && command->examples[i]; i++)
        print_text(stream, command->examples[i]);
    fputs(".fi\n", stream);
}

void man_page_print_command(FILE *stream, const struct command *command)
{
    char name[64];
    snprintf(name, sizeof name, "freshet-%s", command->name);
    for (char *at = name; *at; at++)
        *at = *at == ' ' ? '-' : *at;
    print_heading(stream, name);
    fputs(".SH NAME\n", stream);
    print_page_name(stream, command, false);
    fprintf(stream, " \\- %s\n.SH SYNOPSIS\n.B ", command->summary);
    print_page_name(stream, command, true);
    fprintf(stream, "\n%s", command_option_count(command) ? "[OPTION]... " : "");
    print_text(stream, command->operands);
    fputs(".SH DESCRIPTION\n", stream);
    print_text(stream, command->description);
    if (command->verbs)
        print_verbs(stream, command);
    fputs(".SH OPTIONS\n", stream);
    for (size_t i = 0; i < command_option_count(command); i++)
        if (!command->options[i].hidden)
            print_option(stream, &command->options[i]);
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nshort help with examples\n", stream);
    if (command_option_count(command))
        print_environment(stream, command);
    print_exit_codes(stream);
    print_examples(stream, command);
    fputs(".SH SEE ALSO\n.BR freshet (1)\n", stream);
}

void man_page_print_program(FILE *stream)
{
    print_heading(stream, "freshet");
    fputs(".SH NAME\nfreshet \\- BitTorrent, whole\n"
          ".SH SYNOPSIS\n.B freshet\nCOMMAND [OPTION]... [OPERAND]...\n"
          ".SH DESCRIPTION\n"
          "One program to make, get, seed and track torrents, and to try a swarm out before it "
          "exists.\n.SH COMMANDS\n",
          stream);
    for (size_t i = 0; i < commands_count(); i++) {
        if (commands_at(i)->hidden)
            continue;
        fprintf(stream, ".TP\n.BR freshet\\-%s (1)\n", commands_at(i)->name);
        print_text(stream, commands_at(i)->summary);
    }
    fputs(".SH UNITS\n"
          "Sizes count in 1024s with a bare letter or an i (10M, 10MiB) and in 1000s with a B "
          "(10MB); rates are sizes a second; times are written 90, 45s, 1h30m, 2d.\n"
          ".SH ENVIRONMENT\n"
          "Every option of every command has a variable: \\-\\-state is FRESHET_STATE.\n"
          "NO_COLOR, TERM, COLUMNS and the locale are honoured, and the XDG folders.\n"
          "SSL_CERT_FILE and SSL_CERT_DIR name the certificates that vouch for HTTPS servers, "
          "in place of the system's.\n"
          ".SH FILES\n.TP\n.I $XDG_CONFIG_HOME/freshet/config.ini\n"
          "options that hold when they are not typed: see freshet\\-config (1)\n"
          ".TP\n.I $XDG_STATE_HOME/freshet/\n"
          "what is downloaded and how far, in one SQLite file\n",
          stream);
    print_exit_codes(stream);
}
