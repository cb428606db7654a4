/* SPDX-License-Identifier: MIT */
#include "cli/completion_script.h"

#include <string.h>

#include "cli/commands.h"

static void print_command_names(FILE *stream)
{
    const char *space = "";
    for (size_t i = 0; i < commands_count(); i++) {
        if (commands_at(i)->hidden)
            continue;
        fprintf(stream, "%s%s", space, commands_at(i)->name);
        space = " ";
    }
}

static void print_verb_words(FILE *stream, const struct command *command)
{
    const char *space = "";
    for (size_t i = 0; command->verbs[i]; i++) {
        if (command->verbs[i]->hidden)
            continue;
        fprintf(stream, "%s%s", space, command_word(command->verbs[i]));
        space = " ";
    }
}

/* "tcp|udp|both" as "tcp udp both". */
static void print_choices(FILE *stream, const char *argument)
{
    for (; *argument; argument++)
        fputc(*argument == '|' ? ' ' : *argument, stream);
}

static bool is_folder(const char *argument)
{
    return strcmp(argument, "DIR") == 0;
}

static bool is_path(const char *argument)
{
    return strcmp(argument, "FILE") == 0 || strcmp(argument, "PATH") == 0;
}

/* Text inside single quotes of a shell. */
static void print_quoted(FILE *stream, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", stream);
        else
            fputc(*text, stream);
    }
}

static void print_bash_words(void *context, const struct command *command)
{
    FILE *stream = context;
    fprintf(stream, "            '%s') COMPREPLY=($(compgen -W \"", command->name);
    for (size_t i = 0; i < command_option_count(command); i++)
        if (!command->options[i].hidden)
            fprintf(stream, "--%s ", command->options[i].name);
    fputs("--help\" -- \"$word\")) ;;\n", stream);
}

/* What completes the value of an option, as a case of the word before. */
static void print_bash_values(void *context, const struct command *command)
{
    FILE *stream = context;
    for (size_t i = 0; i < command_option_count(command); i++) {
        const struct command_option *option = &command->options[i];
        if (option->hidden || !option->argument)
            continue;
        fprintf(stream, "            '%s:--%s'", command->name, option->name);
        if (option->letter)
            fprintf(stream, "|'%s:-%c'", command->name, option->letter);
        fputs(") ", stream);
        if (strchr(option->argument, '|')) {
            fputs("COMPREPLY=($(compgen -W \"", stream);
            print_choices(stream, option->argument);
            fputs("\" -- \"$word\"))", stream);
        } else if (is_folder(option->argument)) {
            fputs("COMPREPLY=($(compgen -d -- \"$word\"))", stream);
        } else if (is_path(option->argument)) {
            fputs("COMPREPLY=($(compgen -f -- \"$word\"))", stream);
        } else {
            fputs(":", stream);
        }
        fputs("; return ;;\n", stream);
    }
}

/* Behind a group comes its verb, and from then on both together are the command. */
static void print_bash_groups(FILE *stream)
{
    fputs("    case $command in\n", stream);
    for (size_t i = 0; i < commands_count(); i++) {
        const struct command *command = commands_at(i);
        if (command->hidden || !command->verbs)
            continue;
        fprintf(stream,
                "        %s)\n"
                "            if ((COMP_CWORD == 2)) && [[ $word != -* ]]; then\n"
                "                COMPREPLY=($(compgen -W \"",
                command->name);
        print_verb_words(stream, command);
        fprintf(stream,
                "\" -- \"$word\"))\n"
                "                return\n"
                "            fi\n"
                "            if ((COMP_CWORD > 2)); then command=\"%s ${COMP_WORDS[2]}\"; fi ;;\n",
                command->name);
    }
    fputs("    esac\n", stream);
}

static void print_bash_help(FILE *stream)
{
    fputs("        help)\n"
          "            case $COMP_CWORD:${COMP_WORDS[2]} in\n"
          "                2:*) COMPREPLY=($(compgen -W \"",
          stream);
    print_command_names(stream);
    fputs("\" -- \"$word\")) ;;\n", stream);
    for (size_t i = 0; i < commands_count(); i++) {
        if (commands_at(i)->hidden || !commands_at(i)->verbs)
            continue;
        fprintf(stream, "                3:%s) COMPREPLY=($(compgen -W \"", commands_at(i)->name);
        print_verb_words(stream, commands_at(i));
        fputs("\" -- \"$word\")) ;;\n", stream);
    }
    fputs("            esac ;;\n", stream);
}

void completion_script_print_bash(FILE *stream)
{
    fputs("# bash completion for freshet, made by 'freshet completions bash'\n"
          "_freshet() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command=${COMP_WORDS[1]}\n"
          "    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W \"",
          stream);
    print_command_names(stream);
    fputs("\" -- \"$word\"))\n        return\n    fi\n", stream);
    /* bash parts words at '=': in "--name=val" the word before "val" is "=". */
    fputs("    if [[ $word == = ]]; then word=\n"
          "    elif [[ $before == = ]]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n",
          stream);
    print_bash_groups(stream);
    fputs("    case $command:$before in\n", stream);
    commands_each(print_bash_values, stream);
    fputs("    esac\n"
          "    if [[ $word == -* ]]; then\n"
          "        case $command in\n",
          stream);
    commands_each(print_bash_words, stream);
    fputs("        esac\n"
          "        return\n"
          "    fi\n"
          "    case $command in\n",
          stream);
    print_bash_help(stream);
    fputs("        completions) COMPREPLY=($(compgen -W \"bash zsh fish\" -- \"$word\")) ;;\n"
          "        *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
          "    esac\n"
          "}\n"
          "complete -o filenames -F _freshet freshet\n",
          stream);
}

/* _arguments reads brackets and colons; they are left out of what it shows. */
static void print_zsh_help(FILE *stream, const char *help)
{
    for (; *help; help++) {
        if (*help == '[' || *help == ']' || *help == ':')
            fputc(' ', stream);
        else if (*help == '\'')
            fputs("'\\''", stream);
        else
            fputc(*help, stream);
    }
}

static void print_zsh_action(FILE *stream, const char *argument)
{
    if (!argument)
        return;
    if (strchr(argument, '|')) {
        fputs(":value:(", stream);
        print_choices(stream, argument);
        fputc(')', stream);
    } else if (is_folder(argument)) {
        fprintf(stream, ":%s:_files -/", argument);
    } else if (is_path(argument)) {
        fprintf(stream, ":%s:_files", argument);
    } else {
        fputc(':', stream);
        print_zsh_help(stream, argument);
        fputs(": ", stream);
    }
}

static void print_zsh_option(FILE *stream, const struct command_option *option)
{
    const char *star = option->repeatable ? "*" : "";
    fprintf(stream, " \\\n                '%s--%s%s[", star, option->name,
            option->argument ? "=" : "");
    print_zsh_help(stream, option->help);
    fputc(']', stream);
    print_zsh_action(stream, option->argument);
    fputc('\'', stream);
    if (!option->letter)
        return;
    fprintf(stream, " \\\n                '%s-%c[", star, option->letter);
    print_zsh_help(stream, option->help);
    fputc(']', stream);
    print_zsh_action(stream, option->argument);
    fputc('\'', stream);
}

static void print_zsh_operands(FILE *stream, const struct command *command)
{
    if (strcmp(command->name, "help") == 0) {
        fputs(" \\\n                '1:command:(", stream);
        print_command_names(stream);
        fputs(")'", stream);
    } else if (strcmp(command->name, "completions") == 0) {
        fputs(" \\\n                '1:shell:(bash zsh fish)'", stream);
    } else if (command->operands_max > 0) {
        fputs(" \\\n                '*:operand:_files'", stream);
    }
}

static void print_zsh_list(FILE *stream, const char *indent, const struct command *command)
{
    fprintf(stream, "%s'%s:", indent, command_word(command));
    print_zsh_help(stream, command->summary);
    fputs("'\n", stream);
}

/* One case of the word that is the command, or the verb. */
static void print_zsh_case(FILE *stream, const struct command *command)
{
    fprintf(stream, "        %s)\n            _arguments -s '(-h --help)'{-h,--help}'[help]'",
            command_word(command));
    for (size_t i = 0; i < command_option_count(command); i++)
        if (!command->options[i].hidden)
            print_zsh_option(stream, &command->options[i]);
    print_zsh_operands(stream, command);
    fputs(" ;;\n", stream);
}

static void print_zsh_group(FILE *stream, const struct command *command)
{
    fprintf(stream,
            "        %s)\n"
            "            commands=(\n",
            command->name);
    for (size_t i = 0; command->verbs[i]; i++)
        if (!command->verbs[i]->hidden)
            print_zsh_list(stream, "                ", command->verbs[i]);
    fputs("            )\n"
          "            if ((CURRENT == 2)); then _describe verb commands; return; fi\n"
          "            shift words\n            ((CURRENT--))\n"
          "            case $words[1] in\n",
          stream);
    for (size_t i = 0; command->verbs[i]; i++)
        if (!command->verbs[i]->hidden)
            print_zsh_case(stream, command->verbs[i]);
    fputs("            esac ;;\n", stream);
}

void completion_script_print_zsh(FILE *stream)
{
    fputs("#compdef freshet\n# zsh completion for freshet, made by 'freshet completions zsh'\n"
          "_freshet() {\n"
          "    local -a commands\n    commands=(\n",
          stream);
    for (size_t i = 0; i < commands_count(); i++) {
        if (!commands_at(i)->hidden)
            print_zsh_list(stream, "        ", commands_at(i));
    }
    fputs("    )\n"
          "    if ((CURRENT == 2)); then _describe command commands; return; fi\n"
          "    shift words\n    ((CURRENT--))\n"
          "    case $words[1] in\n",
          stream);
    for (size_t i = 0; i < commands_count(); i++) {
        const struct command *command = commands_at(i);
        if (command->hidden)
            continue;
        if (command->verbs)
            print_zsh_group(stream, command);
        else
            print_zsh_case(stream, command);
    }
    fputs("    esac\n}\n"
          "if [ \"$funcstack[1]\" = _freshet ]; then _freshet \"$@\"; else compdef _freshet "
          "freshet; fi\n",
          stream);
}

/* The condition under which a command's options are offered. A group's verb may be called as
 * another command is: then only the group tells them apart. */
static void print_fish_condition(FILE *stream, const struct command *group,
                                 const struct command *command)
{
    if (group)
        fprintf(stream, "__fish_seen_subcommand_from %s; and ", group->name);
    fprintf(stream, "__fish_seen_subcommand_from %s", command_word(command));
    for (size_t i = 0; !group && i < commands_count(); i++)
        if (command_verb(commands_at(i), command->name))
            fprintf(stream, "; and not __fish_seen_subcommand_from %s", commands_at(i)->name);
}

static void print_fish_option(FILE *stream, const struct command *group,
                              const struct command *command, const struct command_option *option)
{
    fputs("complete -c freshet -n '", stream);
    print_fish_condition(stream, group, command);
    fprintf(stream, "' -l %s", option->name);
    if (option->letter)
        fprintf(stream, " -s %c", option->letter);
    if (option->argument && strchr(option->argument, '|')) {
        fputs(" -x -a '", stream);
        print_choices(stream, option->argument);
        fputc('\'', stream);
    } else if (option->argument && is_folder(option->argument)) {
        fputs(" -x -a '(__fish_complete_directories)'", stream);
    } else if (option->argument) {
        fputs(is_path(option->argument) ? " -r" : " -x", stream);
    }
    fputs(" -d '", stream);
    print_quoted(stream, option->help);
    fputs("'\n", stream);
}

static void print_fish_options(FILE *stream, const struct command *group,
                               const struct command *command)
{
    for (size_t i = 0; i < command_option_count(command); i++)
        if (!command->options[i].hidden)
            print_fish_option(stream, group, command, &command->options[i]);
}

static void print_fish_group(FILE *stream, const struct command *group)
{
    for (size_t i = 0; group->verbs[i]; i++) {
        if (group->verbs[i]->hidden)
            continue;
        fprintf(stream,
                "complete -c freshet -n '__fish_seen_subcommand_from %s; and not "
                "__fish_seen_subcommand_from ",
                group->name);
        print_verb_words(stream, group);
        fprintf(stream, "' -f -a %s -d '", command_word(group->verbs[i]));
        print_quoted(stream, group->verbs[i]->summary);
        fputs("'\n", stream);
        print_fish_options(stream, group, group->verbs[i]);
    }
}

void completion_script_print_fish(FILE *stream)
{
    fputs("# fish completion for freshet, made by 'freshet completions fish'\n", stream);
    for (size_t i = 0; i < commands_count(); i++) {
        const struct command *command = commands_at(i);
        if (command->hidden)
            continue;
        fprintf(stream, "complete -c freshet -n __fish_use_subcommand -f -a %s -d '",
                command->name);
        print_quoted(stream, command->summary);
        fputs("'\n", stream);
        if (command->verbs)
            print_fish_group(stream, command);
        else
            print_fish_options(stream, NULL, command);
    }
    fputs("complete -c freshet -n '__fish_seen_subcommand_from help' -f -a '", stream);
    print_command_names(stream);
    fputs("'\ncomplete -c freshet -n '__fish_seen_subcommand_from completions' -f -a 'bash zsh "
          "fish'\n",
          stream);
}
