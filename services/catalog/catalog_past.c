/* SPDX-License-Identifier: MIT */
/* A torrent that another program had before: its age, its sums, and the names of its files. */
#include "services/catalog/catalog_state.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>

enum freshet_error catalog_past_check(const struct catalog_add *add, char ret_text[256])
{
    const struct catalog_past *past = add->past;
    enum freshet_error error = FRESHET_OK;

    if (past->folder_done && past->folder_done[0] != '/') {
        snprintf(ret_text, 256, "the folder must be absolute");
        return FRESHET_ERROR_USAGE;
    }
    if (past->renamed_count > CATALOG_RENAMINGS_MAX) {
        snprintf(ret_text, 256, "more than %u files have other names", CATALOG_RENAMINGS_MAX);
        return FRESHET_ERROR_LIMIT;
    }
    if (past->renamed_count && !add->metainfo)
        error = FRESHET_ERROR_MISSING;
    for (uint32_t i = 0; i < past->renamed_count && !error; i++)
        error = metainfo_rename(add->metainfo, past->renamed_paths[i], past->renamed_names[i]);
    if (error)
        snprintf(ret_text, 256, "the names of its files: %s", error_text(error));
    return error;
}

void catalog_past_apply(struct catalog_torrent *torrent, const struct catalog_past *past)
{
    if (past->added_s > 0 && past->added_s < torrent->added_s)
        torrent->added_s = past->added_s;
    torrent->done_s = past->done_s > 0 ? past->done_s : 0;
    torrent->active_s = past->active_s > 0 ? past->active_s : 0;
    torrent->uploaded = past->uploaded;
    torrent->downloaded = past->downloaded;
    torrent->corrupt = past->corrupt;
    torrent->seconds_downloading = past->seconds_downloading;
    torrent->seconds_seeding = past->seconds_seeding;
    if (past->folder_done && strcmp(past->folder_done, torrent->folder) != 0)
        catalog_rows_set_text(&torrent->folder_done, past->folder_done);
    if (past->renamed_count == 0)
        return;
    torrent->renamed_paths = memory_new_array(past->renamed_count, sizeof(char *));
    torrent->renamed_names = memory_new_array(past->renamed_count, sizeof(char *));
    torrent->renamed_count = past->renamed_count;
    for (uint32_t i = 0; i < past->renamed_count; i++) {
        torrent->renamed_paths[i] = memory_copy_text(past->renamed_paths[i]);
        torrent->renamed_names[i] = memory_copy_text(past->renamed_names[i]);
    }
}
