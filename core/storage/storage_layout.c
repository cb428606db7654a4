/* SPDX-License-Identifier: MIT */
/*
 * Where each byte of a piece lies. A file is itself from the first moment in which somebody wants
 * it, or when it lay there already, and stays itself. The others have no file: what pieces on their
 * border need of them lies in the part store, in one slot for each piece in which files meet. The
 * slots follow from the torrent alone, so the part store needs no table that could be lost.
 */
#include "core/storage/storage_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

/* The target of a link is a path from the storage's root, as the link itself is; the disk wants it
 * from the link's own folder: up to the folder that both are in, then down. */
static const char *relative_target(const struct metainfo_file *file)
{
    if (!file->symlink)
        return NULL;
    size_t common = 0;
    for (size_t i = 0; file->path[i] && file->path[i] == file->symlink[i]; i++)
        if (file->path[i] == '/')
            common = i + 1;
    struct buffer text = {0};
    for (const char *at = file->path + common; *at; at++)
        if (*at == '/')
            buffer_append_text(&text, "../");
    buffer_append_text(&text, file->symlink + common);
    buffer_append_u8(&text, 0);
    return (const char *)text.data;
}

void storage_part_name(const struct metainfo *metainfo, char ret_name[STORAGE_PART_NAME_SIZE])
{
    ret_name[0] = '.';
    bytes_to_hex(metainfo_wire_hash(metainfo), 20, ret_name + 1);
    memcpy(ret_name + 41, ".parts", sizeof ".parts");
}

void storage_layout_init(struct storage *storage, const struct storage_options *options)
{
    const struct metainfo *metainfo = storage->metainfo;
    uint32_t count = storage->geometry->file_count;
    storage->files = memory_new_array(count, sizeof *storage->files);
    storage->places = memory_new_array(count, sizeof *storage->places);
    for (uint32_t i = 0; i < count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        storage->files[i] = (struct storage_file){
            .path = file->path,
            .length = storage->geometry->files[i].length,
            .executable = file->executable,
            .padding = storage->geometry->files[i].padding,
            .symlink = relative_target(file),
        };
        piece_index first, last;
        if (geometry_file_pieces(storage->geometry, i, &first, &last)) {
            storage->files[i].piece_first = first;
            storage->files[i].piece_end = last + 1;
        }
    }
    char part_name[STORAGE_PART_NAME_SIZE];
    storage_part_name(metainfo, part_name);
    storage->layout = (struct storage_layout){
        .root = memory_copy_text(options->root),
        .info_hash = storage->info_hash,
        .part_name = memory_copy_text(part_name),
        .files = storage->files,
        .file_count = count,
        .piece_length = storage->geometry->piece_length,
        .allocation = options->allocation,
        .read_only = options->read_only,
        .make_symlinks = options->make_symlinks,
        .part_suffix = options->part_suffix,
    };
    if (metainfo->has_v2)
        memcpy(storage->info_hash, metainfo->info_hash_v2, 32);
    else
        memcpy(storage->info_hash, metainfo->info_hash_v1, 20);
    storage_layout_prioritise(storage, options->file_priorities);
}

void storage_layout_deinit(struct storage *storage)
{
    for (uint32_t i = 0; i < storage->layout.file_count; i++)
        memory_free((void *)(uintptr_t)storage->files[i].symlink);
    memory_free(storage->files);
    memory_free(storage->places);
    memory_free(storage->priorities);
    memory_free(storage->slots);
    memory_free((void *)(uintptr_t)storage->layout.root);
    memory_free((void *)(uintptr_t)storage->layout.part_name);
    bitfield_deinit(&storage->wanted);
}

bool storage_layout_file_wanted(const struct storage *storage, file_index file)
{
    if (storage->geometry->files[file].padding)
        return false;
    return !storage->priorities || storage->priorities[file];
}

/* Some pieces are unwanted when a file is, and when padding fills a piece. */
static bool some_unwanted(const struct storage *storage)
{
    for (uint32_t i = 0; i < storage->layout.file_count; i++)
        if (!storage_layout_file_wanted(storage, i) && storage->geometry->files[i].length)
            return true;
    return false;
}

void storage_layout_prioritise(struct storage *storage, const uint8_t *priorities)
{
    uint32_t count = storage->layout.file_count;
    uint8_t *copy = priorities ? memory_copy(priorities, count) : NULL;
    for (uint32_t i = 0; copy && i < count; i++)
        if (copy[i] > LIMIT_FILE_PRIORITY)
            copy[i] = LIMIT_FILE_PRIORITY;
    memory_free(storage->priorities);
    storage->priorities = copy;
    bitfield_deinit(&storage->wanted);
    if (!some_unwanted(storage))
        return;
    bitfield_init(&storage->wanted, storage->geometry->piece_count);
    for (uint32_t i = 0; i < count; i++) {
        piece_index first, last;
        if (!storage_layout_file_wanted(storage, i) ||
            !geometry_file_pieces(storage->geometry, i, &first, &last))
            continue;
        for (piece_index piece = first; piece <= last; piece++)
            bitfield_set(&storage->wanted, piece);
    }
}

bool storage_layout_piece_wanted(const struct storage *storage, piece_index piece)
{
    return !storage->wanted.bytes || bitfield_has(&storage->wanted, piece);
}

bool storage_layout_has_wanted(const struct storage *storage, const struct bitfield *field)
{
    if (!storage->wanted.bytes)
        return bitfield_is_full(field);
    return !bitfield_has_beyond(&storage->wanted, field);
}

/* The pieces in which two files of some length meet, ascending. */
static void make_slots(struct storage *storage)
{
    if (storage->slots)
        return;
    storage->slots = memory_new_array(storage->layout.file_count, sizeof *storage->slots);
    bool before = false;
    piece_index last_before = 0;
    for (uint32_t i = 0; i < storage->layout.file_count; i++) {
        piece_index first, last;
        if (storage->geometry->files[i].padding ||
            !geometry_file_pieces(storage->geometry, i, &first, &last))
            continue;
        bool known = storage->slot_count && storage->slots[storage->slot_count - 1] == first;
        if (before && first == last_before && !known)
            storage->slots[storage->slot_count++] = first;
        before = true;
        last_before = last;
    }
}

void storage_layout_set_place(struct storage *storage, file_index file, enum storage_place place)
{
    if (storage->places[file] == STORAGE_PLACE_PARTS)
        storage->places_parts--;
    storage->places[file] = (uint8_t)place;
    if (place == STORAGE_PLACE_PARTS) {
        storage->places_parts++;
        make_slots(storage);
    }
    storage->files[file].wanted =
        place != STORAGE_PLACE_PARTS && !storage->geometry->files[file].padding;
}

/* Does the record have a piece that touches the file? */
static bool has_recorded_piece(const struct storage *storage, file_index file)
{
    piece_index first, last;
    if (!geometry_file_pieces(storage->geometry, file, &first, &last))
        return false;
    return bitfield_next_set(&storage->durable, first) <= last;
}

static bool file_is_itself(const struct storage *storage, file_index file,
                           const struct file_stat *stats)
{
    const struct geometry_file *info = &storage->geometry->files[file];
    if (info->padding || info->length == 0)
        return true;
    if (storage->has_record && storage->stats[file].exists)
        return true;
    /* Wanted now: from here on a file, but what was recorded of it must first leave the part
     * store. */
    if (storage_layout_file_wanted(storage, file))
        return !storage->has_record || !has_recorded_piece(storage, file);
    /* Unwanted, but all there: a copy that is seeded in part. One of another length is somebody
     * else's file, which nobody asked us to touch. */
    return !storage->has_record && stats[file].exists && stats[file].size == info->length;
}

void storage_layout_place(struct storage *storage, const struct file_stat *stats)
{
    for (uint32_t i = 0; i < storage->layout.file_count; i++) {
        bool itself = file_is_itself(storage, i, stats);
        storage_layout_set_place(storage, i, itself ? STORAGE_PLACE_FILE : STORAGE_PLACE_PARTS);
        /* An empty file that nobody wants is not made. */
        if (!storage_layout_file_wanted(storage, i) && storage->geometry->files[i].length == 0)
            storage->files[i].wanted = false;
    }
}

/* The slot of a piece; slot_count: it has none. */
static uint32_t slot_of(const struct storage *storage, piece_index piece)
{
    uint32_t low = 0, high = storage->slot_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (storage->slots[middle] < piece)
            low = middle + 1;
        else
            high = middle;
    }
    return low < storage->slot_count && storage->slots[low] == piece ? low : storage->slot_count;
}

uint32_t storage_layout_ranges(const struct storage *storage, piece_index piece, uint32_t begin,
                               uint32_t length, struct file_range *ranges, uint32_t ranges_max)
{
    uint32_t count = geometry_ranges(storage->geometry, piece, begin, length, ranges, ranges_max);
    if (!storage->places_parts)
        return count;
    uint64_t at = begin;
    for (uint32_t i = 0; i < count && i < ranges_max; i++) {
        struct file_range *range = &ranges[i];
        if (range->file != FILE_PADDING && storage->places[range->file] == STORAGE_PLACE_PARTS) {
            range->file = FILE_PART_STORE;
            range->offset =
                (uint64_t)slot_of(storage, piece) * storage->geometry->piece_length + at;
        }
        at += range->length;
    }
    return count;
}

bool storage_layout_has_room(const struct storage *storage, piece_index piece)
{
    if (!storage->places_parts || slot_of(storage, piece) < storage->slot_count)
        return true;
    file_index file =
        geometry_file_at(storage->geometry, (uint64_t)piece * storage->geometry->piece_length);
    return storage->places[file] != STORAGE_PLACE_PARTS;
}

struct file_range *storage_layout_all_ranges(const struct storage *storage, piece_index piece,
                                             uint32_t length, uint32_t *ret_count)
{
    uint32_t count = geometry_ranges(storage->geometry, piece, 0, length, NULL, 0);
    struct file_range *ranges = memory_new_array(count, sizeof *ranges);
    *ret_count = storage_layout_ranges(storage, piece, 0, length, ranges, count);
    return ranges;
}

uint32_t storage_layout_fact(const struct storage *storage, const struct file_range *range)
{
    if (range->file == FILE_PADDING)
        return UINT32_MAX;
    return range->file == FILE_PART_STORE ? storage->layout.file_count : range->file;
}

void storage_layout_check(const struct storage *storage)
{
    uint32_t parts = 0;
    for (uint32_t i = 0; i < storage->layout.file_count; i++) {
        parts += storage->places[i] == STORAGE_PLACE_PARTS;
        CHECK(storage->places[i] != STORAGE_PLACE_PARTS || !storage->geometry->files[i].padding);
    }
    CHECK(parts == storage->places_parts);
    for (uint32_t i = 1; i < storage->slot_count; i++)
        CHECK(storage->slots[i - 1] < storage->slots[i]);
}
