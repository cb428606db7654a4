/* SPDX-License-Identifier: MIT */
#include "cli/metadata_fetch.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/message.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/session.h"
#include "host/session_torrents.h"

#define TORRENT   1
#define TICK_MS   250
#define NOTE_NS   (5 * SECOND_NS) /* without a word for so long a person wonders */
#define POOL_NONE 16u

struct metadata_fetch {
    const struct transfer_options *options;
    const struct magnet *magnet;
    struct session *session;
    struct torrent_source *source;
    int64_t begun_ns;
    bool noted, stopping;
    enum exit_code code;
};

static void fetch_stop(struct metadata_fetch *fetch, enum exit_code code)
{
    if (fetch->stopping)
        return;
    fetch->stopping = true;
    fetch->code = code;
    session_shutdown(fetch->session);
}

static void fetch_on_notice(void *context, const struct notice *notice)
{
    struct metadata_fetch *fetch = context;

    if (notice->type == NOTICE_ERROR) {
        message_error("no torrent: %.*s", (int)notice->text.length,
                      (const char *)notice->text.data);
        fetch_stop(fetch, EXIT_CODE_BAD_INPUT);
    }
    if (notice->type != NOTICE_METADATA || fetch->stopping)
        return;
    enum freshet_error error = session_torrents_take_metadata(
        fetch->session, TORRENT, fetch->magnet, &fetch->source->metainfo, &fetch->source->bytes);
    if (error) {
        message_error("the metadata makes no torrent: %s", error_text(error));
        fetch_stop(fetch, EXIT_CODE_BAD_INPUT);
        return;
    }
    session_torrents_remember(fetch->session, fetch->source->metainfo,
                              buffer_bytes(&fetch->source->bytes));
    fetch_stop(fetch, EXIT_CODE_OK);
}

static void fetch_on_tick(void *context)
{
    struct metadata_fetch *fetch = context;
    struct torrent_status status = {0};
    int64_t waited = clock_now() - fetch->begun_ns;

    if (fetch->options->timeout_ns && waited >= fetch->options->timeout_ns) {
        message_error("nobody gave the metadata in time (is anybody online who has it?)");
        fetch_stop(fetch, EXIT_CODE_NETWORK);
    }
    if (fetch->noted || waited < NOTE_NS || fetch->stopping)
        return;
    fetch->noted = true;
    engine_torrent_status(session_engine(fetch->session), TORRENT, &status);
    message_note("looking for the metadata; %u peer%s so far", status.peers,
                 status.peers == 1 ? "" : "s");
}

static void fetch_on_signal(void *context, int signal_number)
{
    struct metadata_fetch *fetch = context;

    (void)signal_number;
    if (fetch->stopping)
        _exit(EXIT_CODE_UNFINISHED);
    fetch_stop(fetch, EXIT_CODE_UNFINISHED);
}

static void fetch_on_words(void *context, const char *text)
{
    (void)context;
    message_note("%s", text);
}

enum exit_code metadata_fetch_run(const struct transfer_options *options,
                                  const struct magnet *magnet, struct torrent_source *ret_source)
{
    struct metadata_fetch fetch = {.options = options, .magnet = magnet, .source = ret_source};
    struct address peers[TRANSFER_PEERS_GIVEN + LIMIT_MAGNET_PEERS];
    struct session_options session = options->session;
    char text[SESSION_TEXT_SIZE];

    session.port_mapping = false; /* it is over before a router has answered */
    session.tick_ms = TICK_MS;
    session.on_notice = fetch_on_notice;
    session.on_words = fetch_on_words;
    session.on_tick = fetch_on_tick;
    session.on_signal = fetch_on_signal;
    session.context = &fetch;
    session.engine.pool_blocks = POOL_NONE;
    enum freshet_error error = session_new(&session, text, &fetch.session);
    if (error) {
        message_error("%s", text);
        if (error == FRESHET_ERROR_USAGE)
            return EXIT_CODE_USAGE;
        return error == FRESHET_ERROR_BUSY || error == FRESHET_ERROR_CONNECTION ? EXIT_CODE_NETWORK
                                                                                : EXIT_CODE_DISK;
    }
    fetch.begun_ns = clock_now();
    struct session_magnet_options wanted = {
        .id = TORRENT,
        .magnet = magnet,
        .peers = peers,
        .peer_count = transfer_options_peers(options, magnet, peers),
    };
    session_torrents_add_magnet(fetch.session, &wanted);
    session_run(fetch.session);
    session_free(fetch.session);
    return fetch.code;
}
