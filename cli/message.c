/* SPDX-License-Identifier: MIT */
#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/terminal.h"

#define MESSAGE_SIZE 8192

static const char *message_command;

void message_set_command(const char *name)
{
    message_command = name;
}

__attribute__((format(printf, 1, 0))) static void print_line(const char *format, va_list arguments)
{
    char text[MESSAGE_SIZE];
    char safe[MESSAGE_SIZE];
    vsnprintf(text, sizeof text, format, arguments);
    terminal_safe_text(text, safe, sizeof safe);
    fflush(stdout);
    if (message_command)
        fprintf(stderr, "freshet %s: %s\n", message_command, safe);
    else
        fprintf(stderr, "freshet: %s\n", safe);
}

void message_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

void message_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
}

void message_error_code(const char *what, enum freshet_error error)
{
    message_error("%s: %s", what, error_text(error));
}
