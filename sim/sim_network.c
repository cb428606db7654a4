/* SPDX-License-Identifier: MIT */
#include "sim/sim_network.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "sim/sim_network_state.h"

#define RETRY_NS     SECOND_NS       /* of what a partition held up */
#define FALL_BACK_NS (3 * SECOND_NS) /* who has uTP too tries it then: here nothing is raced */

enum chunk_stage { CHUNK_UPLINK, CHUNK_FLIGHT, CHUNK_DOWNLINK };

struct sim_chunk {
    struct sim_timer timer;
    struct sim_end *from;
    uint32_t length;
    bool fin;
    enum chunk_stage stage;
    struct list_node node;
};

struct sim_end *sim_end_other(const struct sim_end *end)
{
    return &end->stream->ends[end == &end->stream->ends[0]];
}

struct sim_flow *sim_end_flow_in(const struct sim_end *end)
{
    return &sim_end_other(end)->out;
}

void sim_end_discard(struct sim_end *end)
{
    struct sim_flow *flow = &end->out;
    flow->written = flow->departed;
    flow->fin_departed = true;
    sim_timer_stop(end->stream->network->clock, &end->ack_timer);
    if (list_contains(&end->sending_node))
        list_remove(&end->port->sending, &end->sending_node);
}

static void stream_free(struct sim_stream *stream)
{
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &stream->ends[i];
        sim_timer_stop(stream->network->clock, &end->timer);
        if (list_contains(&end->port_node))
            list_remove(&end->port->ends, &end->port_node);
        sim_end_discard(end);
        sim_flow_deinit(&end->out);
    }
    list_remove(&stream->network->streams, &stream->node);
    memory_free(stream);
}

void sim_stream_release(struct sim_stream *stream)
{
    if (stream->chunks > 0)
        return;
    for (int i = 0; i < 2; i++) {
        const struct sim_end *end = &stream->ends[i];
        if (end->state != END_GONE || (end->out.fin_wanted && !end->out.fin_departed))
            return;
    }
    stream_free(stream);
}

void sim_end_gone(struct sim_end *end)
{
    end->state = END_GONE;
    sim_timer_stop(end->stream->network->clock, &end->timer);
    list_remove(&end->port->ends, &end->port_node);
}

static void set_end_timer(struct sim_end *end, enum end_timer means, int64_t when_ns)
{
    end->timer_means = means;
    sim_timer_set(end->stream->network->clock, &end->timer, when_ns);
}

void sim_end_fail_at(struct sim_end *end, int64_t when_ns, enum freshet_error error)
{
    end->error = error;
    set_end_timer(end, TIMER_FAIL, when_ns);
}

/* --- sending ------------------------------------------------------------------------------ */

static bool is_eligible(const struct sim_flow *flow)
{
    return sim_flow_has_more(flow) &&
           (flow->departed == flow->written || flow->departed - flow->acked < SIM_WINDOW);
}

static void start_uplink(struct sim_port *port);

/* Something may have changed: a place in the queue if there is something to send, else the alarm
 * that the next acknowledgement rings. */
static void offer(struct sim_end *end)
{
    struct sim_flow *flow = &end->out;
    struct sim_clock *clock = end->stream->network->clock;
    if (end->stream->is_utp) {
        end->port->carrier->offer(end);
        return;
    }
    if (!sim_flow_has_more(flow) || list_contains(&end->sending_node))
        return;
    sim_flow_update(flow, clock->now);
    if (is_eligible(flow)) {
        list_append(&end->port->sending, &end->sending_node);
        start_uplink(end->port);
    } else {
        sim_timer_set(clock, &end->ack_timer, sim_flow_next_ack(flow));
    }
}

static void on_ack_timer(void *context)
{
    offer(context);
}

static void on_chunk_timer(void *context);

static struct sim_chunk *chunk_new(struct sim_end *from, uint32_t length, bool fin)
{
    struct sim_network *network = from->stream->network;
    struct sim_chunk *chunk;
    if (list_is_empty(&network->idle_chunks)) {
        chunk = memory_new(sizeof *chunk);
        sim_timer_init(&chunk->timer, on_chunk_timer, chunk);
    } else {
        struct list_node *node = list_first(&network->idle_chunks);
        list_remove(&network->idle_chunks, node);
        chunk = LIST_ELEMENT(node, struct sim_chunk, node);
    }
    list_append(&network->busy_chunks, &chunk->node);
    chunk->from = from;
    chunk->length = length;
    chunk->fin = fin;
    from->stream->chunks++;
    return chunk;
}

/* The chunk is no more; perhaps its stream neither. */
static void chunk_done(struct sim_chunk *chunk)
{
    struct sim_stream *stream = chunk->from->stream;
    list_remove(&stream->network->busy_chunks, &chunk->node);
    list_append(&stream->network->idle_chunks, &chunk->node);
    stream->chunks--;
    sim_stream_release(stream);
}

static void start_uplink(struct sim_port *port)
{
    if (port->uplink_busy || list_is_empty(&port->sending))
        return;
    struct list_node *node = list_first(&port->sending);
    struct sim_end *end = LIST_ELEMENT(node, struct sim_end, sending_node);
    struct sim_flow *flow = &end->out;
    list_remove(&port->sending, node);
    uint64_t left = flow->written - flow->departed;
    uint32_t length = left < SIM_CHUNK_MAX ? (uint32_t)left : SIM_CHUNK_MAX;
    flow->departed += length;
    port->bytes_up += length;
    bool fin = flow->fin_wanted && flow->departed == flow->written;
    flow->fin_departed |= fin;
    struct sim_chunk *chunk = chunk_new(end, length, fin);
    chunk->stage = CHUNK_UPLINK;
    port->uplink_busy = true;
    struct sim_clock *clock = port->network->clock;
    /* Behind the datagrams that are in the link already, and those to come behind it. */
    if (port->up_free_at < clock->now)
        port->up_free_at = clock->now;
    port->up_free_at += sim_clock_transfer_ns(length, port->link.up_bytes_per_s);
    sim_timer_set(clock, &chunk->timer, port->up_free_at);
    offer(end);
}

void sim_end_tell_room(struct sim_end *end)
{
    if (!end->wants_room || end->state != END_OPEN || sim_end_unsent(end) > end->low)
        return;
    end->wants_room = false;
    end->port->handlers->writable(end->port->owner, end);
}

bool sim_port_can_hear(const struct sim_port *a, const struct sim_port *b)
{
    return a->connected && b->connected && a->side == b->side;
}

/* --- a chunk's way ------------------------------------------------------------------------ */

static void chunk_left(struct sim_chunk *chunk)
{
    struct sim_end *from = chunk->from;
    struct sim_clock *clock = from->stream->network->clock;
    chunk->stage = CHUNK_FLIGHT;
    sim_timer_set(clock, &chunk->timer, clock->now + from->stream->delay_ns);
    from->port->uplink_busy = false;
    start_uplink(from->port);
    sim_end_tell_room(from);
}

static void chunk_at_door(struct sim_chunk *chunk)
{
    struct sim_end *from = chunk->from, *to = sim_end_other(from);
    struct sim_clock *clock = from->stream->network->clock;
    if (!sim_port_can_hear(from->port, to->port)) {
        sim_timer_set(clock, &chunk->timer, clock->now + RETRY_NS);
        return;
    }
    if (to->state == END_GONE) {
        if (chunk->fin || from->state == END_GONE) {
            sim_end_discard(from);
            sim_end_discard(to);
        }
        if (from->state != END_GONE)
            sim_end_fail_at(from, clock->now + from->stream->delay_ns, FRESHET_ERROR_CONNECTION);
        chunk_done(chunk);
        return;
    }
    struct sim_port *port = to->port;
    if (port->down_free_at < clock->now)
        port->down_free_at = clock->now;
    port->down_free_at += sim_clock_transfer_ns(chunk->length, port->link.down_bytes_per_s);
    port->bytes_down += chunk->length;
    chunk->stage = CHUNK_DOWNLINK;
    sim_timer_set(clock, &chunk->timer, port->down_free_at);
}

static void chunk_arrived(struct sim_chunk *chunk)
{
    struct sim_end *to = sim_end_other(chunk->from);
    struct sim_flow *flow = &chunk->from->out;
    struct sim_clock *clock = to->stream->network->clock;
    flow->arrived += chunk->length;
    if (chunk->fin) {
        to->fin_arrived = true;
        if (to->state == END_GONE)
            sim_end_discard(to);
    }
    if (to->state == END_OPEN) {
        if (chunk->length)
            to->port->handlers->readable(to->port->owner, to);
        if (to->state == END_OPEN && to->fin_arrived && sim_end_available(to) == 0)
            sim_end_fail_at(to, clock->now, FRESHET_ERROR_CLOSED);
    }
    chunk_done(chunk);
}

static void on_chunk_timer(void *context)
{
    struct sim_chunk *chunk = context;
    if (chunk->stage == CHUNK_UPLINK)
        chunk_left(chunk);
    else if (chunk->stage == CHUNK_FLIGHT)
        chunk_at_door(chunk);
    else
        chunk_arrived(chunk);
}

/* --- birth and end of a stream ------------------------------------------------------------ */

static void on_syn(struct sim_end *end)
{
    struct sim_stream *stream = end->stream;
    struct sim_clock *clock = stream->network->clock;
    struct sim_end *to = sim_end_other(end);
    if (to->port == NULL || to->port->link.unreachable) {
        /* Nobody answers. The owner's own patience ends it, or that of a host that has uTP. */
        if (end->port->utp)
            sim_end_fail_at(end, clock->now + FALL_BACK_NS, FRESHET_ERROR_TIMEOUT);
        return;
    }
    if (!sim_port_can_hear(end->port, to->port)) {
        set_end_timer(end, TIMER_SYN, clock->now + RETRY_NS);
        return;
    }
    if (!to->port->alive || to->port->no_tcp || stream->remotes[0].port != SIM_LISTEN_PORT) {
        sim_end_fail_at(end, clock->now + stream->delay_ns, FRESHET_ERROR_CONNECTION);
        return;
    }
    to->state = END_OPEN;
    list_append(&to->port->ends, &to->port_node);
    set_end_timer(end, TIMER_CONNECTED, clock->now + stream->delay_ns);
    to->port->handlers->accepted(to->port->owner, to, &stream->remotes[1]);
}

static void on_end_timer(void *context)
{
    struct sim_end *end = context;
    if (end->timer_means == TIMER_SYN) {
        on_syn(end);
    } else if (end->timer_means == TIMER_CONNECTED) {
        end->state = END_OPEN;
        end->port->handlers->connected(end->port->owner, end);
    } else {
        sim_end_gone(end);
        sim_end_discard(end);
        end->port->handlers->closed(end->port->owner, end, end->error);
        sim_stream_release(end->stream);
    }
}

struct sim_stream *sim_stream_new(struct sim_port *port, const struct address *remote)
{
    struct sim_network *network = port->network;
    struct sim_stream *stream = memory_new(sizeof *stream);
    stream->network = network;
    list_append(&network->streams, &stream->node);
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &stream->ends[i];
        end->stream = stream;
        end->state = END_GONE;
        sim_timer_init(&end->timer, on_end_timer, end);
        sim_timer_init(&end->ack_timer, on_ack_timer, end);
    }
    struct sim_end *end = &stream->ends[0];
    end->port = port;
    end->state = END_CONNECTING;
    list_append(&port->ends, &end->port_node);
    stream->remotes[0] = *remote;
    stream->remotes[1] = sim_network_address(port->index, port->port_next);
    port->port_next = port->port_next == 65535 ? 32768 : port->port_next + 1;
    struct sim_port *to = sim_network_at(network, remote);
    stream->ends[1].port = to;
    stream->delay_ns = port->link.delay_ns + (to ? to->link.delay_ns : 0);
    return stream;
}

struct sim_end *sim_end_connect(struct sim_port *port, const struct address *remote)
{
    struct sim_stream *stream = sim_stream_new(port, remote);
    set_end_timer(&stream->ends[0], TIMER_SYN, port->network->clock->now + stream->delay_ns);
    return &stream->ends[0];
}

void sim_end_close(struct sim_end *end)
{
    CHECK(end->state != END_GONE);
    bool established = end->state == END_OPEN || sim_end_other(end)->state != END_GONE;
    sim_end_gone(end);
    if (end->stream->is_utp) {
        end->port->carrier->close(end);
    } else if (established && !end->fin_arrived) {
        end->out.fin_wanted = true;
        offer(end);
    } else {
        sim_end_discard(end);
    }
    if (sim_end_other(end)->state == END_GONE)
        sim_end_discard(sim_end_other(end));
    sim_stream_release(end->stream);
}

void sim_port_kill(struct sim_port *port, bool power_lost)
{
    struct sim_clock *clock = port->network->clock;
    port->alive = false;
    port->connected = !power_lost;
    while (!list_is_empty(&port->sending)) {
        struct sim_end *end =
            LIST_ELEMENT(list_first(&port->sending), struct sim_end, sending_node);
        sim_end_discard(end);
        sim_stream_release(end->stream);
    }
    while (!list_is_empty(&port->ends)) {
        struct sim_end *end = LIST_ELEMENT(list_first(&port->ends), struct sim_end, port_node);
        sim_end_gone(end);
        sim_end_discard(end);
        if (end->stream->is_utp)
            end->port->carrier->forget(end);
        struct sim_end *peer = sim_end_other(end);
        if (peer->state == END_GONE)
            sim_end_discard(peer);
        else if (!power_lost && !end->stream->is_utp) /* uTP's hears nothing */
            sim_end_fail_at(peer, clock->now + end->stream->delay_ns, FRESHET_ERROR_CONNECTION);
        sim_stream_release(end->stream);
    }
}

void sim_port_revive(struct sim_port *port)
{
    port->alive = port->connected = true;
}

/* --- life of a network -------------------------------------------------------------------- */

void sim_network_init(struct sim_network *network, struct sim_clock *clock)
{
    *network = (struct sim_network){.clock = clock};
    list_init(&network->idle_chunks);
    list_init(&network->busy_chunks);
    list_init(&network->streams);
    list_init(&network->datagrams);
    rng_init(&network->rng, 0);
}

static void free_chunks(struct sim_network *network, struct list *list)
{
    while (!list_is_empty(list)) {
        struct list_node *node = list_first(list);
        struct sim_chunk *chunk = LIST_ELEMENT(node, struct sim_chunk, node);
        list_remove(list, node);
        sim_timer_stop(network->clock, &chunk->timer);
        memory_free(chunk);
    }
}

void sim_network_deinit(struct sim_network *network)
{
    if (network->drop_datagrams)
        network->drop_datagrams(network);
    free_chunks(network, &network->busy_chunks);
    free_chunks(network, &network->idle_chunks);
    while (!list_is_empty(&network->streams))
        stream_free(LIST_ELEMENT(list_first(&network->streams), struct sim_stream, node));
    memory_free(network->ports);
    *network = (struct sim_network){0};
}

void sim_network_add(struct sim_network *network, struct sim_port *port,
                     const struct sim_link *link, const struct sim_port_handlers *handlers,
                     void *owner)
{
    *port = (struct sim_port){.network = network,
                              .index = network->port_count,
                              .link = *link,
                              .handlers = handlers,
                              .owner = owner,
                              .port_next = 32768};
    list_init(&port->ends);
    list_init(&port->sending);
    network->ports =
        memory_resize_array(network->ports, network->port_count + 1, sizeof *network->ports);
    network->ports[network->port_count++] = port;
}

/* The first byte is 11 to 90, so that none is private, and neighbours differ in it. */
struct address sim_network_address(uint32_t index, uint16_t port)
{
    const uint8_t ip[4] = {(uint8_t)(11 + index % 80), (uint8_t)(index / 80 % 256),
                           (uint8_t)(index / 20480), 7};
    return address_ipv4(ip, port);
}

struct address sim_network_lan_address(uint32_t index, uint16_t port)
{
    const uint8_t ip[4] = {10, (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index};
    return address_ipv4(ip, port);
}

struct sim_port *sim_network_at(const struct sim_network *network, const struct address *address)
{
    const uint8_t *ip = address->ip;
    if (address->family != ADDRESS_IPV4 || ip[0] < 10 || ip[0] > 90)
        return NULL;
    uint32_t index = ip[0] - 11u + 80u * ip[1] + 20480u * ip[2];
    if (ip[0] == 10)
        index = (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
    return index < network->port_count ? network->ports[index] : NULL;
}

/* --- what an owner does with an end --------------------------------------------------------- */

void sim_end_set_context(struct sim_end *end, void *context)
{
    end->context = context;
}

void *sim_end_context(const struct sim_end *end)
{
    return end->context;
}

bool sim_end_is_utp(const struct sim_end *end, uint32_t *ret_conn)
{
    *ret_conn = end->utp_conn;
    return end->stream->is_utp;
}

const struct sim_port *sim_end_remote(const struct sim_end *end)
{
    return sim_end_other(end)->port;
}

void sim_end_send_bytes(struct sim_end *end, const uint8_t *bytes, size_t length)
{
    sim_flow_put_bytes(&end->out, bytes, length);
    offer(end);
}

void sim_end_send_span(struct sim_end *end, uint64_t length, uint64_t source, uint64_t offset)
{
    sim_flow_put_span(&end->out, length, source, offset);
    offer(end);
}

uint64_t sim_end_unsent(const struct sim_end *end)
{
    return end->out.written - end->out.departed;
}

void sim_end_want_room(struct sim_end *end, uint64_t low)
{
    end->wants_room = true;
    end->low = low;
}

uint64_t sim_end_available(const struct sim_end *end)
{
    const struct sim_flow *flow = sim_end_flow_in(end);
    return end->stream->is_utp ? end->port->carrier->available(end) : flow->arrived - flow->taken;
}

uint64_t sim_end_peek(const struct sim_end *end, uint64_t max, const uint8_t **ret_bytes,
                      struct sim_span *ret_span)
{
    struct sim_flow *flow = sim_end_flow_in(end);
    if (end->stream->is_utp)
        flow->arrived = flow->taken + end->port->carrier->available(end);
    return sim_flow_peek(flow, max, ret_bytes, ret_span);
}

void sim_end_take(struct sim_end *end, uint64_t length)
{
    int64_t now = end->stream->network->clock->now;
    if (end->stream->is_utp) {
        end->port->carrier->take(end, length);
        return;
    }
    sim_flow_take(sim_end_flow_in(end), length, now, now + end->stream->delay_ns);
    offer(sim_end_other(end));
    if (end->state == END_OPEN && end->fin_arrived && sim_end_available(end) == 0)
        sim_end_fail_at(end, now, FRESHET_ERROR_CLOSED);
}

bool sim_end_encrypts(struct sim_end *end, const struct rc4 *cipher)
{
    return sim_flow_set_cipher(&end->out, end->out.written, cipher);
}

bool sim_end_decrypts(struct sim_end *end, const struct rc4 *cipher)
{
    return sim_flow_set_cipher(sim_end_flow_in(end), sim_end_flow_in(end)->taken, cipher);
}

struct sim_end *sim_port_next_end(const struct sim_port *port, const struct sim_end *end)
{
    struct list_node *node =
        end ? list_next(&port->ends, &end->port_node) : list_first(&port->ends);
    return node ? LIST_ELEMENT(node, struct sim_end, port_node) : NULL;
}
