/* SPDX-License-Identifier: MIT */
/*
 * Torrents whose metadata is fetched from peers before anything else: magnet links, info-hashes,
 * and .torrent files that lack the piece layers of v2 (BEP 9, 52).
 */
#include "cli/transfer_state.h"

#include <string.h>

#include "cli/message.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "core/base/memory.h"
#include "host/session_torrents.h"

#define NAME_SIZE 300

void transfer_set_chooser(struct transfer *transfer, transfer_chooser *choose, void *context)
{
    transfer->choose = choose;
    transfer->choose_context = context;
}

enum exit_code transfer_add_magnet(struct transfer *transfer, struct magnet *magnet,
                                   const char *root)
{
    struct transfer_torrent *torrent = transfer_torrent_new(transfer);

    if (magnet->has_v1)
        bytes_to_hex(magnet->info_hash_v1, 20, torrent->info_hash);
    else
        bytes_to_hex(magnet->info_hash_v2, 32, torrent->info_hash);
    const char *name = magnet->name ? magnet->name : torrent->info_hash;
    torrent->name = memory_copy(name, strlen(name) + 1);
    torrent->magnet = magnet;
    return transfer_keep(transfer, torrent, root);
}

void transfer_magnet_start(struct transfer *transfer, size_t index)
{
    struct transfer_torrent *torrent = transfer->torrents[index];
    struct address peers[TRANSFER_PEERS_GIVEN + LIMIT_MAGNET_PEERS];
    struct session_magnet_options options = {
        .id = (torrent_id)index + 1,
        .magnet = torrent->magnet,
        .metainfo = torrent->source.metainfo,
        .peers = peers,
        .peer_count = transfer_options_peers(&transfer->options, torrent->magnet, peers),
    };

    torrent->source.metainfo = NULL; /* the session has it */
    session_torrents_add_magnet(transfer->session, &options);
}

static void transfer_magnet_tell(struct transfer *transfer, const struct metainfo *metainfo)
{
    char safe[NAME_SIZE], size[UNITS_TEXT_SIZE];
    uint32_t files = 0;

    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        files += !metainfo->files[i].padding;
    progress_hide(transfer->progress);
    message_note("%s: %u file%s, %s", terminal_safe_text(metainfo->name, safe, sizeof safe), files,
                 files == 1 ? "" : "s",
                 units_format_bytes(metainfo->geometry.payload_length, size));
}

void transfer_magnet_known(struct transfer *transfer, struct transfer_torrent *torrent,
                           torrent_id id)
{
    enum exit_code code = EXIT_CODE_OK;
    struct metainfo *metainfo = NULL;
    struct buffer bytes = {0};
    enum freshet_error error =
        session_torrents_take_metadata(transfer->session, id, torrent->magnet, &metainfo, &bytes);

    if (error) { /* it has passed its hash: whoever made it made it so */
        buffer_deinit(&bytes);
        message_error("%s: the metadata makes no torrent: %s", torrent->name, error_text(error));
        transfer_fail(transfer, torrent, EXIT_CODE_BAD_INPUT);
        return;
    }
    torrent_source_deinit(&torrent->source);
    torrent->source = (struct torrent_source){.metainfo = metainfo, .bytes = bytes};
    memory_free(torrent->name);
    torrent->name = memory_copy(metainfo->name, strlen(metainfo->name) + 1);
    transfer_magnet_tell(transfer, metainfo);
    if (torrent->magnet && transfer->choose)
        code = transfer->choose(transfer->choose_context, metainfo, torrent->magnet,
                                &torrent->priorities);
    if (!code)
        code = transfer_start_one(transfer, id - 1);
    if (code)
        transfer_fail(transfer, torrent, code);
}
