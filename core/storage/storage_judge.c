/* SPDX-License-Identifier: MIT */
/*
 * What the facts of the files (length, time of change, inode) say of the pieces in them.
 *
 * 1. A recorded piece is believed when all the files that it lies in are the recorded ones.
 * 2. After an orderly stop that means: exactly the same facts. After a kill, a file that was not
 *    complete may be newer than its record, since we ourselves wrote on; a complete one may not.
 * 3. What is not believed, or not recorded, is hashed if its bytes can be there at all. After an
 *    orderly stop an unrecorded piece of an unchanged file has no bytes worth hashing.
 * 4. While we run, a file whose facts change without our writing to it was changed by somebody
 *    else: nothing in it is known until it is hashed again.
 */
#include "core/storage/storage_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

static bool same_file(const struct file_stat *a, const struct file_stat *b)
{
    return a->exists == b->exists && (!a->exists || (a->size == b->size && a->inode == b->inode));
}

static bool same_facts(const struct file_stat *a, const struct file_stat *b)
{
    return same_file(a, b) && (!a->exists || a->mtime_ns == b->mtime_ns);
}

/* Calls for each piece that has bytes in the file (or, for the part store, in a slot). */
typedef void piece_function(struct storage *storage, piece_index piece);

static void each_piece_of_file(struct storage *storage, file_index file, piece_function *call)
{
    piece_index first, last;
    if (!geometry_file_pieces(storage->geometry, file, &first, &last))
        return;
    for (piece_index piece = first; piece <= last; piece++)
        call(storage, piece);
}

static bool piece_in_parts(const struct storage *storage, piece_index piece)
{
    uint32_t count;
    uint32_t size = geometry_piece_size(storage->geometry, piece);
    struct file_range *ranges = storage_layout_all_ranges(storage, piece, size, &count);
    bool found = false;
    for (uint32_t i = 0; i < count && !found; i++)
        found = ranges[i].file == FILE_PART_STORE;
    memory_free(ranges);
    return found;
}

static void each_piece_of_fact(struct storage *storage, uint32_t fact, piece_function *call)
{
    if (fact < storage->layout.file_count) {
        each_piece_of_file(storage, fact, call);
        return;
    }
    for (uint32_t i = 0; i < storage->slot_count; i++)
        if (piece_in_parts(storage, storage->slots[i]))
            call(storage, storage->slots[i]);
}

static bool file_recorded(const struct storage *storage, file_index file, bool all)
{
    piece_index first, last;
    if (!geometry_file_pieces(storage->geometry, file, &first, &last))
        return false;
    return all ? bitfield_next_clear(&storage->durable, first) > last
               : bitfield_next_set(&storage->durable, first) <= last;
}

/* Is this file, or the part store, the recorded one? */
static bool fact_is_trusted(const struct storage *storage, uint32_t fact,
                            const struct file_stat *stats)
{
    const struct file_stat *was = &storage->stats[fact], *now = &stats[fact];
    if (!storage->has_record || !was->exists)
        return false;
    if (same_facts(was, now))
        return true;
    /* Our own writes after the record make a file newer, and longer where it was not allocated. The
     * part store grows all the time: its facts may have been taken after a write that a power cut
     * then took back. */
    bool is_file = fact < storage->layout.file_count;
    bool finished = is_file && file_recorded(storage, fact, true);
    return !storage->record_clean && !finished && now->exists && now->inode == was->inode &&
           (!is_file || now->size >= was->size);
}

enum piece_bytes { BYTES_ABSENT, BYTES_POSSIBLE, BYTES_TRUSTED };

/* What is known of the bytes of a piece before anything is hashed. */
static enum piece_bytes judge_piece(const struct storage *storage, piece_index piece,
                                    const struct file_stat *stats, const struct bitfield *trusted)
{
    enum piece_bytes result = BYTES_TRUSTED;
    uint32_t count;
    uint32_t size = geometry_piece_size(storage->geometry, piece);
    struct file_range *ranges = storage_layout_all_ranges(storage, piece, size, &count);
    for (uint32_t i = 0; i < count && result != BYTES_ABSENT; i++) {
        uint32_t fact = storage_layout_fact(storage, &ranges[i]);
        if (fact == UINT32_MAX)
            continue;
        if (!stats[fact].exists || stats[fact].size < ranges[i].offset + ranges[i].length)
            result = BYTES_ABSENT;
        else if (!trusted || !bitfield_has(trusted, fact))
            result = BYTES_POSSIBLE;
    }
    memory_free(ranges);
    return result;
}

static void judge_start(struct storage *storage, piece_index piece, const struct file_stat *stats,
                        const struct bitfield *trusted)
{
    enum piece_bytes bytes = judge_piece(storage, piece, stats, trusted);
    bool recorded = bitfield_has(&storage->durable, piece);
    if (recorded && bytes == BYTES_TRUSTED) {
        bitfield_set(&storage->verified, piece);
        return;
    }
    if (recorded)
        bitfield_clear(&storage->durable, piece);
    if (bytes == BYTES_ABSENT)
        return;
    bool nothing_new = bytes == BYTES_TRUSTED && storage->record_clean;
    bool padding = geometry_piece_payload(storage->geometry, piece) == 0;
    if (storage->trust_all)
        bitfield_set(&storage->verified, piece);
    else if (!nothing_new || padding)
        storage_verify_add(storage, piece);
}

/* A file with progress in it that is not as it was left: somebody should know. */
static void tell_changed(struct storage *storage, uint32_t fact)
{
    struct storage_result *result = storage_tell(storage, STORAGE_RESULT_FILE_CHANGED);
    result->file = fact < storage->layout.file_count ? fact : UINT32_MAX;
}

static bool fact_has_progress(const struct storage *storage, uint32_t fact)
{
    if (fact < storage->layout.file_count)
        return !storage->geometry->files[fact].padding &&
               storage->places[fact] != STORAGE_PLACE_PARTS && file_recorded(storage, fact, false);
    for (uint32_t i = 0; storage->places_parts && i < storage->slot_count; i++)
        if (bitfield_has(&storage->durable, storage->slots[i]) &&
            piece_in_parts(storage, storage->slots[i]))
            return true;
    return false;
}

/* Nothing is left to make: no empty file, no mode. */
static bool finished_before(const struct storage *storage)
{
    if (!storage->record_complete || !storage_layout_has_wanted(storage, &storage->durable))
        return false;
    for (uint32_t i = 0; i < storage->layout.file_count; i++)
        if (storage->files[i].wanted && !storage->files[i].symlink && !storage->files[i].padding &&
            !storage->stats[i].exists)
            return false;
    return true;
}

void storage_judge_open(struct storage *storage, const struct file_stat *stats)
{
    CHECK(storage->verified.count == 0);
    storage_layout_place(storage, stats);
    struct bitfield trusted;
    bitfield_init(&trusted, storage->facts);
    for (uint32_t fact = 0; fact < storage->facts; fact++) {
        if (fact_is_trusted(storage, fact, stats))
            bitfield_set(&trusted, fact);
        else if (storage->has_record && fact_has_progress(storage, fact))
            tell_changed(storage, fact);
    }
    uint32_t recorded = storage->durable.count;
    for (piece_index piece = 0; piece < storage->geometry->piece_count; piece++)
        judge_start(storage, piece, stats, &trusted);
    if (storage->durable.count != recorded || storage->verified.count != storage->durable.count)
        storage_barrier_wanted(storage);
    bitfield_deinit(&trusted);
    memcpy(storage->stats, stats, storage->facts * sizeof *stats);
    storage->prepared = storage->read_only || finished_before(storage);
}

static void lose_piece(struct storage *storage, piece_index piece)
{
    if (bitfield_has(&storage->verified, piece)) {
        bitfield_set(&storage->taken, piece);
        storage_forget_piece(storage, piece);
        storage_tell_lost(storage, piece);
    }
}

static void note_piece(struct storage *storage, piece_index piece)
{
    bitfield_set(&storage->rehash, piece);
}

/* Each piece once, however many of its files changed. */
static void hash_changed_again(struct storage *storage, const struct bitfield *changed)
{
    bitfield_init(&storage->rehash, storage->geometry->piece_count);
    for (uint32_t fact = bitfield_next_set(changed, 0); fact < storage->facts;
         fact = bitfield_next_set(changed, fact + 1))
        each_piece_of_fact(storage, fact, note_piece);
    for (piece_index piece = bitfield_next_set(&storage->rehash, 0); piece < storage->rehash.size;
         piece = bitfield_next_set(&storage->rehash, piece + 1))
        if (judge_piece(storage, piece, storage->stats, NULL) != BYTES_ABSENT)
            storage_verify_add(storage, piece);
    bitfield_deinit(&storage->rehash);
}

static bool fact_in_use(const struct storage *storage, uint32_t fact)
{
    if (fact == storage->layout.file_count)
        return storage->places_parts > 0;
    if (storage->geometry->files[fact].padding || storage->places[fact] == STORAGE_PLACE_PARTS)
        return false;
    return storage->geometry->files[fact].length || storage->files[fact].wanted;
}

/* We make files and write to them; we never put another in the place of one. */
static bool may_be_ours(const struct file_stat *was, const struct file_stat *now)
{
    return !was->exists || (now->exists && now->inode == was->inode);
}

void storage_judge_facts(struct storage *storage, const struct file_stat *stats)
{
    struct bitfield changed;
    bitfield_init(&changed, storage->facts);
    for (uint32_t fact = 0; fact < storage->facts; fact++) {
        bool ours =
            bitfield_has(&storage->written, fact) || bitfield_has(&storage->written_before, fact);
        bool same = ours ? may_be_ours(&storage->stats[fact], &stats[fact])
                         : same_facts(&storage->stats[fact], &stats[fact]);
        if (!same && fact_in_use(storage, fact))
            bitfield_set(&changed, fact);
    }
    memcpy(storage->stats, stats, storage->facts * sizeof *stats);
    if (changed.count > 0 && !storage->taken.bytes)
        bitfield_init(&storage->taken, storage->geometry->piece_count);
    for (uint32_t fact = bitfield_next_set(&changed, 0); fact < storage->facts;
         fact = bitfield_next_set(&changed, fact + 1)) {
        tell_changed(storage, fact);
        each_piece_of_fact(storage, fact, lose_piece);
        if (!stats[fact].exists)
            storage->prepared = storage->read_only;
        storage_barrier_wanted(storage);
    }
    if (changed.count > 0)
        hash_changed_again(storage, &changed);
    bitfield_deinit(&changed);
}

void storage_judge_ask(struct storage *storage)
{
    bitfield_copy(&storage->written_before, &storage->written);
    bitfield_clear_all(&storage->written);
}

void storage_judge_written(struct storage *storage, const struct file_range *ranges, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t fact = storage_layout_fact(storage, &ranges[i]);
        if (fact != UINT32_MAX)
            bitfield_set(&storage->written, fact);
    }
}

void storage_judge_prepared(struct storage *storage)
{
    for (uint32_t i = 0; i < storage->layout.file_count; i++) {
        const struct file_stat *stat = &storage->stats[i];
        bool finished = stat->exists && stat->size == storage->files[i].length &&
                        file_recorded(storage, i, true);
        if (storage->files[i].wanted && !finished)
            bitfield_set(&storage->written, i);
    }
}
