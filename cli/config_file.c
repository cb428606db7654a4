/* SPDX-License-Identifier: MIT */
#include "cli/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#define ENTRIES_MAX 10000u

/* The first folder of a list such as XDG_CONFIG_DIRS, which must be absolute. */
static char *make_path(const char *folder)
{
    char path[LIMIT_PATH_LENGTH + 1];
    size_t length = strcspn(folder, ":");

    if (folder[0] != '/' || snprintf(path, sizeof path, "%.*s/freshet/config.ini", (int)length,
                                     folder) >= (int)sizeof path)
        return NULL;
    return memory_copy_text(path);
}

static char *user_path(void)
{
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char usual[LIMIT_PATH_LENGTH + 1];

    if (folder && folder[0])
        return make_path(folder);
    snprintf(usual, sizeof usual, "%.3000s/.config", home ? home : "");
    return make_path(usual);
}

static char *system_path(void)
{
    const char *folders = getenv("XDG_CONFIG_DIRS");

    return make_path(folders && folders[0] ? folders : "/etc/xdg");
}

struct reading {
    struct config_file *config;
    int which; /* 0 the system's, 1 the user's */
    int line;
    FILE *file;
};

static char *next_line(char *text, int size, void *context)
{
    struct reading *reading = context;

    reading->line++;
    return fgets(text, size, reading->file);
}

static int on_entry(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;
    struct config_file *config = reading->config;

    if (config->count == ENTRIES_MAX)
        return 0;
    config->entries =
        memory_resize_array(config->entries, config->count + 1, sizeof *config->entries);
    config->entries[config->count++] = (struct config_entry){
        .section = memory_copy_text(section),
        .key = memory_copy_text(key),
        .value = memory_copy_text(value ? value : ""),
        .path = config->paths[reading->which],
        .line = reading->line,
        .is_user = reading->which == 1,
    };
    return 1;
}

static bool read_one(struct config_file *config, int which)
{
    FILE *file = config->paths[which] ? fopen(config->paths[which], "re") : NULL;

    if (!file && config->paths[which] && errno != ENOENT && errno != ENOTDIR) {
        message_error("%s: %s", config->paths[which], strerror(errno));
        return false;
    }
    if (!file) {
        memory_free(config->paths[which]);
        config->paths[which] = NULL;
        return true;
    }
    struct reading reading = {.config = config, .which = which, .file = file};
    int line = ini_parse_stream(next_line, &reading, on_entry, &reading);
    fclose(file);
    if (line)
        message_error("%s:%d: not understood (lines are KEY = VALUE, [COMMAND] or # comments)",
                      config->paths[which], line);
    return line == 0;
}

bool config_file_load(struct config_file *ret_config)
{
    *ret_config = (struct config_file){.paths = {system_path(), user_path()}};
    if (read_one(ret_config, 0) && read_one(ret_config, 1))
        return true;
    config_file_deinit(ret_config);
    return false;
}

void config_file_deinit(struct config_file *config)
{
    for (size_t i = 0; i < config->count; i++) {
        memory_free(config->entries[i].section);
        memory_free(config->entries[i].key);
        memory_free(config->entries[i].value);
    }
    memory_free(config->entries);
    memory_free(config->paths[0]);
    memory_free(config->paths[1]);
    *config = (struct config_file){0};
}
