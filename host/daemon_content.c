/* SPDX-License-Identifier: MIT */
#include "host/daemon_content.h"

#include "core/base/memory.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

void daemon_content_source_init(struct daemon_content_source *source,
                                const struct catalog_torrent *torrent)
{
    memcpy(source->key, torrent->key, sizeof source->key);
    source->folder = memory_copy_text(torrent->folder);
    source->renamed_count = torrent->renamed_count;
    source->renamed_paths = memory_new_array(torrent->renamed_count, sizeof(char *));
    source->renamed_names = memory_new_array(torrent->renamed_count, sizeof(char *));
    for (uint32_t i = 0; i < torrent->renamed_count; i++) {
        source->renamed_paths[i] = memory_copy_text(torrent->renamed_paths[i]);
        source->renamed_names[i] = memory_copy_text(torrent->renamed_names[i]);
    }
}

void daemon_content_source_deinit(struct daemon_content_source *source)
{
    for (uint32_t i = 0; i < source->renamed_count; i++) {
        memory_free(source->renamed_paths[i]);
        memory_free(source->renamed_names[i]);
    }
    memory_free(source->renamed_paths);
    memory_free(source->renamed_names);
    memory_free(source->folder);
    memset(source, 0, sizeof *source);
}

enum freshet_error daemon_content_load(struct state_store *state,
                                       const struct daemon_content_source *source,
                                       struct metainfo **ret_metainfo,
                                       char ret_text[METAINFO_REASON_SIZE])
{
    struct buffer torrent = {0};
    struct metainfo *metainfo = NULL;
    enum freshet_error error = state_store_get_torrent(state, source->key, &torrent);

    ret_text[0] = '\0';
    if (!error)
        error = metainfo_parse(buffer_bytes(&torrent), &metainfo, ret_text);
    buffer_deinit(&torrent);
    for (uint32_t i = 0; i < source->renamed_count && !error; i++)
        error = metainfo_rename(metainfo, source->renamed_paths[i], source->renamed_names[i]);
    if (error) {
        if (!ret_text[0])
            snprintf(ret_text, METAINFO_REASON_SIZE, "its .torrent in the state: %s",
                     error_text(error));
        metainfo_free(metainfo);
        return error;
    }
    *ret_metainfo = metainfo;
    return FRESHET_OK;
}

const char **daemon_content_paths(const struct metainfo *metainfo)
{
    const char **paths = memory_new_array(metainfo->geometry.file_count, sizeof *paths);

    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (!metainfo->files[i].padding)
            paths[i] = metainfo->files[i].path;
    return paths;
}

bool daemon_content_holds(const struct catalog *catalog, const char *folder, const char *name)
{
    char path[PATH_MAX], top[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (uint32_t i = 0; i < catalog_count(catalog); i++) {
        const struct catalog_torrent *row = catalog_at(catalog, i);
        const char *const places[] = {row->folder, row->folder_done};
        for (size_t place = 0; place < 2 && !row->metadata_missing; place++) {
            if (!places[place])
                continue;
            snprintf(top, sizeof top, "%s/%s", places[place], row->name);
            size_t length = strlen(top);
            if (strncmp(path, top, length) == 0 && (path[length] == '\0' || path[length] == '/'))
                return true;
        }
    }
    return false;
}
