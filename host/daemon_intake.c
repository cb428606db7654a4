/* SPDX-License-Identifier: MIT */
/*
 * What watch folders and feeds share: from a torrent or link that came by itself to a row, and what
 * was taken already, in the state. A torrent is remembered as taken only when its row is durable: a
 * kill in between has it taken twice, which the catalog knows, and never lost.
 */
#include "host/daemon_intake.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"

#include <stdio.h>
#include <string.h>

enum freshet_error daemon_intake_add(struct daemon_service *daemon, const struct intake_rule *rule,
                                     const struct daemon_intake_thing *thing, char ret_text[256],
                                     uint64_t *ret_change)
{
    struct catalog *catalog = daemon->catalog;
    const struct catalog_torrent *torrent = NULL;
    struct catalog_add wish = {
        .metainfo = thing->metainfo,
        .magnet = thing->metainfo ? NULL : thing->magnet,
        .torrent = thing->torrent,
        .folder = rule->folder,
        .stopped = rule->stopped || !catalog_settings(catalog)->start_added,
        .labels = (const char *const *)rule->labels,
        .label_count = rule->label_count,
    };
    enum freshet_error error = catalog_add(catalog, &wish, clock_now(), ret_text, &torrent);

    if (error && error != FRESHET_ERROR_EXISTS) {
        if (!ret_text[0])
            snprintf(ret_text, 256, "%s", error_text(error));
        return error;
    }
    daemon_log("info", error ? "there-already" : "added", "hash", torrent->hash, "name",
               torrent->name, "from", thing->from, NULL);
    *ret_change = catalog_change(catalog);
    daemon_service_wake(daemon);
    return error;
}

/* ---- what was taken, in the state ---- */

struct daemon_intake_load {
    struct work work;
    struct daemon_intake_memory *memory; /* NULL: nobody wants it any more */
    struct state_store *state;
    char name[DAEMON_INTAKE_NAME_SIZE];
    struct buffer bytes;
};

static void load_run(struct work *work)
{
    struct daemon_intake_load *load = LIST_ELEMENT(work, struct daemon_intake_load, work);

    state_store_blob(load->state, load->name, &load->bytes);
}

static void load_done(struct work *work)
{
    struct daemon_intake_load *load = LIST_ELEMENT(work, struct daemon_intake_load, work);

    if (load->memory) {
        load->memory->load = NULL;
        if (!work->cancelled) {
            intake_taken_load(&load->memory->taken, buffer_bytes(&load->bytes));
            load->memory->is_ready = true;
        }
    }
    buffer_deinit(&load->bytes);
    memory_free(load);
}

void daemon_intake_memory_init(struct daemon_intake_memory *memory, struct daemon_service *daemon,
                               const char *name, uint32_t max)
{
    struct daemon_intake_load *load = memory_new(sizeof *load);

    *memory = (struct daemon_intake_memory){.daemon = daemon, .load = load};
    snprintf(memory->name, sizeof memory->name, "%s", name);
    intake_taken_init(&memory->taken, max);
    load->memory = memory;
    load->state = session_state(daemon->session);
    memcpy(load->name, memory->name, sizeof load->name);
    load->work.run = load_run;
    load->work.done = load_done;
    worker_pool_submit(daemon->state_worker, &load->work);
}

void daemon_intake_memory_add(struct daemon_intake_memory *memory, const struct intake_key *key,
                              uint64_t change)
{
    intake_taken_add(&memory->taken, key);
    memory->is_dirty = memory->was_changed = true;
    if (change > memory->change)
        memory->change = change;
}

struct memory_save {
    struct work work;
    struct state_store *state;
    char name[DAEMON_INTAKE_NAME_SIZE];
    struct buffer bytes;
    enum freshet_error error;
};

static void save_run(struct work *work)
{
    struct memory_save *save = LIST_ELEMENT(work, struct memory_save, work);

    save->error = state_store_put_blob(save->state, save->name, buffer_bytes(&save->bytes));
}

static void save_done(struct work *work)
{
    struct memory_save *save = LIST_ELEMENT(work, struct memory_save, work);

    if (!work->cancelled && save->error)
        daemon_log("error", "state-not-written", "error", error_text(save->error), NULL);
    buffer_deinit(&save->bytes);
    memory_free(save);
}

static struct memory_save *save_new(const struct daemon_intake_memory *memory)
{
    struct memory_save *save = memory_new(sizeof *save);

    save->state = session_state(memory->daemon->session);
    snprintf(save->name, sizeof save->name, "%s", memory->name);
    intake_taken_save(&memory->taken, &save->bytes);
    save->work.run = save_run;
    save->work.done = save_done;
    return save;
}

void daemon_intake_memory_keep(struct daemon_intake_memory *memory)
{
    if (!memory->is_dirty || catalog_saved(memory->daemon->catalog) < memory->change)
        return;
    memory->is_dirty = false;
    worker_pool_submit(memory->daemon->state_worker, &save_new(memory)->work);
}

void daemon_intake_memory_finish(struct daemon_intake_memory *memory)
{
    if (!memory->was_changed || catalog_saved(memory->daemon->catalog) < memory->change)
        return;
    memory->is_dirty = false;
    struct memory_save *save = save_new(memory);
    save_run(&save->work);
    save_done(&save->work);
}

void daemon_intake_memory_deinit(struct daemon_intake_memory *memory)
{
    if (memory->load)
        memory->load->memory = NULL;
    intake_taken_deinit(&memory->taken);
}
