/* SPDX-License-Identifier: MIT */
#include "cli/piece_strip.h"

#include <string.h>

int piece_strip_level(uint32_t have, uint32_t total)
{
    if (total == 0 || have == 0)
        return 0;
    if (have >= total)
        return 8;
    return 1 + (int)((uint64_t)have * 7 / total);
}

const char *piece_strip_cell(int level, bool utf8)
{
    static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const ascii[] = {"_", ".", ".", ":", ":", "+", "+", "*", "#"};

    return utf8 ? blocks[level] : ascii[level];
}

void piece_strip_text(const struct bitfield *pieces, uint32_t count, int columns, bool utf8,
                      char text[PIECE_STRIP_SIZE])
{
    uint32_t shown = columns < 0 ? 0 : (uint32_t)columns;
    char *at = text;

    shown = shown < PIECE_STRIP_COLUMNS ? shown : PIECE_STRIP_COLUMNS;
    shown = shown < count ? shown : count;
    for (uint32_t column = 0; pieces && column < shown; column++) {
        uint32_t first = (uint32_t)((uint64_t)count * column / shown);
        uint32_t end = (uint32_t)((uint64_t)count * (column + 1) / shown), have = 0;
        for (uint32_t piece = first; piece < end; piece++)
            have += bitfield_has(pieces, piece);
        const char *cell = piece_strip_cell(piece_strip_level(have, end - first), utf8);
        size_t length = strlen(cell);
        memcpy(at, cell, length);
        at += length;
    }
    *at = '\0';
}
