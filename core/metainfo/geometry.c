/* SPDX-License-Identifier: MIT */
#include "core/metainfo/geometry.h"

#include "core/base/check.h"
#include "core/base/memory.h"

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static bool is_piece_length(uint32_t piece_length, bool aligned_gaps)
{
    if (piece_length == 0 || piece_length > LIMIT_PIECE_LENGTH_MAX)
        return false;
    if (!aligned_gaps)
        return true;
    return is_power_of_two(piece_length) && piece_length >= LIMIT_PIECE_LENGTH_MIN_V2;
}

/* Fills in the offsets. Sums stay below 2^63 + a piece, so that nothing here can wrap. */
static enum freshet_error place_files(struct geometry *geometry)
{
    const uint64_t bytes_max = INT64_MAX;
    uint64_t at = 0;
    bool aligned = true;
    for (uint32_t i = 0; i < geometry->file_count; i++) {
        struct geometry_file *file = &geometry->files[i];
        uint64_t over = at % geometry->piece_length;
        if (geometry->gaps && over)
            at += geometry->piece_length - over;
        if (file->length > bytes_max || at > bytes_max - file->length)
            return FRESHET_ERROR_LIMIT;
        file->offset = at;
        if (file->length == 0)
            continue;
        if (!file->padding && at % geometry->piece_length)
            aligned = false;
        at += file->length;
        geometry->total_length = at;
        geometry->payload_length += file->padding ? 0 : file->length;
        geometry->solid_count++;
    }
    geometry->aligned = aligned;
    return geometry->payload_length ? FRESHET_OK : FRESHET_ERROR_RANGE;
}

static enum freshet_error count_pieces(struct geometry *geometry)
{
    uint64_t pieces = (geometry->total_length - 1) / geometry->piece_length + 1;
    if (pieces > LIMIT_PIECES_MAX)
        return FRESHET_ERROR_LIMIT;
    geometry->piece_count = (uint32_t)pieces;
    return FRESHET_OK;
}

static void index_solid_files(struct geometry *geometry)
{
    geometry->solid = memory_new_array(geometry->solid_count, sizeof geometry->solid[0]);
    geometry->payload_ends =
        memory_new_array(geometry->solid_count, sizeof geometry->payload_ends[0]);
    uint64_t payload_end = 0;
    uint32_t solid = 0;
    for (uint32_t i = 0; i < geometry->file_count; i++) {
        const struct geometry_file *file = &geometry->files[i];
        if (file->length == 0)
            continue;
        if (!file->padding)
            payload_end = file->offset + file->length;
        geometry->solid[solid] = i;
        geometry->payload_ends[solid++] = payload_end;
    }
    CHECK(solid == geometry->solid_count);
}

enum freshet_error geometry_init(struct geometry *geometry, uint32_t piece_length,
                                 const struct geometry_file *files, uint32_t file_count,
                                 bool aligned_gaps)
{
    if (!is_piece_length(piece_length, aligned_gaps))
        return FRESHET_ERROR_RANGE;
    if (file_count > LIMIT_FILES_MAX)
        return FRESHET_ERROR_LIMIT;
    struct geometry made = {
        .piece_length = piece_length, .file_count = file_count, .gaps = aligned_gaps};
    made.files = memory_copy(files, file_count * sizeof files[0]);
    enum freshet_error error = place_files(&made);
    if (error == FRESHET_OK)
        error = count_pieces(&made);
    if (error != FRESHET_OK) {
        geometry_deinit(&made);
        return error;
    }
    index_solid_files(&made);
    *geometry = made;
    return FRESHET_OK;
}

void geometry_deinit(struct geometry *geometry)
{
    memory_free(geometry->files);
    memory_free(geometry->solid);
    memory_free(geometry->payload_ends);
    *geometry = (struct geometry){0};
}

/* Which of the solid files is the last that starts at or before the offset. */
static uint32_t solid_at(const struct geometry *geometry, uint64_t offset)
{
    uint32_t low = 0;
    uint32_t high = geometry->solid_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (geometry->files[geometry->solid[middle]].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t piece_start(const struct geometry *geometry, piece_index piece)
{
    CHECK(piece < geometry->piece_count);
    return (uint64_t)piece * geometry->piece_length;
}

/* Where the bytes of a piece end in linear space. */
static uint64_t piece_end(const struct geometry *geometry, piece_index piece)
{
    uint64_t start = piece_start(geometry, piece);
    uint64_t end = geometry->total_length;
    if (geometry->gaps) {
        const struct geometry_file *file =
            &geometry->files[geometry->solid[solid_at(geometry, start)]];
        end = file->offset + file->length;
    }
    return end - start < geometry->piece_length ? end : start + geometry->piece_length;
}

uint32_t geometry_piece_size(const struct geometry *geometry, piece_index piece)
{
    return (uint32_t)(piece_end(geometry, piece) - piece_start(geometry, piece));
}

uint32_t geometry_piece_payload(const struct geometry *geometry, piece_index piece)
{
    uint64_t start = piece_start(geometry, piece);
    uint64_t end = piece_end(geometry, piece);
    uint64_t payload_end = geometry->payload_ends[solid_at(geometry, end - 1)];
    if (payload_end <= start)
        return 0;
    return (uint32_t)((payload_end < end ? payload_end : end) - start);
}

uint32_t geometry_piece_blocks(const struct geometry *geometry, piece_index piece)
{
    uint32_t payload = geometry_piece_payload(geometry, piece);
    return (payload + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE;
}

uint32_t geometry_block_length(const struct geometry *geometry, piece_index piece, uint32_t block)
{
    uint32_t payload = geometry_piece_payload(geometry, piece);
    CHECK(block < (payload + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE);
    uint32_t left = payload - block * LIMIT_BLOCK_SIZE;
    return left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE;
}

piece_index geometry_piece_at(const struct geometry *geometry, uint64_t offset)
{
    uint64_t piece = offset / geometry->piece_length;
    CHECK(piece < geometry->piece_count);
    return (piece_index)piece;
}

bool geometry_file_pieces(const struct geometry *geometry, file_index file, piece_index *ret_first,
                          piece_index *ret_last)
{
    CHECK(file < geometry->file_count);
    const struct geometry_file *of = &geometry->files[file];
    if (of->length == 0)
        return false;
    *ret_first = geometry_piece_at(geometry, of->offset);
    *ret_last = geometry_piece_at(geometry, of->offset + of->length - 1);
    return true;
}

file_index geometry_file_at(const struct geometry *geometry, uint64_t offset)
{
    return geometry->solid[solid_at(geometry, offset)];
}

/* Ranges as they are found: neighbouring padding becomes one, what does not fit is only counted. */
struct range_list {
    struct file_range *ranges;
    uint32_t max, count;
    bool ends_in_padding;
};

static void add_range(struct range_list *list, file_index file, uint64_t offset, uint64_t length)
{
    bool padding = file == FILE_PADDING;
    if (padding && list->ends_in_padding) {
        if (list->count <= list->max)
            list->ranges[list->count - 1].length += (uint32_t)length;
        return;
    }
    if (list->count < list->max)
        list->ranges[list->count] = (struct file_range){file, (uint32_t)length, offset};
    list->count++;
    list->ends_in_padding = padding;
}

void geometry_file_bytes(const struct geometry *geometry, const struct bitfield *pieces,
                         uint64_t *ret_bytes)
{
    for (uint32_t i = 0; i < geometry->file_count; i++) {
        const struct geometry_file *file = &geometry->files[i];
        uint64_t end = file->offset + file->length, length = geometry->piece_length;
        piece_index first, last;
        ret_bytes[i] = 0;
        if (file->padding || !geometry_file_pieces(geometry, i, &first, &last))
            continue;
        for (piece_index piece = bitfield_next_set(pieces, first); piece <= last;
             piece = bitfield_next_set(pieces, piece + 1)) {
            uint64_t from = piece * length, to = from + length;
            ret_bytes[i] += (to < end ? to : end) - (from > file->offset ? from : file->offset);
        }
    }
}

uint32_t geometry_ranges(const struct geometry *geometry, piece_index piece, uint32_t begin,
                         uint32_t length, struct file_range *ranges, uint32_t ranges_max)
{
    CHECK(begin <= geometry->piece_length);
    CHECK(length <= geometry->piece_length - begin);
    struct range_list list = {ranges, ranges_max, 0, false};
    uint64_t at = piece_start(geometry, piece) + begin;
    uint64_t end = at + length;
    for (uint32_t solid = solid_at(geometry, at); at < end; solid++) {
        const struct geometry_file *file = &geometry->files[geometry->solid[solid]];
        uint64_t file_end = file->offset + file->length;
        if (at < file_end) {
            uint64_t take = (file_end < end ? file_end : end) - at;
            if (file->padding)
                add_range(&list, FILE_PADDING, 0, take);
            else
                add_range(&list, geometry->solid[solid], at - file->offset, take);
            at += take;
        }
        /* What lies before the next file belongs to nobody. */
        bool is_last = solid + 1 == geometry->solid_count;
        uint64_t next = is_last ? UINT64_MAX : geometry->files[geometry->solid[solid + 1]].offset;
        uint64_t gap_end = next < end ? next : end;
        if (at < gap_end) {
            add_range(&list, FILE_PADDING, 0, gap_end - at);
            at = gap_end;
        }
    }
    return list.count;
}
