/* SPDX-License-Identifier: MIT */
#include "cli/show_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/terminal.h"
#include "cli/units.h"
#include "core/base/memory.h"

#define LABEL "%-11s "

/* Text from a torrent on a line of its own. */
static void print_text(const char *label, const char *text)
{
    size_t size = strlen(text) * 3 + 1;
    char *safe = memory_new(size);
    printf(LABEL "%s\n", label, terminal_safe_text(text, safe, size));
    memory_free(safe);
}

static void print_bytes(const char *label, struct bytes text)
{
    if (text.length == 0)
        return;
    char *copy = memory_new(text.length + 1);
    memcpy(copy, text.data, text.length);
    print_text(label, copy);
    memory_free(copy);
}

static void print_hash(const char *label, const uint8_t *hash, size_t length)
{
    char hex[65];
    bytes_to_hex(hash, length, hex);
    printf(LABEL "%s\n", label, hex);
}

static void print_date(int64_t unix_seconds)
{
    char text[64];
    time_t when = (time_t)unix_seconds;
    struct tm parts;
    if (unix_seconds == 0)
        return;
    if (gmtime_r(&when, &parts) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts))
        printf(LABEL "%s\n", "date", text);
    else
        printf(LABEL "%lld\n", "date", (long long)unix_seconds);
}

static uint32_t count_files(const struct metainfo *metainfo)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        count += !metainfo->files[i].padding;
    return count;
}

static void print_content(const struct metainfo *metainfo)
{
    char size[UNITS_TEXT_SIZE];
    uint32_t files = count_files(metainfo);
    printf(LABEL "%s (%llu bytes) in %u file%s\n", "content",
           units_format_bytes(metainfo->geometry.payload_length, size),
           (unsigned long long)metainfo->geometry.payload_length, files, files == 1 ? "" : "s");
    printf(LABEL "%u of %s\n", "pieces", metainfo->geometry.piece_count,
           units_format_bytes(metainfo->geometry.piece_length, size));
}

void show_text_metainfo(const struct metainfo *metainfo)
{
    print_text("name", metainfo->name);
    printf(LABEL "%s\n", "version",
           metainfo->has_v1 && metainfo->has_v2 ? "hybrid (v1 and v2)"
           : metainfo->has_v2                   ? "v2"
                                                : "v1");
    if (metainfo->has_v1)
        print_hash("hash v1", metainfo->info_hash_v1, 20);
    if (metainfo->has_v2)
        print_hash("hash v2", metainfo->info_hash_v2, 32);
    print_content(metainfo);
    if (metainfo->is_private)
        printf(LABEL "yes\n", "private");
    if (metainfo->layers_missing)
        printf(LABEL "missing, to be fetched from peers\n", "layers");
    print_bytes("source", metainfo->source);
    print_bytes("comment", metainfo->comment);
    print_bytes("created by", metainfo->created_by);
    print_date(metainfo->creation_date);
    for (uint32_t i = 0; i < metainfo->tracker_count; i++) {
        char label[32];
        snprintf(label, sizeof label, "tier %u", metainfo->tracker_tiers[i] + 1);
        print_bytes(label, metainfo->trackers[i]);
    }
    for (uint32_t i = 0; i < metainfo->web_seed_count; i++)
        print_bytes("web seed", metainfo->web_seeds[i]);
}

void show_text_files(const struct metainfo *metainfo, const uint8_t *priorities)
{
    char safe[LIMIT_PATH_LENGTH * 3 + 1];
    /* Padding is not counted: the numbers are those of `freshet get -s`. */
    for (uint32_t i = 0, number = 1; i < metainfo->geometry.file_count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        char size[UNITS_TEXT_SIZE];
        if (file->padding)
            continue;
        uint32_t own = number++;
        if (priorities && priorities[i] == 0)
            continue;
        printf("%5u  %10s  %s", own, units_format_bytes(file->length, size),
               terminal_safe_text(file->path, safe, sizeof safe));
        if (file->symlink)
            printf(" -> %s", terminal_safe_text(file->symlink, safe, sizeof safe));
        printf("%s\n", file->executable ? " *" : "");
    }
}

void show_text_trackers(const struct metainfo *metainfo)
{
    for (uint32_t i = 0; i < metainfo->tracker_count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", metainfo->tracker_tiers[i] + 1);
        print_bytes(number, metainfo->trackers[i]);
    }
}

void show_text_magnet(const struct magnet *magnet)
{
    if (magnet->name)
        print_text("name", magnet->name);
    if (magnet->has_v1)
        print_hash("hash v1", magnet->info_hash_v1, 20);
    if (magnet->has_v2)
        print_hash("hash v2", magnet->info_hash_v2, 32);
    for (uint32_t i = 0; i < magnet->tracker_count; i++)
        print_text("tracker", magnet->trackers[i]);
    for (uint32_t i = 0; i < magnet->web_seed_count; i++)
        print_text("web seed", magnet->web_seeds[i]);
    for (uint32_t i = 0; i < magnet->peer_count; i++)
        print_text("peer", magnet->peers[i]);
    for (uint32_t i = 0; i < magnet->range_count; i++)
        printf(LABEL "%u to %u\n", "files", magnet->ranges[i].first, magnet->ranges[i].last);
}
