/* SPDX-License-Identifier: MIT */
/* The metadata of one magnet link, fetched from peers and kept in the state, and nothing else. */
#ifndef FRESHET_CLI_METADATA_FETCH_H
#define FRESHET_CLI_METADATA_FETCH_H

#include "cli/torrent_source.h"
#include "cli/transfer_options.h"

/* Says on stderr what is wrong. NETWORK: nobody gave it within options->timeout_ns (0: no limit);
 * UNFINISHED: interrupted. `options` need only be those of transfer_options_read_network. */
enum exit_code metadata_fetch_run(const struct transfer_options *options,
                                  const struct magnet *magnet, struct torrent_source *ret_source);

#endif
