/* SPDX-License-Identifier: MIT */
#include "cli/progress_bar.h"

#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"
#include "cli/units.h"

#define NAME_COLUMNS 28
#define BAR_COLUMNS  24
#define FACTS_SIZE   200

static uint64_t progress_bar_done(const struct torrent_status *status, uint64_t *ret_of)
{
    if (status->phase == PHASE_CHECKING || status->phase == PHASE_OPENING) {
        *ret_of = status->total_bytes;
        return status->checked_bytes < *ret_of ? status->checked_bytes : *ret_of;
    }
    *ret_of = status->wanted_bytes;
    return status->verified_bytes < *ret_of ? status->verified_bytes : *ret_of;
}

int progress_bar_percent(const struct torrent_status *status)
{
    uint64_t of, done = progress_bar_done(status, &of);

    if (status->complete)
        return 100;
    int percent = of ? (int)((double)done / (double)of * 100) : 0;
    return percent > 99 ? 99 : percent;
}

static const char *progress_bar_phase(const struct torrent_status *status)
{
    switch (status->phase) {
    case PHASE_METADATA: return "looking for metadata";
    case PHASE_OPENING: return "opening";
    case PHASE_CHECKING: return "checking";
    case PHASE_DOWNLOADING: return "";
    case PHASE_SEEDING: return "seeding";
    case PHASE_PAUSED: return "paused";
    case PHASE_ABSENT: return "storage absent";
    case PHASE_ERROR: return error_text(status->error);
    case PHASE_STOPPING: return "stopping";
    }
    return "";
}

/* "63% 1.2/1.9 GiB ↓ 11.4 MiB/s ↑ 0.3 MiB/s 12 peers ETA 1:02" */
static void progress_bar_facts(const struct torrent_status *status, bool utf8, char *text)
{
    char have[UNITS_TEXT_SIZE], all[UNITS_TEXT_SIZE], down[UNITS_TEXT_SIZE], up[UNITS_TEXT_SIZE],
        eta[UNITS_TEXT_SIZE];
    uint64_t of, done = progress_bar_done(status, &of);
    const char *phase = progress_bar_phase(status);
    int length = snprintf(text, FACTS_SIZE, "%3d%% %s/%s", progress_bar_percent(status),
                          units_format_bytes(done, have), units_format_bytes(of, all));

    length += snprintf(text + length, FACTS_SIZE - (size_t)length, " %s %s %s %s %u peer%s",
                       utf8 ? "\u2193" : "down", units_format_rate(status->download_rate, down),
                       utf8 ? "\u2191" : "up", units_format_rate(status->upload_rate, up),
                       status->peers, status->peers == 1 ? "" : "s");
    if (status->phase == PHASE_DOWNLOADING && status->download_rate > 0 && of > done) {
        double seconds = (double)(of - done) / (double)status->download_rate;
        int64_t left = seconds < 1e8 ? (int64_t)(seconds * (double)SECOND_NS) : -1;
        snprintf(text + length, FACTS_SIZE - (size_t)length, " ETA %s",
                 units_format_clock(left, eta));
    } else if (phase[0]) {
        snprintf(text + length, FACTS_SIZE - (size_t)length, " %s", phase);
    }
}

/* Cuts a safe text to so many columns, and fills it up with spaces. */
static void progress_bar_fit(const char *name, int columns, char *fitted, size_t size)
{
    char safe[512];
    size_t length;

    terminal_safe_text(name, safe, sizeof safe);
    length = strlen(safe);
    while (length > 0 && terminal_text_width(safe) > columns) {
        do
            length--;
        while (length > 0 && ((unsigned char)safe[length] & 0xc0) == 0x80);
        safe[length] = '\0';
    }
    int width = terminal_text_width(safe);
    snprintf(fitted, size, "%s%*s", safe, columns > width ? columns - width : 0, "");
}

/* In eighths of a column where the terminal can show them. */
static void progress_bar_draw(const struct torrent_status *status, int columns, bool utf8,
                              char *text, size_t size)
{
    static const char *const eighths[] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
    uint64_t of, done = progress_bar_done(status, &of);
    int filled = of ? (int)((double)done / (double)of * columns * 8) : columns * 8;
    size_t length = 0;

    if (filled > columns * 8)
        filled = columns * 8;
    text[0] = '\0';
    for (int i = 0; i < columns && length + 4 < size; i++) {
        const char *cell = utf8 ? "\u2591" : ".";
        if (filled >= (i + 1) * 8)
            cell = utf8 ? "\u2588" : "#";
        else if (utf8 && filled > i * 8)
            cell = eighths[filled - i * 8];
        length += (size_t)snprintf(text + length, size - length, "%s", cell);
    }
}

void progress_bar_text(const struct progress_line *line, int width, bool utf8,
                       char text[PROGRESS_BAR_SIZE])
{
    char name[NAME_COLUMNS * 4 + 1], facts[FACTS_SIZE], bar[BAR_COLUMNS * 4 + 1];

    progress_bar_facts(&line->status, utf8, facts);
    int left = width - 1 - terminal_text_width(facts) - 2;
    int name_columns = left / 2 < NAME_COLUMNS ? left / 2 : NAME_COLUMNS;
    int bar_columns = left - name_columns < BAR_COLUMNS ? left - name_columns : BAR_COLUMNS;
    if (name_columns < 6 || bar_columns < 3) { /* narrow: facts, and what of the name there is */
        progress_bar_fit(facts, width - 1, text, PROGRESS_BAR_SIZE);
        return;
    }
    progress_bar_fit(line->name, name_columns, name, sizeof name);
    progress_bar_draw(&line->status, bar_columns, utf8, bar, sizeof bar);
    snprintf(text, PROGRESS_BAR_SIZE, "%s %s %s", name, bar, facts);
}

void progress_bar_plain_text(const struct progress_line *line, char text[PROGRESS_BAR_SIZE])
{
    char safe[512], facts[FACTS_SIZE];

    progress_bar_facts(&line->status, false, facts);
    snprintf(text, PROGRESS_BAR_SIZE, "%s %s", terminal_safe_text(line->name, safe, sizeof safe),
             facts);
}
