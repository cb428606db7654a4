/* SPDX-License-Identifier: MIT */
/* How much was sent and received, in this run and in all: kept as one blob of the state. */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "host/clock.h"

#include <string.h>

#define TOTALS_BLOB "statistics"

struct totals_work {
    struct work work;
    struct state_store *state;
    struct daemon_totals totals;
};

static struct daemon_totals rows_sum(const struct daemon_service *daemon)
{
    struct daemon_totals sum = {0};

    for (uint32_t i = 0; i < catalog_count(daemon->catalog); i++) {
        const struct catalog_torrent *torrent = catalog_at(daemon->catalog, i);
        sum.up += torrent->uploaded;
        sum.down += torrent->downloaded;
    }
    return sum;
}

void daemon_totals_load(struct daemon_service *daemon)
{
    struct buffer blob = {0};
    struct cursor cursor;
    uint32_t count = catalog_count(daemon->catalog);

    if (state_store_blob(session_state(daemon->session), TOTALS_BLOB, &blob) == FRESHET_OK) {
        cursor_init(&cursor, buffer_bytes(&blob));
        struct daemon_totals before = {.up = cursor_u64(&cursor),
                                       .down = cursor_u64(&cursor),
                                       .added = cursor_u64(&cursor),
                                       .sessions = cursor_u64(&cursor),
                                       .seconds = cursor_u64(&cursor)};
        if (!cursor.failed)
            daemon->before = before;
    }
    buffer_deinit(&blob);
    daemon->base = rows_sum(daemon);
    daemon->newest = count ? catalog_at(daemon->catalog, count - 1)->id : 0;
}

void daemon_totals_count(struct daemon_service *daemon)
{
    struct service_world *world = &daemon->world;
    struct daemon_totals sum = rows_sum(daemon);

    world->bytes_up_run = sum.up + daemon->gone.up - daemon->base.up;
    world->bytes_down_run = sum.down + daemon->gone.down - daemon->base.down;
    world->files_added_run = daemon->gone.added;
    world->seconds_run = (uint64_t)((clock_now() - daemon->born_ns) / SECOND_NS);
    struct daemon_totals all = daemon_totals_all(daemon);
    world->bytes_up_all = all.up;
    world->bytes_down_all = all.down;
    world->files_added = all.added;
    world->sessions = all.sessions;
    world->seconds_active = all.seconds;
}

struct daemon_totals daemon_totals_all(const struct daemon_service *daemon)
{
    const struct service_world *world = &daemon->world;

    return (struct daemon_totals){.up = daemon->before.up + world->bytes_up_run,
                                  .down = daemon->before.down + world->bytes_down_run,
                                  .added = daemon->before.added + world->files_added_run,
                                  .sessions = daemon->before.sessions + 1,
                                  .seconds = daemon->before.seconds + world->seconds_run};
}

void daemon_totals_on_save(struct daemon_service *daemon, const struct catalog_action *action)
{
    if (action->type == CATALOG_FORGET && action->torrent) {
        daemon->gone.up += action->torrent->uploaded;
        daemon->gone.down += action->torrent->downloaded;
    }
    if (action->type == CATALOG_SAVE && action->torrent->id > daemon->newest) {
        daemon->newest = action->torrent->id;
        /* What it did elsewhere is not of this run. */
        daemon->base.up += action->torrent->uploaded;
        daemon->base.down += action->torrent->downloaded;
        daemon->gone.added++;
    }
}

void daemon_totals_save(struct state_store *state, const struct daemon_totals *totals)
{
    uint8_t bytes[5 * 8];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_u64(&writer, totals->up);
    writer_u64(&writer, totals->down);
    writer_u64(&writer, totals->added);
    writer_u64(&writer, totals->sessions);
    writer_u64(&writer, totals->seconds);
    (void)state_store_put_blob(state, TOTALS_BLOB, (struct bytes){bytes, sizeof bytes});
}

static void totals_run(struct work *work)
{
    struct totals_work *totals = LIST_ELEMENT(work, struct totals_work, work);

    daemon_totals_save(totals->state, &totals->totals);
}

static void totals_done(struct work *work)
{
    memory_free(LIST_ELEMENT(work, struct totals_work, work));
}

void daemon_totals_keep(struct daemon_service *daemon)
{
    struct totals_work *totals = memory_new(sizeof *totals);

    daemon_totals_count(daemon);
    totals->state = session_state(daemon->session);
    totals->totals = daemon_totals_all(daemon);
    totals->work.run = totals_run;
    totals->work.done = totals_done;
    worker_pool_submit(daemon->state_worker, &totals->work);
}
