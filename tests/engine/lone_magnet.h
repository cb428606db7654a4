/* SPDX-License-Identifier: MIT */
/* The lone engine and a magnet link: it is added, a peer gives the metadata, it is added anew. */
#ifndef TESTS_ENGINE_LONE_MAGNET_H
#define TESTS_ENGINE_LONE_MAGNET_H

#include "core/metainfo/magnet.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_metadata.h"
#include "tests/engine/lone_engine.h"

#define LONE_METADATA_ID 3u /* what the peer wants it to be called */

static inline void lone_add_magnet_by(struct lone_engine *lone, const struct metainfo *metainfo,
                                      enum transport transport)
{
    struct magnet *magnet = NULL;
    struct buffer link = {0};
    char reason[METAINFO_REASON_SIZE];
    magnet_format_metainfo(metainfo, &link);
    assert_int_equal(magnet_parse(buffer_bytes(&link), &magnet, reason), FRESHET_OK);
    struct engine_command wish = {
        .type = COMMAND_ADD_MAGNET, .torrent = 1, .magnet = magnet, .transport = transport};
    struct event event = {.type = EVENT_COMMAND, .command = &wish};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    magnet_free(magnet);
    buffer_deinit(&link);
}

static inline void lone_add_magnet(struct lone_engine *lone, const struct metainfo *metainfo)
{
    lone_add_magnet_by(lone, metainfo, TRANSPORT_ANY);
}

/* A peer comes that says it has the metadata, and gives this; returns its connection. */
static inline uint32_t lone_give_dictionary(struct lone_engine *lone, uint8_t who,
                                            struct bytes info)
{
    struct wire_extension_handshake handshake;
    struct wire_metadata data = {
        .type = WIRE_METADATA_DATA, .total_size = (uint32_t)info.length, .bytes = info};
    struct buffer dictionary = {0}, out = {0};
    uint32_t peer = lone_accept_speaking(lone, who, true, true);
    wire_extension_handshake_init(&handshake);
    handshake.named[WIRE_EXTENSION_UT_METADATA] = true;
    handshake.ids[WIRE_EXTENSION_UT_METADATA] = LONE_METADATA_ID;
    handshake.metadata_size = (uint32_t)info.length;
    wire_extension_encode(&dictionary, &handshake);
    wire_message_put_extended(&out, WIRE_EXTENSION_HANDSHAKE, buffer_bytes(&dictionary));
    wire_message_put(&out, WIRE_HAVE_ALL);
    lone_feed_buffer(lone, peer, &out);
    wire_metadata_put(&out, WIRE_EXTENSION_UT_METADATA, &data);
    lone_feed_buffer(lone, peer, &out);
    buffer_deinit(&dictionary);
    return peer;
}

static inline void lone_give_metadata(struct lone_engine *lone, const struct metainfo *metainfo)
{
    lone_give_dictionary(lone, 9, metainfo->info);
}

static inline void lone_add_what_was_fetched(struct lone_engine *lone)
{
    struct torrent_options options = {.root = "/r", .seed_ratio = -1, .seed_time_s = -1};
    struct engine_command wish = {.type = COMMAND_ADD_TORRENT,
                                  .torrent = 1,
                                  .metainfo = engine_take_metadata(lone->engine, 1),
                                  .options = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &wish};
    assert_non_null(wish.metainfo);
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

#endif
