/* SPDX-License-Identifier: MIT */
#include "host/catalog_store.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/metainfo/torrent_editor.h"
#include "host/catalog_store_columns.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define NEXT_ID "next_torrent_id"

/* ---- copies ---- */

static char **copy_texts(const char *const *texts, uint32_t count)
{
    char **copy = count ? memory_new_array(count, sizeof *copy) : NULL;

    for (uint32_t i = 0; i < count; i++)
        copy[i] = memory_copy_text(texts[i]);
    return copy;
}

static void copy_torrent(const struct catalog_torrent *from, struct catalog_torrent *ret_to)
{
    *ret_to = *from;
    ret_to->name = memory_copy_text(from->name);
    ret_to->folder = memory_copy_text(from->folder);
    ret_to->folder_done = memory_copy_text(from->folder_done);
    ret_to->move_to = memory_copy_text(from->move_to);
    ret_to->rename_path = memory_copy_text(from->rename_path);
    ret_to->rename_name = memory_copy_text(from->rename_name);
    ret_to->renamed_paths =
        copy_texts((const char *const *)from->renamed_paths, from->renamed_count);
    ret_to->renamed_names =
        copy_texts((const char *const *)from->renamed_names, from->renamed_count);
    ret_to->magnet = memory_copy_text(from->magnet);
    ret_to->trouble_text = memory_copy_text(from->trouble_text);
    ret_to->bandwidth_group = memory_copy_text(from->bandwidth_group);
    ret_to->labels = copy_texts((const char *const *)from->labels, from->label_count);
    ret_to->priorities = from->priorities ? memory_copy(from->priorities, from->file_count) : NULL;
    ret_to->made = from->made ? memory_copy(from->made, from->file_count) : NULL;
}

bool catalog_store_save_copy(const struct catalog *catalog, const struct catalog_action *action,
                             struct catalog_store_save *ret_save)
{
    struct catalog_store_save save = {.type = action->type, .change = action->change};

    switch (action->type) {
    case CATALOG_SAVE_SETTINGS:
        catalog_settings_copy(catalog_settings(catalog), &save.settings);
        break;
    case CATALOG_SAVE:
    case CATALOG_FORGET:
    case CATALOG_TRACKERS:
        copy_torrent(action->torrent, &save.torrent);
        buffer_append(&save.torrent_file, action->torrent_file.data, action->torrent_file.length);
        save.urls = copy_texts(action->urls, action->url_count);
        save.tiers = memory_copy(action->tiers, action->url_count * sizeof *save.tiers);
        save.url_count = action->url_count;
        save.add_trackers = action->add_trackers;
        break;
    default: return false;
    }
    *ret_save = save;
    return true;
}

void catalog_store_save_deinit(struct catalog_store_save *save)
{
    catalog_torrent_deinit(&save->torrent);
    catalog_settings_deinit(&save->settings);
    buffer_deinit(&save->torrent_file);
    for (uint32_t i = 0; i < save->url_count; i++)
        memory_free(save->urls[i]);
    memory_free(save->urls);
    memory_free(save->tiers);
    memset(save, 0, sizeof *save);
}

/* ---- writing ---- */

static int run(sqlite3_stmt *statement, int code)
{
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_finalize(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int put_torrent_file(sqlite3 *database, const uint8_t key[32], struct bytes torrent)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO torrents VALUES(?1,?2)", -1,
                                  &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_blob(statement, 1, key, 32, SQLITE_STATIC);
        sqlite3_bind_blob64(statement, 2, torrent.data, torrent.length, SQLITE_STATIC);
    }
    return run(statement, code);
}

/* The id's last row goes, but the number does not come again. */
static int raise_next_id(sqlite3 *database, torrent_id id)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database,
                                  "INSERT INTO numbers VALUES('" NEXT_ID "',?1) ON CONFLICT(name) "
                                  "DO UPDATE SET value=max(value,?1)",
                                  -1, &statement, NULL);

    if (code == SQLITE_OK)
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)id + 1);
    return run(statement, code);
}

static int forget(sqlite3 *database, const struct catalog_torrent *torrent)
{
    /* The .torrent and the records of a hash that another row has meanwhile are that row's. */
    static const char *const queries[] = {
        "DELETE FROM catalog WHERE id=?1",
        "DELETE FROM records WHERE info_hash=?2 AND root=?3 AND NOT EXISTS"
        " (SELECT 1 FROM catalog WHERE info_hash=?2 AND folder=?3)",
        "DELETE FROM torrents WHERE info_hash=?2 AND NOT EXISTS"
        " (SELECT 1 FROM catalog WHERE info_hash=?2)",
    };
    int code = SQLITE_OK;

    for (size_t i = 0; i < sizeof queries / sizeof *queries && code == SQLITE_OK; i++) {
        sqlite3_stmt *statement = NULL;
        code = sqlite3_prepare_v2(database, queries[i], -1, &statement, NULL);
        if (code == SQLITE_OK) {
            sqlite3_bind_int64(statement, 1, torrent->id);
            sqlite3_bind_blob(statement, 2, torrent->key, 32, SQLITE_STATIC);
            sqlite3_bind_text(statement, 3, torrent->folder, -1, SQLITE_STATIC);
        }
        code = run(statement, code);
    }
    return code;
}

static bool has_url(const struct bytes *urls, uint32_t count, struct bytes url)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(urls[i], url))
            return true;
    return false;
}

/* The .torrent with the save's trackers; those that it has stay in front when they are added to. */
static enum freshet_error edit_trackers(const struct catalog_store_save *save, struct bytes torrent,
                                        struct buffer *out)
{
    char reason[METAINFO_REASON_SIZE];
    struct metainfo *metainfo = NULL;
    enum freshet_error error = metainfo_parse(torrent, &metainfo, reason);
    struct bytes urls[LIMIT_TRACKERS_MAX];
    uint32_t tiers[LIMIT_TRACKERS_MAX], count = 0, above = 0;

    if (error)
        return error;
    for (uint32_t i = 0; i < metainfo->tracker_count && save->add_trackers; i++) {
        if (count == LIMIT_TRACKERS_MAX)
            break;
        tiers[count] = metainfo->tracker_tiers[i];
        above = tiers[count] + 1;
        urls[count++] = metainfo->trackers[i];
    }
    for (uint32_t i = 0; i < save->url_count && count < LIMIT_TRACKERS_MAX; i++) {
        struct bytes url = {(const uint8_t *)save->urls[i], strlen(save->urls[i])};
        uint32_t tier = above + save->tiers[i];
        if (has_url(urls, count, url))
            continue;
        /* Tiers ascend in a .torrent. */
        tiers[count] = count && tier < tiers[count - 1] ? tiers[count - 1] : tier;
        urls[count++] = url;
    }
    struct torrent_editor_changes changes = {
        .set_trackers = true, .trackers = urls, .tracker_tiers = tiers, .tracker_count = count};
    error = torrent_editor_apply(torrent, &changes, out);
    metainfo_free(metainfo);
    return error;
}

static int set_trackers(sqlite3 *database, const struct catalog_store_save *save)
{
    struct buffer torrent = {0}, edited = {0};
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, "SELECT torrent FROM torrents WHERE info_hash=?1", -1,
                                  &statement, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_blob(statement, 1, save->torrent.key, 32, SQLITE_STATIC);
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW)
        buffer_append(&torrent, sqlite3_column_blob(statement, 0),
                      (size_t)sqlite3_column_bytes(statement, 0));
    sqlite3_finalize(statement);
    /* A link has its trackers in the row. */
    if (code == SQLITE_ROW && edit_trackers(save, buffer_bytes(&torrent), &edited) == FRESHET_OK)
        code = put_torrent_file(database, save->torrent.key, buffer_bytes(&edited));
    buffer_deinit(&torrent);
    buffer_deinit(&edited);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int write_save(sqlite3 *database, sqlite3_stmt *put_row,
                      const struct catalog_store_save *save)
{
    int code = SQLITE_OK;

    switch (save->type) {
    case CATALOG_SAVE:
        code = catalog_store_columns_put(put_row, &save->torrent);
        if (code == SQLITE_OK && save->torrent_file.length)
            code = put_torrent_file(database, save->torrent.key, buffer_bytes(&save->torrent_file));
        break;
    case CATALOG_SAVE_SETTINGS:
        code = catalog_store_columns_put_settings(database, &save->settings);
        break;
    case CATALOG_FORGET: code = forget(database, &save->torrent); break;
    case CATALOG_TRACKERS: code = set_trackers(database, save); break;
    default: break;
    }
    return code;
}

struct batch {
    const struct catalog_store_save *saves;
    uint32_t count;
};

static enum freshet_error write_batch(struct state_store *store, sqlite3 *database,
                                      const void *context)
{
    const struct batch *batch = context;
    sqlite3_stmt *put_row = NULL;
    torrent_id last = 0;
    int code = catalog_store_columns_prepare(database, &put_row);

    (void)store;
    for (uint32_t i = 0; i < batch->count && code == SQLITE_OK; i++) {
        const struct catalog_store_save *save = &batch->saves[i];
        code = write_save(database, put_row, save);
        last = save->torrent.id > last ? save->torrent.id : last;
    }
    sqlite3_finalize(put_row);
    if (code == SQLITE_OK && last)
        code = raise_next_id(database, last);
    return state_store_error(code);
}

enum freshet_error catalog_store_commit(struct state_store *store,
                                        const struct catalog_store_save *saves, uint32_t count)
{
    const struct batch batch = {saves, count};

    return count ? state_store_transact(store, write_batch, &batch) : FRESHET_OK;
}

/* ---- reading ---- */

enum freshet_error catalog_store_load(struct state_store *store,
                                      struct catalog_store_content *ret_content)
{
    struct catalog_store_content content = {.next_id = 1};
    int64_t next = state_store_number(store, NEXT_ID, 1);
    sqlite3 *database = state_store_hold(store);
    int code =
        catalog_store_columns_get_settings(database, &content.settings, &content.has_settings);

    if (code == SQLITE_OK)
        code = catalog_store_columns_get(database, &content.rows, &content.row_count);
    state_store_release(store);
    if (code != SQLITE_OK) {
        catalog_store_content_deinit(&content);
        return state_store_error(code);
    }
    if (next > 1 && next <= UINT32_MAX)
        content.next_id = (torrent_id)next;
    if (content.row_count && content.rows[content.row_count - 1].id >= content.next_id)
        content.next_id = content.rows[content.row_count - 1].id + 1;
    *ret_content = content;
    return FRESHET_OK;
}

void catalog_store_content_deinit(struct catalog_store_content *content)
{
    for (uint32_t i = 0; i < content->row_count; i++)
        catalog_torrent_deinit(&content->rows[i]);
    memory_free(content->rows);
    catalog_settings_deinit(&content->settings);
    memset(content, 0, sizeof *content);
}
