/* SPDX-License-Identifier: MIT */
#include "cli/commands.h"

#include <string.h>

#include "cli/command_help.h"
#include "cli/message.h"
#include "cli/suggestion.h"

extern const struct command add_command, completions_command, config_command, create_command,
    daemon_command, dht_command, doctor_command, edit_command, feed_command, files_command,
    folders_command, get_command, help_command, import_command, info_command, limit_command,
    log_command, ls_command, man_command, mv_command, peers_command, recheck_command, rm_command,
    seed_command, set_command, show_command, shutdown_command, sim_command, start_command,
    stop_command, top_command, tracker_command, verify_command, version_command, watch_command,
    web_command;

/* In the order in which `freshet help` shows them. */
static const struct command *const commands[] = {
    &get_command,     &seed_command,    &create_command,   &show_command,        &verify_command,
    &edit_command,    &tracker_command, &dht_command,      &daemon_command,      &add_command,
    &ls_command,      &info_command,    &files_command,    &peers_command,       &start_command,
    &stop_command,    &rm_command,      &mv_command,       &set_command,         &limit_command,
    &folders_command, &recheck_command, &watch_command,    &feed_command,        &log_command,
    &top_command,     &web_command,     &shutdown_command, &import_command,      &doctor_command,
    &sim_command,     &config_command,  &help_command,     &completions_command, &man_command,
    &version_command,
};

size_t commands_count(void)
{
    return sizeof commands / sizeof commands[0];
}

const struct command *commands_at(size_t index)
{
    return commands[index];
}

const struct command *commands_find(const char *name)
{
    for (size_t i = 0; i < commands_count(); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

/* "dht-ping" is the page of "dht ping". */
static bool is_page(const struct command *command, const char *page)
{
    const char *name = command->name;
    for (; *name && *page; name++, page++)
        if ((*name == ' ' ? '-' : *name) != *page)
            return false;
    return *name == *page;
}

const struct command *commands_find_page(const char *page)
{
    for (size_t i = 0; i < commands_count(); i++) {
        if (is_page(commands[i], page))
            return commands[i];
        for (size_t j = 0; commands[i]->verbs && commands[i]->verbs[j]; j++)
            if (is_page(commands[i]->verbs[j], page))
                return commands[i]->verbs[j];
    }
    return NULL;
}

void commands_each(void (*see)(void *context, const struct command *command), void *context)
{
    for (size_t i = 0; i < commands_count(); i++) {
        if (commands[i]->hidden)
            continue;
        see(context, commands[i]);
        for (size_t j = 0; commands[i]->verbs && commands[i]->verbs[j]; j++)
            if (!commands[i]->verbs[j]->hidden)
                see(context, commands[i]->verbs[j]);
    }
}

int commands_unknown(const char *name)
{
    struct suggestion suggestion;
    suggestion_init(&suggestion, name);
    for (size_t i = 0; i < commands_count(); i++)
        if (!commands[i]->hidden)
            suggestion_offer(&suggestion, commands[i]->name);
    if (suggestion.best)
        message_error("no command '%.60s', did you mean '%s'?", name, suggestion.best);
    else
        message_error("no command '%.60s' ('freshet help' lists them)", name);
    return EXIT_CODE_USAGE;
}

void commands_print_overview(FILE *stream)
{
    fputs("usage: freshet COMMAND [OPTION]... [OPERAND]...\n\ncommands:\n", stream);
    for (size_t i = 0; i < commands_count(); i++)
        if (!commands[i]->hidden)
            fprintf(stream, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n", stream);
    command_help_print_wrapped(stream,
                               "'freshet COMMAND -h' is short help with examples, 'freshet help "
                               "COMMAND' the whole manual.",
                               0);
}
