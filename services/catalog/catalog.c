/* SPDX-License-Identifier: MIT */
#include "services/catalog/catalog_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

struct catalog *catalog_new(const struct catalog_options *options)
{
    struct catalog *catalog = memory_new(sizeof *catalog);

    catalog->wall_s = options->wall_s;
    catalog->wall_ns = options->now;
    if (options->settings)
        catalog_settings_copy(options->settings, &catalog->settings);
    else
        catalog_settings_defaults(&catalog->settings);
    catalog->next_id = options->next_id ? options->next_id : 1;
    catalog->restoring = true;
    catalog->holes_ns = HEAP_NEVER;
    catalog->limits_due = true;
    catalog->minute_of_week = CATALOG_MINUTE_UNKNOWN;
    map_init(&catalog->by_id, sizeof(torrent_id), 1);
    map_init(&catalog->by_hash, 20, 2);
    for (enum catalog_queue queue = QUEUE_NONE; queue < QUEUE_COUNT; queue++)
        heap_init(&catalog->waiting[queue]);
    heap_init(&catalog->counters);
    list_init(&catalog->saves);
    list_init(&catalog->work);
    list_init(&catalog->to_open);
    list_init(&catalog->gated);
    list_init(&catalog->open_rows);
    return catalog;
}

void catalog_free(struct catalog *catalog)
{
    struct list_node *node;

    if (!catalog)
        return;
    /* Rows that are gone stand in the line of saves alone. */
    while ((node = list_first(&catalog->saves))) {
        struct catalog_row *row = LIST_ELEMENT(node, struct catalog_row, save.node);
        list_remove(&catalog->saves, node);
        if (node != &catalog->settings_save.node && row->gone)
            catalog_rows_free(row);
    }
    for (uint32_t i = 0; i < catalog->count; i++)
        catalog_rows_free(catalog->rows[i]);
    catalog_rows_free(catalog->dead);
    memory_free(catalog->rows);
    memory_free(catalog->queue_rows);
    memory_free(catalog->shut);
    for (enum catalog_queue queue = QUEUE_NONE; queue < QUEUE_COUNT; queue++)
        heap_deinit(&catalog->waiting[queue]);
    heap_deinit(&catalog->counters);
    map_deinit(&catalog->by_id);
    map_deinit(&catalog->by_hash);
    catalog_settings_deinit(&catalog->settings);
    memory_free(catalog);
}

uint64_t catalog_revision(const struct catalog *catalog)
{
    return catalog->revision;
}

uint64_t catalog_change(const struct catalog *catalog)
{
    return catalog->change;
}

uint64_t catalog_saved(const struct catalog *catalog)
{
    return catalog->saved;
}

void catalog_set_shut(struct catalog *catalog, const char *reason)
{
    memory_free(catalog->shut);
    catalog->shut = memory_copy_text(reason);
}

void catalog_shutdown(struct catalog *catalog, int64_t now)
{
    (void)now;
    catalog->shut_down = true;
    for (uint32_t i = 0; i < catalog->count; i++)
        if (catalog->rows[i]->counters.place)
            catalog_rows_save(catalog, catalog->rows[i]);
}

static void check_row(const struct catalog *catalog, const struct catalog_row *row)
{
    const struct catalog_torrent *torrent = &row->torrent;

    CHECK(!row->gone);
    CHECK(torrent->id != 0);
    CHECK(torrent->id < catalog->next_id);
    CHECK(torrent->name != NULL);
    CHECK(torrent->folder != NULL);
    CHECK(torrent->metadata_missing == (torrent->magnet != NULL));
    CHECK(torrent->revision <= catalog->revision);
    CHECK(catalog_rows_find(catalog, torrent->id) == row);
    CHECK(!torrent->closing || torrent->open);
    CHECK(list_contains(&row->in_open) == torrent->open);
    /* Who is given to the host again while it is there was a link. */
    CHECK(!(torrent->opening && torrent->open) || row->reopen || !torrent->closing);
    CHECK(!row->busy || (!torrent->open && !torrent->opening));
    CHECK((torrent->trouble == TROUBLE_NONE) == (torrent->trouble_text == NULL));
    if (list_contains(&row->save.node))
        CHECK(row->save.first_change <= catalog->change);
    if (torrent->phase == CATALOG_MOVING)
        CHECK(torrent->move_to || torrent->rename_name);
}

void catalog_check(const struct catalog *catalog)
{
    uint32_t opening = 0;
    uint64_t last = 0;

    for (uint32_t i = 0; i < catalog->count; i++) {
        const struct catalog_row *row = catalog->rows[i];
        CHECK(i == 0 || catalog->rows[i - 1]->torrent.id < row->torrent.id);
        check_row(catalog, row);
        opening += row->torrent.opening;
    }
    CHECK(opening == catalog->opening);
    CHECK(catalog->by_id.length == catalog->count);
    CHECK(catalog->saved <= catalog->change);
    for (struct list_node *node = list_first(&catalog->saves); node;
         node = list_next(&catalog->saves, node)) {
        const struct catalog_save *save = LIST_ELEMENT(node, struct catalog_save, node);
        CHECK(save->first_change > last);
        last = save->first_change;
    }
    CHECK(last <= catalog->change);
    CHECK(heap_check(&catalog->counters));
    catalog_queue_check(catalog);
}
