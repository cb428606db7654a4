/* SPDX-License-Identifier: MIT */
/* What the engine and the host tell of torrents. */
#include "services/catalog/catalog_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/metainfo/torrent_writer.h"

#include <stdio.h>
#include <string.h>

/* ---- the engine's notices ---- */

static void in_words(char text[CATALOG_TEXT_MAX + 1], const char *before, enum freshet_error error,
                     struct bytes detail)
{
    int length = detail.length > 512 ? 512 : (int)detail.length;

    if (length)
        snprintf(text, CATALOG_TEXT_MAX + 1, "%s%.*s", before, length, (const char *)detail.data);
    else
        snprintf(text, CATALOG_TEXT_MAX + 1, "%s%s", before, error_text(error));
}

static void halt(struct catalog *catalog, struct catalog_row *row, const char *text, int64_t now)
{
    row->halted = true;
    catalog_rows_set_trouble(catalog, row, TROUBLE_LOCAL, text, now);
    catalog_queue_settle(catalog, row, now);
}

/* The host's part of a URL: what follows may hold a person's passkey. */
static struct bytes url_host(struct bytes url)
{
    size_t begin = 0, end;

    for (size_t i = 0; i + 3 <= url.length && begin == 0; i++)
        if (memcmp(url.data + i, "://", 3) == 0)
            begin = i + 3;
    for (end = begin; end < url.length && url.data[end] != '/' && url.data[end] != '?'; end++)
        if (url.data[end] == '@')
            begin = end + 1;
    return (struct bytes){url.data + begin, end - begin};
}

static void on_tracker(struct catalog *catalog, struct catalog_row *row,
                       const struct notice *notice, int64_t now)
{
    char text[CATALOG_TEXT_MAX + 1], before[300];
    struct bytes host = url_host(notice->url);
    bool failed = notice->type == NOTICE_TRACKER_ERROR;

    if (row->torrent.trouble == TROUBLE_LOCAL)
        return;
    if (!failed && notice->text.length == 0) {
        catalog_rows_set_trouble(catalog, row, TROUBLE_NONE, NULL, now);
        return;
    }
    snprintf(before, sizeof before, "%.*s: ", host.length > 253 ? 253 : (int)host.length,
             host.length ? (const char *)host.data : "");
    in_words(text, before, notice->error, notice->text);
    catalog_rows_set_trouble(catalog, row, failed ? TROUBLE_TRACKER : TROUBLE_TRACKER_WARNING, text,
                             now);
}

static void on_closed(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;

    if (torrent->opening)
        catalog->opening--;
    torrent->open = torrent->opening = torrent->closing = false;
    row->ready = row->reopen = row->check_begun = row->opened_paused = false;
    row->commands = 0;
    if (list_contains(&row->in_open))
        list_remove(&catalog->open_rows, &row->in_open);
    memset(&torrent->status, 0, sizeof torrent->status);
    catalog_sample_end(catalog, row);
    catalog_rows_touch(catalog, row);
    catalog_queue_settle(catalog, row, now);
}

void catalog_facts_complete(struct catalog *catalog, struct catalog_row *row, bool complete,
                            int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;

    if (torrent->complete == complete)
        return;
    torrent->complete = complete;
    if (complete && torrent->done_s == 0)
        torrent->done_s = catalog_rows_wall(catalog, now);
    if (complete && torrent->folder_done && !torrent->move_to) {
        torrent->move_to = torrent->folder_done;
        torrent->folder_done = NULL;
        if (strcmp(torrent->move_to, torrent->folder) == 0)
            catalog_rows_set_text(&torrent->move_to, NULL);
    }
    catalog_rows_change(catalog, row);
    row->gate = catalog->change;
    catalog_queue_settle(catalog, row, now);
}

static void trouble_is_over(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    if (row->torrent.trouble == TROUBLE_LOCAL && !row->halted && !row->words_stay)
        catalog_rows_set_trouble(catalog, row, TROUBLE_NONE, NULL, now);
}

static void on_ready(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    row->ready = true;
    row->check_wait = 0;
    trouble_is_over(catalog, row, now);
    if (row->torrent.status.phase == PHASE_CHECKING)
        row->torrent.status.phase =
            row->torrent.complete ? PHASE_SEEDING : PHASE_DOWNLOADING; /* until the next sample */
    catalog_queue_settle(catalog, row, now);
}

static void on_trouble(struct catalog *catalog, struct catalog_row *row,
                       const struct notice *notice, int64_t now)
{
    char text[CATALOG_TEXT_MAX + 1];

    switch (notice->type) {
    case NOTICE_DISK_FULL:
        in_words(text, "no space left on the disk; goes on when there is some", FRESHET_OK,
                 BYTES_LITERAL(" "));
        text[strlen(text) - 1] = '\0';
        break;
    case NOTICE_STORAGE_ABSENT:
        snprintf(text, sizeof text, "the storage is not there (unmounted?): %.900s",
                 row->torrent.folder);
        break;
    case NOTICE_PERSIST_FAILED:
        in_words(text, "its progress could not be saved: ", notice->error, (struct bytes){0});
        break;
    default: in_words(text, "", notice->error, notice->text); break;
    }
    if (notice->type == NOTICE_ERROR)
        halt(catalog, row, text, now);
    else
        catalog_rows_set_trouble(catalog, row, TROUBLE_LOCAL, text, now);
}

void catalog_on_notice(struct catalog *catalog, const struct notice *notice, int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, notice->torrent);

    if (row == NULL)
        return;
    switch (notice->type) {
    case NOTICE_CHECKING:
        row->torrent.status.phase = PHASE_CHECKING;
        catalog_rows_touch(catalog, row);
        catalog_queue_settle(catalog, row, now);
        break;
    case NOTICE_READY: on_ready(catalog, row, now); break;
    case NOTICE_COMPLETE:
        /* Of a check that is under way it says nothing yet. */
        if (row->torrent.open && !row->torrent.closing)
            catalog_facts_complete(catalog, row, true, now);
        break;
    case NOTICE_ERROR:
    case NOTICE_DISK_FULL:
    case NOTICE_STORAGE_ABSENT:
    case NOTICE_PERSIST_FAILED: on_trouble(catalog, row, notice, now); break;
    case NOTICE_DISK_RESUMED: trouble_is_over(catalog, row, now); break;
    case NOTICE_TRACKER_OK:
    case NOTICE_TRACKER_ERROR: on_tracker(catalog, row, notice, now); break;
    case NOTICE_REMOVED: on_closed(catalog, row, now); break;
    default: break; /* of no consequence here; the host answers NOTICE_METADATA */
    }
}

/* ---- answers of the host ---- */

void catalog_on_opened(struct catalog *catalog, torrent_id id, enum freshet_error error,
                       const char *text, int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);

    if (row == NULL || !row->torrent.opening)
        return;
    row->torrent.opening = false;
    catalog->opening--;
    catalog_rows_touch(catalog, row);
    if (error) {
        row->check_begun = row->opened_paused = false;
        halt(catalog, row, text && text[0] ? text : error_text(error), now);
        return;
    }
    row->torrent.open = true;
    if (!list_contains(&row->in_open))
        list_append(&catalog->open_rows, &row->in_open);
    catalog_sample_begin(row, now);
    catalog_queue_settle(catalog, row, now);
}

/* What the link said: which files, and how to keep the torrent. */
static void leave_magnet(struct catalog_row *row, const struct metainfo *metainfo)
{
    struct catalog_torrent *torrent = &row->torrent;
    char reason[METAINFO_REASON_SIZE];
    struct magnet *magnet = NULL;

    if (torrent->magnet)
        magnet_parse((struct bytes){(const uint8_t *)torrent->magnet, strlen(torrent->magnet)},
                     &magnet, reason);
    buffer_clear(&row->torrent_file);
    torrent_writer_write(metainfo, magnet, &row->torrent_file);
    if (magnet && magnet->range_count && torrent->priorities == NULL) {
        torrent->priorities = memory_new(metainfo->geometry.file_count);
        for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
            torrent->priorities[i] =
                magnet_selects(magnet, i) ? CATALOG_PRIORITY_NORMAL : CATALOG_PRIORITY_UNWANTED;
    }
    magnet_free(magnet);
    catalog_rows_set_text(&torrent->magnet, NULL);
    torrent->metadata_missing = false;
}

void catalog_on_metadata(struct catalog *catalog, torrent_id id, const struct metainfo *metainfo,
                         int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);
    struct catalog_torrent *torrent;

    if (row == NULL || row->torrent.removing)
        return;
    torrent = &row->torrent;
    leave_magnet(row, metainfo);
    catalog_rows_describe(row, metainfo);
    if (!catalog_rows_name(catalog, row)) {
        catalog_rows_change(catalog, row);
        halt(catalog, row, "it is a torrent that is there already, under its other hash", now);
        return;
    }
    if (torrent->choose_files) {
        torrent->wanted_running = false;
        torrent->force_start = false;
    }
    catalog_rows_change(catalog, row);
    /* In the engine it goes on under its number: given to it as a torrent now. */
    row->reopen = torrent->open && !torrent->closing;
    row->ready = false;
    catalog_queue_settle(catalog, row, now);
}

/* Is `path` what the renaming made of its own path? */
static bool is_result(const char *path, const char *from, const char *name)
{
    const char *last = strrchr(from, '/');
    size_t folder = last ? (size_t)(last - from) + 1 : 0;

    return strncmp(path, from, folder) == 0 && strcmp(path + folder, name) == 0;
}

static void remember_renaming(struct catalog_torrent *torrent)
{
    uint32_t count = torrent->renamed_count;

    /* Renamed once more: one renaming to the last name. */
    if (count && is_result(torrent->rename_path, torrent->renamed_paths[count - 1],
                           torrent->renamed_names[count - 1])) {
        catalog_rows_set_text(&torrent->renamed_names[count - 1], torrent->rename_name);
        return;
    }
    torrent->renamed_paths =
        memory_resize_array(torrent->renamed_paths, count + 1, sizeof *torrent->renamed_paths);
    torrent->renamed_names =
        memory_resize_array(torrent->renamed_names, count + 1, sizeof *torrent->renamed_names);
    torrent->renamed_paths[count] = torrent->rename_path;
    torrent->renamed_names[count] = torrent->rename_name;
    torrent->rename_path = torrent->rename_name = NULL;
    torrent->renamed_count++;
}

static void on_renamed(struct catalog *catalog, struct catalog_row *row, enum freshet_error error)
{
    struct catalog_torrent *torrent = &row->torrent;

    if (!error && strchr(torrent->rename_path, '/') == NULL)
        catalog_rows_set_text(&torrent->name, torrent->rename_name);
    if (!error)
        remember_renaming(torrent);
    catalog_rows_set_text(&torrent->rename_path, NULL);
    catalog_rows_set_text(&torrent->rename_name, NULL);
    catalog_rows_change(catalog, row);
}

void catalog_on_moved(struct catalog *catalog, torrent_id id, enum freshet_error error,
                      const char *text, int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);
    char words[CATALOG_TEXT_MAX + 1];
    struct catalog_torrent *torrent;

    if (row == NULL || !row->busy)
        return;
    row->busy = false;
    torrent = &row->torrent;
    if (error)
        snprintf(words, sizeof words, "could not be %s %.300s: %.300s",
                 torrent->move_to ? "moved to" : "renamed to",
                 torrent->move_to ? torrent->move_to : torrent->rename_name,
                 text && text[0] ? text : error_text(error));
    if (torrent->move_to) {
        if (!error)
            catalog_rows_set_text(&torrent->folder, torrent->move_to);
        catalog_rows_set_text(&torrent->move_to, NULL);
        catalog_rows_change(catalog, row);
    } else if (torrent->rename_name) {
        on_renamed(catalog, row, error);
    }
    /* The source is intact and goes on where it was; the words stay until the next start. */
    if (error) {
        row->words_stay = true;
        catalog_rows_set_trouble(catalog, row, TROUBLE_LOCAL, words, now);
    }
    catalog_queue_settle(catalog, row, now);
}

void catalog_on_deleted(struct catalog *catalog, torrent_id id, enum freshet_error error,
                        const char *text, int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);
    char words[CATALOG_TEXT_MAX + 1];

    if (row == NULL || !row->busy || !row->torrent.removing)
        return;
    row->busy = false;
    if (error && error != FRESHET_ERROR_NOT_FOUND) {
        /* Not gone: it stays, stopped, and says why, so that nothing is left behind unseen. */
        snprintf(words, sizeof words, "its files could not be deleted: %.600s",
                 text && text[0] ? text : error_text(error));
        row->torrent.removing = row->torrent.remove_data = false;
        row->torrent.wanted_running = false;
        halt(catalog, row, words, now);
        return;
    }
    row->deleted = true;
    catalog_queue_settle(catalog, row, now);
}

void catalog_on_found(struct catalog *catalog, torrent_id id, const uint8_t *existing,
                      uint32_t count)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);

    if (row == NULL || row->torrent.made || count != row->torrent.file_count || count == 0)
        return;
    row->torrent.made = memory_new(count);
    for (uint32_t i = 0; i < count; i++)
        row->torrent.made[i] = existing[i] ? 0 : 1;
    catalog_rows_save(catalog, row);
}

void catalog_on_found_done(struct catalog *catalog, torrent_id id, const char *folder)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);

    if (row == NULL || row->torrent.made || row->torrent.folder_done == NULL)
        return;
    catalog_rows_set_text(&row->torrent.folder, folder);
    /* Told to go elsewhere meanwhile, it still goes there when it is complete. */
    if (strcmp(row->torrent.folder_done, folder) == 0)
        catalog_rows_set_text(&row->torrent.folder_done, NULL);
    catalog_rows_change(catalog, row);
}

void catalog_on_saved(struct catalog *catalog, uint64_t change)
{
    struct list_node *node;

    CHECK(change <= catalog->change);
    if (change > catalog->saved)
        catalog->saved = change;
    while ((node = list_first(&catalog->gated))) {
        struct catalog_row *row = LIST_ELEMENT(node, struct catalog_row, in_gated);
        if (row->gate > catalog->saved)
            return;
        list_remove(&catalog->gated, node);
        catalog_output_work(catalog, row);
    }
}
