/* SPDX-License-Identifier: MIT */
#include "sim/sim_node.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "sim/sim_node_job.h"
#include "sim/sim_node_utp.h"

#include <string.h>

#define SEND_LOW      (32u * KIB) /* unsent bytes at which a socket has room again */
#define READ_MAX      (64u * KIB)
#define STEPS_MAX     10000000u /* of one loop: more is a machine that never rests */
#define TICKS_MAX     100000u   /* at one instant */
#define WALL_CLOCK_AT INT64_C(1700000000)

struct sim_conn {
    struct sim_node *node;
    conn_id id;
    struct sim_end *end;
    bool paused;
    bool is_encrypted;  /* what it sends */
    bool sending;       /* a SEND is in flight */
    bool may_fall_back; /* to uTP, when TCP gets no answer */
    struct address remote;
    uint32_t sent;       /* what the next EVENT_SENT tells */
    uint32_t sent_later; /* and the one after it, when the socket has room */
    bool sent_done;
    struct list_node conn_node, readable_node, sent_node;
};

static void run(struct sim_node *node);

/* --- events in ---------------------------------------------------------------------------- */

static void mix_event(struct sim_node *node, const struct event *event)
{
    struct sim_clock *clock = &node->world->clock;
    sim_clock_mix(clock, (uint64_t)clock->now);
    sim_clock_mix(clock, (uint64_t)node->index << 32 | (uint64_t)event->type << 16 |
                             (uint64_t)event->error << 8 | event->done);
    sim_clock_mix(clock, (uint64_t)event->conn << 32 | event->length);
    sim_clock_mix(clock, event->job);
    sim_clock_mix_bytes(clock, event->bytes.data, event->bytes.length);
    if (event->type == EVENT_JOB_DONE)
        sim_clock_mix_bytes(clock, event->result.fetched.body.data,
                            event->result.fetched.body.length);
}

static void deliver(struct sim_node *node, struct event *event)
{
    struct sim_world *world = node->world;
    mix_event(node, event);
    node->facts.events++;
    node->options.ops->input(node->machine, world->clock.now, event);
    uint32_t every = world->options.check_every;
    if (every == 0 || ++world->check_count % every != 0)
        return;
    if (node->options.ops->check)
        node->options.ops->check(node->machine);
    if (node->port.utp)
        sim_utp_check(node->port.utp);
}

void sim_node_input(struct sim_node *node, struct event *event)
{
    CHECK(!node->is_running);
    if (node->machine == NULL)
        return;
    deliver(node, event);
    run(node);
}

/* --- connections -------------------------------------------------------------------------- */

static struct sim_conn *find_conn(const struct sim_node *node, conn_id id)
{
    return map_get(&node->conns, &id);
}

static struct sim_conn *conn_new(struct sim_node *node, conn_id id, struct sim_end *end)
{
    struct sim_conn *conn = memory_new(sizeof *conn);
    *conn = (struct sim_conn){.node = node, .id = id, .end = end};
    CHECK(map_put(&node->conns, &id, conn) == NULL);
    list_append(&node->conn_list, &conn->conn_node);
    sim_end_set_context(end, conn);
    return conn;
}

static void conn_free(struct sim_conn *conn)
{
    struct sim_node *node = conn->node;
    map_remove(&node->conns, &conn->id);
    list_remove(&node->conn_list, &conn->conn_node);
    if (list_contains(&conn->readable_node))
        list_remove(&node->readable, &conn->readable_node);
    if (list_contains(&conn->sent_node))
        list_remove(&node->sent, &conn->sent_node);
    memory_free(conn);
}

static void on_accepted(void *owner, struct sim_end *end, const struct address *remote)
{
    struct sim_node *node = owner;
    conn_id id;
    bool is_utp = sim_end_is_utp(end, &id);
    struct sim_conn *conn = conn_new(node, is_utp ? id : node->inbound_next++, end);
    struct event event = {.type = EVENT_ACCEPTED,
                          .conn = conn->id,
                          .transport = is_utp ? TRANSPORT_UTP : TRANSPORT_TCP,
                          .remote = *remote,
                          .local = sim_network_address(node->index, SIM_LISTEN_PORT)};
    sim_node_input(node, &event);
}

static void on_connected(void *owner, struct sim_end *end)
{
    struct sim_node *node = owner;
    struct sim_conn *conn = sim_end_context(end);
    conn_id id;
    bool is_utp = sim_end_is_utp(end, &id);
    conn->may_fall_back = false;
    struct event event = {.type = EVENT_CONNECTED,
                          .conn = conn->id,
                          .transport = is_utp ? TRANSPORT_UTP : TRANSPORT_TCP,
                          .remote = conn->remote,
                          .local = sim_network_address(node->index, SIM_LISTEN_PORT)};
    sim_node_input(node, &event);
}

static void on_readable(void *owner, struct sim_end *end)
{
    struct sim_node *node = owner;
    struct sim_conn *conn = sim_end_context(end);
    if (!conn->paused && !list_contains(&conn->readable_node))
        list_append(&node->readable, &conn->readable_node);
    run(node);
}

static void on_writable(void *owner, struct sim_end *end)
{
    struct sim_node *node = owner;
    struct sim_conn *conn = sim_end_context(end);
    conn->sent += conn->sent_later;
    conn->sent_later = 0;
    conn->sent_done = true;
    if (!list_contains(&conn->sent_node))
        list_append(&node->sent, &conn->sent_node);
    run(node);
}

static void on_closed(void *owner, struct sim_end *end, enum freshet_error error)
{
    struct sim_node *node = owner;
    struct sim_conn *conn = sim_end_context(end);
    if (conn->may_fall_back) {
        conn->may_fall_back = false;
        conn->end = sim_utp_connect(node->port.utp, conn->id, &conn->remote);
        sim_end_set_context(conn->end, conn);
        return;
    }
    struct event event = {.type = EVENT_CLOSED, .conn = conn->id, .error = error};
    conn_free(conn);
    sim_node_input(node, &event);
}

static const struct sim_port_handlers handlers = {
    .accepted = on_accepted,
    .connected = on_connected,
    .readable = on_readable,
    .writable = on_writable,
    .closed = on_closed,
};

/* --- what comes in ------------------------------------------------------------------------ */

/* Protocol bytes where payload is expected are garbage, the same for the same bytes. */
static uint64_t garbage_of(const uint8_t *bytes, uint64_t length)
{
    uint8_t digest[SHA1_SIZE];
    struct cursor cursor;
    sha1_of(bytes, length, digest);
    cursor_init(&cursor, (struct bytes){digest, sizeof digest});
    return cursor_u64(&cursor) | SIM_SOURCE_GARBAGE;
}

static void read_payload(struct sim_conn *conn, const struct receive_plan *plan)
{
    struct sim_node *node = conn->node;
    const uint8_t *bytes;
    struct sim_span span;
    CHECK(plan->block == BLOCK_NONE || plan->offset + plan->length <= LIMIT_BLOCK_SIZE);
    uint64_t length = sim_end_peek(conn->end, plan->length, &bytes, &span);
    if (bytes)
        span = (struct sim_span){0, length, garbage_of(bytes, length), 0};
    if (plan->block != BLOCK_NONE)
        sim_spans_put(sim_disk_block(&node->disk, plan->block), plan->offset, length, span.source,
                      span.offset);
    node->facts.payload_received += length;
    node->facts.poisoned_received += (span.source & SIM_SOURCE_GARBAGE) != 0;
    sim_world_add_pair(node->world, sim_end_remote(conn->end)->index, node->index, length);
    struct event event = {.type = EVENT_PAYLOAD, .conn = conn->id, .length = (uint32_t)length};
    sim_end_take(conn->end, length);
    deliver(node, &event);
}

static void read_bytes(struct sim_conn *conn)
{
    struct sim_node *node = conn->node;
    const uint8_t *bytes;
    struct sim_span span;
    uint8_t made[512];
    uint64_t length = sim_end_peek(conn->end, READ_MAX, &bytes, &span);
    if (bytes == NULL) { /* payload where the machine expects words: it gets the real bytes */
        length = span.length = length < sizeof made ? length : sizeof made;
        sim_torrent_bytes(node->world->torrent, &span, made);
        bytes = made;
    }
    struct event event = {
        .type = EVENT_RECEIVED, .conn = conn->id, .bytes = {bytes, (size_t)length}};
    conn_id id = conn->id;
    deliver(node, &event);
    CHECK(event.consumed <= length);
    struct receive_plan plan;
    if (event.consumed < length) {
        node->options.ops->receive_plan(node->machine, id, &plan);
        CHECK(plan.length > 0 || event.consumed > 0);
    }
    sim_end_take(conn->end, event.consumed);
    if (event.decrypt && !sim_end_decrypts(conn->end, event.decrypt))
        sim_world_violation(node->world, node->index, "two ends, two ciphers", (int64_t)id);
}

/* One read, as a host does it: first asks where the next bytes belong. */
static void read_step(struct sim_conn *conn)
{
    struct sim_node *node = conn->node;
    list_remove(&node->readable, &conn->readable_node);
    if (conn->paused || sim_end_available(conn->end) == 0)
        return;
    list_append(&node->readable, &conn->readable_node);
    struct receive_plan plan;
    node->options.ops->receive_plan(node->machine, conn->id, &plan);
    if (plan.length)
        read_payload(conn, &plan);
    else
        read_bytes(conn);
}

/* --- actions out -------------------------------------------------------------------------- */

/* Honest nodes serve true bytes only; a poisoner spoils whole blocks. */
static void send_range(struct sim_node *node, struct sim_conn *conn, const struct sim_spans *spans,
                       const struct file_range *range, storage_id storage, bool poison)
{
    if (range->file == FILE_PADDING) {
        sim_end_send_span(conn->end, range->length, SIM_SOURCE_ZERO, 0);
        return;
    }
    uint64_t linear = sim_disk_linear(&node->disk, storage, range);
    for (uint64_t at = 0; at < range->length;) {
        struct sim_span span = sim_spans_at(spans, at, range->length - at);
        if (span.source != node->world->torrent->source ||
            (linear != UINT64_MAX && span.offset != linear + at))
            sim_world_violation(node->world, node->index, "served bytes that are not true",
                                (int64_t)(linear + at));
        if (poison)
            span.source = SIM_SOURCE_GARBAGE | (uint64_t)(node->index + 1) << 40;
        sim_end_send_span(conn->end, span.length, span.source, span.offset);
        at += span.length;
    }
}

/* false: a range can't be read. Nothing is sent before all are read. */
static bool send_payload(struct sim_node *node, struct sim_conn *conn, const struct action *action,
                         uint32_t *ret_length)
{
    struct sim_spans *spans = memory_new_array(action->range_count, sizeof *spans);
    bool readable = true;
    for (uint32_t i = 0; i < action->range_count; i++)
        readable =
            sim_disk_read(&node->disk, action->storage, &action->ranges[i], &spans[i]) && readable;
    bool poison = action->range_count > 0 && node->options.poison_per_mille > 0 &&
                  rng_below(&node->disk.rng, 1000) < node->options.poison_per_mille;
    node->facts.poisoned_blocks += poison;
    *ret_length = 0;
    for (uint32_t i = 0; i < action->range_count && readable; i++) {
        send_range(node, conn, &spans[i], &action->ranges[i], action->storage, poison);
        *ret_length += action->ranges[i].length;
    }
    CHECK(*ret_length <= LIMIT_REQUEST_LENGTH_MAX);
    for (uint32_t i = 0; i < action->range_count; i++)
        sim_spans_deinit(&spans[i]);
    memory_free(spans);
    return readable;
}

static bool is_handshake(struct bytes bytes)
{
    struct bytes start = BYTES_LITERAL("\x13"
                                       "BitTorrent protocol");
    return bytes.length >= start.length && memcmp(bytes.data, start.data, start.length) == 0;
}

static void do_send(struct sim_node *node, const struct action *action)
{
    struct sim_conn *conn = find_conn(node, action->conn);
    CHECK(conn != NULL);
    CHECK(!conn->sending);
    uint32_t payload;
    node->facts.handshakes += !conn->is_encrypted && is_handshake(action->bytes);
    sim_end_send_bytes(conn->end, action->bytes.data, action->bytes.length);
    if (!send_payload(node, conn, action, &payload)) {
        struct event event = {.type = EVENT_CLOSED, .conn = conn->id, .error = FRESHET_ERROR_IO};
        sim_end_close(conn->end);
        conn_free(conn);
        deliver(node, &event);
        return;
    }
    uint32_t length = (uint32_t)action->bytes.length + payload;
    CHECK(length > 0);
    node->facts.payload_sent += payload;
    conn->sending = true;
    conn->sent_done = sim_end_unsent(conn->end) <= SEND_LOW;
    /* Without room: half of it is told at once, as a socket takes what it can. */
    conn->sent = conn->sent_done ? length : length / 2;
    conn->sent_later = length - conn->sent;
    if (conn->sent)
        list_append(&node->sent, &conn->sent_node);
    if (!conn->sent_done)
        sim_end_want_room(conn->end, SEND_LOW);
}

static void tell_sent(struct sim_conn *conn)
{
    struct event event = {
        .type = EVENT_SENT, .conn = conn->id, .length = conn->sent, .done = conn->sent_done};
    list_remove(&conn->node->sent, &conn->sent_node);
    conn->sent = 0;
    if (conn->sent_done)
        conn->sending = false;
    deliver(conn->node, &event);
}

static void do_connect(struct sim_node *node, const struct action *action)
{
    bool wants_utp = action->transport == TRANSPORT_UTP || node->options.no_tcp;
    bool is_utp = node->port.utp && wants_utp;
    node->facts.punches += action->transport == TRANSPORT_UTP;
    CHECK(action->conn < CONN_INBOUND);
    struct sim_end *end = is_utp ? sim_utp_connect(node->port.utp, action->conn, &action->remote)
                                 : sim_end_connect(&node->port, &action->remote);
    struct sim_conn *conn = conn_new(node, action->conn, end);
    conn->remote = action->remote;
    conn->may_fall_back = node->port.utp && !is_utp && action->transport == TRANSPORT_ANY;
}

static void do_pause(struct sim_node *node, const struct action *action)
{
    struct sim_conn *conn = find_conn(node, action->conn);
    CHECK(conn != NULL);
    conn->paused = action->type == ACTION_RECEIVE_PAUSE;
    if (!conn->paused && !list_contains(&conn->readable_node))
        list_append(&node->readable, &conn->readable_node);
}

static void do_encrypt(struct sim_node *node, const struct action *action)
{
    struct sim_conn *conn = find_conn(node, action->conn);
    CHECK(conn != NULL);
    CHECK(!conn->sending);
    CHECK(!conn->is_encrypted);
    conn->is_encrypted = true;
    node->facts.encrypted++;
    if (!sim_end_encrypts(conn->end, action->cipher))
        sim_world_violation(node->world, node->index, "two ends, two ciphers", (int64_t)conn->id);
}

static void do_close(struct sim_node *node, const struct action *action)
{
    struct sim_conn *conn = find_conn(node, action->conn);
    CHECK(conn != NULL);
    sim_end_close(conn->end);
    conn_free(conn);
}

static void do_tell(struct sim_node *node, const struct notice *notice)
{
    struct sim_node_facts *facts = &node->facts;
    int64_t now = sim_world_time(node->world);
    switch (notice->type) {
    case NOTICE_READY: facts->ready_at = now; break;
    case NOTICE_COMPLETE:
        if (facts->complete_at < 0)
            facts->complete_at = now;
        break;
    case NOTICE_PIECE_FAILED: facts->pieces_failed++; break;
    case NOTICE_ERROR:
        facts->errors++;
        facts->error = notice->error;
        break;
    case NOTICE_PEER_BANNED: {
        const struct sim_port *port = sim_network_at(&node->world->network, &notice->address);
        CHECK(port != NULL);
        node->banned = memory_resize_array(node->banned, facts->bans + 1, sizeof *node->banned);
        node->banned[facts->bans++] = port->index;
        break;
    }
    default: break;
    }
    if (node->options.ops->told)
        node->options.ops->told(node, notice);
}

static void mix_action(struct sim_node *node, const struct action *action)
{
    struct sim_clock *clock = &node->world->clock;
    sim_clock_mix(clock, (uint64_t)node->index << 32 | 0x8000u | (uint64_t)action->type);
    sim_clock_mix(clock, action->conn);
    sim_clock_mix_bytes(clock, action->bytes.data, action->bytes.length);
    for (uint32_t i = 0; i < action->range_count; i++) {
        sim_clock_mix(clock, (uint64_t)action->ranges[i].file << 32 | action->ranges[i].length);
        sim_clock_mix(clock, action->ranges[i].offset);
    }
    if (action->type == ACTION_CONNECT)
        sim_clock_mix_bytes(clock, action->remote.ip, sizeof action->remote.ip);
    else if (action->type == ACTION_DISK)
        sim_clock_mix(clock, action->disk->id << 8 | (uint64_t)action->disk->operation);
    else if (action->type == ACTION_TELL)
        sim_clock_mix(clock, (uint64_t)action->notice->type << 32 | action->notice->piece);
}

static void act(struct sim_node *node, const struct action *action)
{
    mix_action(node, action);
    node->facts.actions++;
    switch (action->type) {
    case ACTION_CONNECT: do_connect(node, action); break;
    case ACTION_SEND: do_send(node, action); break;
    case ACTION_RECEIVE_PAUSE:
    case ACTION_RECEIVE_RESUME: do_pause(node, action); break;
    case ACTION_ENCRYPT: do_encrypt(node, action); break;
    case ACTION_CLOSE: do_close(node, action); break;
    case ACTION_DISK: sim_node_job_disk(node, action->disk); break;
    case ACTION_FETCH: sim_node_job_fetch(node, action->fetch); break;
    case ACTION_RESOLVE: sim_node_job_resolve(node, action->resolve); break;
    case ACTION_PERSIST: sim_node_job_persist(node, action->persist); break;
    case ACTION_CANCEL: sim_node_job_cancel(node, action->job); break;
    case ACTION_TELL: do_tell(node, action->notice); break;
    case ACTION_SEND_DATAGRAM: sim_node_job_datagram(node, &action->remote, action->bytes); break;
    case ACTION_SEND_LOCAL: sim_node_job_local(node, &action->remote, action->bytes); break;
    case ACTION_NONE: break;
    }
}

/* --- the loop ----------------------------------------------------------------------------- */

static bool step(struct sim_node *node)
{
    struct action action = {0};
    if (node->options.ops->output(node->machine, node->world->clock.now, &action))
        act(node, &action);
    else if (!list_is_empty(&node->sent))
        tell_sent(LIST_ELEMENT(list_first(&node->sent), struct sim_conn, sent_node));
    else if (!list_is_empty(&node->readable))
        read_step(LIST_ELEMENT(list_first(&node->readable), struct sim_conn, readable_node));
    else
        return false;
    return true;
}

/* Until the machine has nothing to do; then it sleeps until its deadline. */
static void run(struct sim_node *node)
{
    if (node->is_running || node->machine == NULL)
        return;
    node->is_running = true;
    uint32_t steps = 0;
    while (step(node))
        CHECK(++steps < STEPS_MAX);
    node->is_running = false;
    int64_t deadline = node->options.ops->deadline(node->machine);
    sim_timer_set(&node->world->clock, &node->deadline_timer, deadline);
}

static void on_deadline(void *context)
{
    struct sim_node *node = context;
    int64_t now = node->world->clock.now;
    node->tick_count = node->tick_time == now ? node->tick_count + 1 : 0;
    node->tick_time = now;
    CHECK(node->tick_count < TICKS_MAX);
    node->options.ops->tick(node->machine, now);
    run(node);
}

/* --- life --------------------------------------------------------------------------------- */

static void on_start(void *context)
{
    struct sim_node *node = context;
    if (node->has_left)
        return;
    if (node->facts.started_at < 0)
        node->facts.started_at = sim_world_time(node->world);
    sim_port_revive(&node->port);
    if (node->options.uses_utp)
        sim_node_utp_start(node);
    map_init(&node->conns, sizeof(conn_id), node->index);
    node->inbound_next = CONN_INBOUND;
    node->machine = node->options.ops->new (node);
    struct event listening = {.type = EVENT_LISTENING,
                              .local = sim_network_address(node->index, SIM_LISTEN_PORT)};
    sim_node_input(node, &listening);
    int64_t now_s = node->world->clock.now / SECOND_NS;
    struct event clock = {.type = EVENT_WALL_CLOCK, .unix_seconds = WALL_CLOCK_AT + now_s};
    sim_node_input(node, &clock);
    if (node->options.ops->started)
        node->options.ops->started(node);
}

static void stop_program(struct sim_node *node, bool power_lost)
{
    if (node->machine == NULL)
        return;
    sim_port_kill(&node->port, power_lost);
    sim_node_utp_stop(node);
    sim_node_job_drop_all(node);
    sim_timer_stop(&node->world->clock, &node->deadline_timer);
    sim_timer_stop(&node->world->clock, &node->metadata_timer);
    while (!list_is_empty(&node->conn_list))
        conn_free(LIST_ELEMENT(list_first(&node->conn_list), struct sim_conn, conn_node));
    map_deinit(&node->conns);
    node->options.ops->free(node->machine);
    node->machine = NULL;
}

void sim_node_crash(struct sim_node *node, enum sim_crash crash, int64_t restart_after_ns)
{
    struct sim_clock *clock = &node->world->clock;
    CHECK(!node->is_running);
    stop_program(node, crash != SIM_CRASH_PROCESS);
    sim_disk_crash(&node->disk, crash);
    node->facts.crashes++;
    node->facts.crashed_at = sim_world_time(node->world);
    node->has_left = restart_after_ns < 0;
    if (!node->has_left)
        sim_timer_set(clock, &node->start_timer, clock->now + restart_after_ns);
}

static void free_node(struct sim_node *node)
{
    stop_program(node, false);
    sim_timer_stop(&node->world->clock, &node->start_timer);
    sim_disk_deinit(&node->disk);
    sim_nat_deinit(&node->nat);
    bitfield_deinit(&node->record_pieces);
    memory_free(node->record_stats);
    memory_free(node->banned);
    memory_free(node);
}

struct sim_node *sim_node_new(struct sim_world *world, const struct sim_node_options *options)
{
    struct sim_node *node = memory_new(sizeof *node);
    *node = (struct sim_node){.world = world, .options = *options};
    node->index = sim_world_join(world, node, free_node);
    node->facts.started_at = node->facts.ready_at = node->facts.complete_at = -1;
    node->facts.crashed_at = -1;
    list_init(&node->conn_list);
    list_init(&node->readable);
    list_init(&node->sent);
    list_init(&node->jobs);
    sim_network_add(&world->network, &node->port, &options->link, &handlers, node);
    sim_node_utp_init(node);
    sim_disk_init(&node->disk, &world->clock, world->torrent, &options->disk, rng_u64(&world->rng));
    if (options->is_seed)
        sim_disk_fill(&node->disk);
    sim_timer_init(&node->deadline_timer, on_deadline, node);
    sim_timer_init(&node->start_timer, on_start, node);
    if (options->ops->take_metadata)
        sim_timer_init(&node->metadata_timer, options->ops->take_metadata, node);
    sim_timer_set(&world->clock, &node->start_timer, world->started_at + options->starts_at_ns);
    return node;
}
