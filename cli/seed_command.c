/* SPDX-License-Identifier: MIT */
/* freshet seed: offer what is there. */
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/torrent_create.h"
#include "cli/torrent_file.h"
#include "cli/tracker_tiers.h"
#include "cli/transfer.h"

static const struct command_option options[] = {
    {"output", 'o', "DIR", "the folder that contains the torrent's name, default the current one",
     .repeatable = false},
    {"tracker", 0, "URL", "a tracker for the torrent made of a PATH", .repeatable = true},
    {"web-seed", 0, "URL", "an HTTP server that has the content of a PATH", .repeatable = true},
    {"torrent-out", 0, "FILE", "write the .torrent made of a PATH there; - is stdout",
     .repeatable = false},
    {"magnet", 0, NULL, "print a magnet link of each TORRENT, as of each PATH",
     .repeatable = false},
    {"content", 0, NULL, "take every PATH for content, also a file that looks like a torrent",
     .repeatable = false},
    {"super-seed", 0, NULL, "show each peer one piece at a time, for little upload (BEP 16)",
     .repeatable = false},
    TRANSFER_OPTIONS,
    {0},
};

static bool seed_is_named_torrent(const char *operand)
{
    size_t length = strlen(operand);

    return length >= 8 && strcasecmp(operand + length - 8, ".torrent") == 0;
}

/* Is the operand content to make a torrent of, rather than a torrent? A torrent that lost its name
 * or its end must not be offered to the world in place of what it describes. */
static bool seed_is_path(const struct command_call *call, const char *operand)
{
    struct stat stat_buffer;

    if (stat(operand, &stat_buffer) != 0)
        return false;
    if (S_ISDIR(stat_buffer.st_mode))
        return true;
    return S_ISREG(stat_buffer.st_mode) &&
           (command_has(call, "content") ||
            (!seed_is_named_torrent(operand) && !torrent_file_begins_like_one(operand)));
}

static bool seed_is_file(const char *operand)
{
    struct stat stat_buffer;

    return stat(operand, &stat_buffer) == 0 && S_ISREG(stat_buffer.st_mode);
}

static enum exit_code seed_start(struct transfer *transfer, const struct command_call *call,
                                 struct torrent_source *source,
                                 const struct transfer_content *content)
{
    if (command_has(call, "magnet") || content->just_hashed)
        transfer_show_magnet(transfer, source->metainfo);
    return transfer_add(transfer, source, content);
}

static enum exit_code seed_add_path(struct transfer *transfer, const struct command_call *call,
                                    const char *operand)
{
    const char *web_seeds[LIMIT_WEB_SEEDS_MAX], *out = command_value(call, "torrent-out");
    struct tracker_tiers tiers = {0};
    struct torrent_create_options create = {
        .path = operand, .has_v1 = true, .has_v2 = true, .progress = "none"};
    struct torrent_create_result result;
    enum exit_code code = EXIT_CODE_USAGE;

    if (tracker_tiers_read(&tiers, call, "tracker") &&
        tracker_tiers_are_web_seeds(call, "web-seed")) {
        create.trackers = (const char *const *)tiers.urls;
        create.tracker_tiers = tiers.tiers;
        create.tracker_count = tiers.count;
        create.web_seeds = web_seeds;
        create.web_seed_count = (uint32_t)command_value_count(call, "web-seed");
        for (uint32_t i = 0; i < create.web_seed_count; i++)
            web_seeds[i] = command_value_at(call, "web-seed", i);
        code = torrent_create_run(&create, &result);
    }
    tracker_tiers_deinit(&tiers);
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

    if (seed_is_path(call, operand))
        return seed_add_path(transfer, call, operand);
    if (seed_is_file(operand))
        source.hint = "--content seeds the file itself";
    source.route = transfer_route(transfer);
    enum exit_code code = torrent_source_load(operand, transfer_state_folder(call), &source, NULL);
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
        "torrent is made of it on the fly, the same one each time. A file that is named *.torrent, "
        "or begins like a torrent, is taken for one unless --content says otherwise.",
    .options = options,
    .examples = {"freshet seed album.torrent -o ~/Music",
                 "freshet seed photos --tracker http://tracker.example/announce --magnet",
                 "freshet seed film.mkv --torrent-out film.torrent --seed-ratio 2"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = seed_run,
};
