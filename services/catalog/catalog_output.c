/* SPDX-License-Identifier: MIT */
/*
 * What comes out, in this order: saves; the limits of all; what rows want of the engine and the
 * host; openings, a few at a time, in the queue's order.
 */
#include "services/catalog/catalog_groups.h"
#include "services/catalog/catalog_state.h"

#include "core/base/check.h"

void catalog_output_work(struct catalog *catalog, struct catalog_row *row)
{
    if (!list_contains(&row->in_work))
        list_append(&catalog->work, &row->in_work);
}

/* The engine takes 0 as "no limit"; a limit of 0 is as good as nothing at 1. */
static uint64_t limit_of(bool limited, uint64_t limit)
{
    return limited ? (limit ? limit : 1) : 0;
}

void catalog_output_options(const struct catalog *catalog, const struct catalog_row *row,
                            struct torrent_options *ret_options)
{
    const struct catalog_torrent *torrent = &row->torrent;
    const struct catalog_wishes *wishes = &torrent->wishes;

    *ret_options = (struct torrent_options){
        .root = torrent->folder,
        .file_priorities = torrent->priorities,
        .sequential = wishes->sequential,
        .super_seed = wishes->super_seed,
        .paused = row->queue == QUEUE_CHECK,
        .allocation = ALLOCATION_SPARSE,
        .upload_limit = limit_of(wishes->upload_limited, wishes->upload_limit),
        .download_limit = limit_of(wishes->download_limited, wishes->download_limit),
        .share = {.is_alone = !wishes->honors_session_limits,
                  .priority = wishes->bandwidth_priority,
                  .group = catalog_groups_find(&catalog->settings, torrent->bandwidth_group)},
        .upload_slots =
            wishes->upload_slots ? wishes->upload_slots : catalog->settings.upload_slots,
        .peers_max = wishes->peers_max ? wishes->peers_max : catalog->settings.peers_per_torrent,
        .transport = wishes->transport,
        /* Goals are the catalog's: it counts over all runs. */
        .seed_ratio = -1,
        .seed_time_s = -1,
        .wait_for_space = true,
        .part_suffix = catalog->settings.part_suffix,
    };
}

/* ---- saves ---- */

/* What is durable with this one: all up to the next one in line. */
static uint64_t change_with(const struct catalog *catalog, const struct catalog_save *save)
{
    struct list_node *next = list_next(&catalog->saves, &save->node);

    return next ? LIST_ELEMENT(next, struct catalog_save, node)->first_change - 1 : catalog->change;
}

static void lend_urls(struct catalog *catalog, struct catalog_row *row,
                      struct catalog_action *action)
{
    action->urls = (const char *const *)row->urls;
    action->tiers = row->tiers;
    action->url_count = row->url_count;
    action->add_trackers = row->add_urls;
    catalog->lent = row;
}

static bool output_save(struct catalog *catalog, struct catalog_action *action)
{
    struct list_node *node = list_first(&catalog->saves);
    struct catalog_save *save;
    struct catalog_row *row;

    if (node == NULL)
        return false;
    save = LIST_ELEMENT(node, struct catalog_save, node);
    action->change = change_with(catalog, save);
    if (save == &catalog->settings_save) {
        action->type = CATALOG_SAVE_SETTINGS;
        list_remove(&catalog->saves, node);
        return true;
    }
    row = LIST_ELEMENT(save, struct catalog_row, save);
    action->id = row->torrent.id;
    action->torrent = &row->torrent;
    if (row->has_urls && row->torrent_file.length == 0 && !row->gone) {
        /* The row stays in line: its own save is next. */
        action->type = CATALOG_TRACKERS;
        action->change = save->first_change - 1;
        row->has_urls = false;
        lend_urls(catalog, row, action);
        if (row->torrent.open || row->torrent.opening) {
            row->commands |= COMMAND_BIT_TRACKERS;
            catalog_output_work(catalog, row);
        }
        return true;
    }
    if (row->gone) {
        action->type = CATALOG_FORGET;
        list_remove(&catalog->saves, node);
        catalog->dead = row;
        return true;
    }
    action->type = CATALOG_SAVE;
    action->only_counted = row->only_counted;
    action->torrent_file = buffer_bytes(&row->torrent_file);
    catalog->lent = row;
    if (row->has_urls) {
        /* First the .torrent, then its trackers, then the row once more. */
        action->change = save->first_change - 1;
        return true;
    }
    list_remove(&catalog->saves, node);
    return true;
}

/* ---- rows ---- */

static void command(struct catalog_action *action, const struct catalog_row *row,
                    enum command_type type)
{
    action->type = CATALOG_COMMAND;
    action->command.type = type;
    action->command.torrent = row->torrent.id;
}

static bool output_command(struct catalog *catalog, struct catalog_row *row,
                           struct catalog_action *action)
{
    const struct catalog_wishes *wishes = &row->torrent.wishes;

    if (!row->torrent.open || row->torrent.closing || row->torrent.opening)
        return false;
    if (row->commands & COMMAND_BIT_LIMITS) {
        row->commands &= ~(unsigned)COMMAND_BIT_LIMITS;
        command(action, row, COMMAND_SET_LIMITS);
        action->command.upload_limit = limit_of(wishes->upload_limited, wishes->upload_limit);
        action->command.download_limit = limit_of(wishes->download_limited, wishes->download_limit);
    } else if (row->commands & COMMAND_BIT_PRIORITIES) {
        row->commands &= ~(unsigned)COMMAND_BIT_PRIORITIES;
        command(action, row, COMMAND_SET_PRIORITIES);
        action->command.file_priorities = row->torrent.priorities;
    } else if (row->commands & COMMAND_BIT_OPTIONS) {
        row->commands &= ~(unsigned)COMMAND_BIT_OPTIONS;
        action->type = CATALOG_OPTIONS;
        catalog_output_options(catalog, row, &action->options);
    } else if (row->commands & COMMAND_BIT_TRACKERS) {
        row->commands &= ~(unsigned)COMMAND_BIT_TRACKERS;
        action->type = CATALOG_TELL_TRACKERS;
        lend_urls(catalog, row, action);
    } else if (row->commands & COMMAND_BIT_RESUME) {
        row->commands &= ~(unsigned)COMMAND_BIT_RESUME;
        command(action, row, COMMAND_RESUME);
    } else if (row->commands & COMMAND_BIT_ANNOUNCE) {
        row->commands &= ~(unsigned)COMMAND_BIT_ANNOUNCE;
        command(action, row, COMMAND_ANNOUNCE);
    } else {
        return false;
    }
    return true;
}

static bool is_durable(struct catalog *catalog, struct catalog_row *row)
{
    struct list_node *node = &row->in_gated;

    if (row->gate <= catalog->saved)
        return true;
    /* Gates only grow, so at the end of the list is in order. */
    if (list_contains(node))
        list_remove(&catalog->gated, node);
    list_append(&catalog->gated, node);
    return false;
}

/* A row that is out of the engine, and whose files or end are next. */
static bool output_deed(struct catalog *catalog, struct catalog_row *row, int64_t now,
                        struct catalog_action *action)
{
    struct catalog_torrent *torrent = &row->torrent;
    bool wanted = torrent->removing || torrent->move_to || torrent->rename_name;

    if (!wanted || torrent->open || torrent->opening || row->busy || !is_durable(catalog, row))
        return false;
    /* One that is moved and removed is moved first: half of it may be there already. */
    if (torrent->move_to) {
        action->type = CATALOG_MOVE;
    } else if (torrent->rename_name) {
        action->type = CATALOG_RENAME;
        action->path = torrent->rename_path;
        action->name = torrent->rename_name;
    } else if (torrent->remove_data && !row->deleted && !torrent->metadata_missing) {
        action->type = CATALOG_DELETE;
    } else {
        catalog_rows_forget(catalog, row, now);
        return false;
    }
    row->busy = true;
    return true;
}

static bool output_row(struct catalog *catalog, struct catalog_row *row, int64_t now,
                       struct catalog_action *action)
{
    struct catalog_torrent *torrent = &row->torrent;
    bool anew = row->queue == QUEUE_CHECK && !row->check_begun;
    bool wanted = row->queue != QUEUE_NONE && row->has_place && !anew;

    action->id = torrent->id;
    action->torrent = torrent;
    if (torrent->open && !torrent->opening && !torrent->closing && !wanted) {
        torrent->closing = true;
        row->commands = 0;
        catalog_rows_touch(catalog, row);
        action->type = CATALOG_CLOSE;
        return true;
    }
    if (!torrent->open && !torrent->opening)
        row->commands = 0;
    return output_command(catalog, row, action) || output_deed(catalog, row, now, action);
}

static bool output_work(struct catalog *catalog, int64_t now, struct catalog_action *action)
{
    struct list_node *node;

    while ((node = list_first(&catalog->work))) {
        struct catalog_row *row = LIST_ELEMENT(node, struct catalog_row, in_work);
        if (output_row(catalog, row, now, action))
            return true;
        /* Forgetting takes it out itself, and is a save that comes first. */
        if (row->gone)
            return output_save(catalog, action);
        list_remove(&catalog->work, node);
    }
    return false;
}

static bool output_open(struct catalog *catalog, struct catalog_action *action)
{
    struct list_node *node = list_first(&catalog->to_open);
    struct catalog_row *row;

    if (node == NULL || catalog->opening >= CATALOG_OPENING_MAX)
        return false;
    list_remove(&catalog->to_open, node);
    row = LIST_ELEMENT(node, struct catalog_row, in_to_open);
    catalog->opening++;
    row->torrent.opening = true;
    row->reopen = false;
    row->commands = 0;
    row->check_begun = row->queue == QUEUE_CHECK;
    row->opened_paused = row->check_begun;
    catalog_rows_touch(catalog, row);
    action->type = row->torrent.metadata_missing ? CATALOG_OPEN_MAGNET : CATALOG_OPEN;
    action->id = row->torrent.id;
    action->torrent = &row->torrent;
    action->forget_record = row->check_begun;
    catalog_output_options(catalog, row, &action->options);
    return true;
}

static bool output_limits(struct catalog *catalog, struct catalog_action *action)
{
    uint64_t upload, download;

    if (!catalog->limits_due)
        return false;
    catalog->limits_due = false;
    catalog_schedule_limits(catalog, &upload, &download);
    action->type = CATALOG_COMMAND;
    action->command.type = COMMAND_SET_LIMITS;
    action->command.upload_limit = limit_of(upload != UINT64_MAX, upload);
    action->command.download_limit = limit_of(download != UINT64_MAX, download);
    return true;
}

static bool output_group(struct catalog *catalog, struct catalog_action *action)
{
    const struct catalog_settings *settings = &catalog->settings;
    struct catalog_group group;

    if (catalog->groups_told >= settings->bandwidth_group_count)
        return false;
    catalog_groups_read(settings->bandwidth_groups[catalog->groups_told++], &group);
    action->type = CATALOG_COMMAND;
    action->command.type = COMMAND_SET_GROUP;
    action->command.group = (struct torrent_group){
        .number = catalog->groups_told,
        .upload_limit = limit_of(group.upload_limited, group.upload_limit),
        .download_limit = limit_of(group.download_limited, group.download_limit),
        .is_alone = !group.honors_session_limits};
    return true;
}

static void take_back(struct catalog *catalog)
{
    struct catalog_row *row = catalog->lent;

    catalog_rows_free(catalog->dead);
    catalog->dead = NULL;
    catalog->lent = NULL;
    if (row == NULL)
        return;
    if (row->torrent_file.length)
        buffer_deinit(&row->torrent_file);
    else if (!row->has_urls && !(row->commands & COMMAND_BIT_TRACKERS))
        catalog_rows_free_urls(row);
}

bool catalog_output(struct catalog *catalog, int64_t now, struct catalog_action *ret_action)
{
    struct catalog_action action = {0};
    bool found;

    take_back(catalog);
    found = output_save(catalog, &action);
    if (!found && !catalog->shut_down)
        found = output_limits(catalog, &action) || output_group(catalog, &action) ||
                output_work(catalog, now, &action) || output_open(catalog, &action);
    if (found)
        *ret_action = action;
    return found;
}
