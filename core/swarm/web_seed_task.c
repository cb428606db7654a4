/* SPDX-License-Identifier: MIT */
#include "core/swarm/web_seed_task.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/swarm/web_seed.h"

#include <string.h>

struct web_seed_task *web_seed_task_new(uint32_t server, const struct geometry *geometry)
{
    struct web_seed_task *task = memory_new(sizeof *task);
    task->server = server;
    task->geometry = geometry;
    return task;
}

void web_seed_task_free(struct web_seed_task *task)
{
    if (!task)
        return;
    memory_free(task->picks);
    memory_free(task->memory);
    memory_free(task);
}

/* Place of a block in the memory table. */
static uint32_t place_of(const struct web_seed_task *task, piece_index piece, uint32_t begin)
{
    uint64_t pieces = piece - task->picks[0].piece;
    uint64_t bytes = pieces * task->geometry->piece_length + begin - task->picks[0].begin;
    return (uint32_t)(bytes / LIMIT_BLOCK_SIZE);
}

void web_seed_task_add(struct web_seed_task *task, const struct block_pick *pick)
{
    if (task->pick_count == task->pick_capacity) {
        task->pick_capacity = task->pick_capacity ? task->pick_capacity * 2 : 16;
        task->picks = memory_resize_array(task->picks, task->pick_capacity, sizeof *task->picks);
    }
    task->picks[task->pick_count++] = *pick;
    if (task->pick_count == 1) {
        task->at_piece = task->had_piece = pick->piece;
        task->at_begin = task->had_begin = pick->begin;
    }
    uint32_t count = place_of(task, pick->piece, pick->begin) + 1;
    task->memory = memory_resize_array(task->memory, count, sizeof *task->memory);
    while (task->memory_count < count)
        task->memory[task->memory_count++] = BLOCK_NONE;
}

void web_seed_task_furnish(struct web_seed_task *task, uint32_t pick, block_id memory)
{
    CHECK(pick < task->pick_count);
    task->memory[place_of(task, task->picks[pick].piece, task->picks[pick].begin)] = memory;
}

static const struct block_pick *last_pick(const struct web_seed_task *task)
{
    CHECK(task->pick_count > 0);
    return &task->picks[task->pick_count - 1];
}

/* Where the run ends inside a piece of it. */
static uint32_t end_in(const struct web_seed_task *task, piece_index piece)
{
    const struct block_pick *last = last_pick(task);
    return piece == last->piece ? last->begin + last->length
                                : geometry_piece_payload(task->geometry, piece);
}

/* Steps over padding and ends of pieces to the next stretch of a file; false: the run is over. */
static bool next_range(struct web_seed_task *task, struct file_range *ret_range)
{
    while (task->at_piece <= last_pick(task)->piece) {
        uint32_t end = end_in(task, task->at_piece);
        if (task->at_begin == end) {
            task->at_piece++;
            task->at_begin = 0;
            continue;
        }
        uint32_t needed = geometry_ranges(task->geometry, task->at_piece, task->at_begin,
                                          end - task->at_begin, ret_range, 1);
        CHECK(needed > 0);
        if (ret_range->file != FILE_PADDING)
            return true;
        task->at_begin += ret_range->length;
    }
    return false;
}

/* Adds what follows in the same file without a hole in memory. */
static void extend(struct web_seed_task *task, struct file_range *range)
{
    while (task->at_begin == task->geometry->piece_length &&
           task->at_piece < last_pick(task)->piece) {
        struct file_range next;
        uint32_t end = end_in(task, task->at_piece + 1);
        if (end == 0 ||
            geometry_ranges(task->geometry, task->at_piece + 1, 0, end, &next, 1) == 0 ||
            next.file != range->file || next.offset != range->offset + range->length ||
            next.length > UINT32_MAX - range->length)
            return;
        range->length += next.length;
        task->at_piece++;
        task->at_begin = next.length;
    }
}

bool web_seed_task_next_fetch(struct web_seed_task *task, struct bytes base,
                              const struct metainfo *metainfo, job_id id)
{
    struct file_range range;
    task->fetching = false;
    if (!next_range(task, &range)) {
        task->had_piece = task->at_piece;
        task->had_begin = task->at_begin;
        return false;
    }
    task->had_piece = task->at_piece;
    task->had_begin = task->at_begin;
    if (!web_seed_url(base, metainfo, range.file, task->url)) {
        task->bad_url = true;
        return false;
    }
    task->fetch_file_length = task->geometry->files[range.file].length;
    uint32_t place = place_of(task, task->at_piece, task->at_begin);
    uint32_t offset = task->at_begin % LIMIT_BLOCK_SIZE;
    task->at_begin += range.length;
    extend(task, &range);
    task->job = (struct fetch_job){
        .id = id,
        .url = task->url,
        .timeout_ns = WEB_SEED_TIMEOUT_NS,
        .body_max = range.length,
        .range_start = range.offset,
        .range_length = range.length,
        .block_offset = offset,
        .may_skip = task->may_skip,
        .blocks = task->memory + place,
        .block_count =
            (uint32_t)(((uint64_t)offset + range.length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE),
    };
    CHECK(place + task->job.block_count <= task->memory_count);
    task->fetching = true;
    task->due = true;
    return true;
}

void web_seed_task_fetched(struct web_seed_task *task)
{
    CHECK(task->fetching);
    task->fetching = false;
    /* Padding right behind it is as good as here: it completes the block that it is in. */
    struct file_range range;
    next_range(task, &range);
    task->had_piece = task->at_piece;
    task->had_begin = task->at_begin;
}

bool web_seed_task_fetched_part(struct web_seed_task *task, uint32_t length)
{
    CHECK(task->fetching);
    if (length > task->job.range_length)
        return false;
    uint64_t begin = (uint64_t)task->had_begin + length;
    /* A fetch goes on into the next piece only where that begins a whole piece length later. */
    for (; begin > task->geometry->piece_length; begin -= task->geometry->piece_length)
        task->had_piece++;
    task->had_begin = (uint32_t)begin;
    return length >= LIMIT_BLOCK_SIZE;
}

bool web_seed_task_next_block(struct web_seed_task *task, bool complete,
                              struct block_pick *ret_pick, block_id *ret_memory)
{
    if (task->pick_next == task->pick_count)
        return false;
    const struct block_pick *pick = &task->picks[task->pick_next];
    if (complete && pick->piece >= task->had_piece &&
        (pick->piece > task->had_piece || pick->begin + pick->length > task->had_begin))
        return false;
    task->pick_next++;
    *ret_pick = *pick;
    *ret_memory = task->memory[place_of(task, pick->piece, pick->begin)];
    return true;
}
