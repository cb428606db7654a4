/* SPDX-License-Identifier: MIT */
/* freshet get: download torrents. */
#include "cli/file_choice.h"
#include "cli/metadata_fetch.h"
#include "cli/show_text.h"
#include "cli/transfer.h"
#include "core/base/memory.h"

static const struct command_option options[] = {
    {"output", 'o', "DIR", "put the files there, default the current folder", .repeatable = false},
    {"select", 's', "LIST", "only these files, by number: 1,3-5", .repeatable = false},
    {"only", 0, "GLOB", "only files whose path or name fits", .repeatable = true},
    {"list", 0, NULL, "list the files, with -s or --only those chosen, and do nothing else",
     .repeatable = false},
    {"no-seed", 0, NULL, "end when everything is there, the default", .repeatable = false},
    {"sequential", 0, NULL, "fetch pieces in order", .repeatable = false},
    {"allocate", 0, NULL, "claim all the space at once", .repeatable = false},
    {"symlinks", 0, NULL, "make the symbolic links that the torrent has", .repeatable = false},
    {"forget", 0, NULL, "forget earlier progress and check what is there", .repeatable = false},
    {"timeout", 0, "TIME", "give up when nothing has come for so long", .repeatable = false},
    {"wait", 0, NULL, "on a full disk wait for space instead of ending", .repeatable = false},
    {"on-done", 0, "CMD", "run it, without a shell, with the path of each torrent that is complete",
     .repeatable = false},
    TRANSFER_OPTIONS,
    {0},
};

/* -s and --only, else the link's own selection (BEP 53). */
static enum exit_code get_choose(void *context, const struct metainfo *metainfo,
                                 const struct magnet *magnet, uint8_t **ret_priorities)
{
    const struct command_call *call = context;

    if (command_has(call, "select") || command_value_count(call, "only") ||
        magnet->range_count == 0)
        return file_choice_priorities(call, metainfo, ret_priorities);
    return file_choice_of_magnet(magnet, metainfo, ret_priorities);
}

static enum exit_code get_list(struct command_call *call, const struct magnet *magnet,
                               struct torrent_source *source)
{
    struct transfer_options network;
    uint8_t *priorities = NULL;
    enum exit_code code = EXIT_CODE_OK;

    if (magnet) {
        if (!transfer_options_read_network(call, &network) ||
            !command_duration(call, "timeout", &network.timeout_ns))
            return EXIT_CODE_USAGE;
        code = metadata_fetch_run(&network, magnet, source);
    }
    if (!code)
        code = magnet ? get_choose(call, source->metainfo, magnet, &priorities)
                      : file_choice_priorities(call, source->metainfo, &priorities);
    if (!code)
        show_text_files(source->metainfo, priorities);
    memory_free(priorities);
    return code;
}

static enum exit_code get_add(struct transfer *transfer, struct command_call *call,
                              const char *operand)
{
    const char *folder = command_value(call, "output") ? command_value(call, "output") : ".";
    struct torrent_source source = {0};
    struct magnet *magnet = NULL;
    uint8_t *priorities = NULL;

    source.route = transfer_route(transfer);
    enum exit_code code =
        torrent_source_load(operand, transfer_state_folder(call), &source, &magnet);

    if (code)
        return code;
    if (command_has(call, "list")) {
        code = get_list(call, magnet, &source);
        magnet_free(magnet);
        torrent_source_deinit(&source);
        return code;
    }
    if (magnet)
        return transfer_add_magnet(transfer, magnet, folder);
    code = file_choice_priorities(call, source.metainfo, &priorities);
    if (code) {
        torrent_source_deinit(&source);
        return code;
    }
    struct transfer_content content = {.root = folder, .priorities = priorities};
    return transfer_add(transfer, &source, &content);
}

static int get_run(struct command_call *call)
{
    enum exit_code code = EXIT_CODE_OK;
    struct transfer *transfer = transfer_new(call, TRANSFER_GET, &code);

    if (!transfer)
        return code;
    transfer_set_chooser(transfer, get_choose, call);
    for (size_t i = 0; i < command_operand_count(call) && !code; i++)
        code = get_add(transfer, call, command_operand(call, i));
    if (!code && !command_has(call, "list"))
        code = transfer_run(transfer);
    transfer_free(transfer);
    return code;
}

extern const struct command get_command;
const struct command get_command = {
    .name = "get",
    .summary = "download torrents",
    .operands = "TORRENT...",
    .description =
        "Downloads what each TORRENT describes: a .torrent file, - for standard input, an http or "
        "https URL of one, a magnet link, or an info-hash. What a link or hash stands for is asked "
        "of peers first, who are found by the DHT, by trackers of the link, or given with "
        "--peer.\n\n"
        "Ends with 0 when everything chosen is checked and safely on the disk, unless a seeding "
        "goal says to go on sending. Interrupted once (Ctrl-C) it saves its progress and ends with "
        "7; the same command later goes on from there. A second Ctrl-C ends it at once.",
    .options = options,
    .examples = {"freshet get debian.torrent -o ~/Downloads",
                 "freshet get album.torrent -s 1,3-5 --seed-ratio 1.5",
                 "freshet get 'magnet:?xt=urn:btih:...' --list"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = get_run,
};
