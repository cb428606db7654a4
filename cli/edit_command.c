/* SPDX-License-Identifier: MIT */
/* freshet edit: trackers, web seeds and comment of a .torrent; the info-hash stays. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/torrent_file.h"
#include "cli/tracker_tiers.h"
#include "core/base/memory.h"
#include "core/metainfo/torrent_editor.h"

/* The lists as they are to be. Entries point into the metainfo, the tiers read from the command
 * line, or argv. */
struct edited_lists {
    struct bytes trackers[2 * LIMIT_TRACKERS_MAX];
    uint32_t tracker_tiers[2 * LIMIT_TRACKERS_MAX];
    uint32_t tracker_count;
    struct bytes web_seeds[LIMIT_WEB_SEEDS_MAX];
    uint32_t web_seed_count;
};

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static bool is_named(const struct command_call *call, const char *option, struct bytes url)
{
    for (size_t i = 0; i < command_value_count(call, option); i++)
        if (bytes_is(url, command_value_at(call, option, i)))
            return true;
    return false;
}

static bool holds(const struct bytes *urls, uint32_t count, struct bytes url)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(urls[i], url))
            return true;
    return false;
}

/* A tracker that is there already stays where it is. */
static void add_tracker(struct edited_lists *lists, struct bytes url, uint32_t tier)
{
    if (holds(lists->trackers, lists->tracker_count, url))
        return;
    lists->trackers[lists->tracker_count] = url;
    lists->tracker_tiers[lists->tracker_count++] = tier;
}

static void edit_trackers(struct edited_lists *lists, const struct command_call *call,
                          const struct metainfo *metainfo, const struct tracker_tiers *added)
{
    uint32_t tier = 0;
    for (uint32_t i = 0; i < metainfo->tracker_count && !command_has(call, "clear-trackers"); i++)
        if (!is_named(call, "remove-tracker", metainfo->trackers[i]))
            add_tracker(lists, metainfo->trackers[i], metainfo->tracker_tiers[i]);
    if (lists->tracker_count)
        tier = lists->tracker_tiers[lists->tracker_count - 1] + 1;
    for (uint32_t i = 0; i < added->count; i++)
        add_tracker(lists, bytes_of(added->urls[i]), tier + added->tiers[i]);
}

static bool edit_web_seeds(struct edited_lists *lists, const struct command_call *call,
                           const struct metainfo *metainfo)
{
    for (uint32_t i = 0; i < metainfo->web_seed_count && !command_has(call, "clear-web-seeds"); i++)
        if (!is_named(call, "remove-web-seed", metainfo->web_seeds[i]))
            lists->web_seeds[lists->web_seed_count++] = metainfo->web_seeds[i];
    for (size_t i = 0; i < command_value_count(call, "web-seed"); i++) {
        struct bytes url = bytes_of(command_value_at(call, "web-seed", i));
        if (holds(lists->web_seeds, lists->web_seed_count, url))
            continue;
        if (lists->web_seed_count == LIMIT_WEB_SEEDS_MAX) {
            command_usage_error("more than %u web seeds", LIMIT_WEB_SEEDS_MAX);
            return false;
        }
        lists->web_seeds[lists->web_seed_count++] = url;
    }
    return true;
}

/* What is not there can't be removed; a mistyped URL should not pass for done. */
static bool check_removals(const struct command_call *call, const char *option,
                           const struct bytes *urls, uint32_t count)
{
    for (size_t i = 0; i < command_value_count(call, option); i++) {
        const char *url = command_value_at(call, option, i);
        if (!holds(urls, count, bytes_of(url))) {
            message_error("%s: is not in the torrent", url);
            return false;
        }
    }
    return true;
}

static bool is_same_torrent(const struct metainfo *a, const struct metainfo *b)
{
    return bytes_equal(a->info, b->info);
}

static enum exit_code write_edited(const struct command_call *call, struct bytes torrent,
                                   const struct metainfo *metainfo,
                                   const struct torrent_editor_changes *changes)
{
    const char *output = command_value(call, "output");
    if (output == NULL)
        output = command_operand(call, 0);
    struct buffer out = {0};
    struct metainfo *edited = NULL;
    char reason[METAINFO_REASON_SIZE];
    enum exit_code code = EXIT_CODE_OTHER;
    if (torrent_editor_apply(torrent, changes, &out) != FRESHET_OK ||
        metainfo_parse(buffer_bytes(&out), &edited, reason) != FRESHET_OK ||
        !is_same_torrent(metainfo, edited))
        message_error("%s: cannot be edited", command_operand(call, 0));
    else
        code = torrent_file_write(output, buffer_bytes(&out));
    metainfo_free(edited);
    buffer_deinit(&out);
    return code;
}

static enum exit_code edit(const struct command_call *call, struct bytes torrent,
                           const struct metainfo *metainfo, const struct tracker_tiers *added)
{
    if (!check_removals(call, "remove-tracker", metainfo->trackers, metainfo->tracker_count) ||
        !check_removals(call, "remove-web-seed", metainfo->web_seeds, metainfo->web_seed_count))
        return EXIT_CODE_USAGE;
    struct edited_lists *lists = memory_new(sizeof *lists);
    const char *comment = command_value(call, "comment");
    enum exit_code code = EXIT_CODE_USAGE;
    edit_trackers(lists, call, metainfo, added);
    if (lists->tracker_count > LIMIT_TRACKERS_MAX) {
        command_usage_error("more than %u trackers", LIMIT_TRACKERS_MAX);
    } else if (tracker_tiers_are_web_seeds(call, "web-seed") &&
               edit_web_seeds(lists, call, metainfo)) {
        struct torrent_editor_changes changes = {
            .set_trackers = command_has(call, "announce") || command_has(call, "clear-trackers") ||
                            command_has(call, "remove-tracker"),
            .trackers = lists->trackers,
            .tracker_tiers = lists->tracker_tiers,
            .tracker_count = lists->tracker_count,
            .set_web_seeds = command_has(call, "web-seed") ||
                             command_has(call, "clear-web-seeds") ||
                             command_has(call, "remove-web-seed"),
            .web_seeds = lists->web_seeds,
            .web_seed_count = lists->web_seed_count,
            .set_comment = comment != NULL,
            .comment = comment ? bytes_of(comment) : (struct bytes){NULL, 0},
        };
        code = write_edited(call, torrent, metainfo, &changes);
    }
    memory_free(lists);
    return code;
}

static int edit_run(struct command_call *call)
{
    const char *path = command_operand(call, 0);
    struct tracker_tiers added;
    struct buffer torrent = {0};
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    enum exit_code code = EXIT_CODE_USAGE;
    if (tracker_tiers_read(&added, call, "announce"))
        code = torrent_file_read(path, &torrent);
    if (code == EXIT_CODE_OK &&
        metainfo_parse(buffer_bytes(&torrent), &metainfo, reason) != FRESHET_OK) {
        message_error("%s: bad torrent: %s", path, reason);
        code = EXIT_CODE_BAD_INPUT;
    }
    if (code == EXIT_CODE_OK)
        code = edit(call, buffer_bytes(&torrent), metainfo, &added);
    metainfo_free(metainfo);
    buffer_deinit(&torrent);
    tracker_tiers_deinit(&added);
    return code;
}

static const struct command_option edit_options[] = {
    {"announce", 'a', "URL", "add a tracker as a new last tier; commas join one tier",
     .repeatable = true},
    {"remove-tracker", 0, "URL", "take a tracker out", .repeatable = true},
    {"clear-trackers", 0, NULL, "take all trackers out before -a adds", .repeatable = false},
    {"web-seed", 'w', "URL", "add a web seed", .repeatable = true},
    {"remove-web-seed", 0, "URL", "take a web seed out", .repeatable = true},
    {"clear-web-seeds", 0, NULL, "take all web seeds out before -w adds", .repeatable = false},
    {"comment", 'c', "TEXT", "replace the comment; '' takes it out", .repeatable = false},
    {"output", 'o', "FILE", "write there instead of in place; - is stdout", .repeatable = false},
    {0},
};

extern const struct command edit_command;
const struct command edit_command = {
    .name = "edit",
    .summary = "change trackers, web seeds or comment of a .torrent",
    .operands = "TORRENT",
    .description = "Changes what stands outside the torrent's info dictionary. That dictionary is "
                   "copied byte for byte, so the info-hash stays and the torrent remains the same "
                   "swarm. The file is replaced at once or not at all.",
    .options = edit_options,
    .examples = {"freshet edit -a udp://tracker.example:6969 photos.torrent",
                 "freshet edit --clear-trackers -a http://a.example/announce photos.torrent",
                 "freshet edit -c '' -o - photos.torrent"},
    .operands_min = 1,
    .operands_max = 1,
    .run = edit_run,
};
