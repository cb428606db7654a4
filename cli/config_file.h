/* SPDX-License-Identifier: MIT */
/*
 * What a person or an administrator wrote down once instead of typing it each time: INI files whose
 * keys are the long options. Keys above all sections hold for every command that has the option,
 * those in a section for one: [get], [dht node]. A flag is on at 1, yes, true or on.
 *
 *     $XDG_CONFIG_DIRS/freshet/config.ini  (/etc/xdg), the system's
 *     $XDG_CONFIG_HOME/freshet/config.ini  (~/.config), the user's, which goes before it
 */
#ifndef FRESHET_CLI_CONFIG_FILE_H
#define FRESHET_CLI_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct config_entry {
    char *section; /* "" above all sections */
    char *key, *value;
    const char *path;
    int line;
    bool is_user;
};

struct config_file {
    char *paths[2];               /* the system's, the user's; NULL: not there */
    struct config_entry *entries; /* the system's first */
    size_t count;
};

/* Absent files are no error. false after saying what is wrong in which line. */
bool config_file_load(struct config_file *ret_config);
void config_file_deinit(struct config_file *config);

#endif
