/* SPDX-License-Identifier: MIT */
#include "core/metainfo/torrent_writer.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/bencode/bencode_writer.h"
#include "core/metainfo/merkle.h"
#include "core/metainfo/torrent_editor.h"

#include <stdlib.h>
#include <string.h>

static int compare_roots(const void *a, const void *b)
{
    const struct metainfo_file *const *left = a, *const *right = b;
    return memcmp((*left)->pieces_root, (*right)->pieces_root, MERKLE_HASH);
}

static void write_layers(const struct metainfo *metainfo, struct buffer *out)
{
    uint32_t files = metainfo->geometry.file_count, count = 0;
    const struct metainfo_file **order = memory_new_array(files, sizeof(struct metainfo_file *));
    for (uint32_t i = 0; i < files; i++)
        if (metainfo->files[i].piece_layer)
            order[count++] = &metainfo->files[i];
    qsort(order, count, sizeof order[0], compare_roots);
    bencode_writer_key(out, "piece layers");
    bencode_writer_dict(out);
    for (uint32_t i = 0; i < count; i++) {
        if (i && memcmp(order[i]->pieces_root, order[i - 1]->pieces_root, MERKLE_HASH) == 0)
            continue; /* equal files share one entry */
        uint64_t pieces = (order[i]->length - 1) / metainfo->geometry.piece_length + 1;
        bencode_writer_string(out, (struct bytes){order[i]->pieces_root, MERKLE_HASH});
        bencode_writer_string(out,
                              (struct bytes){order[i]->piece_layer, (size_t)pieces * MERKLE_HASH});
    }
    bencode_writer_end(out);
    memory_free(order);
}

static struct bytes *texts(const char *const *from, uint32_t count)
{
    struct bytes *to = memory_new_array(count + 1, sizeof *to);
    for (uint32_t i = 0; i < count; i++)
        to[i] = (struct bytes){(const uint8_t *)from[i], strlen(from[i])};
    return to;
}

/* Each tracker of a link is a tier of its own: nobody said which belong together. */
static void add_outer(const struct magnet *magnet, struct bytes inner, struct buffer *out)
{
    uint32_t *tiers = memory_new_array(magnet->tracker_count + 1, sizeof *tiers);
    for (uint32_t i = 0; i < magnet->tracker_count; i++)
        tiers[i] = i;
    struct bytes *trackers = texts(magnet->trackers, magnet->tracker_count);
    struct bytes *web_seeds = texts(magnet->web_seeds, magnet->web_seed_count);
    struct torrent_editor_changes changes = {
        .set_trackers = true,
        .trackers = trackers,
        .tracker_tiers = tiers,
        .tracker_count = magnet->tracker_count,
        .set_web_seeds = true,
        .web_seeds = web_seeds,
        .web_seed_count = magnet->web_seed_count,
    };
    CHECK(torrent_editor_apply(inner, &changes, out) == FRESHET_OK);
    memory_free(tiers);
    memory_free(trackers);
    memory_free(web_seeds);
}

static void add_own(const struct metainfo *metainfo, struct bytes inner, struct buffer *out)
{
    struct torrent_editor_changes changes = {
        .set_trackers = true,
        .trackers = metainfo->trackers,
        .tracker_tiers = metainfo->tracker_tiers,
        .tracker_count = metainfo->tracker_count,
        .set_web_seeds = true,
        .web_seeds = metainfo->web_seeds,
        .web_seed_count = metainfo->web_seed_count,
    };
    CHECK(torrent_editor_apply(inner, &changes, out) == FRESHET_OK);
}

void torrent_writer_write(const struct metainfo *metainfo, const struct magnet *magnet,
                          struct buffer *out)
{
    struct buffer inner = {0};
    bencode_writer_dict(&inner);
    bencode_writer_key(&inner, "info");
    bencode_writer_raw(&inner, metainfo->info);
    if (metainfo->has_v2)
        write_layers(metainfo, &inner);
    bencode_writer_end(&inner);
    if (magnet)
        add_outer(magnet, buffer_bytes(&inner), out);
    else
        add_own(metainfo, buffer_bytes(&inner), out);
    buffer_deinit(&inner);
}
