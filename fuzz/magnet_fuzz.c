/* SPDX-License-Identifier: MIT */
/* planted: core/metainfo/magnet.c */
/* finds: heap-buffer-overflow :: in decode_percent */
/* covers: core/metainfo/magnet.c */
/* A magnet link: what is accepted is written and read again, and must then be the same. */
#include "core/base/check.h"
#include "core/metainfo/magnet.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    for (; *text; text++)
        CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_fields(const struct magnet *magnet)
{
    CHECK(magnet->has_v1 || magnet->has_v2);
    CHECK(magnet->tracker_count <= LIMIT_TRACKERS_MAX);
    CHECK(magnet->web_seed_count <= LIMIT_WEB_SEEDS_MAX);
    CHECK(magnet->peer_count <= LIMIT_MAGNET_PEERS);
    CHECK(magnet->range_count <= LIMIT_MAGNET_RANGES);
    for (uint32_t i = 0; i < magnet->tracker_count; i++)
        check_text(magnet->trackers[i]);
    for (uint32_t i = 0; i < magnet->web_seed_count; i++)
        check_text(magnet->web_seeds[i]);
    for (uint32_t i = 0; i < magnet->peer_count; i++)
        check_text(magnet->peers[i]);
    for (uint32_t i = 0; i < magnet->range_count; i++) {
        CHECK(magnet->ranges[i].first <= magnet->ranges[i].last);
        CHECK(magnet_selects(magnet, magnet->ranges[i].last));
    }
    if (magnet->name) {
        check_text(magnet->name);
        CHECK(magnet->name[0] != '\0');
        CHECK(strchr(magnet->name, '/') == NULL);
    }
}

static void check_round_trip(const struct magnet *magnet)
{
    struct buffer once = {0}, twice = {0};
    struct magnet *again = NULL;
    char reason[METAINFO_REASON_SIZE];
    magnet_format(magnet, &once);
    if (once.length <= LIMIT_MAGNET_LENGTH) {
        CHECK(magnet_is(buffer_bytes(&once)));
        CHECK(magnet_parse(buffer_bytes(&once), &again, reason) == FRESHET_OK);
        magnet_format(again, &twice);
        CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&twice)));
        magnet_free(again);
    }
    buffer_deinit(&once);
    buffer_deinit(&twice);
}

/* A torrent that has the hashes of the link, and one that has not. */
static void check_matches(const struct magnet *magnet)
{
    struct metainfo metainfo = {.has_v1 = magnet->has_v1, .has_v2 = magnet->has_v2, .name = "a b"};
    struct bytes url = BYTES_LITERAL("http://t/?x=1");
    metainfo.trackers = metainfo.web_seeds = &url;
    metainfo.tracker_count = metainfo.web_seed_count = 1;
    memcpy(metainfo.info_hash_v1, magnet->info_hash_v1, 20);
    memcpy(metainfo.info_hash_v2, magnet->info_hash_v2, 32);
    CHECK(magnet_matches(magnet, &metainfo));
    struct buffer link = {0};
    struct magnet *again = NULL;
    char reason[METAINFO_REASON_SIZE];
    magnet_format_metainfo(&metainfo, &link);
    CHECK(magnet_parse(buffer_bytes(&link), &again, reason) == FRESHET_OK);
    CHECK(magnet_matches(again, &metainfo));
    CHECK(again->tracker_count == 1 && again->web_seed_count == 1);
    magnet_free(again);
    buffer_deinit(&link);
    metainfo.info_hash_v1[0] ^= 1;
    metainfo.info_hash_v2[0] ^= 1;
    CHECK(!magnet_matches(magnet, &metainfo));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct magnet *magnet = NULL;
    char reason[METAINFO_REASON_SIZE];
    if (magnet_parse((struct bytes){data, size}, &magnet, reason) != FRESHET_OK) {
        CHECK(magnet == NULL);
        CHECK(reason[0] != '\0' && strlen(reason) < METAINFO_REASON_SIZE);
        return 0;
    }
    check_fields(magnet);
    check_round_trip(magnet);
    check_matches(magnet);
    magnet_free(magnet);
    return 0;
}
