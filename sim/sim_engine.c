/* SPDX-License-Identifier: MIT */
#include "sim/sim_engine.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/engine/engine.h"
#include "core/engine/engine_dht.h"

#include <string.h>

#define TORRENT 1u

static void *new_machine(struct sim_node *node)
{
    const struct sim_node_options *options = &node->options;
    struct rng *rng = &node->disk.rng;
    struct engine_settings settings = {
        .seed = rng_u64(rng),
        .listen_port = SIM_LISTEN_PORT,
        .upload_limit = options->upload_limit,
        .download_limit = options->download_limit,
        .upload_slots = options->upload_slots,
        .no_upload = options->free_rider,
        .no_lsd = !options->uses_lan,
        .has_utp = options->uses_utp && !options->no_holepunch,
        .encryption = options->encryption,
    };
    memcpy(settings.peer_id, "-FR0100-", 8);
    rng_fill(rng, settings.peer_id + 8, 12);
    return engine_new(&settings, node->world->clock.now);
}

/* By the metainfo's numbers, which count padding files too. */
static uint8_t *new_priorities(const struct sim_node *node, const struct metainfo *metainfo)
{
    uint8_t *priorities = memory_new(metainfo->geometry.file_count);
    uint32_t file = 0;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        bool padding = metainfo->files[i].padding;
        priorities[i] = padding || file >= 64 || !(node->options.unwanted >> file & 1);
        file += !padding;
    }
    return priorities;
}

static struct metainfo *true_metainfo(const struct sim_node *node)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    CHECK(metainfo_parse(buffer_bytes(&node->world->torrent->encoded), &metainfo, reason) ==
          FRESHET_OK);
    return metainfo;
}

static void add_torrent(struct sim_node *node, struct metainfo *metainfo)
{
    uint8_t *priorities = new_priorities(node, metainfo);
    struct torrent_options options = {
        .root = "/pretend",
        .file_priorities = node->options.unwanted ? priorities : NULL,
        .sequential = node->options.sequential,
        .super_seed = node->options.super_seed,
        .wait_for_space = node->options.wait_for_space,
        .seed_unchecked = node->options.is_seed,
        .read_only = node->options.is_seed,
        .seed_ratio = -1,
        .seed_time_s = -1,
        .resume = node->has_record ? &node->record : NULL,
        .peers = node->options.peers,
        .peer_count = node->options.peer_count,
    };
    struct engine_command command = {
        .type = COMMAND_ADD_TORRENT, .torrent = TORRENT, .metainfo = metainfo, .options = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    sim_node_input(node, &event);
    memory_free(priorities);
}

/* By its hashes alone; the trackers come with it. */
static void add_magnet(struct sim_node *node)
{
    struct metainfo *metainfo = true_metainfo(node);
    struct magnet *magnet = NULL;
    struct buffer link = {0};
    char reason[METAINFO_REASON_SIZE];
    magnet_format_metainfo(metainfo, &link);
    CHECK(magnet_parse(buffer_bytes(&link), &magnet, reason) == FRESHET_OK);
    struct engine_command command = {.type = COMMAND_ADD_MAGNET,
                                     .torrent = TORRENT,
                                     .magnet = magnet,
                                     .peers = node->options.peers,
                                     .peer_count = node->options.peer_count};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    sim_node_input(node, &event);
    magnet_free(magnet);
    buffer_deinit(&link);
    metainfo_free(metainfo);
}

static void start_dht(struct sim_node *node)
{
    char host[ADDRESS_TEXT_SIZE];
    struct address first = sim_network_address(0, SIM_LISTEN_PORT);
    address_ip_to_text(&first, host);
    struct engine_dht_name name = {host, SIM_LISTEN_PORT};
    struct engine_dht_options options = {
        .has_ipv4 = true,
        .names = &name,
        .name_count = node->index != 0,
    };
    rng_fill(&node->disk.rng, options.secret, sizeof options.secret);
    struct engine_command command = {.type = COMMAND_START_DHT, .dht = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    sim_node_input(node, &event);
}

static void started(struct sim_node *node)
{
    if (node->options.uses_dht)
        start_dht(node);
    if (node->options.has_magnet && !node->has_record)
        add_magnet(node);
    else
        add_torrent(node, true_metainfo(node));
}

/* What was fetched must be what the torrent is. */
static void take_metadata(void *context)
{
    struct sim_node *node = context;
    struct metainfo *truth = true_metainfo(node);
    if (node->machine == NULL)
        return;
    struct metainfo *metainfo = engine_take_metadata(node->machine, TORRENT);
    CHECK(metainfo != NULL);
    if (!bytes_equal(metainfo->info, truth->info))
        sim_world_violation(node->world, node->index, "took metadata that is not the torrent's", 0);
    metainfo_free(truth);
    add_torrent(node, metainfo);
}

static void told(struct sim_node *node, const struct notice *notice)
{
    if (notice->type != NOTICE_METADATA)
        return;
    sim_timer_set(&node->world->clock, &node->metadata_timer, node->world->clock.now);
}

static void input(void *machine, int64_t now, struct event *event)
{
    engine_input(machine, now, event);
}

static void tick(void *machine, int64_t now)
{
    engine_tick(machine, now);
}

static int64_t deadline(const void *machine)
{
    return engine_deadline(machine);
}

static bool output(void *machine, int64_t now, struct action *ret_action)
{
    return engine_output(machine, now, ret_action);
}

static void receive_plan(const void *machine, conn_id conn, struct receive_plan *ret_plan)
{
    engine_receive_plan(machine, conn, ret_plan);
}

static void check(const void *machine)
{
    engine_check(machine);
}

static void free_machine(void *machine)
{
    engine_free(machine);
}

const struct sim_node_ops sim_engine_ops = {
    .new = new_machine,
    .started = started,
    .input = input,
    .tick = tick,
    .deadline = deadline,
    .output = output,
    .receive_plan = receive_plan,
    .check = check,
    .free = free_machine,
    .told = told,
    .take_metadata = take_metadata,
};

bool sim_engine_status(const struct sim_node *node, struct torrent_status *ret_status)
{
    return node->machine && engine_torrent_status(node->machine, TORRENT, ret_status);
}

bool sim_engine_set_windows(struct sim_node *node, const struct piece_window *windows,
                            uint32_t count)
{
    struct engine_command command = {
        .type = COMMAND_SET_WINDOWS, .torrent = TORRENT, .windows = windows, .window_count = count};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    if (node->machine == NULL)
        return false;
    sim_node_input(node, &event);
    return true;
}

void sim_engine_shut_down(struct sim_node *node)
{
    struct engine_command command = {.type = COMMAND_SHUTDOWN};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    sim_node_input(node, &event);
}
