/* SPDX-License-Identifier: MIT */
#include "services/stream/stream_windows.h"

#include "core/base/check.h"

_Static_assert(LIMIT_FILE_READERS * 4 <= LIMIT_PIECE_WINDOWS, "each reader has four");

struct windows {
    const struct geometry *geometry;
    struct piece_window *all;
    uint32_t count;
};

/* [from, from + length) of a file, as far as that goes. */
static void add(struct windows *windows, file_index file, uint64_t from, uint64_t length,
                bool is_now)
{
    const struct geometry_file *of = &windows->geometry->files[file];

    if (from >= of->length || length == 0)
        return;
    if (length > of->length - from)
        length = of->length - from;
    piece_index first = geometry_piece_at(windows->geometry, of->offset + from);
    piece_index last = geometry_piece_at(windows->geometry, of->offset + from + length - 1);
    uint32_t most = is_now ? STREAM_NOW_PIECES : STREAM_SOON_PIECES;
    windows->all[windows->count++] = (struct piece_window){
        .first = first,
        .count = last - first < most ? last - first + 1 : most,
        .is_now = is_now,
    };
}

uint32_t stream_windows(const struct geometry *geometry, const struct stream_place *places,
                        uint32_t place_count, struct piece_window ret_windows[LIMIT_PIECE_WINDOWS])
{
    struct windows windows = {.geometry = geometry, .all = ret_windows};

    for (uint32_t i = 0; i < place_count && i < LIMIT_FILE_READERS; i++) {
        file_index file = places[i].file;
        CHECK(file < geometry->file_count);
        uint64_t length = geometry->files[file].length;
        bool begins = places[i].offset < STREAM_HEAD;
        add(&windows, file, places[i].offset, STREAM_NOW, true);
        add(&windows, file, places[i].offset, STREAM_SOON, false);
        add(&windows, file, 0, STREAM_HEAD, begins);
        add(&windows, file, length > STREAM_TAIL ? length - STREAM_TAIL : 0, STREAM_TAIL, begins);
    }
    return windows.count;
}
