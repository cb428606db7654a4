/* SPDX-License-Identifier: MIT */
/*
 * The loop of a pretend machine, tried with a machine that is far simpler than the engine: a server
 * sends the whole torrent block by block to whoever connects ("B" and then the payload), a client
 * writes each block, syncs at the end and says that it is complete.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "sim/sim_node.h"

#define BLOCKS  64u
#define CLIENTS 5u

struct bulk {
    struct sim_node *node;
    struct action actions[16];
    uint32_t action_first, action_count;
    uint32_t next[16]; /* server: next block of connection i */
    struct disk_job jobs[BLOCKS + 3];
    struct file_range ranges[BLOCKS + 3];
    block_id blocks[BLOCKS];
    struct file_stat stats[2];
    struct storage_file file;
    struct storage_layout layout;
    uint32_t received; /* of the payload */
    bool in_payload;
    uint32_t writes_done;
    struct notice notice;
    uint64_t sent_told;
};

static void push(struct bulk *bulk, struct action action)
{
    assert_true(bulk->action_count - bulk->action_first < 16);
    bulk->actions[bulk->action_count++ % 16] = action;
}

static void push_job(struct bulk *bulk, uint32_t index, enum disk_operation operation)
{
    struct disk_job *job = &bulk->jobs[index];
    job->id = index + 1;
    job->operation = operation;
    job->storage = 1;
    push(bulk, (struct action){.type = ACTION_DISK, .disk = job});
}

static void *bulk_new(struct sim_node *node)
{
    struct bulk *bulk = memory_new(sizeof *bulk);
    bulk->node = node;
    bulk->file = (struct storage_file){
        .path = "content", .length = node->world->torrent->length, .wanted = true};
    bulk->layout = (struct storage_layout){.root = "/pretend",
                                           .part_name = ".parts",
                                           .files = &bulk->file,
                                           .file_count = 1,
                                           .create_root = true};
    bulk->jobs[BLOCKS].layout = &bulk->layout;
    bulk->jobs[BLOCKS].ret_stats = bulk->stats;
    push_job(bulk, BLOCKS, DISK_OPEN);
    return bulk;
}

static void send_next(struct bulk *bulk, conn_id conn)
{
    uint32_t block = bulk->next[conn - CONN_INBOUND]++;
    if (block >= BLOCKS)
        return;
    bulk->ranges[block] = (struct file_range){0, LIMIT_BLOCK_SIZE, block * LIMIT_BLOCK_SIZE};
    push(bulk, (struct action){.type = ACTION_SEND,
                               .conn = conn,
                               .bytes = BYTES_LITERAL("B"),
                               .storage = 1,
                               .ranges = &bulk->ranges[block],
                               .range_count = 1});
}

static void on_payload(struct bulk *bulk, uint32_t length)
{
    bulk->received += length;
    if (bulk->received % LIMIT_BLOCK_SIZE != 0)
        return;
    bulk->in_payload = false;
    uint32_t block = bulk->received / LIMIT_BLOCK_SIZE - 1;
    bulk->blocks[block] = block;
    bulk->ranges[block] = (struct file_range){0, LIMIT_BLOCK_SIZE, block * LIMIT_BLOCK_SIZE};
    bulk->jobs[block].extent =
        (struct extent){1, LIMIT_BLOCK_SIZE, &bulk->ranges[block], 1, 1, &bulk->blocks[block]};
    push_job(bulk, block, DISK_WRITE);
}

static void on_job(struct bulk *bulk, job_id job)
{
    if (job <= BLOCKS && ++bulk->writes_done == BLOCKS)
        push_job(bulk, BLOCKS + 1, DISK_SYNC);
    if (job == BLOCKS + 2) {
        bulk->notice = (struct notice){.type = NOTICE_COMPLETE};
        push(bulk, (struct action){.type = ACTION_TELL, .notice = &bulk->notice});
        push(bulk, (struct action){.type = ACTION_CLOSE, .conn = 1});
    }
    if (job == BLOCKS + 1 && !bulk->node->options.is_seed)
        push(bulk, (struct action){.type = ACTION_CONNECT,
                                   .conn = 1,
                                   .remote = sim_network_address(0, SIM_LISTEN_PORT)});
}

static void bulk_input(void *machine, int64_t now, struct event *event)
{
    struct bulk *bulk = machine;
    (void)now;
    if (event->type == EVENT_ACCEPTED) {
        send_next(bulk, event->conn);
    } else if (event->type == EVENT_SENT) {
        bulk->sent_told += event->length;
        if (event->done)
            send_next(bulk, event->conn);
    } else if (event->type == EVENT_RECEIVED) {
        assert_int_equal(event->bytes.data[0], 'B');
        event->consumed = 1;
        bulk->in_payload = true;
    } else if (event->type == EVENT_PAYLOAD) {
        on_payload(bulk, event->length);
    } else if (event->type == EVENT_JOB_DONE) {
        assert_int_equal(event->error, FRESHET_OK);
        on_job(bulk, event->job);
    }
}

static void bulk_tick(void *machine, int64_t now)
{
    (void)machine;
    (void)now;
}

static int64_t bulk_deadline(const void *machine)
{
    (void)machine;
    return HEAP_NEVER;
}

static bool bulk_output(void *machine, int64_t now, struct action *ret_action)
{
    struct bulk *bulk = machine;
    (void)now;
    if (bulk->action_first == bulk->action_count)
        return false;
    *ret_action = bulk->actions[bulk->action_first++ % 16];
    return true;
}

static void bulk_receive_plan(const void *machine, conn_id conn, struct receive_plan *ret_plan)
{
    const struct bulk *bulk = machine;
    (void)conn;
    uint32_t offset = bulk->received % LIMIT_BLOCK_SIZE;
    *ret_plan = (struct receive_plan){0};
    if (bulk->in_payload)
        *ret_plan = (struct receive_plan){.block = bulk->received / LIMIT_BLOCK_SIZE,
                                          .offset = offset,
                                          .length = LIMIT_BLOCK_SIZE - offset};
}

static const struct sim_node_ops bulk_ops = {.new = bulk_new,
                                             .input = bulk_input,
                                             .tick = bulk_tick,
                                             .deadline = bulk_deadline,
                                             .output = bulk_output,
                                             .receive_plan = bulk_receive_plan,
                                             .free = memory_free};

static struct sim_world *bulk_world(uint64_t seed, uint32_t poison_per_mille)
{
    struct sim_world_options options = {.seed = seed,
                                        .torrent = {.length = BLOCKS * LIMIT_BLOCK_SIZE}};
    struct sim_world *world = sim_world_new(&options);
    for (uint32_t i = 0; i <= CLIENTS; i++) {
        struct sim_node_options node = {
            .ops = &bulk_ops,
            .is_seed = i == 0,
            .link = {500000, 1000000, 20 * MILLISECOND_NS, false},
            .disk = {50000000, 50000000, 500000000, MILLISECOND_NS, 10 * MILLISECOND_NS, 0},
            .poison_per_mille = i == 0 ? poison_per_mille : 0,
            .starts_at_ns = i * (int64_t)rng_below(&world->rng, 1000000)};
        sim_node_new(world, &node);
    }
    return world;
}

static void sim_world_carries_content_from_disk_to_disk(void **state)
{
    (void)state;
    struct sim_world *world = bulk_world(1, 0);
    sim_world_run(world, 60 * SECOND_NS, NULL, NULL);
    assert_int_equal(world->violation_count, 0);
    for (uint32_t i = 1; i <= CLIENTS; i++) {
        const struct sim_node *node = world->nodes[i];
        for (uint32_t piece = 0; piece < world->torrent->piece_count; piece++)
            assert_true(sim_disk_has_piece(&node->disk, piece, true));
        assert_int_equal(sim_world_pair(world, 0, i), world->torrent->length);
        /* All share the server's link up: 5 MiB at 500 kB/s. */
        assert_in_range(node->facts.complete_at, 10 * SECOND_NS, 11 * SECOND_NS);
    }
    const struct bulk *server = world->nodes[0]->machine;
    assert_int_equal(server->sent_told, CLIENTS * BLOCKS * (LIMIT_BLOCK_SIZE + 1u));
    assert_int_equal(world->nodes[0]->facts.payload_sent, CLIENTS * world->torrent->length);
    sim_world_free(world);
}

static uint64_t digest_of(uint64_t seed)
{
    struct sim_world *world = bulk_world(seed, 0);
    sim_world_run(world, 60 * SECOND_NS, NULL, NULL);
    uint64_t digest = world->clock.digest;
    sim_world_free(world);
    return digest;
}

static void sim_world_runs_the_same_way_for_one_seed(void **state)
{
    (void)state;
    assert_true(digest_of(4) == digest_of(4));
    assert_false(digest_of(4) == digest_of(5));
    /* The number is the same for every compiler and every level of optimisation. */
    assert_int_equal(digest_of(4), UINT64_C(0xe4288bbb409ce0b9));
}

static void sim_world_spoils_what_a_poisoner_sends(void **state)
{
    (void)state;
    struct sim_world *world = bulk_world(1, 500);
    sim_world_run(world, 60 * SECOND_NS, NULL, NULL);
    uint32_t bad = 0;
    for (uint32_t piece = 0; piece < world->torrent->piece_count; piece++)
        bad += !sim_disk_has_piece(&world->nodes[1]->disk, piece, true);
    assert_in_range(bad, 1, world->torrent->piece_count);
    assert_in_range(world->nodes[0]->facts.poisoned_blocks, 100, 220);
    assert_int_equal(world->violation_count, 0);
    sim_world_free(world);
}

static void sim_world_ends_and_restarts_a_program(void **state)
{
    (void)state;
    struct sim_world *world = bulk_world(1, 0);
    sim_world_run(world, 2 * SECOND_NS, NULL, NULL);
    sim_node_crash(world->nodes[2], SIM_CRASH_LOSE, SECOND_NS);
    sim_node_crash(world->nodes[3], SIM_CRASH_PROCESS, -1);
    sim_world_run(world, 60 * SECOND_NS, NULL, NULL);
    assert_true(world->nodes[2]->facts.complete_at > 0);
    assert_int_equal(world->nodes[2]->facts.crashes, 1);
    assert_int_equal(world->nodes[3]->facts.complete_at, -1);
    sim_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_world_carries_content_from_disk_to_disk),
        cmocka_unit_test(sim_world_runs_the_same_way_for_one_seed),
        cmocka_unit_test(sim_world_spoils_what_a_poisoner_sends),
        cmocka_unit_test(sim_world_ends_and_restarts_a_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
