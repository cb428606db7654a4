/* SPDX-License-Identifier: MIT */
/* The catalog as it was when the daemon ended, or was killed. */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/root_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The settings of the state, with what the command line says instead. */
static enum freshet_error set_folder(struct daemon_service *daemon,
                                     struct catalog_settings *settings,
                                     char ret_text[SESSION_TEXT_SIZE])
{
    const char *wish = daemon->options.download_folder, *home = getenv("HOME");
    char folder[LIMIT_PATH_LENGTH + 1], usual[LIMIT_PATH_LENGTH + 1];

    snprintf(usual, sizeof usual, "%.4000s/Downloads", home ? home : "");
    if (!wish && settings->download_folder)
        return FRESHET_OK;
    if (!wish)
        wish = usual;
    enum freshet_error error = root_path_resolve(wish, folder);
    if (error) {
        snprintf(ret_text, SESSION_TEXT_SIZE, "%.300s: %s", wish, error_text(error));
        return error;
    }
    memory_free(settings->download_folder);
    settings->download_folder = memory_copy_text(folder);
    return FRESHET_OK;
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
    error = set_folder(daemon, &content.settings, ret_text);
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
