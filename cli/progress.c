/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/progress_json.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "core/base/memory.h"

#define PLAIN_EVERY_NS (10 * SECOND_NS)
#define JSON_EVERY_NS  (1 * SECOND_NS)
#define PLAIN_STEP     5  /* percent */
#define BARS_MAX       20 /* more would not fit a small terminal, and could not be redrawn */

enum progress_mode { PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

struct progress {
    enum progress_mode mode;
    int drawn;        /* lines of bars on the screen */
    int64_t shown_ns; /* when something was shown last */
    int *steps;       /* plain: what was told of each torrent, in PLAIN_STEP percent */
    size_t step_count;
};

struct progress *progress_new(const char *mode)
{
    struct progress *progress = memory_new(sizeof *progress);

    progress->shown_ns = -PLAIN_EVERY_NS;
    if (strcmp(mode, "json") == 0)
        progress->mode = PROGRESS_JSON;
    else if (strcmp(mode, "none") == 0)
        progress->mode = PROGRESS_NONE;
    else if (strcmp(mode, "bar") == 0)
        progress->mode = PROGRESS_BAR;
    else if (strcmp(mode, "plain") == 0)
        progress->mode = PROGRESS_PLAIN;
    else
        progress->mode = terminal_can_redraw(STDOUT_FILENO) ? PROGRESS_BAR : PROGRESS_PLAIN;
    return progress;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    memory_free(progress->steps);
    memory_free(progress);
}

uint32_t progress_tick_ms(const struct progress *progress)
{
    return progress->mode == PROGRESS_BAR ? 100 : 250;
}

void progress_ready(struct progress *progress, const struct address *listen)
{
    char text[ADDRESS_TEXT_SIZE] = "";

    if (listen)
        address_to_text(listen, text);
    if (progress->mode == PROGRESS_JSON)
        progress_json_ready(listen ? text : NULL);
    else if (progress->mode == PROGRESS_PLAIN && listen)
        output_printf("listening on %s\n", text);
    else if (progress->mode == PROGRESS_PLAIN)
        output_printf("listening nowhere: a proxy is set\n");
    output_flush();
}

void progress_magnet(struct progress *progress, const char *link)
{
    if (progress->mode == PROGRESS_JSON)
        progress_json_magnet(link);
    else
        output_printf("%s\n", link);
    output_flush();
}

void progress_checked(struct progress *progress, const struct progress_line *line)
{
    if (progress->mode == PROGRESS_JSON)
        progress_json_line("checked", line);
    output_flush();
}

/* Does anything move? Bars of torrents at rest give way where there are too many. */
static bool progress_is_active(const struct progress_line *line)
{
    const struct torrent_status *status = &line->status;

    return status->phase == PHASE_CHECKING || status->download_rate > 0 || status->upload_rate > 0;
}

static void progress_show_bars(struct progress *progress, const struct progress_line *lines,
                               size_t count)
{
    size_t left = 0;

    progress_hide(progress);
    for (size_t i = 0; i < count; i++) {
        char text[PROGRESS_BAR_SIZE];
        if (progress->drawn == BARS_MAX || (count > BARS_MAX && !progress_is_active(&lines[i]))) {
            left++;
            continue;
        }
        progress_bar_text(&lines[i], terminal_width(STDOUT_FILENO), terminal_is_utf8(), text);
        output_printf("%s\n", text);
        progress->drawn++;
        if (lines[i].strip && lines[i].strip[0] && progress->drawn < BARS_MAX) {
            output_printf("%s\n", lines[i].strip);
            progress->drawn++;
        }
    }
    if (left > 0) {
        output_printf("and %zu more\n", left);
        progress->drawn++;
    }
}

/* Which of the torrents have gone on by a step since they were told of? */
static bool progress_steps_changed(struct progress *progress, const struct progress_line *lines,
                                   size_t count)
{
    bool changed = false;

    if (count > progress->step_count) {
        progress->steps = memory_resize_array(progress->steps, count, sizeof *progress->steps);
        for (size_t i = progress->step_count; i < count; i++)
            progress->steps[i] = -1;
        progress->step_count = count;
    }
    for (size_t i = 0; i < count; i++) {
        int step = progress_bar_percent(&lines[i].status) / PLAIN_STEP;
        changed = changed || step != progress->steps[i];
        progress->steps[i] = step;
    }
    return changed;
}

static void progress_show_plain(const struct progress_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[PROGRESS_BAR_SIZE];
        progress_bar_plain_text(&lines[i], text);
        output_printf("%s\n", text);
    }
}

void progress_show(struct progress *progress, int64_t now, const struct progress_line *lines,
                   size_t count)
{
    int64_t passed = now - progress->shown_ns;

    if (output_is_behind())
        return; /* the next one tells more */
    switch (progress->mode) {
    case PROGRESS_NONE: return;
    case PROGRESS_BAR: progress_show_bars(progress, lines, count); break;
    case PROGRESS_JSON:
        if (passed < JSON_EVERY_NS)
            return;
        for (size_t i = 0; i < count; i++)
            progress_json_line("progress", &lines[i]);
        break;
    case PROGRESS_PLAIN: {
        bool changed = progress_steps_changed(progress, lines, count);
        if (passed < PLAIN_EVERY_NS && !changed)
            return;
        progress_show_plain(lines, count);
        break;
    }
    }
    progress->shown_ns = now;
    output_flush();
}

void progress_done(struct progress *progress, int64_t elapsed_ns, const struct progress_line *line)
{
    char safe[256], bytes[UNITS_TEXT_SIZE], clock[UNITS_TEXT_SIZE];

    if (progress->mode == PROGRESS_JSON) {
        progress_json_done(elapsed_ns, line);
    } else if (progress->mode != PROGRESS_NONE) {
        progress_hide(progress);
        output_printf("%s: complete, %s in %s\n", terminal_safe_text(line->name, safe, sizeof safe),
                      units_format_bytes(line->status.wanted_bytes, bytes),
                      units_format_clock(elapsed_ns, clock));
    }
    output_flush();
}

/* "peers heard of: 12 from the DHT, 3 from peers" */
static void progress_print_sources(const struct progress_line *lines, size_t count)
{
    static const char *const words[PEER_SOURCE_COUNT] = {
        "given",      "in the local network", "from trackers", "from last time",
        "came to us", "from the DHT",         "from peers",
    };
    bool first = true;

    for (int source = 0; source < PEER_SOURCE_COUNT; source++) {
        uint32_t known = 0;
        for (size_t i = 0; i < count; i++)
            known += lines[i].status.known_by_source[source];
        if (known == 0)
            continue;
        output_printf("%s%u %s", first ? "peers heard of: " : ", ", known, words[source]);
        first = false;
    }
    if (!first)
        output_printf("\n");
}

/* "the trackers count: 3 seeders, 1 leecher, 10 downloads" */
static void progress_print_swarms(const struct progress_line *lines, size_t count)
{
    uint64_t seeders = 0, leechers = 0, downloads = 0;
    bool known = false, downloads_known = false;

    for (size_t i = 0; i < count; i++) {
        const struct torrent_status *status = &lines[i].status;
        known |= status->swarm_known;
        downloads_known |= status->swarm_downloads_known;
        seeders += status->swarm_seeders;
        leechers += status->swarm_leechers;
        downloads += status->swarm_downloads;
    }
    if (!known)
        return;
    output_printf("trackers count: %llu seeder%s, %llu leecher%s", (unsigned long long)seeders,
                  seeders == 1 ? "" : "s", (unsigned long long)leechers, leechers == 1 ? "" : "s");
    if (downloads_known)
        output_printf(", %llu download%s", (unsigned long long)downloads,
                      downloads == 1 ? "" : "s");
    output_printf("\n");
}

void progress_stats(struct progress *progress, int64_t elapsed_ns,
                    const struct progress_line *lines, size_t count,
                    const struct progress_peer *peers, size_t peer_count)
{
    char down[UNITS_TEXT_SIZE], up[UNITS_TEXT_SIZE];
    uint64_t uploaded = 0, downloaded = 0;

    if (progress->mode == PROGRESS_JSON)
        progress_json_stats(elapsed_ns, lines, count, peers, peer_count);
    for (size_t i = 0; i < count; i++) {
        uploaded += lines[i].status.uploaded;
        downloaded += lines[i].status.downloaded;
    }
    if (progress->mode == PROGRESS_BAR || progress->mode == PROGRESS_PLAIN) {
        progress_hide(progress);
        output_printf("received %s, sent %s\n", units_format_bytes(downloaded, down),
                      units_format_bytes(uploaded, up));
        progress_print_sources(lines, count);
        progress_print_swarms(lines, count);
    }
    output_flush();
}

void progress_hide(struct progress *progress)
{
    if (progress->drawn > 0)
        output_printf("\033[%dA\033[J", progress->drawn);
    progress->drawn = 0;
}
