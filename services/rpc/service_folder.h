/* SPDX-License-Identifier: MIT */
/*
 * Where a request may put data, or look: asked by all services that take a folder. The
 * commandments:
 *  1. A folder is absolute and goes straight: no "." and "..", no control characters.
 *  2. Who came over the network stays below the roots that the command line gave, or below the
 *     folders that the settings name for downloads: those were allowed, or set by a local user.
 *  3. A root holds what lies below it, not what begins with the same letters.
 *  4. Text alone is compared; links on the disk are the host's matter.
 */
#ifndef FRESHET_RPC_SERVICE_FOLDER_H
#define FRESHET_RPC_SERVICE_FOLDER_H

#include "services/catalog/catalog.h"

#define SERVICE_FOLDER_TEXT 1024u

struct service_folder_question {
    const struct catalog_settings *settings;
    const char *folder;
    bool is_local;   /* then only its form is looked at */
    bool is_control; /* else it is not told which roots there are */
};

/* false: `ret_why` says why not, and how it could be. */
bool service_folder_allowed(const struct service_folder_question *question,
                            char ret_why[SERVICE_FOLDER_TEXT]);

#endif
