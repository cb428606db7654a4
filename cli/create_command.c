/* SPDX-License-Identifier: MIT */
/* freshet create: a .torrent of a file or folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/piece_hasher.h"
#include "cli/terminal.h"
#include "cli/torrent_create.h"
#include "cli/torrent_file.h"
#include "cli/tracker_tiers.h"
#include "cli/units.h"
#include "core/base/memory.h"
#include "host/clock.h"

static const char *const versions[] = {"v1", "v2", "hybrid"};

static bool read_piece_length(const struct command_call *call, uint32_t *piece_length)
{
    const char *text = command_value(call, "piece-length");
    uint64_t length = 0;
    if (text == NULL || strcmp(text, "auto") == 0)
        return true;
    if (!command_size(call, "piece-length", &length))
        return false;
    if (length < LIMIT_PIECE_LENGTH_MIN_V2 || length > LIMIT_PIECE_LENGTH_MAX ||
        (length & (length - 1)) != 0) {
        command_usage_error("a piece length must be a power of two from 16K to 512M");
        return false;
    }
    *piece_length = (uint32_t)length;
    return true;
}

static bool read_threads(const struct command_call *call, unsigned *threads)
{
    uint64_t number = 0;
    if (!command_number(call, "threads", PIECE_HASHER_THREADS_MAX, &number))
        return false;
    *threads = (unsigned)number;
    return true;
}

static const char **read_list(const struct command_call *call, const char *name, size_t *count)
{
    *count = command_value_count(call, name);
    const char **list = memory_new_array(*count, sizeof list[0]);
    for (size_t i = 0; i < *count; i++)
        list[i] = command_value_at(call, name, i);
    return list;
}

static void print_hash(const char *label, const uint8_t *hash, size_t length)
{
    char hex[65];
    bytes_to_hex(hash, length, hex);
    printf("%-9s %s\n", label, hex);
}

static void print_result(const struct metainfo *metainfo, const char *output)
{
    char safe[LIMIT_PATH_LENGTH + 1];
    char total[UNITS_TEXT_SIZE];
    char piece[UNITS_TEXT_SIZE];
    uint32_t files = 0;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        files += !metainfo->files[i].padding;
    printf("%-9s %s\n", "torrent", terminal_safe_text(output, safe, sizeof safe));
    printf("%-9s %s in %u file%s, %u piece%s of %s\n", "content",
           units_format_bytes(metainfo->geometry.payload_length, total), files,
           files == 1 ? "" : "s", metainfo->geometry.piece_count,
           metainfo->geometry.piece_count == 1 ? "" : "s",
           units_format_bytes(metainfo->geometry.piece_length, piece));
    if (metainfo->has_v1)
        print_hash("hash v1", metainfo->info_hash_v1, 20);
    if (metainfo->has_v2)
        print_hash("hash v2", metainfo->info_hash_v2, 32);
}

static enum exit_code write_result(const struct torrent_create_result *result, const char *output)
{
    char *named = NULL;
    if (output == NULL) {
        if (asprintf(&named, "%s.torrent", result->metainfo->name) < 0)
            return EXIT_CODE_OTHER;
        output = named;
    }
    enum exit_code code = torrent_file_write(output, buffer_bytes(&result->torrent));
    if (code == EXIT_CODE_OK && strcmp(output, "-") != 0)
        print_result(result->metainfo, output);
    free(named);
    return code;
}

static int create_run(struct command_call *call)
{
    struct torrent_create_options options = {.path = command_operand(call, 0)};
    if (!read_piece_length(call, &options.piece_length) || !read_threads(call, &options.threads))
        return EXIT_CODE_USAGE;
    const char *version = command_last_of(call, versions, 3);
    options.has_v1 = version == NULL || strcmp(version, "v2") != 0;
    options.has_v2 = version == NULL || strcmp(version, "v1") != 0;
    options.is_private = command_has(call, "private");
    options.source = command_value(call, "source");
    options.comment = command_value(call, "comment");
    options.created_by = "freshet " FRESHET_VERSION;
    options.creation_date = command_has(call, "no-date") ? 0 : clock_wall() / (1000 * 1000 * 1000);
    options.keep_symlinks = command_has(call, "symlinks");
    options.progress = command_value(call, "progress");
    size_t web_seed_count;
    const char **web_seeds = read_list(call, "web-seed", &web_seed_count);
    const char **excludes = read_list(call, "exclude", &options.exclude_count);
    struct tracker_tiers tiers;
    struct torrent_create_result result;
    int code = EXIT_CODE_USAGE;
    bool understood = tracker_tiers_read(&tiers, call, "announce") &&
                      tracker_tiers_are_web_seeds(call, "web-seed");
    if (understood) {
        options.trackers = (const char *const *)tiers.urls;
        options.tracker_tiers = tiers.tiers;
        options.tracker_count = tiers.count;
        options.web_seeds = web_seeds;
        options.web_seed_count = (uint32_t)web_seed_count;
        options.excludes = excludes;
        code = torrent_create_run(&options, &result);
    }
    if (code == EXIT_CODE_OK) {
        code = write_result(&result, command_value(call, "output"));
        torrent_create_result_deinit(&result);
    }
    tracker_tiers_deinit(&tiers);
    memory_free(web_seeds);
    memory_free(excludes);
    return code;
}

static const struct command_option create_options[] = {
    {"output", 'o', "FILE", "where the .torrent goes; - is stdout (default: NAME.torrent here)",
     .repeatable = false},
    {"announce", 'a', "URL", "tracker; each -a is a tier of its own, commas join one tier",
     .repeatable = true},
    {"web-seed", 'w', "URL", "HTTP server that has the content (BEP 19)", .repeatable = true},
    {"piece-length", 'l', "SIZE", "a power of two from 16K to 512M, or auto", .repeatable = false},
    {"v1", 0, NULL, "for every client, SHA-1", .repeatable = false},
    {"v2", 0, NULL, "for new clients only, SHA-256 trees (BEP 52)", .repeatable = false},
    {"hybrid", 0, NULL, "v1 and v2 in one (default)", .repeatable = false},
    {"private", 'p', NULL, "peers come from the trackers alone (BEP 27)", .repeatable = false},
    {"source", 0, "TEXT", "mark that makes the info-hash differ", .repeatable = false},
    {"comment", 'c', "TEXT", "note for people", .repeatable = false},
    {"no-date", 0, NULL, "leave the date out: the same input gives the same bytes",
     .repeatable = false},
    {"threads", 'j', "N", "hashing threads (default: one a processor)", .repeatable = false},
    {"exclude", 0, "GLOB", "leave out what matches, by name or by path", .repeatable = true},
    {"symlinks", 0, NULL, "keep symlinks to files inside (BEP 47); else they are left out",
     .repeatable = false},
    {"progress", 0, "auto|bar|plain|json|none", "how progress is shown on stderr",
     .repeatable = false},
    {NULL, 0, NULL, NULL, .repeatable = false},
};

extern const struct command create_command;
const struct command create_command = {
    .name = "create",
    .summary = "make a .torrent of a file or folder",
    .operands = "PATH",
    .description =
        "Hashes the file or everything in the folder and writes a .torrent: hybrid unless told "
        "otherwise, so that old and new clients share one swarm. With --no-date the same content "
        "and options always give the same bytes.\n\n"
        "Symlinks, sockets and devices are left out with a note. The executable bit is kept.",
    .options = create_options,
    .examples = {"freshet create -a http://tracker.example/announce photos",
                 "freshet create --v1 -l 1M -o film.torrent film.mkv",
                 "freshet create --no-date --exclude '*.tmp' -w https://host.example/ data"},
    .operands_min = 1,
    .operands_max = 1,
    .run = create_run,
};
