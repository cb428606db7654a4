/* SPDX-License-Identifier: MIT */
#include "cli/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/output.h"
#include "cli/terminal.h"
#include "core/base/bytes.h"

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
    snprintf(text, sizeof text, "freshet%s%s: ", message_command ? " " : "",
             message_command ? message_command : "");
    struct buffer line = {0};
    buffer_append_text(&line, text);
    buffer_append_text(&line, safe);
    buffer_append(&line, "\n", 2); /* with its end */
    output_error((const char *)line.data);
    buffer_deinit(&line);
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
