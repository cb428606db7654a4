/* SPDX-License-Identifier: MIT */
/*
 * Whom the daemon has nothing to do with: the list of the command line, which holds always, and the
 * one that the RPC fetches (blocklist-url), which lies in the state folder and can be switched off.
 * Lists are read on a worker; the engine is handed a table. Until the kept one is read at the start
 * nobody is let in; nor when it cannot be read, until another is fetched or it is switched off.
 */
#include "host/daemon_service_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/daemon_log.h"
#include "host/ip_filter_file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct daemon_ip_filter {
    struct ip_filter *both; /* the fetched list and the line's; NULL: nothing was fetched */
    struct ip_filter *all;  /* everybody: while the kept list is not read */
    char trouble[256];      /* why it cannot be, or "" */
    uint32_t rules;         /* of the fetched list, as it names them */
    bool is_reading;        /* a worker has a list */
    char path[LIMIT_PATH_LENGTH + 32];
};

/* One list on a worker. */
struct reading {
    struct work work;
    struct daemon_service *daemon;
    const struct ip_filter *line; /* lives as long as the session */
    bool is_kept;                 /* it lies in the state folder, else it is in `list` */
    struct buffer list;
    struct ip_filter *ret_both;
    uint32_t ret_rules;
    enum freshet_error error;
    char text[IP_FILTER_FILE_TEXT];
    daemon_ip_filter_done *done;
    void *context;
};

struct daemon_ip_filter *daemon_ip_filter_new(struct daemon_service *daemon)
{
    struct daemon_ip_filter *filter = memory_new(sizeof *filter);

    snprintf(filter->path, sizeof filter->path, "%s/blocklist", daemon->folder);
    return filter;
}

void daemon_ip_filter_free(struct daemon_ip_filter *filter)
{
    if (!filter)
        return;
    ip_filter_free(filter->both);
    ip_filter_free(filter->all);
    memory_free(filter);
}

void daemon_ip_filter_apply(struct daemon_service *daemon)
{
    const struct daemon_ip_filter *filter = daemon->ip_filter;
    const struct ip_filter *line = session_ip_filter(daemon->session);
    bool enabled = catalog_settings(daemon->catalog)->blocklist_enabled;
    const struct ip_filter *fetched = filter->all ? filter->all : filter->both;
    struct engine_command command = {.type = COMMAND_SET_IP_FILTER,
                                     .ip_filter = enabled && fetched ? fetched : line};

    bool is_shut = enabled && filter->all && filter->trouble[0];
    daemon->world.blocklist_trouble = is_shut ? filter->trouble : NULL;
    catalog_set_shut(daemon->catalog, daemon->world.blocklist_trouble);
    if (command.ip_filter == daemon->ip_filter_used)
        return;
    daemon->ip_filter_used = command.ip_filter;
    session_command(daemon->session, &command);
}

/* ---- on a worker ---- */

static void read_list(struct work *work)
{
    struct reading *reading = LIST_ELEMENT(work, struct reading, work);
    const char *path = reading->daemon->ip_filter->path;
    struct ip_filter_builder *builder = ip_filter_builder_new();

    reading->error = reading->is_kept
                         ? ip_filter_file_read(path, builder, reading->text, &reading->ret_rules)
                         : ip_filter_file_take(buffer_bytes(&reading->list), builder, reading->text,
                                               &reading->ret_rules);
    /* None is taken that is empty, so a kept one has lost what it had. */
    if (!reading->error && reading->ret_rules == 0) {
        reading->error = FRESHET_ERROR_SYNTAX; /* what was there stays */
        snprintf(reading->text, sizeof reading->text, "no address is in the list");
    }
    if (!reading->error && reading->line) {
        reading->error = ip_filter_builder_add_all(builder, reading->line);
        if (reading->error)
            snprintf(reading->text, sizeof reading->text, "there are too many ranges");
    }
    if (!reading->error && !reading->is_kept) {
        reading->error = ip_filter_file_write(path, buffer_bytes(&reading->list));
        if (reading->error)
            snprintf(reading->text, sizeof reading->text, "the list cannot be kept: %s",
                     error_text(reading->error));
    }
    buffer_deinit(&reading->list);
    if (reading->error)
        ip_filter_builder_free(builder);
    else
        reading->ret_both = ip_filter_builder_finish(builder);
}

/* ---- on the loop ---- */

static void log_reading(const struct reading *reading)
{
    char rules[16];

    snprintf(rules, sizeof rules, "%u", reading->ret_rules);
    if (reading->error)
        daemon_log("error", "blocklist", "error", reading->text, NULL);
    else if (reading->text[0])
        daemon_log("warning", "blocklist", "rules", rules, "text", reading->text, NULL);
    else
        daemon_log("info", "blocklist", "rules", rules, NULL);
}

static void on_read(struct work *work)
{
    struct reading *reading = LIST_ELEMENT(work, struct reading, work);
    struct daemon_service *daemon = reading->daemon;
    struct daemon_ip_filter *filter = daemon->ip_filter;
    struct ip_filter *before = filter->both, *all = filter->all;

    filter->is_reading = false;
    if (work->cancelled) {
        reading->error = FRESHET_ERROR_CANCELLED;
        snprintf(reading->text, sizeof reading->text, "%s", error_text(reading->error));
    } else {
        log_reading(reading);
        if (reading->error && reading->is_kept)
            snprintf(filter->trouble, sizeof filter->trouble,
                     "the block list cannot be read (%.120s): fetch it again, or switch it off",
                     reading->text);
        if (!reading->error) {
            filter->all = NULL;
            filter->trouble[0] = '\0';
            filter->both = reading->ret_both;
            filter->rules = daemon->world.blocklist_rules = reading->ret_rules;
        }
        daemon_ip_filter_apply(daemon);
        if (filter->both != before)
            ip_filter_free(before); /* the engine has the new one */
        if (filter->all != all)
            ip_filter_free(all);
    }
    if (reading->done)
        reading->done(reading->context, reading->error, reading->text, filter->rules);
    buffer_deinit(&reading->list);
    memory_free(reading);
}

static void start(struct daemon_service *daemon, struct reading *reading)
{
    reading->daemon = daemon;
    reading->line = session_ip_filter(daemon->session);
    reading->work.run = read_list;
    reading->work.done = on_read;
    daemon->ip_filter->is_reading = true;
    worker_pool_submit(daemon->deed_workers, &reading->work);
}

void daemon_ip_filter_start(struct daemon_service *daemon)
{
    daemon->ip_filter_used = session_ip_filter(daemon->session);
    if (access(daemon->ip_filter->path, F_OK) != 0 && errno == ENOENT)
        return;
    struct reading *reading = memory_new(sizeof *reading);
    reading->is_kept = true;
    daemon->ip_filter->all = ip_filter_new_all();
    start(daemon, reading);
}

bool daemon_ip_filter_update(struct daemon_service *daemon, struct buffer *list,
                             daemon_ip_filter_done *done, void *context)
{
    if (daemon->ip_filter->is_reading)
        return false;
    struct reading *reading = memory_new(sizeof *reading);
    reading->list = *list;
    *list = (struct buffer){0};
    reading->done = done;
    reading->context = context;
    start(daemon, reading);
    return true;
}
