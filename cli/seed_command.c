/* SPDX-License-Identifier: MIT */
/* freshet seed: offer what is there. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/torrent_create.h"
#include "cli/torrent_file.h"
#include "cli/transfer.h"

#define URLS_MAX 64

static const struct command_option options[] = {
    {"output", 'o', "DIR", "the folder that contains the torrent's name, default the current one",
     .repeatable = false},
    {"tracker", 0, "URL", "a tracker for the torrent made of a PATH", .repeatable = true},
    {"web-seed", 0, "URL", "an HTTP server that has the content of a PATH", .repeatable = true},
    {"torrent-out", 0, "FILE", "write the .torrent made of a PATH there; - is stdout",
     .repeatable = false},
    {"magnet", 0, NULL, "print a magnet link of each torrent", .repeatable = false},
    {"super-seed", 0, NULL, "show each peer one piece at a time, for little upload (BEP 16)",
     .repeatable = false},
    TRANSFER_OPTIONS,
    {0},
};

/* Is the operand content to make a torrent of, rather than a torrent? */
static bool seed_is_path(const char *operand)
{
    size_t length = strlen(operand);
    struct stat stat_buffer;

    if (stat(operand, &stat_buffer) != 0)
        return false;
    if (S_ISDIR(stat_buffer.st_mode))
        return true;
    return S_ISREG(stat_buffer.st_mode) &&
           (length < 8 || strcasecmp(operand + length - 8, ".torrent") != 0);
}

/* A repeated option's values; false when there are too many. */
static bool seed_urls(const struct command_call *call, const char *name, const char *urls[URLS_MAX],
                      uint32_t *ret_count)
{
    size_t count = command_value_count(call, name);

    if (count > URLS_MAX) {
        command_usage_error("--%s may be given %d times at most", name, URLS_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        urls[i] = command_value_at(call, name, i);
    *ret_count = (uint32_t)count;
    return true;
}

static enum exit_code seed_start(struct transfer *transfer, const struct command_call *call,
                                 struct torrent_source *source,
                                 const struct transfer_content *content)
{
    if (command_has(call, "magnet"))
        transfer_show_magnet(transfer, source->metainfo);
    return transfer_add(transfer, source, content);
}

static enum exit_code seed_add_path(struct transfer *transfer, const struct command_call *call,
                                    const char *operand)
{
    const char *trackers[URLS_MAX], *web_seeds[URLS_MAX], *out = command_value(call, "torrent-out");
    uint32_t tiers[URLS_MAX];
    struct torrent_create_options create = {.path = operand,
                                            .has_v1 = true,
                                            .has_v2 = true,
                                            .trackers = trackers,
                                            .tracker_tiers = tiers,
                                            .web_seeds = web_seeds,
                                            .progress = "none"};
    struct torrent_create_result result;

    for (uint32_t i = 0; i < URLS_MAX; i++)
        tiers[i] = i;
    if (!seed_urls(call, "tracker", trackers, &create.tracker_count) ||
        !seed_urls(call, "web-seed", web_seeds, &create.web_seed_count))
        return EXIT_CODE_USAGE;
    enum exit_code code = torrent_create_run(&create, &result);
    if (code)
        return code;
    if (out)
        code = torrent_file_write(out, buffer_bytes(&result.torrent));
    if (!code) {
        struct torrent_source source = {.metainfo = result.metainfo, .bytes = result.torrent};
        struct transfer_content content = {.root = result.folder, .just_hashed = true};
        result.metainfo = NULL;
        result.torrent = (struct buffer){0};
        code = seed_start(transfer, call, &source, &content);
    }
    torrent_create_result_deinit(&result);
    return code;
}

static enum exit_code seed_add(struct transfer *transfer, const struct command_call *call,
                               const char *operand)
{
    struct transfer_content content = {
        .root = command_value(call, "output") ? command_value(call, "output") : "."};
    struct torrent_source source = {0};

    if (seed_is_path(operand))
        return seed_add_path(transfer, call, operand);
    enum exit_code code = torrent_source_load(operand, transfer_state_folder(call), &source);
    return code ? code : seed_start(transfer, call, &source, &content);
}

static int seed_run(struct command_call *call)
{
    enum exit_code code = EXIT_CODE_OK;
    struct transfer *transfer = transfer_new(call, TRANSFER_SEED, &code);

    if (!transfer)
        return code;
    for (size_t i = 0; i < command_operand_count(call) && !code; i++)
        code = seed_add(transfer, call, command_operand(call, i));
    if (!code)
        code = transfer_run(transfer);
    transfer_free(transfer);
    return code;
}

extern const struct command seed_command;
const struct command seed_command = {
    .name = "seed",
    .summary = "offer what is there to others",
    .operands = "PATH|TORRENT...",
    .description =
        "Sends to whoever asks, until it is interrupted or a seeding goal is reached; both end "
        "with 0. A TORRENT (a .torrent file, - for standard input, or a URL) describes content "
        "that lies in the folder given by -o; it is checked first. A PATH is content itself: a "
        "torrent is made of it on the fly, the same one each time.",
    .options = options,
    .examples = {"freshet seed album.torrent -o ~/Music",
                 "freshet seed photos --tracker http://tracker.example/announce --magnet",
                 "freshet seed film.mkv --torrent-out film.torrent --seed-ratio 2"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = seed_run,
};
