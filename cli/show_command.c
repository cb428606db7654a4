/* SPDX-License-Identifier: MIT */
/* freshet show: what a .torrent or a magnet link says. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/show_json.h"
#include "cli/show_text.h"
#include "cli/torrent_file.h"
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
        show_text_files(metainfo);
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
        message_error("a magnet link does not say which files it leads to");
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

static enum exit_code show_one(const char *operand, const char *part)
{
    struct bytes text = {(const uint8_t *)operand, strlen(operand)};
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
    for (size_t i = 0; i < command_operand_count(call); i++) {
        if (i && part == NULL)
            putchar('\n');
        enum exit_code code = show_one(command_operand(call, i), part);
        worst = worst == EXIT_CODE_OK ? code : worst;
    }
    return worst;
}

static const struct command_option show_options[] = {
    {"files", 0, NULL, "number, size and path of each file", false, false},
    {"trackers", 0, NULL, "the trackers, one a line", false, false},
    {"magnet", 0, NULL, "the magnet link", false, false},
    {"json", 0, NULL, "all of it as one JSON object", false, false},
    {NULL, 0, NULL, NULL, false, false},
};

extern const struct command show_command;
const struct command show_command = {
    .name = "show",
    .summary = "print what a .torrent or magnet link says",
    .operands = "TORRENT|MAGNET...",
    .description = "Reads and checks a .torrent (- is stdin) or a magnet link and prints what it "
                   "says. Paths are shown as they would be written to the disk, unsafe names made "
                   "safe. The numbers of --files are those that get -s takes.",
    .options = show_options,
    .examples = {"freshet show photos.torrent", "freshet show --files photos.torrent",
                 "freshet show --json 'magnet:?xt=urn:btih:...'"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = show_run,
};
