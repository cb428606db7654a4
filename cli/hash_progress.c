/* SPDX-License-Identifier: MIT */
#include "cli/hash_progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "cli/units.h"
#include "host/clock.h"

#define REDRAW_NS    (INT64_C(100) * 1000 * 1000)
#define PLAIN_NS     (INT64_C(10) * 1000 * 1000 * 1000)
#define BAR_CELLS    20
#define NAME_COLUMNS 30

static enum hash_progress_style style_of(const char *style)
{
    if (style && strcmp(style, "none") == 0)
        return HASH_PROGRESS_NONE;
    if (style && strcmp(style, "json") == 0)
        return HASH_PROGRESS_JSON;
    if (style && strcmp(style, "plain") == 0)
        return HASH_PROGRESS_PLAIN;
    if (style && strcmp(style, "bar") == 0)
        return HASH_PROGRESS_BAR;
    return terminal_can_redraw(STDERR_FILENO) ? HASH_PROGRESS_BAR : HASH_PROGRESS_PLAIN;
}

void hash_progress_init(struct hash_progress *progress, const char *style, const char *name,
                        uint64_t total)
{
    *progress = (struct hash_progress){.style = style_of(style), .name = name, .total = total};
    progress->started_ns = progress->shown_ns = clock_now();
}

static void show_bar(struct hash_progress *progress, unsigned percent, int64_t eta_ns)
{
    char name[128];
    char done[UNITS_TEXT_SIZE];
    char eta[UNITS_TEXT_SIZE];
    char bar[BAR_CELLS * 3 + 1] = "";
    unsigned full = percent * BAR_CELLS / 100;
    bool utf8 = terminal_is_utf8();
    for (unsigned i = 0; i < BAR_CELLS; i++)
        strcat(bar, i < full ? utf8 ? "█" : "#" : utf8 ? "░" : "-");
    terminal_safe_text(progress->name, name, NAME_COLUMNS + 1);
    fprintf(stderr, "\r\033[K%s %s %u%% %s ETA %s", name, bar, percent,
            units_format_bytes(progress->done, done), units_format_clock(eta_ns, eta));
    fflush(stderr);
    progress->drawn = true;
}

static void show(struct hash_progress *progress, int64_t now)
{
    unsigned percent = (unsigned)((double)progress->done * 100 / (double)progress->total);
    int64_t spent = now - progress->started_ns;
    int64_t eta_ns = progress->done
                         ? (int64_t)((double)spent * (double)(progress->total - progress->done) /
                                     (double)progress->done)
                         : -1;
    char done[UNITS_TEXT_SIZE];
    char total[UNITS_TEXT_SIZE];
    if (progress->style == HASH_PROGRESS_BAR)
        show_bar(progress, percent, eta_ns);
    else if (progress->style == HASH_PROGRESS_JSON)
        fprintf(stderr, "{\"event\":\"progress\",\"done\":%llu,\"total\":%llu}\n",
                (unsigned long long)progress->done, (unsigned long long)progress->total);
    else
        fprintf(stderr, "hashed %u%% (%s of %s)\n", percent,
                units_format_bytes(progress->done, done),
                units_format_bytes(progress->total, total));
}

void hash_progress_add(struct hash_progress *progress, uint64_t bytes)
{
    progress->done += bytes;
    if (progress->style == HASH_PROGRESS_NONE || progress->total == 0)
        return;
    int64_t now = clock_now();
    int64_t every = progress->style == HASH_PROGRESS_PLAIN ? PLAIN_NS : REDRAW_NS;
    if (now - progress->shown_ns < every)
        return;
    progress->shown_ns = now;
    show(progress, now);
}

void hash_progress_end(struct hash_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}
