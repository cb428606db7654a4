/* SPDX-License-Identifier: MIT */
/*
 * Rows: born, found, named, changed, gone. Saves come out in the order of the first change that has
 * not come out, so that "everything up to here is durable" is one number: that of the next one in
 * line, less one.
 */
#include "services/catalog/catalog_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

/* ---- finding ---- */

struct catalog_row *catalog_rows_find(const struct catalog *catalog, torrent_id id)
{
    return map_get(&catalog->by_id, &id);
}

static bool has_hash(const struct catalog_row *row, const uint8_t *hash, size_t length)
{
    const struct catalog_torrent *torrent = &row->torrent;

    return (length == 20 && torrent->has_v1 && memcmp(torrent->v1, hash, 20) == 0) ||
           (torrent->has_v2 && memcmp(torrent->v2, hash, length) == 0);
}

struct catalog_row *catalog_rows_by_hash(const struct catalog *catalog, const uint8_t *hash,
                                         size_t length)
{
    struct catalog_row *row = map_get(&catalog->by_hash, hash);

    return row && has_hash(row, hash, length) ? row : NULL;
}

const struct catalog_torrent *catalog_find(const struct catalog *catalog, torrent_id id)
{
    const struct catalog_row *row = catalog_rows_find(catalog, id);
    return row ? &row->torrent : NULL;
}

const struct catalog_torrent *catalog_find_hash(const struct catalog *catalog, struct bytes hash)
{
    uint8_t raw[32];
    size_t length = hash.length;
    const struct catalog_row *row;

    if (length == 40 || length == 64) {
        length /= 2;
        if (!bytes_from_hex(hash, raw, length))
            return NULL;
    } else if (length == 20 || length == 32) {
        memcpy(raw, hash.data, length);
    } else {
        return NULL;
    }
    row = catalog_rows_by_hash(catalog, raw, length);
    return row ? &row->torrent : NULL;
}

uint32_t catalog_count(const struct catalog *catalog)
{
    return catalog->count;
}

const struct catalog_torrent *catalog_at(const struct catalog *catalog, uint32_t index)
{
    return index < catalog->count ? &catalog->rows[index]->torrent : NULL;
}

/* The index of the first row whose id is not smaller. */
static uint32_t row_index(const struct catalog *catalog, torrent_id id)
{
    uint32_t low = 0, high = catalog->count;

    if (high > 0 && catalog->rows[high - 1]->torrent.id < id)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (catalog->rows[middle]->torrent.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- birth ---- */

struct catalog_row *catalog_rows_new(struct catalog *catalog, torrent_id id)
{
    struct catalog_row *row = memory_new(sizeof *row);

    row->torrent.id = id;
    row->torrent.phase = CATALOG_STOPPED;
    if (id >= catalog->next_id)
        catalog->next_id = id + 1;
    return row;
}

void catalog_rows_insert(struct catalog *catalog, struct catalog_row *row)
{
    uint32_t index = row_index(catalog, row->torrent.id);

    if (catalog->count == catalog->capacity) {
        catalog->capacity = catalog->capacity ? 2 * catalog->capacity : 64;
        catalog->rows =
            memory_resize_array(catalog->rows, catalog->capacity, sizeof *catalog->rows);
    }
    memmove(catalog->rows + index + 1, catalog->rows + index,
            (catalog->count - index) * sizeof *catalog->rows);
    catalog->rows[index] = row;
    catalog->count++;
    CHECK(map_put(&catalog->by_id, &row->torrent.id, row) == NULL);
}

bool catalog_rows_name(struct catalog *catalog, struct catalog_row *row)
{
    struct catalog_torrent *torrent = &row->torrent;
    struct catalog_row *v1 = torrent->has_v1 ? map_get(&catalog->by_hash, torrent->v1) : NULL;
    struct catalog_row *v2 = torrent->has_v2 ? map_get(&catalog->by_hash, torrent->v2) : NULL;
    bool alone = (v1 == NULL || v1 == row) && (v2 == NULL || v2 == row);

    if (torrent->has_v1 && v1 == NULL)
        map_put(&catalog->by_hash, torrent->v1, row);
    if (torrent->has_v2 && v2 == NULL)
        map_put(&catalog->by_hash, torrent->v2, row);
    memset(torrent->key, 0, sizeof torrent->key);
    if (torrent->has_v2)
        memcpy(torrent->key, torrent->v2, 32);
    else
        memcpy(torrent->key, torrent->v1, 20);
    if (torrent->has_v1)
        bytes_to_hex(torrent->v1, 20, torrent->hash);
    else
        bytes_to_hex(torrent->v2, 32, torrent->hash);
    return alone;
}

uint64_t catalog_rows_wanted_bytes(const struct metainfo *metainfo, const uint8_t *priorities)
{
    uint64_t bytes = 0;

    if (priorities == NULL)
        return metainfo->geometry.payload_length;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (priorities[i] != CATALOG_PRIORITY_UNWANTED && !metainfo->files[i].padding)
            bytes += metainfo->files[i].length;
    return bytes;
}

void catalog_rows_describe(struct catalog_row *row, const struct metainfo *metainfo)
{
    struct catalog_torrent *torrent = &row->torrent;

    torrent->has_v1 = metainfo->has_v1;
    torrent->has_v2 = metainfo->has_v2;
    memcpy(torrent->v1, metainfo->info_hash_v1, 20);
    memcpy(torrent->v2, metainfo->info_hash_v2, 32);
    torrent->is_private = metainfo->is_private;
    torrent->file_count = metainfo->geometry.file_count;
    torrent->piece_count = metainfo->geometry.piece_count;
    torrent->piece_length = metainfo->geometry.piece_length;
    torrent->total_bytes = metainfo->geometry.payload_length;
    torrent->wanted_bytes = catalog_rows_wanted_bytes(metainfo, torrent->priorities);
    catalog_rows_set_text(&torrent->name, metainfo->name);
}

/* ---- change ---- */

void catalog_rows_set_text(char **text, const char *value)
{
    char *copy = value ? memory_copy(value, strlen(value) + 1) : NULL;

    memory_free(*text);
    *text = copy;
}

static void put_in_line(struct catalog *catalog, struct catalog_save *save)
{
    catalog->change++;
    if (list_contains(&save->node))
        return;
    save->first_change = catalog->change;
    list_append(&catalog->saves, &save->node);
}

void catalog_rows_touch(struct catalog *catalog, struct catalog_row *row)
{
    row->torrent.revision = ++catalog->revision;
}

void catalog_rows_save(struct catalog *catalog, struct catalog_row *row)
{
    heap_remove(&catalog->counters, &row->counters);
    row->only_counted = false;
    put_in_line(catalog, &row->save);
}

void catalog_rows_change(struct catalog *catalog, struct catalog_row *row)
{
    catalog_rows_touch(catalog, row);
    catalog_rows_save(catalog, row);
}

void catalog_rows_save_settings(struct catalog *catalog)
{
    put_in_line(catalog, &catalog->settings_save);
}

void catalog_rows_save_later(struct catalog *catalog, struct catalog_row *row, int64_t now,
                             int64_t within_ns)
{
    /* All at the same edges of time: one transaction for many rows. */
    int64_t when = (now / within_ns + 1) * within_ns;

    if (list_contains(&row->save.node) || row->gone)
        return;
    if (row->counters.place == 0 || row->counters.when_ns > when)
        heap_set(&catalog->counters, &row->counters, when);
}

void catalog_rows_set_trouble(struct catalog *catalog, struct catalog_row *row,
                              enum catalog_trouble trouble, const char *text, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;
    bool is_local = trouble == TROUBLE_LOCAL || torrent->trouble == TROUBLE_LOCAL;

    if (torrent->trouble == trouble && (text == NULL) == (torrent->trouble_text == NULL) &&
        (text == NULL || strcmp(text, torrent->trouble_text) == 0))
        return;
    torrent->trouble = trouble;
    catalog_rows_set_text(&torrent->trouble_text, text);
    catalog_rows_touch(catalog, row);
    /* Trackers change their minds often, and for all torrents at once. */
    if (is_local)
        catalog_rows_save(catalog, row);
    else
        catalog_rows_save_later(catalog, row, now, CATALOG_COUNTERS_NS);
}

int64_t catalog_rows_wall(const struct catalog *catalog, int64_t now)
{
    return catalog->wall_s + (now - catalog->wall_ns) / SECOND_NS;
}

/* ---- end ---- */

void catalog_rows_free_urls(struct catalog_row *row)
{
    for (uint32_t i = 0; i < row->url_count; i++)
        memory_free(row->urls[i]);
    memory_free(row->urls);
    memory_free(row->tiers);
    row->urls = NULL;
    row->tiers = NULL;
    row->url_count = 0;
    row->has_urls = row->add_urls = false;
}

void catalog_torrent_deinit(struct catalog_torrent *torrent)
{
    memory_free(torrent->name);
    memory_free(torrent->folder);
    memory_free(torrent->folder_done);
    memory_free(torrent->move_to);
    memory_free(torrent->rename_path);
    memory_free(torrent->rename_name);
    for (uint32_t i = 0; i < torrent->renamed_count; i++) {
        memory_free(torrent->renamed_paths[i]);
        memory_free(torrent->renamed_names[i]);
    }
    memory_free(torrent->renamed_paths);
    memory_free(torrent->renamed_names);
    memory_free(torrent->magnet);
    for (uint32_t i = 0; i < torrent->label_count; i++)
        memory_free(torrent->labels[i]);
    memory_free(torrent->labels);
    memory_free(torrent->bandwidth_group);
    memory_free(torrent->priorities);
    memory_free(torrent->made);
    memory_free(torrent->trouble_text);
    memset(torrent, 0, sizeof *torrent);
}

void catalog_rows_free(struct catalog_row *row)
{
    if (!row)
        return;
    catalog_torrent_deinit(&row->torrent);
    catalog_rows_free_urls(row);
    buffer_deinit(&row->torrent_file);
    memory_free(row);
}

static void unname(struct catalog *catalog, const struct catalog_row *row, const uint8_t *hash)
{
    if (map_get(&catalog->by_hash, hash) == row)
        map_remove(&catalog->by_hash, hash);
}

static void leave(struct list *list, struct list_node *node)
{
    if (list_contains(node))
        list_remove(list, node);
}

void catalog_rows_forget(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;
    uint32_t index = row_index(catalog, torrent->id);

    CHECK(catalog->rows[index] == row);
    memmove(catalog->rows + index, catalog->rows + index + 1,
            (catalog->count - index - 1) * sizeof *catalog->rows);
    catalog->count--;
    map_remove(&catalog->by_id, &torrent->id);
    if (torrent->has_v1)
        unname(catalog, row, torrent->v1);
    if (torrent->has_v2)
        unname(catalog, row, torrent->v2);
    catalog_queue_drop(catalog, row, now);
    leave(&catalog->work, &row->in_work);
    leave(&catalog->to_open, &row->in_to_open);
    leave(&catalog->gated, &row->in_gated);
    leave(&catalog->open_rows, &row->in_open);
    heap_remove(&catalog->counters, &row->counters);
    row->gone = true;
    put_in_line(catalog, &row->save);
    catalog->revision++;
    catalog->removed[catalog->removed_count++ % CATALOG_REMOVED_KEPT] =
        (struct catalog_removed){catalog->revision, torrent->id};
}

uint32_t catalog_removed_since(const struct catalog *catalog, uint64_t then, torrent_id *ret_ids,
                               uint32_t max)
{
    uint64_t kept = catalog->removed_count < CATALOG_REMOVED_KEPT ? catalog->removed_count
                                                                  : CATALOG_REMOVED_KEPT;
    uint64_t count = 0, first;

    if (then > catalog->revision)
        return UINT32_MAX;
    while (count < kept &&
           catalog->removed[(catalog->removed_count - 1 - count) % CATALOG_REMOVED_KEPT].revision >
               then)
        count++;
    if (count > max || (count == kept && catalog->removed_count > kept))
        return UINT32_MAX;
    first = catalog->removed_count - count;
    for (uint64_t i = 0; i < count; i++)
        ret_ids[i] = catalog->removed[(first + i) % CATALOG_REMOVED_KEPT].id;
    return (uint32_t)count;
}

/* ---- the state's rows ---- */

void catalog_restore(struct catalog *catalog, struct catalog_torrent *torrent)
{
    struct catalog_row *row = catalog_rows_new(catalog, torrent->id);

    CHECK(catalog->restoring);
    row->torrent = *torrent;
    memset(torrent, 0, sizeof *torrent);
    row->torrent.open = row->torrent.opening = row->torrent.closing = false;
    row->torrent.phase = CATALOG_STOPPED;
    memset(&row->torrent.status, 0, sizeof row->torrent.status);
    if (row->torrent.name == NULL)
        catalog_rows_set_text(&row->torrent.name, "?");
    if (row->torrent.folder == NULL)
        catalog_rows_set_text(&row->torrent.folder, "/");
    catalog_rows_insert(catalog, row);
    catalog_rows_name(catalog, row);
    catalog_queue_append(catalog, row);
}

void catalog_restored(struct catalog *catalog, int64_t now)
{
    catalog->restoring = false;
    catalog_queue_sort(catalog);
    for (uint32_t i = 0; i < catalog->queue_count; i++) {
        struct catalog_row *row = catalog->queue_rows[i];
        row->torrent.revision = ++catalog->revision;
        if (row->torrent.removing || row->torrent.move_to || row->torrent.rename_name)
            row->gate = 0; /* it is durable: it was read */
        catalog_queue_settle(catalog, row, now);
    }
}
