/* SPDX-License-Identifier: MIT */
#include "cli/top_screen.h"

#include <curses.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/piece_strip.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#define FOOT_ROWS 2
#define HEAD_ROWS 2
#define PLOT_ROWS 6

void top_screen_init(struct top_screen *screen)
{
    memset(screen, 0, sizeof *screen);
    screen->rows = json_array();
}

void top_screen_deinit(struct top_screen *screen)
{
    json_decref(screen->rows);
    json_decref(screen->detail);
}

/* ---- rows and their order ---- */

static int64_t row_id(const json_t *row)
{
    return (int64_t)daemon_client_number(row, "id");
}

static int compare_numbers(double a, double b)
{
    return a < b ? -1 : a > b;
}

static enum top_order sort_order; /* qsort takes no context */

static int compare_rows(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    int order = 0;

    if (sort_order == TOP_BY_NAME)
        order = strcmp(daemon_client_text(left, "name"), daemon_client_text(right, "name"));
    else if (sort_order == TOP_BY_DONE)
        order = compare_numbers(daemon_client_number(left, "percent_done"),
                                daemon_client_number(right, "percent_done"));
    else if (sort_order == TOP_BY_DOWN)
        order = compare_numbers(daemon_client_number(right, "rate_download"),
                                daemon_client_number(left, "rate_download"));
    else if (sort_order == TOP_BY_UP)
        order = compare_numbers(daemon_client_number(right, "rate_upload"),
                                daemon_client_number(left, "rate_upload"));
    return order ? order : compare_numbers((double)row_id(left), (double)row_id(right));
}

static void sort_rows(struct top_screen *screen)
{
    size_t count = json_array_size(screen->rows);
    json_t **rows = memory_new_array(count + 1, sizeof(json_t *));

    for (size_t i = 0; i < count; i++)
        rows[i] = json_incref(json_array_get(screen->rows, i));
    sort_order = screen->order;
    qsort(rows, count, sizeof *rows, compare_rows);
    json_array_clear(screen->rows);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(screen->rows, rows[i]);
    memory_free(rows);
}

static size_t chosen_index(const struct top_screen *screen)
{
    for (size_t i = 0; i < json_array_size(screen->rows); i++)
        if (row_id(json_array_get(screen->rows, i)) == screen->chosen_id)
            return i;
    return SIZE_MAX;
}

const json_t *top_screen_chosen(const struct top_screen *screen)
{
    size_t index = chosen_index(screen);

    return index == SIZE_MAX ? NULL : json_array_get(screen->rows, index);
}

static void history_add(struct top_history *history, double down, double up)
{
    history->down[history->count % TOP_HISTORY] = down;
    history->up[history->count % TOP_HISTORY] = up;
    history->count++;
}

void top_screen_take_rows(struct top_screen *screen, json_t *rows)
{
    size_t was = chosen_index(screen), index, count = json_array_size(rows);
    double down = 0, up = 0;
    json_t *row;

    json_decref(screen->rows);
    screen->rows = rows;
    sort_rows(screen);
    json_array_foreach(rows, index, row)
    {
        down += daemon_client_number(row, "rate_download");
        up += daemon_client_number(row, "rate_upload");
    }
    history_add(&screen->all, down, up);
    if (chosen_index(screen) == SIZE_MAX) {
        was = was == SIZE_MAX ? 0 : was >= count && count ? count - 1 : was;
        screen->chosen_id = count ? row_id(json_array_get(rows, was)) : 0;
    }
    if (screen->one_id != screen->chosen_id) {
        memset(&screen->one, 0, sizeof screen->one);
        screen->one_id = screen->chosen_id;
    }
    row = (json_t *)(uintptr_t)top_screen_chosen(screen);
    if (row)
        history_add(&screen->one, daemon_client_number(row, "rate_download"),
                    daemon_client_number(row, "rate_upload"));
}

void top_screen_take_detail(struct top_screen *screen, json_t *detail)
{
    json_decref(screen->detail);
    screen->detail = detail;
}

void top_screen_move(struct top_screen *screen, int64_t by)
{
    int64_t count = (int64_t)json_array_size(screen->rows), index;

    if (count == 0)
        return;
    index = (int64_t)chosen_index(screen) + by;
    index = index < 0 ? 0 : index >= count ? count - 1 : index;
    screen->chosen_id = row_id(json_array_get(screen->rows, (size_t)index));
}

void top_screen_next_order(struct top_screen *screen)
{
    screen->order = (screen->order + 1) % TOP_ORDERS;
    sort_rows(screen);
}

/* ---- drawing ---- */

/* A line of text from anywhere, cut to the width. */
static void put(int y, int x, int width, const char *text)
{
    char safe[1024];

    if (y < 0 || y >= LINES || width <= 0)
        return;
    terminal_safe_text(text, safe, sizeof safe);
    while (terminal_text_width(safe) > width) {
        size_t length = strlen(safe);
        do
            length--;
        while (length && ((unsigned char)safe[length] & 0xC0) == 0x80);
        safe[length] = '\0';
    }
    mvaddstr(y, x, safe);
}

static void draw_head(const struct top_screen *screen)
{
    static const char *const orders[] = {"number", "name", "done", "down", "up"};
    char line[256], down[UNITS_TEXT_SIZE], up[UNITS_TEXT_SIZE];
    size_t newest = screen->all.count ? (screen->all.count - 1) % TOP_HISTORY : 0;

    snprintf(line, sizeof line, "freshet  %zu torrent%s  down %s  up %s  by %s",
             json_array_size(screen->rows), json_array_size(screen->rows) == 1 ? "" : "s",
             units_format_rate((uint64_t)screen->all.down[newest], down),
             units_format_rate((uint64_t)screen->all.up[newest], up), orders[screen->order]);
    attron(A_BOLD);
    put(0, 0, COLS, line);
    attroff(A_BOLD);
}

static void draw_row(int y, const json_t *row)
{
    char line[512], size[UNITS_TEXT_SIZE], down[UNITS_TEXT_SIZE], up[UNITS_TEXT_SIZE];

    snprintf(line, sizeof line, "%4.0f %3d%% %10s %12s %12s  %-14s %.300s",
             daemon_client_number(row, "id"),
             (int)(daemon_client_number(row, "percent_done") * 100),
             units_format_bytes((uint64_t)daemon_client_number(row, "size_when_done"), size),
             units_format_rate((uint64_t)daemon_client_number(row, "rate_download"), down),
             units_format_rate((uint64_t)daemon_client_number(row, "rate_upload"), up),
             daemon_client_state(row), daemon_client_text(row, "name"));
    put(y, 0, COLS, line);
}

static void draw_list(struct top_screen *screen, int rows)
{
    size_t chosen = chosen_index(screen), count = json_array_size(screen->rows);

    attron(A_UNDERLINE);
    put(1, 0, COLS, "  ID done       size         down           up  state          name");
    attroff(A_UNDERLINE);
    if (rows <= 0)
        return;
    if (chosen != SIZE_MAX && chosen < screen->first)
        screen->first = chosen;
    if (chosen != SIZE_MAX && chosen >= screen->first + (size_t)rows)
        screen->first = chosen - (size_t)rows + 1;
    if (screen->first >= count)
        screen->first = 0;
    for (size_t i = 0; i < (size_t)rows && screen->first + i < count; i++) {
        bool is_chosen = screen->first + i == chosen;
        if (is_chosen)
            attron(A_REVERSE);
        draw_row(HEAD_ROWS + (int)i, json_array_get(screen->rows, screen->first + i));
        if (is_chosen)
            attroff(A_REVERSE);
    }
    if (count == 0)
        put(3, 2, COLS - 2, "no torrents yet: freshet add FILE|MAGNET");
}

/* A plot of the last seconds, one column each, eight levels a row. */
static void draw_plot(int y, int height, const struct top_history *history, const double *values,
                      const char *label)
{
    double most = 1;
    char line[64], text[UNITS_TEXT_SIZE];
    int width = COLS < TOP_HISTORY ? COLS : TOP_HISTORY;
    size_t shown = history->count < (size_t)width ? history->count : (size_t)width;

    for (size_t i = 0; i < shown; i++)
        most = values[(history->count - 1 - i) % TOP_HISTORY] > most
                   ? values[(history->count - 1 - i) % TOP_HISTORY]
                   : most;
    for (size_t i = 0; i < shown; i++) {
        double value = values[(history->count - 1 - i) % TOP_HISTORY];
        int level = (int)(value / most * height * 8 + 0.5);
        for (int row = 0; row < height; row++) {
            int part = level - row * 8;
            if (y + height - row < LINES - FOOT_ROWS)
                mvaddstr(y + height - row, width - 1 - (int)i,
                         part > 0 ? piece_strip_cell(part > 8 ? 8 : part, terminal_is_utf8())
                                  : " ");
        }
    }
    snprintf(line, sizeof line, "%s, at most %s", label, units_format_rate((uint64_t)most, text));
    put(y, 0, COLS, line);
}

/* Pieces that are there, many a column. */
static void draw_pieces(int y, const json_t *detail)
{
    const char *text = daemon_client_text(detail, "pieces");
    uint32_t total = (uint32_t)daemon_client_number(detail, "piece_count");
    size_t length = strlen(text);
    unsigned char *bits = memory_new(length / 4 * 3 + 4);
    int decoded = EVP_DecodeBlock(bits, (const unsigned char *)text, (int)length);

    put(y, 0, COLS, "pieces");
    for (int column = 0; column < COLS && decoded > 0 && total && y + 1 < LINES - FOOT_ROWS;
         column++) {
        uint32_t first = (uint32_t)((uint64_t)total * (uint32_t)column / (uint32_t)COLS);
        uint32_t end = (uint32_t)((uint64_t)total * ((uint32_t)column + 1) / (uint32_t)COLS);
        uint32_t have = 0;
        end = end > first ? end : first + 1;
        for (uint32_t piece = first; piece < end && piece / 8 < (uint32_t)decoded; piece++)
            have += bits[piece / 8] >> (7 - piece % 8) & 1;
        mvaddstr(y + 1, column,
                 piece_strip_cell(piece_strip_level(have, end - first), terminal_is_utf8()));
    }
    memory_free(bits);
}

static int draw_detail_text(const json_t *detail)
{
    char line[1024], a[UNITS_TEXT_SIZE], b[UNITS_TEXT_SIZE], ratio[16];
    int y = 1;

    attron(A_BOLD);
    put(y++, 0, COLS, daemon_client_text(detail, "name"));
    attroff(A_BOLD);
    snprintf(line, sizeof line, "%s, %d%%, %s of %s, ratio %s", daemon_client_state(detail),
             (int)(daemon_client_number(detail, "percent_done") * 100),
             units_format_bytes((uint64_t)daemon_client_number(detail, "have_valid"), a),
             units_format_bytes((uint64_t)daemon_client_number(detail, "size_when_done"), b),
             daemon_client_ratio(detail, "none yet", ratio));
    put(y++, 0, COLS, line);
    snprintf(line, sizeof line, "%.0f peers, %.0f send, %.0f receive; in %s",
             daemon_client_number(detail, "peers_connected"),
             daemon_client_number(detail, "peers_sending_to_us"),
             daemon_client_number(detail, "peers_getting_from_us"),
             daemon_client_text(detail, "download_dir"));
    put(y++, 0, COLS, line);
    if (daemon_client_text(detail, "error_string")[0])
        put(y++, 0, COLS, daemon_client_text(detail, "error_string"));
    if (daemon_client_text(detail, "why")[0])
        put(y++, 0, COLS, daemon_client_text(detail, "why"));
    return y + 1;
}

static void draw_detail(struct top_screen *screen)
{
    int y = draw_detail_text(screen->detail);

    draw_pieces(y, screen->detail);
    draw_plot(y + 3, PLOT_ROWS, &screen->one, screen->one.down, "down");
    draw_plot(y + 4 + PLOT_ROWS, PLOT_ROWS, &screen->one, screen->one.up, "up");
}

static void draw_foot(const struct top_screen *screen)
{
    static const char *const keys[] = {
        "arrows choose  enter details  s start/stop  c recheck  x remove  o order  q quit",
        "esc back  s start/stop  c recheck  x remove  q quit"};

    if (screen->message[0])
        put(LINES - 2, 0, COLS, screen->message);
    attron(A_DIM);
    put(LINES - 1, 0, COLS - 1, keys[screen->details]);
    attroff(A_DIM);
}

void top_screen_draw(struct top_screen *screen)
{
    erase();
    draw_head(screen);
    if (screen->details && screen->detail) {
        draw_detail(screen);
    } else {
        int rows = LINES - HEAD_ROWS - FOOT_ROWS, plot = LINES >= 24 ? PLOT_ROWS + 1 : 0;
        draw_list(screen, rows - plot);
        if (plot)
            draw_plot(LINES - FOOT_ROWS - plot, PLOT_ROWS - 1, &screen->all, screen->all.down,
                      "down, all torrents");
    }
    draw_foot(screen);
    refresh();
}
