/* SPDX-License-Identifier: MIT */
/*
 * What `freshet top` shows: a list of torrents, and of one of them its details, a strip of its
 * pieces and a plot of its speed. Rows come from the daemon as JSON; drawing asks nobody.
 */
#ifndef FRESHET_CLI_TOP_SCREEN_H
#define FRESHET_CLI_TOP_SCREEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define TOP_HISTORY 240 /* seconds of speed that the plot has */

struct top_history {
    double down[TOP_HISTORY], up[TOP_HISTORY];
    size_t count; /* seconds seen; the newest is at (count - 1) % TOP_HISTORY */
};

enum top_order { TOP_BY_ID, TOP_BY_NAME, TOP_BY_DONE, TOP_BY_DOWN, TOP_BY_UP, TOP_ORDERS };

struct top_screen {
    json_t *rows;                /* of all torrents, in order; owned */
    json_t *detail;              /* of the chosen one while details are shown; owned, or NULL */
    struct top_history all, one; /* one: of torrent `one_id` */
    int64_t chosen_id, one_id;   /* 0: none */
    size_t first;                /* row at the top of the list */
    enum top_order order;
    bool details;
    char message[256]; /* at the foot, until the next key */
};

void top_screen_init(struct top_screen *screen);
void top_screen_deinit(struct top_screen *screen);
/* Takes the rows; keeps the choice where it is, or moves it to a neighbour. */
void top_screen_take_rows(struct top_screen *screen, json_t *rows);
void top_screen_take_detail(struct top_screen *screen, json_t *detail);
void top_screen_move(struct top_screen *screen, int64_t by);
void top_screen_next_order(struct top_screen *screen);
/* Of the chosen torrent; NULL: the list is empty. */
const json_t *top_screen_chosen(const struct top_screen *screen);
/* On the curses screen. */
void top_screen_draw(struct top_screen *screen);

#endif
