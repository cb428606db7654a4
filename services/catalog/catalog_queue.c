/* SPDX-License-Identifier: MIT */
/*
 * Who runs and who waits. In order:
 *   1. who is being removed, moved or renamed is out of the engine and in no queue
 *   2. who was stopped by a local trouble waits for a person
 *   3. who is to be checked waits for one of CATALOG_CHECKS_MAX places
 *   4. who is to run waits for a place among the downloads, or the seeds when it is complete
 * Places are given in the queue's order. Who is forced needs no place and takes none; who has had
 * no traffic for a while keeps running and counts no more. Nobody who runs loses its place to
 * another, except when the number of places is made smaller.
 */
#include "services/catalog/catalog_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

uint32_t catalog_queue_max(const struct catalog *catalog, enum catalog_queue queue)
{
    const struct catalog_settings *settings = &catalog->settings;

    switch (queue) {
    case QUEUE_CHECK: return CATALOG_CHECKS_MAX;
    case QUEUE_DOWNLOAD:
        return settings->download_queue_enabled ? settings->download_queue : UINT32_MAX;
    case QUEUE_SEED: return settings->seed_queue_enabled ? settings->seed_queue : UINT32_MAX;
    case QUEUE_NONE:
    case QUEUE_COUNT: break;
    }
    return 0;
}

static bool is_forced(const struct catalog_row *row)
{
    return row->torrent.force_start && row->queue != QUEUE_CHECK;
}

static enum catalog_queue queue_of(const struct catalog_row *row)
{
    const struct catalog_torrent *torrent = &row->torrent;

    if (torrent->removing || torrent->move_to || torrent->rename_name || row->halted)
        return QUEUE_NONE;
    if (torrent->wants_check && !torrent->metadata_missing)
        return QUEUE_CHECK;
    if (!torrent->wanted_running)
        return QUEUE_NONE;
    return torrent->complete ? QUEUE_SEED : QUEUE_DOWNLOAD;
}

static enum catalog_phase phase_of(const struct catalog_row *row)
{
    const struct catalog_torrent *torrent = &row->torrent;

    if (torrent->removing)
        return CATALOG_REMOVING;
    if (torrent->move_to || torrent->rename_name)
        return CATALOG_MOVING;
    switch (row->queue) {
    case QUEUE_CHECK: return row->has_place ? CATALOG_CHECKING : CATALOG_WAIT_CHECK;
    case QUEUE_DOWNLOAD:
    case QUEUE_SEED:
        if (!row->has_place)
            return row->queue == QUEUE_SEED ? CATALOG_WAIT_SEED : CATALOG_WAIT_DOWNLOAD;
        if (torrent->open && torrent->status.phase == PHASE_CHECKING)
            return CATALOG_CHECKING;
        return row->queue == QUEUE_SEED ? CATALOG_SEEDING : CATALOG_DOWNLOADING;
    case QUEUE_NONE:
    case QUEUE_COUNT: break;
    }
    return CATALOG_STOPPED;
}

static void set_phase(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;
    enum catalog_phase phase = phase_of(row);

    if (phase == torrent->phase)
        return;
    if (phase == CATALOG_SEEDING || phase == CATALOG_DOWNLOADING)
        torrent->idle_since_ns = now;
    torrent->phase = phase;
    catalog_rows_touch(catalog, row);
}

/* What the engine should have of it. */
static void settle_engine(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    struct catalog_torrent *torrent = &row->torrent;
    bool anew = row->queue == QUEUE_CHECK && torrent->open && !row->check_begun;
    bool wanted = row->queue != QUEUE_NONE && row->has_place && !anew;

    if (wanted && (!torrent->open || row->reopen) && !torrent->opening && !torrent->closing) {
        if (!list_contains(&row->in_to_open))
            list_append(&catalog->to_open, &row->in_to_open);
    } else if (list_contains(&row->in_to_open)) {
        list_remove(&catalog->to_open, &row->in_to_open);
    }
    if (wanted && torrent->open && row->opened_paused && row->queue != QUEUE_CHECK) {
        row->opened_paused = false;
        row->commands |= COMMAND_BIT_RESUME;
    }
    set_phase(catalog, row, now);
    catalog_output_work(catalog, row);
}

static void count_place(struct catalog *catalog, struct catalog_row *row)
{
    bool counted =
        row->has_place && !is_forced(row) &&
        !(row->stalled && catalog->settings.queue_stalled_enabled && row->queue != QUEUE_CHECK);

    if (counted == row->counted)
        return;
    row->counted = counted;
    catalog->active[row->queue] += counted ? 1 : UINT32_MAX;
}

/* Takes it out of its queue; the place is given on by fill. */
static void quit(struct catalog *catalog, struct catalog_row *row)
{
    heap_remove(&catalog->waiting[row->queue], &row->waiting);
    row->has_place = false;
    count_place(catalog, row);
    row->queue = QUEUE_NONE;
    row->stalled = false;
}

static void take_place(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    heap_remove(&catalog->waiting[row->queue], &row->waiting);
    row->has_place = true;
    row->stalled = false;
    count_place(catalog, row);
    if (row->queue != QUEUE_CHECK) {
        row->torrent.started_s = catalog_rows_wall(catalog, now);
        catalog_rows_save_later(catalog, row, now, CATALOG_COUNTERS_NS);
    }
}

static void fill(struct catalog *catalog, enum catalog_queue queue, int64_t now)
{
    uint32_t max = catalog_queue_max(catalog, queue);

    while (catalog->active[queue] < max) {
        struct heap_node *node = heap_pop_due(&catalog->waiting[queue], HEAP_NEVER - 1);
        if (node == NULL)
            return;
        struct catalog_row *row = HEAP_ELEMENT(node, struct catalog_row, waiting);
        take_place(catalog, row, now);
        settle_engine(catalog, row, now);
    }
}

void catalog_queue_settle(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    enum catalog_queue queue = queue_of(row), former = row->queue;

    if (queue != former) {
        if (former != QUEUE_NONE)
            quit(catalog, row);
        row->queue = queue;
        if (queue != QUEUE_NONE)
            heap_set(&catalog->waiting[queue], &row->waiting, row->torrent.queue_order);
    }
    if (queue != QUEUE_NONE && !row->has_place && is_forced(row))
        take_place(catalog, row, now);
    count_place(catalog, row);
    settle_engine(catalog, row, now);
    if (former != QUEUE_NONE)
        fill(catalog, former, now);
    if (queue != QUEUE_NONE)
        fill(catalog, queue, now);
}

void catalog_queue_recount(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    count_place(catalog, row);
    if (row->queue != QUEUE_NONE)
        fill(catalog, row->queue, now);
}

void catalog_queue_refit(struct catalog *catalog, int64_t now)
{
    for (uint32_t i = 0; i < catalog->queue_count; i++)
        if (catalog->queue_rows[i])
            count_place(catalog, catalog->queue_rows[i]);
    for (uint32_t i = catalog->queue_count; i-- > 0;) {
        struct catalog_row *row = catalog->queue_rows[i];
        if (row == NULL || !row->counted ||
            catalog->active[row->queue] <= catalog_queue_max(catalog, row->queue))
            continue;
        row->has_place = false;
        count_place(catalog, row);
        heap_set(&catalog->waiting[row->queue], &row->waiting, row->torrent.queue_order);
        settle_engine(catalog, row, now);
    }
    for (enum catalog_queue queue = QUEUE_CHECK; queue < QUEUE_COUNT; queue++)
        fill(catalog, queue, now);
}

/* ---- order ---- */

void catalog_queue_append(struct catalog *catalog, struct catalog_row *row)
{
    if (catalog->queue_count == catalog->queue_capacity) {
        catalog->queue_capacity = catalog->queue_capacity ? 2 * catalog->queue_capacity : 64;
        catalog->queue_rows = memory_resize_array(catalog->queue_rows, catalog->queue_capacity,
                                                  sizeof *catalog->queue_rows);
    }
    if (!catalog->restoring) {
        while (catalog->queue_count && catalog->queue_rows[catalog->queue_count - 1] == NULL)
            catalog->queue_count--;
        const struct catalog_row *last =
            catalog->queue_count ? catalog->queue_rows[catalog->queue_count - 1] : NULL;
        row->torrent.queue_order = last ? last->torrent.queue_order + CATALOG_QUEUE_GAP : 0;
    }
    row->place = row->torrent.queue_position = catalog->queue_count;
    catalog->queue_rows[catalog->queue_count++] = row;
}

void catalog_queue_drop(struct catalog *catalog, struct catalog_row *row, int64_t now)
{
    enum catalog_queue queue = row->queue;

    CHECK(catalog->queue_rows[row->place] == row);
    CHECK(queue == QUEUE_NONE);
    catalog->queue_rows[row->place] = NULL;
    if (catalog->holes_ns == HEAP_NEVER)
        catalog->holes_ns = now + CATALOG_HOLES_NS;
}

/* Positions as the rows stand now; who has another one than before has changed. */
static void number(struct catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->queue_count; i++) {
        struct catalog_row *row = catalog->queue_rows[i];
        row->place = i;
        if (row->torrent.queue_position == i)
            continue;
        row->torrent.queue_position = i;
        catalog_rows_touch(catalog, row);
    }
}

void catalog_queue_close_holes(struct catalog *catalog)
{
    uint32_t count = 0;

    if (catalog->holes_ns == HEAP_NEVER)
        return;
    catalog->holes_ns = HEAP_NEVER;
    for (uint32_t i = 0; i < catalog->queue_count; i++)
        if (catalog->queue_rows[i])
            catalog->queue_rows[count++] = catalog->queue_rows[i];
    catalog->queue_count = count;
    number(catalog);
}

static void set_order(struct catalog *catalog, struct catalog_row *row, int64_t order)
{
    if (row->torrent.queue_order == order)
        return;
    row->torrent.queue_order = order;
    catalog_rows_change(catalog, row);
    if (row->waiting.place)
        heap_set(&catalog->waiting[row->queue], &row->waiting, order);
}

/* Gives rows [begin, end) orders between their neighbours. */
static bool order_between(struct catalog *catalog, uint32_t begin, uint32_t end)
{
    struct catalog_row **rows = catalog->queue_rows;
    int64_t count = end - begin, low, high, step;

    low = begin > 0 ? rows[begin - 1]->torrent.queue_order : 0;
    high = end < catalog->queue_count ? rows[end]->torrent.queue_order : 0;
    if (end == catalog->queue_count)
        high = low + (count + 1) * CATALOG_QUEUE_GAP;
    else if (begin == 0)
        low = high - (count + 1) * CATALOG_QUEUE_GAP;
    step = (high - low) / (count + 1);
    if (step < 1 || low < -(INT64_MAX / 4) || high > INT64_MAX / 4)
        return false;
    for (uint32_t i = begin; i < end; i++)
        set_order(catalog, rows[i], low + step * (int64_t)(i - begin + 1));
    return true;
}

static bool is_before(const struct catalog_row *a, const struct catalog_row *b)
{
    return a->torrent.queue_order < b->torrent.queue_order;
}

/* The rows stand in a new order, in which those with `moved` have left their places: orders and
 * positions follow. Costs a walk; saves only who moved, unless a gap is used up. */
static void reorder(struct catalog *catalog, const bool *moved)
{
    struct catalog_row **rows = catalog->queue_rows;
    uint32_t count = catalog->queue_count;
    bool fits = true;

    for (uint32_t begin = 0; begin < count && fits;) {
        uint32_t end = begin;
        bool in_order = true;
        while (end < count && moved[end]) {
            in_order = in_order && (end == 0 || is_before(rows[end - 1], rows[end]));
            end++;
        }
        if (end > begin && end < count)
            in_order = in_order && is_before(rows[end - 1], rows[end]);
        if (!in_order)
            fits = order_between(catalog, begin, end);
        begin = end + 1;
    }
    for (uint32_t i = 0; i < count && !fits; i++)
        set_order(catalog, rows[i], (int64_t)i * CATALOG_QUEUE_GAP);
    number(catalog);
}

/* New order: `moved` ones go as `move` says, keeping the order among themselves. */
static void shift(struct catalog_row **rows, bool *moved, uint32_t count,
                  enum catalog_queue_move move)
{
    if (move == QUEUE_UP || move == QUEUE_DOWN) {
        for (uint32_t n = 1; n < count; n++) {
            uint32_t i = move == QUEUE_UP ? n : count - 1 - n;
            uint32_t other = move == QUEUE_UP ? i - 1 : i + 1;
            if (!moved[i] || moved[other])
                continue;
            struct catalog_row *row = rows[i];
            rows[i] = rows[other];
            rows[other] = row;
            moved[i] = false;
            moved[other] = true;
        }
        return;
    }
    struct catalog_row **sorted = memory_new_array(count, sizeof *sorted);
    uint32_t chosen = 0, at = 0;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < count; i++)
            if (moved[i] == ((move == QUEUE_TOP) == (pass == 0)))
                sorted[at++] = rows[i];
    for (uint32_t i = 0; i < count; i++)
        chosen += moved[i];
    memcpy(rows, sorted, count * sizeof *sorted);
    for (uint32_t i = 0; i < count; i++)
        moved[i] = move == QUEUE_TOP ? i < chosen : i >= count - chosen;
    memory_free(sorted);
}

void catalog_queue_move(struct catalog *catalog, const torrent_id *ids, uint32_t count,
                        enum catalog_queue_move move, int64_t now)
{
    bool *moved, any = false;

    (void)now;
    catalog_queue_close_holes(catalog);
    moved = memory_new_array(catalog->queue_count, sizeof *moved);
    for (uint32_t i = 0; i < count; i++) {
        const struct catalog_row *row = catalog_rows_find(catalog, ids[i]);
        if (row)
            any = moved[row->place] = true;
    }
    if (any) {
        shift(catalog->queue_rows, moved, catalog->queue_count, move);
        reorder(catalog, moved);
    }
    memory_free(moved);
}

void catalog_queue_set(struct catalog *catalog, torrent_id id, uint32_t position, int64_t now)
{
    struct catalog_row *row = catalog_rows_find(catalog, id), **rows;
    uint32_t from;
    bool *moved;

    (void)now;
    if (row == NULL)
        return;
    catalog_queue_close_holes(catalog);
    rows = catalog->queue_rows;
    from = row->place;
    if (position >= catalog->queue_count)
        position = catalog->queue_count - 1;
    if (from < position)
        memmove(rows + from, rows + from + 1, (position - from) * sizeof *rows);
    else
        memmove(rows + position + 1, rows + position, (from - position) * sizeof *rows);
    rows[position] = row;
    moved = memory_new_array(catalog->queue_count, sizeof *moved);
    moved[position] = true;
    reorder(catalog, moved);
    memory_free(moved);
}

static int compare_rows(const void *a, const void *b)
{
    const struct catalog_row *left = *(struct catalog_row *const *)a;
    const struct catalog_row *right = *(struct catalog_row *const *)b;

    if (left->torrent.queue_order != right->torrent.queue_order)
        return left->torrent.queue_order < right->torrent.queue_order ? -1 : 1;
    return left->torrent.id < right->torrent.id ? -1 : left->torrent.id > right->torrent.id;
}

void catalog_queue_sort(struct catalog *catalog)
{
    struct catalog_row **rows = catalog->queue_rows;
    bool fits = true;

    if (catalog->queue_count)
        qsort(rows, catalog->queue_count, sizeof *rows, compare_rows);
    for (uint32_t i = 0; i < catalog->queue_count; i++) {
        int64_t order = rows[i]->torrent.queue_order;
        fits = fits && order > -(INT64_MAX / 4) && order < INT64_MAX / 4 &&
               (i == 0 || is_before(rows[i - 1], rows[i]));
    }
    for (uint32_t i = 0; i < catalog->queue_count && !fits; i++)
        set_order(catalog, rows[i], (int64_t)i * CATALOG_QUEUE_GAP);
    number(catalog);
}

void catalog_queue_check(const struct catalog *catalog)
{
    uint32_t active[QUEUE_COUNT] = {0}, held = 0;
    const struct catalog_row *last = NULL;

    for (uint32_t i = 0; i < catalog->queue_count; i++) {
        const struct catalog_row *row = catalog->queue_rows[i];
        if (row == NULL) {
            CHECK(catalog->holes_ns != HEAP_NEVER);
            continue;
        }
        held++;
        CHECK(row->place == i);
        CHECK(catalog->holes_ns != HEAP_NEVER || row->torrent.queue_position == i);
        CHECK(catalog->restoring || last == NULL || is_before(last, row));
        last = row;
        if (catalog->restoring)
            continue;
        CHECK(row->queue == queue_of(row));
        CHECK(row->torrent.phase == phase_of(row));
        CHECK((row->waiting.place != 0) == (row->queue != QUEUE_NONE && !row->has_place));
        CHECK(!row->has_place || row->queue != QUEUE_NONE);
        CHECK(!row->counted || row->has_place);
        active[row->queue] += row->counted;
    }
    CHECK(held == catalog->count);
    for (enum catalog_queue queue = QUEUE_CHECK; queue < QUEUE_COUNT; queue++) {
        CHECK(active[queue] == catalog->active[queue]);
        CHECK(heap_check(&catalog->waiting[queue]));
        /* Nobody waits for a place that is free. */
        CHECK(catalog->waiting[queue].length == 0 ||
              catalog->active[queue] >= catalog_queue_max(catalog, queue));
    }
}
