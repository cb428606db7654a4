/* SPDX-License-Identifier: MIT */
/* Files and pieces: as many as the torrent has, so copied in slices. */
#include "services/api/api_torrent.h"

#include "core/base/memory.h"
#include "services/api/api_row.h"
#include "services/stream/stream_key.h"

#include <string.h>

#define FILES_MAX        100000u
#define AVAILABILITY_MAX 262144u /* pieces; of more, nobody sees single ones */

struct file {
    const char *path;
    uint64_t length, done;
    uint32_t index;
    uint8_t priority;
    bool padding;
};

struct files {
    uint32_t offset, limit, total, count;
    char stream_key[STREAM_KEY_SIZE]; /* "": not for this one */
    uint64_t *done;                   /* of all files; heap */
    struct file *entries;
};

void api_torrent_files_prepare(struct api_call *call)
{
    struct files *files = call->state = call_arena_take(&call->arena, sizeof *files);
    *files = (struct files){0};
    files->offset = (uint32_t)api_parameter_number(call, "offset", 0, LIMIT_FILES_MAX);
    files->limit = (uint32_t)api_parameter_number(call, "limit", 10000, FILES_MAX);
}

static void measure(struct api_call *call, struct api_turn *turn, struct files *files,
                    const struct service_content *content)
{
    const struct geometry *geometry = &content->metainfo->geometry;
    files->total = geometry->file_count;
    uint32_t from = files->offset < files->total ? files->offset : files->total;
    files->count = files->total - from < files->limit ? files->total - from : files->limit;
    files->entries = call_arena_take(&call->arena, (files->count + 1) * sizeof *files->entries);
    files->done = memory_new_array(files->total, sizeof *files->done);
    const struct catalog_torrent *torrent = catalog_find(turn->world->catalog, call->id);
    if (call->is_control && turn->world->stream_secret)
        stream_key_make(turn->world->stream_secret, torrent->key, files->stream_key);
    if (torrent->open &&
        engine_torrent_file_bytes(turn->world->engine, call->id, files->done, files->total))
        return;
    if (content->pieces)
        geometry_file_bytes(geometry, content->pieces, files->done);
}

enum service_step api_torrent_files_step(struct api_call *call, struct api_turn *turn)
{
    struct files *files = call->state;
    struct service_content content;
    if (api_torrent_content(call, turn, &content) == SERVICE_JOB)
        return SERVICE_JOB;
    if (api_failed(call) || !content.metainfo)
        return SERVICE_DONE;
    if (!files->entries)
        measure(call, turn, files, &content);
    if (content.metainfo->geometry.file_count != files->total)
        return SERVICE_DONE; /* it is another torrent by now; what was copied is told */
    const struct catalog_torrent *torrent = catalog_find(turn->world->catalog, call->id);
    while (call->at < files->count) {
        uint32_t index = files->offset + call->at;
        const struct metainfo_file *from = &content.metainfo->files[index];
        files->entries[call->at++] = (struct file){
            .path = call_arena_text(&call->arena, from->path),
            .length = from->length,
            .done = files->done[index],
            .index = index,
            .priority = torrent->priorities && index < torrent->file_count
                            ? torrent->priorities[index]
                            : CATALOG_PRIORITY_NORMAL,
            .padding = from->padding,
        };
        if (call->at % 64 == 0 && api_late(turn))
            return SERVICE_AGAIN;
    }
    return SERVICE_DONE;
}

void api_torrent_files_write(struct api_call *call, struct json_writer *json)
{
    const struct files *files = call->state;
    json_writer_put_u64(json, "total", files->total);
    json_writer_put_u64(json, "offset", files->offset);
    api_write_text_or_null(json, "stream_key", files->stream_key[0] ? files->stream_key : NULL);
    json_writer_key(json, "files");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < call->at; i++) {
        const struct file *file = &files->entries[i];
        json_writer_open(json, '{');
        json_writer_put_u64(json, "index", file->index);
        json_writer_put_text(json, "path", file->path);
        json_writer_put_u64(json, "length", file->length);
        json_writer_put_u64(json, "done", file->done);
        json_writer_put_u64(json, "priority", file->priority);
        json_writer_put_bool(json, "padding", file->padding);
        json_writer_close(json, '}');
    }
    json_writer_close(json, ']');
}

void api_torrent_files_end(struct api_call *call)
{
    struct files *files = call->state;
    if (files)
        memory_free(files->done);
}

struct pieces {
    uint32_t count, length;
    struct bytes have, availability;
    uint32_t fetch_count, peer_count;
    struct piece_fetch *fetches;
    struct peer_status *peers; /* whose clients are named */
};

static void copy_pieces(struct api_call *call, struct api_turn *turn,
                        const struct service_content *content,
                        const struct catalog_torrent *torrent)
{
    struct pieces *pieces = call->state;
    struct torrent_status status;
    const struct bitfield *have = content->pieces;
    if (torrent->open && engine_torrent_status(turn->world->engine, call->id, &status) &&
        status.pieces)
        have = status.pieces;
    pieces->count = content->metainfo->geometry.piece_count;
    pieces->length = content->metainfo->geometry.piece_length;
    if (have && have->size == pieces->count) {
        struct bytes wire = bitfield_wire(have);
        pieces->have =
            (struct bytes){call_arena_copy(&call->arena, wire.data, wire.length), wire.length};
    }
    if (torrent->open && pieces->count <= AVAILABILITY_MAX) {
        uint8_t *counts = call_arena_take(&call->arena, pieces->count);
        memset(counts, 0, pieces->count);
        if (engine_torrent_availability(turn->world->engine, call->id, counts, pieces->count))
            pieces->availability = (struct bytes){counts, pieces->count};
    }
}

static void copy_fetches(struct api_call *call, struct api_turn *turn)
{
    struct pieces *pieces = call->state;
    struct engine *engine = turn->world->engine;
    pieces->fetches = call_arena_take(&call->arena, PIECE_FETCHES_MAX * sizeof *pieces->fetches);
    pieces->fetch_count =
        engine_torrent_fetches(engine, call->id, pieces->fetches, PIECE_FETCHES_MAX);
    if (pieces->fetch_count == 0)
        return;
    pieces->peers = call_arena_take(&call->arena, LIMIT_PEERS_PER_TORRENT * sizeof *pieces->peers);
    pieces->peer_count =
        engine_torrent_peers(engine, call->id, pieces->peers, LIMIT_PEERS_PER_TORRENT);
}

enum service_step api_torrent_pieces_step(struct api_call *call, struct api_turn *turn)
{
    struct service_content content;
    if (api_torrent_content(call, turn, &content) == SERVICE_JOB)
        return SERVICE_JOB;
    if (api_failed(call))
        return SERVICE_DONE;
    const struct catalog_torrent *torrent = catalog_find(turn->world->catalog, call->id);
    if (!call->state) {
        struct pieces *pieces = call->state = call_arena_take(&call->arena, sizeof *pieces);
        *pieces = (struct pieces){0};
        if (content.metainfo)
            copy_pieces(call, turn, &content, torrent);
        if (api_late(turn))
            return SERVICE_AGAIN;
    }
    if (content.metainfo && torrent->open)
        copy_fetches(call, turn);
    return SERVICE_DONE;
}

static const char *client_of(const struct pieces *pieces, const struct address *address)
{
    for (uint32_t i = 0; i < pieces->peer_count; i++)
        if (address_equal(&pieces->peers[i].address, address))
            return pieces->peers[i].client;
    return ""; /* it has left */
}

static void write_fetch(const struct pieces *pieces, const struct piece_fetch *fetch,
                        struct json_writer *json)
{
    char address[ADDRESS_TEXT_SIZE];
    json_writer_open(json, '{');
    json_writer_put_u64(json, "piece", fetch->piece);
    json_writer_put_u64(json, "blocks", fetch->blocks);
    json_writer_put_u64(json, "asked", fetch->asked);
    json_writer_put_u64(json, "received", fetch->received);
    json_writer_key(json, "peers");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < fetch->peer_count; i++) {
        const struct piece_fetch_peer *peer = &fetch->peers[i];
        address_to_text(&peer->address, address);
        json_writer_open(json, '{');
        api_write_text_or_null(json, "address", peer->is_web_seed ? NULL : address);
        json_writer_put_text(json, "client", client_of(pieces, &peer->address));
        json_writer_put_u64(json, "asked", peer->asked);
        json_writer_put_u64(json, "received", peer->received);
        json_writer_close(json, '}');
    }
    json_writer_close(json, ']');
    json_writer_close(json, '}');
}

void api_torrent_pieces_write(struct api_call *call, struct json_writer *json)
{
    const struct pieces *pieces = call->state;
    json_writer_put_u64(json, "count", pieces->count);
    json_writer_put_u64(json, "length", pieces->length);
    json_writer_key(json, "have");
    json_writer_base64(json, pieces->have);
    json_writer_key(json, "fetching");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < pieces->fetch_count; i++)
        write_fetch(pieces, &pieces->fetches[i], json);
    json_writer_close(json, ']');
    if (pieces->availability.length == 0) {
        api_write_null(json, "availability");
        return;
    }
    json_writer_key(json, "availability");
    json_writer_base64(json, pieces->availability);
}
