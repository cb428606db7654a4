/* SPDX-License-Identifier: MIT */
/* What of a row is more than one value, copied on the engine's thread. */
#include "core/base/memory.h"
#include "services/rpc/transmission_fields.h"

#include <string.h>

#define PEERS_MAX LIMIT_PEERS_PER_TORRENT

static void copy_labels(const struct transmission_source *source, struct transmission_part *part)
{
    const struct catalog_torrent *row = source->row;
    const char **labels = call_arena_take(source->arena, row->label_count * sizeof *labels);
    for (uint32_t i = 0; i < row->label_count; i++)
        labels[i] = call_arena_text(source->arena, row->labels[i]);
    part->labels = labels;
    part->label_count = row->label_count;
}

static void copy_peers(const struct transmission_source *source, struct transmission_part *part)
{
    struct peer_status *peers = memory_new_array(PEERS_MAX, sizeof peers[0]);
    part->peer_count =
        engine_torrent_peers(source->world->engine, source->row->id, peers, PEERS_MAX);
    part->peers = call_arena_copy(source->arena, peers, part->peer_count * sizeof peers[0]);
    memory_free(peers);
}

static int64_t unix_time(const struct service_world *world, int64_t at_ns)
{
    return at_ns == INT64_MIN || at_ns == INT64_MAX
               ? 0
               : world->wall_s + (at_ns - world->now) / SECOND_NS;
}

/* Of one that runs: as they are now, whatever its metainfo said, and what they answered. */
static void copy_running_trackers(const struct transmission_source *source,
                                  struct transmission_part *part)
{
    const struct service_world *world = source->world;
    struct tracker_status *known = memory_new_array(LIMIT_TRACKERS_MAX, sizeof known[0]);
    uint32_t count =
        engine_torrent_trackers(world->engine, source->row->id, known, LIMIT_TRACKERS_MAX);
    struct transmission_tracker *trackers =
        call_arena_take(source->arena, count * sizeof trackers[0]);
    for (uint32_t i = 0; i < count; i++) {
        trackers[i] = (struct transmission_tracker){
            .url = call_arena_url(source->arena, known[i].url, source->shows_urls),
            .status = known[i]};
        trackers[i].status.announced_ns = unix_time(world, known[i].announced_ns);
        trackers[i].status.scraped_ns = unix_time(world, known[i].scraped_ns);
        trackers[i].status.next_ns = unix_time(world, known[i].next_ns);
    }
    memory_free(known);
    part->trackers = trackers;
    part->tracker_count = count;
}

static void copy_trackers(const struct transmission_source *source, struct transmission_part *part)
{
    struct torrent_status status;
    if (source->row->open && !source->row->closing &&
        engine_torrent_status(source->world->engine, source->row->id, &status)) {
        copy_running_trackers(source, part);
        return;
    }
    const struct metainfo *metainfo = source->metainfo;
    struct magnet *magnet = NULL;
    char reason[METAINFO_REASON_SIZE];
    const char *link = source->row->magnet;
    if (!metainfo && link &&
        magnet_parse((struct bytes){(const uint8_t *)link, strlen(link)}, &magnet, reason) !=
            FRESHET_OK)
        magnet = NULL;
    uint32_t count = metainfo ? metainfo->tracker_count : magnet ? magnet->tracker_count : 0;
    struct transmission_tracker *trackers =
        call_arena_take(source->arena, count * sizeof trackers[0]);
    for (uint32_t i = 0; i < count; i++)
        trackers[i] = (struct transmission_tracker){
            .url = call_arena_url(source->arena,
                                  metainfo ? metainfo->trackers[i]
                                           : (struct bytes){(const uint8_t *)magnet->trackers[i],
                                                            strlen(magnet->trackers[i])},
                                  source->shows_urls),
            .status = {.tier = metainfo ? metainfo->tracker_tiers[i] : i,
                       .seeders = -1,
                       .leechers = -1,
                       .downloads = -1}};
    magnet_free(magnet);
    part->trackers = trackers;
    part->tracker_count = count;
}

static uint64_t rate_of(const struct web_seed_status *known, uint32_t count, struct bytes url)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(known[i].url, url))
            return known[i].rate;
    return 0;
}

/* Those of the metainfo, and how fast the engine gets from those that it asks. */
static void copy_web_seeds(const struct transmission_source *source, struct transmission_part *part)
{
    const struct metainfo *metainfo = source->metainfo;
    struct web_seed_status known[LIMIT_WEB_SEEDS_MAX];
    uint32_t count = metainfo ? metainfo->web_seed_count : 0, known_count = 0;
    if (source->row->open)
        known_count = engine_torrent_web_seeds(source->world->engine, source->row->id, known,
                                               LIMIT_WEB_SEEDS_MAX);
    struct transmission_web_seed *seeds = call_arena_take(source->arena, count * sizeof seeds[0]);
    for (uint32_t i = 0; i < count; i++)
        seeds[i] = (struct transmission_web_seed){
            .url = call_arena_url(source->arena, metainfo->web_seeds[i], source->shows_urls),
            .rate = rate_of(known, known_count, metainfo->web_seeds[i])};
    part->web_seeds = seeds;
    part->web_seed_count = count;
}

static void copy_pieces(const struct transmission_source *source, const struct bitfield *pieces,
                        struct transmission_part *part)
{
    if (!source->metainfo)
        return;
    part->piece_count = source->metainfo->geometry.piece_count;
    part->piece_length = source->metainfo->geometry.piece_length;
    if (pieces && pieces->size == part->piece_count)
        part->pieces =
            call_arena_copy(source->arena, pieces->bytes, bitfield_wire_length(part->piece_count));
}

/* How many connected peers have each piece; of one that is not open nobody is connected. */
static void copy_availability(const struct transmission_source *source,
                              struct transmission_part *part)
{
    if (!source->row->open || part->piece_count == 0)
        return;
    uint8_t *peers = call_arena_take(source->arena, part->piece_count);
    memset(peers, 0, part->piece_count);
    if (engine_torrent_availability(source->world->engine, source->row->id, peers,
                                    part->piece_count))
        part->availability = peers;
}

struct transmission_part *transmission_parts_new(const struct transmission_source *source,
                                                 const struct bitfield *pieces, unsigned needs)
{
    const struct catalog_torrent *row = source->row;
    struct transmission_part *part = call_arena_take(source->arena, sizeof *part);
    *part = (struct transmission_part){.file_count = row->file_count};
    if (needs & NEEDS_LABELS)
        copy_labels(source, part);
    if (needs & NEEDS_SOURCES && row->open)
        memcpy(part->peers_from, row->status.peers_by_source, sizeof part->peers_from);
    if (needs & NEEDS_PRIORITIES && row->priorities)
        part->priorities = call_arena_copy(source->arena, row->priorities, row->file_count);
    if (needs & NEEDS_PEERS && row->open)
        copy_peers(source, part);
    if (needs & NEEDS_TRACKERS)
        copy_trackers(source, part);
    if (needs & NEEDS_WEB_SEEDS)
        copy_web_seeds(source, part);
    if (needs & (NEEDS_PIECES | NEEDS_FILES))
        copy_pieces(source, pieces, part);
    if (needs & NEEDS_AVAILABILITY)
        copy_availability(source, part);
    return part;
}

bool transmission_parts_copy_files(const struct transmission_source *source,
                                   struct transmission_part *part, bool names,
                                   struct transmission_slice *slice)
{
    const struct metainfo *metainfo = source->metainfo;
    uint32_t count = metainfo ? metainfo->geometry.file_count : 0;
    if (count != part->file_count)
        return true; /* the row knows of no files yet */
    if (!part->files)
        part->files = call_arena_take(source->arena, count * sizeof part->files[0]);
    while (part->files_copied < count) {
        uint32_t at = part->files_copied++;
        part->files[at] = (struct transmission_file){
            .name = names ? call_arena_text(source->arena, metainfo->files[at].path) : NULL,
            .offset = metainfo->geometry.files[at].offset,
            .length = metainfo->geometry.files[at].length,
            .padding = metainfo->files[at].padding,
        };
        if (part->files_copied < count && transmission_rpc_is_over(slice))
            return false;
    }
    return true;
}
