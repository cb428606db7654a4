/* SPDX-License-Identifier: MIT */
/* freshet show: what a .torrent or a magnet link says. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/metadata_fetch.h"
#include "cli/show_json.h"
#include "cli/show_text.h"
#include "cli/torrent_file.h"
#include "cli/transfer.h"
#include "core/metainfo/magnet.h"

static const char *const parts[] = {"files", "trackers", "magnet", "json"};

static void print_link(const struct buffer *link)
{
    fwrite(link->data, 1, link->length, stdout);
    putchar('\n');
}

static void show_metainfo(const struct metainfo *metainfo, const char *part)
{
    if (part == NULL) {
        show_text_metainfo(metainfo);
    } else if (strcmp(part, "files") == 0) {
        show_text_files(metainfo, NULL);
    } else if (strcmp(part, "trackers") == 0) {
        show_text_trackers(metainfo);
    } else if (strcmp(part, "json") == 0) {
        show_json_metainfo(metainfo);
    } else {
        struct buffer link = {0};
        magnet_format_metainfo(metainfo, &link);
        print_link(&link);
        buffer_deinit(&link);
    }
}

static enum exit_code show_magnet(const struct magnet *magnet, const char *part)
{
    if (part && strcmp(part, "files") == 0) {
        message_error("a magnet link does not say which files it leads to (--fetch asks peers)");
        return EXIT_CODE_REFUSED;
    }
    if (part == NULL) {
        show_text_magnet(magnet);
    } else if (strcmp(part, "trackers") == 0) {
        for (uint32_t i = 0; i < magnet->tracker_count; i++)
            puts(magnet->trackers[i]);
    } else if (strcmp(part, "json") == 0) {
        show_json_magnet(magnet);
    } else {
        struct buffer link = {0};
        magnet_format(magnet, &link);
        print_link(&link);
        buffer_deinit(&link);
    }
    return EXIT_CODE_OK;
}

/* What peers say that the link stands for; the state may know it already. */
static enum exit_code show_fetched(const struct command_call *call, const char *operand,
                                   const char *part)
{
    struct transfer_options options;
    struct torrent_source source = {0};
    struct magnet *magnet = NULL;

    if (!transfer_options_read_network(call, &options) ||
        !command_duration(call, "timeout", &options.timeout_ns))
        return EXIT_CODE_USAGE;
    source.route = &options.session.route;
    enum exit_code code =
        torrent_source_load(operand, options.session.state_folder, &source, &magnet);
    if (!code && magnet)
        code = metadata_fetch_run(&options, magnet, &source);
    if (!code && command_value(call, "torrent-out"))
        code = torrent_file_write(command_value(call, "torrent-out"), buffer_bytes(&source.bytes));
    else if (!code)
        show_metainfo(source.metainfo, part);
    magnet_free(magnet);
    torrent_source_deinit(&source);
    return code;
}

static enum exit_code show_one(const struct command_call *call, const char *operand,
                               const char *part)
{
    struct bytes text = {(const uint8_t *)operand, strlen(operand)};
    if (command_has(call, "fetch") || command_value(call, "torrent-out"))
        return show_fetched(call, operand, part);
    if (magnet_is(text)) {
        struct magnet *magnet = NULL;
        char reason[METAINFO_REASON_SIZE];
        if (magnet_parse(text, &magnet, reason) != FRESHET_OK) {
            message_error("%s", reason);
            return EXIT_CODE_BAD_INPUT;
        }
        enum exit_code code = show_magnet(magnet, part);
        magnet_free(magnet);
        return code;
    }
    struct metainfo *metainfo = NULL;
    enum exit_code code = torrent_file_load(operand, &metainfo);
    if (code == EXIT_CODE_OK)
        show_metainfo(metainfo, part);
    metainfo_free(metainfo);
    return code;
}

static int show_run(struct command_call *call)
{
    const char *part = command_last_of(call, parts, sizeof parts / sizeof parts[0]);
    enum exit_code worst = EXIT_CODE_OK;
    if (command_value(call, "torrent-out") && command_operand_count(call) > 1)
        return command_usage_error("--torrent-out takes one TORRENT at a time");
    for (size_t i = 0; i < command_operand_count(call); i++) {
        if (i && part == NULL)
            putchar('\n');
        enum exit_code code = show_one(call, command_operand(call, i), part);
        worst = worst == EXIT_CODE_OK ? code : worst;
    }
    return worst;
}

static const struct command_option show_options[] = {
    {"files", 0, NULL, "number, size and path of each file", .repeatable = false},
    {"trackers", 0, NULL, "the trackers, one a line", .repeatable = false},
    {"magnet", 0, NULL, "the magnet link", .repeatable = false},
    {"json", 0, NULL, "all of it as one JSON object", .repeatable = false},
    {"fetch", 0, NULL, "ask peers what a magnet link or info-hash stands for", .repeatable = false},
    {"torrent-out", 0, "FILE", "the same, and write the .torrent there; - is stdout",
     .repeatable = false},
    {"timeout", 0, "TIME", "give up when nobody has told by then", .repeatable = false},
    TRANSFER_NETWORK_OPTIONS,
    {0},
};

extern const struct command show_command;
const struct command show_command = {
    .name = "show",
    .summary = "print what a .torrent or magnet link says",
    .operands = "TORRENT|MAGNET...",
    .description =
        "Reads and checks a .torrent (- is stdin) or a magnet link and prints what it "
        "says. Paths are shown as they would be written to the disk, unsafe names made "
        "safe. The numbers of --files are those that get -s takes.\n\n"
        "A link says little itself: with --fetch or --torrent-out peers are asked for the "
        "rest (as get does), and the .torrent is remembered.",
    .options = show_options,
    .examples = {"freshet show photos.torrent", "freshet show --files photos.torrent",
                 "freshet show 'magnet:?xt=urn:btih:...' --torrent-out photos.torrent"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = show_run,
};
