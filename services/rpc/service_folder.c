/* SPDX-License-Identifier: MIT */
#include "services/rpc/service_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WORDS_LEFT 100u /* for what stands behind the roots */

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
    for (uint32_t i = 0; i < settings->root_count; i++)
        if (lies_below(folder, settings->roots[i]))
            return true;
    return lies_below(folder, settings->download_folder) ||
           lies_below(folder, settings->incomplete_folder);
}

static void say_outside(const struct service_folder_question *question, char *ret_why)
{
    const struct catalog_settings *settings = question->settings;
    size_t length = (size_t)snprintf(ret_why, SERVICE_FOLDER_TEXT,
                                     "lies outside of the folders that the daemon allows over the "
                                     "network");
    uint32_t told = 0;

    for (; question->is_control && told < settings->root_count; told++) {
        const char *root = settings->roots[told];
        if (length + strlen(root) + WORDS_LEFT > SERVICE_FOLDER_TEXT)
            break;
        length += (size_t)snprintf(ret_why + length, SERVICE_FOLDER_TEXT - length, "%s%s",
                                   told ? ", " : ": ", root);
    }
    if (question->is_control && told < settings->root_count)
        length += (size_t)snprintf(ret_why + length, SERVICE_FOLDER_TEXT - length,
                                   " and %" PRIu32 " more", settings->root_count - told);
    snprintf(ret_why + length, SERVICE_FOLDER_TEXT - length,
             "; 'freshet daemon --root DIR' adds one");
}

bool service_folder_allowed(const struct service_folder_question *question,
                            char ret_why[SERVICE_FOLDER_TEXT])
{
    const char *folder = question->folder;

    if (!is_straight(folder))
        snprintf(ret_why, SERVICE_FOLDER_TEXT, "%s",
                 folder[0] == '/' ? "has parts that are not allowed" : "is no absolute path");
    else if (question->is_local || lies_below_roots(question->settings, folder))
        return true;
    else
        say_outside(question, ret_why);
    return false;
}
