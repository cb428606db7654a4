/* SPDX-License-Identifier: MIT */
#include "sim/sim_node_job.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

#define TRACKER_TURNAROUND_NS (100 * MILLISECOND_NS)

enum job_kind { JOB_DISK, JOB_FETCH, JOB_RESOLVE, JOB_PERSIST, JOB_TRACKER, JOB_DATAGRAM };

struct sim_job {
    struct sim_node *node;
    enum job_kind kind;
    job_id id;
    struct disk_job *disk;
    const struct fetch_job *fetch;
    const struct resolve_job *resolve;
    const struct persist_job *persist;
    struct address remote; /* DATAGRAM: who sent it */
    bool is_local;         /* DATAGRAM: to everybody in the LAN */
    struct buffer datagram;
    bool cancelled;
    struct sim_timer timer;
    struct list_node job_node;
};

/* Crashes the node if its plan says so; then nothing of it is there any more. */
static bool crashes_here(struct sim_node *node)
{
    const struct sim_crash_plan *plan = &node->options.crash_plan;
    node->facts.boundaries++;
    if (plan->at_boundary == 0 || node->facts.boundaries != plan->at_boundary)
        return false;
    sim_node_crash(node, plan->crash, plan->restart_after_ns);
    return true;
}

static void forget(struct sim_job *job)
{
    list_remove(&job->node->jobs, &job->job_node);
    buffer_deinit(&job->datagram);
    memory_free(job);
}

static void finish(struct sim_job *job, struct event *event)
{
    struct sim_node *node = job->node;
    event->type = EVENT_JOB_DONE;
    event->job = job->id;
    forget(job);
    sim_node_input(node, event);
}

static bool changes_disk(enum disk_operation operation)
{
    return operation == DISK_WRITE || operation == DISK_SYNC || operation == DISK_PREPARE ||
           operation == DISK_COPY || operation == DISK_CLOSE || operation == DISK_DELETE;
}

static void do_disk(struct sim_job *job)
{
    struct sim_node *node = job->node;
    bool changes = changes_disk(job->disk->operation);
    struct event event = {0};
    if (changes && crashes_here(node))
        return;
    event.error = sim_disk_do(&node->disk, job->disk, &event.result.disk.file);
    if (changes && crashes_here(node))
        return;
    finish(job, &event);
}

static void do_fetch(struct sim_job *job)
{
    struct sim_node *node = job->node;
    struct event event = {0};
    struct address remote = sim_network_address(node->index, 0);
    uint32_t status = 0;
    if (job->cancelled)
        event.error = FRESHET_ERROR_CANCELLED;
    else if (!job->fetch->is_tracker || job->fetch->family == ADDRESS_IPV6 ||
             !sim_tracker_get(&node->world->tracker, node->world->clock.now, job->fetch->url,
                              &remote, &status, &event.result.fetched.body))
        event.error = FRESHET_ERROR_CONNECTION;
    event.result.fetched.status = (int32_t)status;
    finish(job, &event);
}

/* Numeric ones are themselves; all names are the tracker's. */
static void do_resolve(struct sim_job *job)
{
    struct event event = {0};
    if (job->cancelled) {
        event.error = FRESHET_ERROR_CANCELLED;
    } else {
        struct address *address = &event.result.resolved.addresses[0];
        *address = sim_tracker_address();
        if (address_from_text(job->resolve->host, true, address))
            address->port = job->resolve->port;
        event.result.resolved.count = 1;
    }
    finish(job, &event);
}

/* To the tracker and back. */
static void do_tracker(struct sim_job *job)
{
    struct sim_node *node = job->node;
    uint8_t reply[LIMIT_TRACKER_DATAGRAM];
    struct address remote = sim_network_address(node->index, SIM_LISTEN_PORT);
    size_t length = sim_tracker_datagram(&node->world->tracker, node->world->clock.now, &remote,
                                         buffer_bytes(&job->datagram), reply);
    struct event event = {
        .type = EVENT_DATAGRAM, .remote = sim_tracker_address(), .bytes = {reply, length}};
    forget(job);
    if (length)
        sim_node_input(node, &event);
}

/* From another node. */
static void do_datagram(struct sim_job *job)
{
    struct sim_node *node = job->node;
    struct buffer datagram = job->datagram;
    struct event event = {.type = job->is_local ? EVENT_LOCAL_DATAGRAM : EVENT_DATAGRAM,
                          .remote = job->remote,
                          .bytes = buffer_bytes(&datagram)};
    job->datagram = (struct buffer){0};
    forget(job);
    sim_node_input(node, &event);
    buffer_deinit(&datagram);
}

/* What the database promises must be on the platter. */
static void judge_record(const struct sim_node *node, const struct bitfield *pieces)
{
    for (uint32_t piece = bitfield_next_set(pieces, 0); piece < pieces->size;
         piece = bitfield_next_set(pieces, piece + 1))
        if (!sim_disk_has_piece(&node->disk, piece, true))
            sim_world_violation(node->world, node->index, "recorded a piece that is not durable",
                                piece);
}

static void store_record(struct sim_node *node, const struct resume_record *record)
{
    node->record = *record;
    node->record.root = "/pretend";
    memory_free(node->record_stats);
    node->record_stats =
        memory_copy(record->stats, (record->file_count + 1) * sizeof *record->stats);
    node->record.stats = node->record_stats;
    if (node->record_pieces.bytes == NULL)
        bitfield_init(&node->record_pieces, node->world->torrent->piece_count);
    if (bitfield_load(&node->record_pieces, record->pieces))
        sim_world_violation(node->world, node->index, "recorded a malformed bitfield",
                            (int64_t)record->pieces.length);
    node->record.pieces = bitfield_wire(&node->record_pieces);
    node->has_record = true;
    node->facts.recorded_pieces = node->record_pieces.count;
    judge_record(node, &node->record_pieces);
}

static void do_persist(struct sim_job *job)
{
    struct sim_node *node = job->node;
    struct event event = {0};
    if (crashes_here(node))
        return;
    store_record(node, &job->persist->record);
    if (crashes_here(node))
        return;
    finish(job, &event);
}

static void on_timer(void *context)
{
    struct sim_job *job = context;
    switch (job->kind) {
    case JOB_DISK: do_disk(job); break;
    case JOB_FETCH: do_fetch(job); break;
    case JOB_RESOLVE: do_resolve(job); break;
    case JOB_PERSIST: do_persist(job); break;
    case JOB_TRACKER: do_tracker(job); break;
    case JOB_DATAGRAM: do_datagram(job); break;
    }
}

static struct sim_job *job_new(struct sim_node *node, enum job_kind kind, job_id id)
{
    struct sim_job *job = memory_new(sizeof *job);
    CHECK(id != 0 || kind == JOB_TRACKER || kind == JOB_DATAGRAM);
    job->node = node;
    job->kind = kind;
    job->id = id;
    sim_timer_init(&job->timer, on_timer, job);
    list_append(&node->jobs, &job->job_node);
    return job;
}

static void done_after(struct sim_job *job, int64_t delay_ns)
{
    struct sim_clock *clock = &job->node->world->clock;
    sim_timer_set(clock, &job->timer, clock->now + delay_ns);
}

void sim_node_job_disk(struct sim_node *node, struct disk_job *disk)
{
    struct sim_job *job = job_new(node, JOB_DISK, disk->id);
    job->disk = disk;
    sim_timer_set(&node->world->clock, &job->timer, sim_disk_done_at(&node->disk, disk));
}

void sim_node_job_fetch(struct sim_node *node, const struct fetch_job *fetch)
{
    struct sim_job *job = job_new(node, JOB_FETCH, fetch->id);
    job->fetch = fetch;
    done_after(job, TRACKER_TURNAROUND_NS + 2 * node->port.link.delay_ns);
}

void sim_node_job_resolve(struct sim_node *node, const struct resolve_job *resolve)
{
    struct sim_job *job = job_new(node, JOB_RESOLVE, resolve->id);
    job->resolve = resolve;
    done_after(job, TRACKER_TURNAROUND_NS);
}

void sim_node_job_persist(struct sim_node *node, const struct persist_job *persist)
{
    struct sim_job *job = job_new(node, JOB_PERSIST, persist->id);
    job->persist = persist;
    done_after(job, node->options.persist_ns);
}

/* To another node's program; what nobody takes is lost (NULL). */
static struct sim_job *send_datagram(struct sim_node *node, const struct address *remote,
                                     struct bytes datagram)
{
    const struct sim_port *to = sim_network_at(&node->world->network, remote);
    if (to == NULL || !to->alive || to->nat || !to->connected || to->side != node->port.side ||
        remote->port != SIM_LISTEN_PORT)
        return NULL;
    struct sim_job *job = job_new(to->owner, JOB_DATAGRAM, 0);
    job->remote = sim_network_address(node->index, SIM_LISTEN_PORT);
    buffer_append(&job->datagram, datagram.data, datagram.length);
    done_after(job, node->port.link.delay_ns + to->link.delay_ns);
    return job;
}

void sim_node_job_datagram(struct sim_node *node, const struct address *remote,
                           struct bytes datagram)
{
    struct address tracker = sim_tracker_address();
    if (!address_equal(remote, &tracker)) {
        if (node->port.utp)
            sim_utp_send(node->port.utp, remote, datagram);
        else
            send_datagram(node, remote, datagram);
        return;
    }
    struct sim_job *job = job_new(node, JOB_TRACKER, 0);
    buffer_append(&job->datagram, datagram.data, datagram.length);
    done_after(job, TRACKER_TURNAROUND_NS + 2 * node->port.link.delay_ns);
}

void sim_node_job_local(struct sim_node *node, const struct address *group, struct bytes datagram)
{
    for (uint32_t i = 0; i < node->world->node_count && group->family == ADDRESS_IPV4; i++) {
        struct address to = sim_network_lan_address(i, SIM_LISTEN_PORT);
        if (i == node->index || !node->world->nodes[i]->options.uses_lan)
            continue;
        struct sim_job *job = send_datagram(node, &to, datagram);
        if (job == NULL)
            continue;
        job->is_local = true;
        job->remote = sim_network_lan_address(node->index, SIM_LISTEN_PORT);
    }
}

void sim_node_job_cancel(struct sim_node *node, job_id id)
{
    for (struct list_node *at = list_first(&node->jobs); at; at = list_next(&node->jobs, at)) {
        struct sim_job *job = LIST_ELEMENT(at, struct sim_job, job_node);
        if (job->id != id || (job->kind != JOB_FETCH && job->kind != JOB_RESOLVE))
            continue;
        job->cancelled = true;
        done_after(job, 0);
    }
}

void sim_node_job_drop_all(struct sim_node *node)
{
    while (!list_is_empty(&node->jobs)) {
        struct sim_job *job = LIST_ELEMENT(list_first(&node->jobs), struct sim_job, job_node);
        sim_timer_stop(&node->world->clock, &job->timer);
        forget(job);
    }
}
