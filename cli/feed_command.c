/* SPDX-License-Identifier: MIT */
/* freshet feed: RSS and Atom feeds from which the daemon takes torrents; each verb has a file of
 * its own. */
#include "cli/command.h"

extern const struct command feed_add_command, feed_ls_command, feed_rm_command, feed_show_command;

static const struct command *const verbs[] = {&feed_add_command, &feed_ls_command,
                                              &feed_show_command, &feed_rm_command, NULL};

extern const struct command feed_command;
const struct command feed_command = {
    .name = "feed",
    .summary = "RSS feeds from which the daemon takes torrents",
    .operands = "VERB [OPTION]... [OPERAND]...",
    .description =
        "The daemon reads each feed (RSS 2.0 or Atom, over http or https) every so often and adds "
        "the items that its filters want, each once: a magnet link, or the .torrent that an "
        "enclosure or the item's link leads to.\n"
        "\n"
        "A filter is words, all of which a title must hold ('ubuntu amd64'), or between slashes a "
        "regular expression of PCRE2 ('/^ubuntu-2[46].*amd64/'); case does not matter. An item is "
        "taken when one --include fits, or there is none, and no --exclude does.\n"
        "\n"
        "'feed show' lists what is in a feed, and which of it fits: begin with filters that fit "
        "nothing ('--include nothing'), look, then give better ones by 'feed add' of the same "
        "URL.",
    .examples = {"freshet feed add https://example.org/iso.rss --include 'ubuntu amd64'",
                 "freshet feed show 1", "freshet feed ls"},
    .verbs = verbs,
};
