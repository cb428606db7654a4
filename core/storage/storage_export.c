/* SPDX-License-Identifier: MIT */
/*
 * A file that was not wanted and now is: it is made, and what pieces on its border left of it in
 * the part store is copied into it. Writes stand still meanwhile, and reads go to the part store
 * until all is copied. The part store keeps its bytes until a record says that the file holds them,
 * so a crash at any moment begins the export again from where it can be trusted.
 */
#include "core/storage/storage_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

static bool is_candidate(const struct storage *storage, file_index file)
{
    bool made = storage->places[file] != STORAGE_PLACE_PARTS && storage->files[file].wanted;
    return !made && storage_layout_file_wanted(storage, file);
}

/* Chosen at the start of this export; wishes that come later wait for the next. */
static bool is_moving(const struct storage *storage, file_index file)
{
    return storage->places[file] == STORAGE_PLACE_PARTS && storage->files[file].wanted;
}

void storage_export_look(struct storage *storage)
{
    storage->export_due = false;
    for (uint32_t i = 0; i < storage->layout.file_count && !storage->export_due; i++)
        storage->export_due = is_candidate(storage, i);
}

static void lose(struct storage *storage, piece_index piece)
{
    if (!bitfield_has(&storage->verified, piece))
        return;
    storage_forget_piece(storage, piece);
    storage_tell_lost(storage, piece);
}

static void choose(struct storage *storage)
{
    for (uint32_t i = 0; i < storage->layout.file_count; i++)
        if (is_candidate(storage, i) && !storage->files[i].wanted) {
            storage->files[i].wanted = true;
            storage->prepared = false;
        }
    storage->export_stage = STORAGE_EXPORT_PREPARE;
}

/* The part of one piece that belongs to one file. */
static void copy_part(struct storage *storage, piece_index piece, file_index file)
{
    if (!bitfield_has(&storage->verified, piece))
        return;
    uint32_t count;
    uint32_t size = geometry_piece_size(storage->geometry, piece);
    struct file_range *from = storage_layout_all_ranges(storage, piece, size, &count);
    struct file_range *to = memory_new_array(count, sizeof *to);
    geometry_ranges(storage->geometry, piece, 0, size, to, count);
    for (uint32_t i = 0; i < count; i++) {
        if (to[i].file != file || from[i].file != FILE_PART_STORE)
            continue;
        struct storage_job *job = storage_job_disk(storage, STORAGE_JOB_COPY, DISK_COPY);
        job->ranges = memory_copy(&from[i], sizeof from[i]);
        job->disk.extent.ranges = job->ranges;
        job->disk.extent.range_count = 1;
        job->disk.extent.length = to[i].length;
        job->disk.copy_to = to[i];
        job->piece = piece;
        storage_judge_written(storage, &to[i], 1);
        storage->copies++;
    }
    memory_free(from);
    memory_free(to);
}

static void copy_all(struct storage *storage)
{
    storage->export_stage = STORAGE_EXPORT_COPY;
    storage->copies_failed = false;
    if (storage->full)
        storage->probing = true;
    for (uint32_t i = 0; i < storage->layout.file_count; i++) {
        piece_index first, last;
        if (!is_moving(storage, i) || !geometry_file_pieces(storage->geometry, i, &first, &last))
            continue;
        copy_part(storage, first, i);
        if (last != first)
            copy_part(storage, last, i);
    }
}

static void finish(struct storage *storage)
{
    storage->export_stage = STORAGE_EXPORT_NONE;
    if (storage->copies_failed)
        return;
    for (uint32_t i = 0; i < storage->layout.file_count; i++)
        if (is_moving(storage, i)) {
            storage_layout_set_place(storage, i, STORAGE_PLACE_MOVED);
            storage->moved = true;
        }
    storage->drop_parts = storage->moved && storage->places_parts == 0;
    storage_export_look(storage);
    storage_put_resumed(storage);
    storage_barrier_wanted(storage);
}

void storage_export_plan(struct storage *storage)
{
    bool going = storage->phase == STORAGE_RUNNING && !storage->closing && !storage->read_only;
    bool held = storage->full && !storage->probing && storage->now < storage->retry_at;
    switch (storage->export_stage) {
    case STORAGE_EXPORT_NONE:
        if (!going || held || !storage->export_due)
            return;
        storage->export_stage = STORAGE_EXPORT_DRAIN;
        /* fall through */
    case STORAGE_EXPORT_DRAIN:
        if (!going)
            storage->export_stage = STORAGE_EXPORT_NONE;
        else if (!storage->writes && !storage->preparing && !storage->mark_unclean &&
                 !storage->verify_jobs && storage->barrier == STORAGE_BARRIER_NONE)
            choose(storage);
        if (storage->export_stage != STORAGE_EXPORT_PREPARE)
            return;
        /* fall through */
    case STORAGE_EXPORT_PREPARE:
        if (!going && !storage->preparing)
            storage->export_stage = STORAGE_EXPORT_NONE;
        if (!going || !storage->prepared || held)
            return;
        if (storage->record_clean) {
            storage->mark_unclean = true;
            return;
        }
        copy_all(storage);
        /* fall through */
    case STORAGE_EXPORT_COPY:
        if (storage->copies == 0)
            finish(storage);
        return;
    }
}

void storage_export_copied(struct storage *storage, struct storage_job *job,
                           enum freshet_error error, uint32_t file)
{
    storage->copies--;
    storage_judge_written(storage, &job->disk.copy_to, 1);
    if (error == FRESHET_ERROR_NOT_FOUND) {
        /* The part store has lost it; the piece will be fetched again. */
        lose(storage, job->piece);
        return;
    }
    if (!error)
        return;
    storage->copies_failed = true;
    if (error == FRESHET_ERROR_NO_SPACE)
        storage_put_full(storage, file);
    else
        storage_fail(storage, error, file);
}

void storage_export_recorded(struct storage *storage)
{
    for (uint32_t i = 0; storage->moved && i < storage->layout.file_count; i++)
        if (storage->places[i] == STORAGE_PLACE_MOVED)
            storage_layout_set_place(storage, i, STORAGE_PLACE_FILE);
    storage->moved = false;
}

void storage_export_sync_failed(struct storage *storage)
{
    for (uint32_t i = 0; storage->moved && i < storage->layout.file_count; i++) {
        piece_index first, last;
        if (storage->places[i] != STORAGE_PLACE_MOVED ||
            !geometry_file_pieces(storage->geometry, i, &first, &last))
            continue;
        lose(storage, first);
        lose(storage, last);
    }
}
