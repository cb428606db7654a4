/* SPDX-License-Identifier: MIT */
/* A torrent's pieces on one line, many a column: how many of a column's pieces are there. */
#ifndef FRESHET_CLI_PIECE_STRIP_H
#define FRESHET_CLI_PIECE_STRIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/bitfield.h"

#define PIECE_STRIP_COLUMNS 200
#define PIECE_STRIP_SIZE    (PIECE_STRIP_COLUMNS * 4 + 1)

/* 0 nothing, 8 all of `total`, and nothing else is 0 or 8. */
int piece_strip_level(uint32_t have, uint32_t total);
/* A character for a level. */
const char *piece_strip_cell(int level, bool utf8);
/* At most `columns` of them (and PIECE_STRIP_COLUMNS), as many as there are pieces; "" for none. */
void piece_strip_text(const struct bitfield *pieces, uint32_t count, int columns, bool utf8,
                      char text[PIECE_STRIP_SIZE]);

#endif
