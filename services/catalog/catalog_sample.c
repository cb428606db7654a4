/* SPDX-License-Identifier: MIT */
/*
 * What open torrents are doing, a few at a call, in a round. Counters of all runs grow here: the
 * engine counts from each opening, the row keeps the sum. A row changes its revision only when more
 * than its seconds have changed, so that a quiet seed is no news.
 */
#include "services/catalog/catalog_state.h"

#include <string.h>

void catalog_sample_begin(struct catalog_row *row, int64_t now)
{
    row->sampled_uploaded = row->sampled_downloaded = row->sampled_corrupt = 0;
    row->sampled_ns = now;
    row->ready = false;
    row->stalled = false;
    row->torrent.idle_since_ns = row->received_ns = now;
    row->looks = 0;
    row->nobody_has = false;
}

static void exchange(struct catalog_rates *all, struct catalog_rates *part,
                     struct catalog_rates now)
{
    all->up += now.up - part->up;
    all->down += now.down - part->down;
    *part = now;
}

/* What it takes of limits that hold others too. One that the limits of all do not hold is not held
 * by its group either; a group may stand beside them with all that are in it. */
static void share(struct catalog *catalog, struct catalog_row *row, struct catalog_rates rates)
{
    const struct catalog_settings *settings = &catalog->settings;
    const struct catalog_torrent *torrent = &row->torrent;
    const struct catalog_rates none = {0};
    struct catalog_group group = {.honors_session_limits = true};
    bool is_held = torrent->wishes.honors_session_limits && (rates.up || rates.down);
    uint32_t number = is_held ? catalog_groups_find(settings, torrent->bandwidth_group) : 0;

    if (number)
        catalog_groups_read(settings->bandwidth_groups[number - 1], &group);
    exchange(&catalog->groups[row->group], &row->in_group, none);
    row->group = number;
    exchange(&catalog->groups[number], &row->in_group, number ? rates : none);
    exchange(&catalog->shared, &row->shared, is_held && group.honors_session_limits ? rates : none);
}

void catalog_sample_end(struct catalog *catalog, struct catalog_row *row)
{
    share(catalog, row, (struct catalog_rates){0});
}

static uint64_t grown(uint64_t *seen, uint64_t value)
{
    uint64_t more = value > *seen ? value - *seen : 0;

    *seen = value;
    return more;
}

static bool looks_different(const struct torrent_status *a, const struct torrent_status *b)
{
    return a->phase != b->phase || a->error != b->error || a->wanted_bytes != b->wanted_bytes ||
           a->verified_bytes != b->verified_bytes || a->durable_bytes != b->durable_bytes ||
           a->checked_bytes != b->checked_bytes || a->total_bytes != b->total_bytes ||
           a->uploaded != b->uploaded || a->downloaded != b->downloaded || a->wasted != b->wasted ||
           a->download_rate != b->download_rate || a->upload_rate != b->upload_rate ||
           a->peers != b->peers || a->peers_downloading != b->peers_downloading ||
           a->peers_uploading != b->peers_uploading || a->seeds_known != b->seeds_known ||
           a->pieces_done != b->pieces_done || a->complete != b->complete ||
           a->metadata_bytes != b->metadata_bytes || a->metadata_size != b->metadata_size ||
           a->layers != b->layers || a->lacks != b->lacks ||
           memcmp(a->known_by_source, b->known_by_source, sizeof a->known_by_source) != 0 ||
           memcmp(a->peers_by_source, b->peers_by_source, sizeof a->peers_by_source) != 0;
}

/* Traffic and time since the last sample. */
static void count(struct catalog *catalog, struct catalog_row *row,
                  const struct torrent_status *status, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;
    uint64_t up = grown(&row->sampled_uploaded, status->uploaded);
    uint64_t down = grown(&row->sampled_downloaded, status->downloaded);
    uint64_t corrupt = grown(&row->sampled_corrupt, status->corrupt);
    bool runs = torrent->phase == CATALOG_DOWNLOADING || torrent->phase == CATALOG_SEEDING;

    torrent->uploaded += up;
    torrent->downloaded += down;
    torrent->corrupt += corrupt;
    if (up || down) {
        torrent->active_s = catalog_rows_wall(catalog, now);
        torrent->idle_since_ns = now;
    }
    if (down) {
        row->received_ns = now;
        row->looks = 0;
    }
    if (runs && now > row->sampled_ns) {
        row->part_ns += now - row->sampled_ns;
        *(torrent->phase == CATALOG_SEEDING ? &torrent->seconds_seeding
                                            : &torrent->seconds_downloading) +=
            (uint64_t)(row->part_ns / SECOND_NS);
        row->part_ns %= SECOND_NS;
    }
    row->sampled_ns = now;
    if (up || down || corrupt)
        catalog_rows_save_later(catalog, row, now, CATALOG_COUNTERS_NS);
    else if (runs)
        catalog_rows_save_later(catalog, row, now, CATALOG_SECONDS_NS);
}

static void look_at_stalling(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    int64_t limit = (int64_t)catalog->settings.queue_stalled_minutes * 60 * SECOND_NS;
    bool stalled = now - row->torrent.idle_since_ns >= limit;

    if (stalled == row->stalled)
        return;
    row->stalled = stalled;
    catalog_queue_recount(catalog, row, now);
}

/* A check is over when what it found is durable, or after a while. */
static void look_at_check(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    const struct torrent_status *status = &row->torrent.status;
    bool whole = status->verified_bytes >= status->wanted_bytes;

    if (whole && !status->complete && row->check_wait++ < CATALOG_CHECK_WAIT)
        return;
    row->torrent.wants_check = false;
    row->check_begun = false;
    catalog_rows_change(catalog, row);
    catalog_facts_complete(catalog, row, whole && status->complete, now);
    catalog_queue_settle(catalog, row, now);
}

static void look_at_progress(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;
    const struct torrent_status *status = &torrent->status;
    const char *goal;

    if (torrent->metadata_missing || !row->ready || status->phase == PHASE_CHECKING ||
        status->phase == PHASE_OPENING || status->phase == PHASE_ABSENT ||
        status->phase == PHASE_ERROR || torrent->closing)
        return;
    torrent->verified_bytes = status->verified_bytes;
    torrent->wanted_bytes = status->wanted_bytes;
    if (row->queue == QUEUE_CHECK && row->check_begun) {
        look_at_check(catalog, row, now);
        return;
    }
    if (status->complete)
        catalog_facts_complete(catalog, row, true, now);
    else if (status->verified_bytes < status->wanted_bytes)
        catalog_facts_complete(catalog, row, false, now);
    if (catalog_goals_reached(catalog, row, now, &goal)) {
        torrent->wanted_running = torrent->force_start = false;
        torrent->finished = true;
        catalog_rows_change(catalog, row);
        catalog_queue_settle(catalog, row, now);
    }
}

void catalog_sample_take(struct catalog *catalog, struct catalog_row *row,
                         const struct torrent_status *status, int64_t now)
{
    struct torrent_status next = *status;

    next.pieces = NULL;
    count(catalog, row, &next, now);
    if (looks_different(&row->torrent.status, &next))
        catalog_rows_touch(catalog, row);
    row->torrent.status = next;
    share(catalog, row, (struct catalog_rates){next.upload_rate, next.download_rate});
    look_at_progress(catalog, row, now);
    catalog_queue_settle(catalog, row, now);
    if (row->has_place && row->queue != QUEUE_CHECK)
        look_at_stalling(catalog, row, now);
}

void catalog_sample_last(struct catalog *catalog, torrent_id id,
                         const struct torrent_status *status, int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, id);

    if (row == NULL || !row->torrent.open)
        return;
    count(catalog, row, status, now);
    catalog_rows_touch(catalog, row);
}

/* Does anybody have what is missing? The question costs a walk over the pieces, so it is asked of
 * downloads to which nothing comes, and not each time. */
static void look_at_reach(struct catalog_row *row, const struct engine *engine)
{
    const struct torrent_status *status = &row->torrent.status;
    struct torrent_reach reach;

    if (row->torrent.phase != CATALOG_DOWNLOADING || row->torrent.metadata_missing || !row->ready ||
        status->peers == 0 || row->received_ns == row->sampled_ns)
        return;
    if (row->looks++ % CATALOG_REACH_EVERY == 0 &&
        engine_torrent_reach(engine, row->torrent.id, &reach))
        row->nobody_has = reach.desired_bytes == 0 && !reach.has_web_seed;
}

bool catalog_sample(struct catalog *catalog, const struct engine *engine, uint32_t max, int64_t now)
{
    if (catalog->sample_left == 0 || catalog->sample_left > catalog->open_rows.length)
        catalog->sample_left = (uint32_t)catalog->open_rows.length;
    for (uint32_t i = 0; i < max && catalog->sample_left > 0; i++) {
        struct list_node *node = list_first(&catalog->open_rows);
        struct catalog_row *row;
        struct torrent_status status = {0};
        if (node == NULL)
            break;
        catalog->sample_left--;
        row = LIST_ELEMENT(node, struct catalog_row, in_open);
        list_remove(&catalog->open_rows, node);
        list_append(&catalog->open_rows, node);
        if (engine_torrent_status(engine, row->torrent.id, &status)) {
            catalog_sample_take(catalog, row, &status, now);
            look_at_reach(row, engine);
        }
    }
    return catalog->sample_left > 0;
}

void catalog_tick(struct catalog *catalog, int64_t now)
{
    if (catalog->holes_ns <= now)
        catalog_queue_close_holes(catalog);
    for (uint32_t i = 0; i < CATALOG_TICK_ROWS; i++) {
        struct heap_node *node = heap_pop_due(&catalog->counters, now);
        if (node == NULL)
            return;
        struct catalog_row *row = HEAP_ELEMENT(node, struct catalog_row, counters);
        catalog_rows_save(catalog, row);
        row->only_counted = true; /* a row that is in line already is not in this heap */
    }
}

int64_t catalog_deadline(const struct catalog *catalog)
{
    int64_t counters = heap_deadline(&catalog->counters);

    return counters < catalog->holes_ns ? counters : catalog->holes_ns;
}
