/* SPDX-License-Identifier: MIT */
/* The catalog as it was when the daemon ended, or was killed. */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/root_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One more folder that may be used over the network. */
static void add_root(struct catalog_settings *settings, const char *folder)
{
    if (!folder || folder[0] != '/')
        return;
    for (uint32_t i = 0; i < settings->root_count; i++)
        if (strcmp(settings->roots[i], folder) == 0)
            return;
    settings->roots =
        memory_resize_array(settings->roots, settings->root_count + 1, sizeof(char *));
    settings->roots[settings->root_count++] = memory_copy_text(folder);
}

/* Clients name a folder as a person does, links in it and all, and the text is compared: so it is a
 * root as it was written and as it is. */
static enum freshet_error resolve_root(struct catalog_settings *settings, const char *written,
                                       char ret_folder[LIMIT_PATH_LENGTH + 1],
                                       char ret_text[SESSION_TEXT_SIZE])
{
    char plain[LIMIT_PATH_LENGTH + 1];
    enum freshet_error error = root_path_resolve(written, ret_folder);

    if (error) {
        snprintf(ret_text, SESSION_TEXT_SIZE, "%.300s: %s", written, error_text(error));
        return error;
    }
    add_root(settings, ret_folder);
    size_t length = (size_t)snprintf(plain, sizeof plain, "%s", written);
    while (length > 1 && plain[length - 1] == '/')
        plain[--length] = '\0';
    add_root(settings, plain);
    return FRESHET_OK;
}

/* The settings of the state, with what the command line says instead. Folders that they begin with
 * stay allowed, else a client that went into one below could not come back. */
static enum freshet_error set_folders(struct daemon_service *daemon,
                                      struct catalog_settings *settings,
                                      char ret_text[SESSION_TEXT_SIZE])
{
    const char *wish = daemon->options.download_folder, *home = getenv("HOME");
    char folder[LIMIT_PATH_LENGTH + 1], usual[LIMIT_PATH_LENGTH + 1];
    enum freshet_error error = FRESHET_OK;

    snprintf(usual, sizeof usual, "%.4000s/Downloads", home ? home : "");
    if (wish || !settings->download_folder) {
        error = resolve_root(settings, wish ? wish : usual, folder, ret_text);
        if (error)
            return error;
        memory_free(settings->download_folder);
        settings->download_folder = memory_copy_text(folder);
    } else if (home && root_path_resolve(usual, folder) == FRESHET_OK) {
        add_root(settings, folder);
    }
    add_root(settings, settings->download_folder);
    add_root(settings, settings->incomplete_folder);
    for (size_t i = 0; i < daemon->options.root_count && !error; i++)
        error = resolve_root(settings, daemon->options.roots[i], folder, ret_text);
    return error;
}

enum freshet_error daemon_restore(struct daemon_service *daemon, char ret_text[SESSION_TEXT_SIZE])
{
    struct catalog_store_content content = {0};
    struct catalog_options options = {.now = clock_now(), .wall_s = clock_wall() / SECOND_NS};
    enum freshet_error error = catalog_store_load(session_state(daemon->session), &content);

    if (error) {
        snprintf(ret_text, SESSION_TEXT_SIZE, "the torrents in the state cannot be read: %s",
                 error_text(error));
        return error;
    }
    if (!content.has_settings)
        catalog_settings_defaults(&content.settings);
    content.has_settings = true;
    error = set_folders(daemon, &content.settings, ret_text);
    if (!error) {
        if (daemon->options.has_encryption)
            content.settings.encryption = daemon->options.session.engine.encryption;
        content.settings.peer_port = session_listen_address(daemon->session).port;
        options.settings = &content.settings;
        options.next_id = content.next_id;
        daemon->catalog = catalog_new(&options);
        for (uint32_t i = 0; i < content.row_count; i++)
            catalog_restore(daemon->catalog, &content.rows[i]);
    }
    catalog_store_content_deinit(&content);
    return error;
}
