/* SPDX-License-Identifier: MIT */
#include "cli/sim_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"
#include "cli/units.h"

#define PLOT_ROWS    8
#define PLOT_COLUMNS 60
#define FEW_NODES    8u

static const char *const roles[] = {"seed", "peer", "free-rider", "poisoner", "liar"};

static double seconds(int64_t ns)
{
    return (double)ns / (double)SECOND_NS;
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The completion times in order; returns how many. The caller frees *ret_times. */
static uint32_t sorted_times(const struct sim_verdict *result, int64_t **ret_times)
{
    int64_t *times = calloc(result->node_count + 1, sizeof *times);
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->node_count && times; i++)
        if (result->nodes[i].complete_ns >= 0)
            times[count++] = result->nodes[i].complete_ns;
    if (times)
        qsort(times, count, sizeof *times, compare_times);
    *ret_times = times;
    return count;
}

/* How many peers are complete (up) at which time (right); from shortly before the first on. */
static void print_plot(const int64_t *times, uint32_t count)
{
    const char *mark = terminal_is_utf8() ? "\xe2\x96\x88" : "#";
    int64_t last = times[count - 1], lead = (last - times[0]) / 4;
    int64_t start = times[0] > lead ? (times[0] - lead) / SECOND_NS * SECOND_NS : 0;
    printf("\n  peers complete\n");
    for (int row = PLOT_ROWS; row > 0; row--) {
        uint32_t level = (count * (uint32_t)row + PLOT_ROWS - 1) / PLOT_ROWS;
        printf("  %6" PRIu32 " |", level);
        for (int column = 1; column <= PLOT_COLUMNS; column++) {
            int64_t until = start + (last - start) / PLOT_COLUMNS * column;
            if (column == PLOT_COLUMNS)
                until = last;
            fputs(times[level - 1] <= until ? mark : " ", stdout);
        }
        putchar('\n');
    }
    printf("         +");
    for (int column = 0; column < PLOT_COLUMNS; column++)
        putchar('-');
    printf("\n         %-*.0f%.1f s\n", PLOT_COLUMNS - 6, seconds(start), seconds(last));
}

static void print_nodes(const struct sim_verdict *result)
{
    printf("\n  %5s  %-10s %10s %10s %12s %12s\n", "node", "is", "started", "complete", "sent",
           "received");
    for (uint32_t i = 0; i < result->node_count; i++) {
        const struct sim_verdict_node *node = &result->nodes[i];
        char sent[UNITS_TEXT_SIZE], received[UNITS_TEXT_SIZE], complete[UNITS_TEXT_SIZE] = "-";
        if (node->complete_ns >= 0)
            snprintf(complete, sizeof complete, "%.1f s", seconds(node->complete_ns));
        printf("  %5" PRIu32 "  %-10s %8.1f s %10s %12s %12s%s\n", i, roles[node->role],
               seconds(node->started_ns), complete, units_format_bytes(node->sent, sent),
               units_format_bytes(node->received, received), node->crashes ? "  crashed" : "");
    }
}

static void print_times(const struct sim_verdict *result, const int64_t *times, uint32_t count)
{
    printf("\n  first %.1f s, median %.1f s, last %.1f s", seconds(times[0]),
           seconds(times[count / 2]), seconds(times[count - 1]));
    if (result->bound_ns > 0 && result->last_ns >= 0)
        printf("; no schedule beats %.1f s: the last took %.2f times that",
               seconds(result->bound_ns), seconds(result->last_ns) / seconds(result->bound_ns));
    putchar('\n');
}

static void print_lines(const char *indent, const struct buffer *lines)
{
    const char *text = (const char *)lines->data;
    for (size_t at = 0; at < lines->length;) {
        size_t end = at;
        while (end < lines->length && text[end] != '\n')
            end++;
        printf("%s%.*s\n", indent, (int)(end - at), text + at);
        at = end + 1;
    }
}

void sim_report_print(const struct scenario *scenario, const struct sim_wish *options,
                      const struct sim_verdict *result, bool all_nodes)
{
    char size[UNITS_TEXT_SIZE];
    int64_t *times;
    uint32_t count = sorted_times(result, &times);
    printf("%s: %s\n", scenario->name, scenario->summary);
    printf("  seed %" PRIu64 ", %" PRIu32 " nodes, %s%s%" PRIu32 " run%s, %" PRIu64
           " events, digest %016" PRIx64 "\n",
           options->seed, result->machines ? result->machines : result->node_count,
           result->size ? units_format_bytes(result->size, size) : "", result->size ? ", " : "",
           result->runs, result->runs == 1 ? "" : "s", result->events, result->digest);
    if (count > 1)
        print_plot(times, count);
    if (all_nodes || result->node_count <= FEW_NODES)
        print_nodes(result);
    if (count > 0)
        print_times(result, times, count);
    free(times);
    print_lines("  ", &result->notes);
    printf("  %s\n", result->passed ? "went well" : "WENT WRONG:");
    print_lines("    ", &result->reasons);
}

static json_t *lines_json(const struct buffer *lines)
{
    json_t *array = json_array();
    const char *text = (const char *)lines->data;
    for (size_t at = 0; at < lines->length;) {
        size_t end = at;
        while (end < lines->length && text[end] != '\n')
            end++;
        json_array_append_new(array, json_stringn(text + at, end - at));
        at = end + 1;
    }
    return array;
}

static json_t *time_json(int64_t ns)
{
    return ns < 0 ? json_null() : json_real(seconds(ns));
}

static json_t *nodes_json(const struct sim_verdict *result)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < result->node_count; i++) {
        const struct sim_verdict_node *node = &result->nodes[i];
        json_array_append_new(array,
                              json_pack("{s:s, s:o, s:o, s:I, s:I, s:i}", "role", roles[node->role],
                                        "started_s", time_json(node->started_ns), "complete_s",
                                        time_json(node->complete_ns), "sent",
                                        (json_int_t)node->sent, "received",
                                        (json_int_t)node->received, "crashes", (int)node->crashes));
    }
    return array;
}

void sim_report_print_json(const struct scenario *scenario, const struct sim_wish *options,
                           const struct sim_verdict *result)
{
    char digest[17];
    snprintf(digest, sizeof digest, "%016" PRIx64, result->digest);
    json_t *json = json_pack("{s:s, s:I, s:b, s:s, s:I, s:I, s:i, s:o, s:o, s:o, s:o, s:o}",
                             "scenario", scenario->name, "seed", (json_int_t)options->seed,
                             "passed", (int)result->passed, "digest", digest, "size",
                             (json_int_t)result->size, "events", (json_int_t)result->events, "runs",
                             (int)result->runs, "last_s", time_json(result->last_ns), "bound_s",
                             time_json(result->bound_ns), "reasons", lines_json(&result->reasons),
                             "notes", lines_json(&result->notes), "nodes", nodes_json(result));
    json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(json);
}
