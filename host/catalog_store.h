/* SPDX-License-Identifier: MIT */
/*
 * The catalog's rows and settings in the state (host/state_store.h): tables `catalog` and
 * `settings`, whose columns a person can read. Saves are copied on the engine's thread and written
 * on a worker, many in one transaction; when that returns, a power cut cannot undo them.
 */
#ifndef FRESHET_HOST_CATALOG_STORE_H
#define FRESHET_HOST_CATALOG_STORE_H

#include "host/state_store.h"
#include "services/catalog/catalog.h"

/* One action of catalog_output that is to be kept, with copies of all that it points at. */
struct catalog_store_save {
    enum catalog_action_type type; /* SAVE, SAVE_SETTINGS, FORGET, TRACKERS */
    uint64_t change;
    struct catalog_torrent torrent;
    struct catalog_settings settings;
    struct buffer torrent_file;
    char **urls;
    uint32_t *tiers;
    uint32_t url_count;
    bool add_trackers;
};

/* true: the action is a save, and *ret_save is a copy of it. */
bool catalog_store_save_copy(const struct catalog *catalog, const struct catalog_action *action,
                             struct catalog_store_save *ret_save);
void catalog_store_save_deinit(struct catalog_store_save *save);

/* All or nothing, in the order given; durable when it returns FRESHET_OK: then
 * catalog_on_saved(change of the last one). Blocks; from any thread. */
enum freshet_error catalog_store_commit(struct state_store *store,
                                        const struct catalog_store_save *saves, uint32_t count);

/* What was kept. Rows by id; `settings` only when there are some. */
struct catalog_store_content {
    bool has_settings;
    struct catalog_settings settings;
    torrent_id next_id;
    struct catalog_torrent *rows; /* to be given to catalog_restore one by one */
    uint32_t row_count;
};

enum freshet_error catalog_store_load(struct state_store *store,
                                      struct catalog_store_content *ret_content);
void catalog_store_content_deinit(struct catalog_store_content *content);

#endif
