/* SPDX-License-Identifier: MIT */
/* Where a request may put data. The commandments:
 *  1. A folder is absolute and goes straight: no "." and "..", no control characters.
 *  2. Who came over the network stays below the settings' roots; without roots, below the folders
 *     that the settings name for downloads.
 *  3. A root holds what lies below it, not what begins with the same letters. */
#include "services/rpc/transmission_state.h"

#include <string.h>

static bool is_straight(const char *folder)
{
    if (folder[0] != '/' || strlen(folder) > LIMIT_PATH_LENGTH)
        return false;
    for (const char *at = folder; *at;) {
        size_t length = strcspn(at, "/");
        if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
                return false;
        at += length + (at[length] == '/');
    }
    return true;
}

/* The next element of a path; elements are compared, so that "//" and a last '/' do no harm. */
static struct bytes next_element(const char **path)
{
    while (**path == '/')
        (*path)++;
    struct bytes element = {(const uint8_t *)*path, strcspn(*path, "/")};
    *path += element.length;
    return element;
}

static bool lies_below(const char *folder, const char *root)
{
    if (!root || root[0] != '/')
        return false;
    for (;;) {
        struct bytes wanted = next_element(&root);
        if (wanted.length == 0)
            return true;
        if (!bytes_equal(wanted, next_element(&folder)))
            return false;
    }
}

static bool lies_below_roots(const struct catalog_settings *settings, const char *folder)
{
    if (settings->root_count == 0)
        return lies_below(folder, settings->download_folder) ||
               lies_below(folder, settings->incomplete_folder);
    for (uint32_t i = 0; i < settings->root_count; i++)
        if (lies_below(folder, settings->roots[i]))
            return true;
    return false;
}

bool transmission_folder_allowed(struct transmission_request *request,
                                 const struct catalog_settings *settings, const char *folder)
{
    if (!is_straight(folder)) {
        transmission_rpc_fail(request, FAULT_PATH,
                              folder[0] == '/' ? "the folder has parts that are not allowed"
                                               : "directory path is not absolute");
        return false;
    }
    if (!request->is_local && !lies_below_roots(settings, folder)) {
        transmission_rpc_fail(request, FAULT_PATH,
                              "the folder lies outside of those that the daemon allows");
        return false;
    }
    return true;
}
