/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_reply.h"

#include "core/base/limits.h"
#include "core/base/memory.h"

#include <string.h>

void tracker_reply_init(struct tracker_reply *reply)
{
    *reply = (struct tracker_reply){0};
}

void tracker_reply_deinit(struct tracker_reply *reply)
{
    buffer_deinit(&reply->text);
    buffer_deinit(&reply->tracker_id);
    memory_free(reply->peers);
    *reply = (struct tracker_reply){0};
}

void tracker_reply_add_peer(struct tracker_reply *reply, const struct address *peer)
{
    if (peer->port == 0 || address_is_unspecified(peer) || address_is_multicast(peer))
        return;
    if (reply->peer_count == LIMIT_TRACKER_REPLY_PEERS)
        return;
    if (reply->peer_count == reply->peer_capacity) {
        uint32_t capacity = reply->peer_capacity ? 2 * reply->peer_capacity : 64;
        reply->peers = memory_resize_array(reply->peers, capacity, sizeof *reply->peers);
        reply->peer_capacity = capacity;
    }
    reply->peers[reply->peer_count++] = *peer;
}

enum freshet_error tracker_reply_add_compact(struct tracker_reply *reply, struct bytes compact,
                                             size_t entry_size)
{
    struct cursor cursor;
    cursor_init(&cursor, compact);
    while (cursor_left(&cursor) >= entry_size) {
        struct address peer;
        if (address_from_compact(cursor_bytes(&cursor, entry_size), &peer))
            tracker_reply_add_peer(reply, &peer);
    }
    return cursor_left(&cursor) ? FRESHET_ERROR_SYNTAX : FRESHET_OK;
}

void tracker_reply_set_text(struct tracker_reply *reply, struct bytes text)
{
    buffer_clear(&reply->text);
    size_t length = text.length < LIMIT_TRACKER_TEXT ? text.length : LIMIT_TRACKER_TEXT;
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = text.data[i];
        buffer_append_u8(&reply->text, byte < 0x20 || byte == 0x7f ? ' ' : byte);
    }
}
