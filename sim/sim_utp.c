/* SPDX-License-Identifier: MIT */
#include "sim/sim_utp.h"

#include "core/base/check.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/utp/utp_mux.h"
#include "core/wire/wire_handshake.h"
#include "sim/sim_network_state.h"
#include "sim/sim_torrent.h"

#include <string.h>

#define ROUNDS_MAX   100000u /* at one instant: more is a mux that never rests */
#define COMPARE_SIZE 4096u

struct sim_utp {
    struct sim_port *port;
    struct sim_utp_options options;
    struct utp_mux *mux;
    struct map ends; /* conn_id -> struct sim_end */
    struct list due; /* ends that may write */
    struct sim_timer timer;
    bool is_settling;
    struct sim_utp_facts facts;
    struct utp_output output;
    uint8_t run[UTP_RUN_BYTES + 2048];
};

static void settle(struct sim_utp *utp);

static struct sim_clock *clock_of(const struct sim_utp *utp)
{
    return utp->port->network->clock;
}

/* Something has changed: the mux has its turn as soon as the node's loop is through. */
static void wake(struct sim_utp *utp)
{
    if (!utp->is_settling)
        sim_timer_set(clock_of(utp), &utp->timer, clock_of(utp)->now);
}

static void on_timer(void *context)
{
    struct sim_utp *utp = context;
    utp_mux_tick(utp->mux, clock_of(utp)->now);
    settle(utp);
}

/* --- bytes in and out of the mux ------------------------------------------------------------ */

/* Real bytes of what was written, from `at` on. */
static uint64_t make_bytes(const struct sim_utp *utp, const struct sim_flow *flow, uint64_t at,
                           uint64_t until, uint8_t *to)
{
    const uint8_t *bytes;
    struct sim_span span;
    uint64_t length = sim_flow_look(flow, at, until, &bytes, &span);
    if (length && bytes)
        memcpy(to, bytes, length);
    else if (length)
        sim_torrent_bytes(utp->options.torrent, &span, to);
    return length;
}

static void write_out(struct sim_utp *utp, struct sim_end *end)
{
    struct sim_flow *flow = &end->out;
    uint32_t room;
    uint8_t *to;
    while (end->state == END_OPEN && flow->departed < flow->written &&
           (to = utp_mux_reserve(utp->mux, end->utp_conn, &room))) {
        uint64_t until = flow->written;
        if (until - flow->departed > room)
            until = flow->departed + room;
        uint64_t length = make_bytes(utp, flow, flow->departed, until, to);
        utp_mux_commit(utp->mux, end->utp_conn, (uint32_t)length);
        flow->departed += length;
    }
}

static void carrier_offer(struct sim_end *end)
{
    struct sim_utp *utp = end->port ? end->port->utp : NULL;
    if (utp == NULL || end->state != END_OPEN || list_contains(&end->utp_node))
        return;
    list_append(&utp->due, &end->utp_node);
    wake(utp);
}

static uint64_t carrier_available(const struct sim_end *end)
{
    struct sim_utp *utp = end->port->utp;
    const struct sim_flow *flow = sim_end_flow_in(end);
    uint64_t length = 0;
    if (utp && end->state == END_OPEN)
        length = utp_mux_peek(utp->mux, end->utp_conn).length;
    /* More than was written: told of in carrier_take, and not looked at behind its end. */
    return length < flow->departed - flow->taken ? length : flow->departed - flow->taken;
}

static bool is_what_was_written(const struct sim_utp *utp, const struct sim_flow *flow,
                                struct bytes bytes)
{
    uint8_t made[COMPARE_SIZE];
    for (size_t at = 0; at < bytes.length;) {
        uint64_t begin = flow->taken + at;
        size_t left = bytes.length - at < sizeof made ? bytes.length - at : sizeof made;
        uint64_t length = make_bytes(utp, flow, begin, begin + left, made);
        if (memcmp(made, bytes.data + at, length) != 0)
            return false;
        at += length;
    }
    return true;
}

static void carrier_take(struct sim_end *end, uint64_t length)
{
    struct sim_utp *utp = end->port->utp;
    struct sim_flow *flow = sim_end_flow_in(end);
    int64_t now = clock_of(utp)->now;
    struct bytes bytes = utp_mux_peek(utp->mux, end->utp_conn);
    CHECK(length <= bytes.length);
    bytes.length = length;
    if (!is_what_was_written(utp, flow, bytes))
        utp->options.wrong(utp->options.owner, "uTP brought other bytes than went in, at",
                           (int64_t)flow->taken);
    utp_mux_consume(utp->mux, end->utp_conn, length);
    flow->arrived = flow->taken + length;
    sim_flow_take(flow, length, now, now);
    utp->facts.bytes_read += length;
    wake(utp);
}

/* --- streams -------------------------------------------------------------------------------- */

static uint16_t syn_id(const struct sim_utp *utp, conn_id conn)
{
    struct utp_status status;
    CHECK(utp_mux_status(utp->mux, conn, &status));
    return status.syn_id;
}

struct sim_end *sim_utp_connect(struct sim_utp *utp, conn_id conn, const struct address *remote)
{
    struct sim_stream *stream = sim_stream_new(utp->port, remote);
    struct sim_end *end = &stream->ends[0];
    int64_t now = clock_of(utp)->now;
    stream->is_utp = true;
    end->utp_conn = conn;
    enum freshet_error error = utp_mux_connect(utp->mux, now, conn, remote);
    if (error) {
        sim_end_fail_at(end, now, error);
        return end;
    }
    stream->utp_id = syn_id(utp, conn);
    CHECK(map_put(&utp->ends, &conn, end) == NULL);
    wake(utp);
    return end;
}

static void carrier_forget(struct sim_end *end)
{
    struct sim_utp *utp = end->port ? end->port->utp : NULL;
    if (utp == NULL)
        return;
    if (map_get(&utp->ends, &end->utp_conn) == end)
        map_remove(&utp->ends, &end->utp_conn);
    if (list_contains(&end->utp_node))
        list_remove(&utp->due, &end->utp_node);
}

/* As a host closes: what has room still goes out, the rest does not. */
static void carrier_close(struct sim_end *end)
{
    struct sim_utp *utp = end->port->utp;
    end->state = END_OPEN;
    write_out(utp, end);
    end->state = END_GONE;
    utp_mux_close(utp->mux, clock_of(utp)->now, end->utp_conn);
    sim_end_discard(end);
    carrier_forget(end);
    wake(utp);
}

/* The one that this mux has accepted: known by who dialled and the number in the SYN. */
static struct sim_end *find_dialled(const struct sim_utp *utp, const struct utp_event *event)
{
    const struct sim_port *from = sim_network_at(utp->port->network, &event->path.remote);
    uint16_t id = syn_id(utp, event->conn);
    const struct list *streams = &utp->port->network->streams;
    for (struct list_node *node = list_first(streams); node; node = list_next(streams, node)) {
        struct sim_stream *stream = LIST_ELEMENT(node, struct sim_stream, node);
        if (stream->is_utp && !stream->was_accepted && stream->ends[0].port == from &&
            stream->ends[1].port == utp->port && stream->utp_id == id &&
            stream->ends[0].state != END_GONE)
            return &stream->ends[1];
    }
    return NULL;
}

static void on_accepted(struct sim_utp *utp, const struct utp_event *event)
{
    struct sim_end *end = find_dialled(utp, event);
    if (end == NULL) {
        utp->facts.strays++;
        utp_mux_close(utp->mux, clock_of(utp)->now, event->conn);
        return;
    }
    utp->facts.accepted++;
    end->stream->was_accepted = true;
    end->state = END_OPEN;
    end->utp_conn = event->conn;
    list_append(&utp->port->ends, &end->port_node);
    CHECK(map_put(&utp->ends, &end->utp_conn, end) == NULL);
    utp->port->handlers->accepted(utp->port->owner, end, &event->path.remote);
}

static void end_is_over(struct sim_utp *utp, struct sim_end *end, enum freshet_error error)
{
    struct sim_stream *stream = end->stream;
    utp_mux_close(utp->mux, clock_of(utp)->now, end->utp_conn);
    sim_end_gone(end);
    sim_end_discard(end);
    carrier_forget(end);
    utp->port->handlers->closed(utp->port->owner, end, error);
    sim_stream_release(stream);
}

/* Each step may end the stream: it is looked for again. */
static void on_event(struct sim_utp *utp, const struct utp_event *event)
{
    const struct sim_port_handlers *handlers = utp->port->handlers;
    struct sim_end *end;
    if (event->what & UTP_EVENT_ACCEPTED)
        on_accepted(utp, event);
    if ((end = map_get(&utp->ends, &event->conn)) && event->what & UTP_EVENT_CONNECTED) {
        utp->facts.connected++;
        end->state = END_OPEN;
        handlers->connected(utp->port->owner, end);
    }
    if ((end = map_get(&utp->ends, &event->conn)) && event->what & UTP_EVENT_WRITABLE)
        carrier_offer(end);
    if ((end = map_get(&utp->ends, &event->conn)) && event->what & UTP_EVENT_CLOSED) {
        end_is_over(utp, end, event->error);
        return;
    }
    if ((end = map_get(&utp->ends, &event->conn)) && carrier_available(end) > 0)
        handlers->readable(utp->port->owner, end);
    if ((end = map_get(&utp->ends, &event->conn)) && event->what & UTP_EVENT_ENDED) {
        CHECK(carrier_available(end) == 0);
        end_is_over(utp, end, FRESHET_ERROR_CLOSED);
    }
}

/* --- turns ---------------------------------------------------------------------------------- */

/* Cuts a run into its datagrams, as the kernel does. */
static void send_run(struct sim_utp *utp)
{
    const struct utp_output *output = &utp->output;
    uint32_t length = 0;
    for (uint32_t i = 0; i < output->piece_count; i++) {
        memcpy(utp->run + length, output->pieces[i].data, output->pieces[i].length);
        length += (uint32_t)output->pieces[i].length;
    }
    CHECK(length == output->bytes);
    for (uint32_t at = 0; at < length; at += output->packet_size) {
        uint32_t left = length - at;
        struct bytes packet = {utp->run + at,
                               left < output->packet_size ? left : output->packet_size};
        utp->facts.datagrams_out++;
        utp->facts.bytes_out += packet.length;
        sim_datagram_send(utp->port, &utp->options.air, &output->path.remote, packet,
                          output->no_fragments);
    }
}

static bool take_events(struct sim_utp *utp)
{
    struct utp_event event;
    bool any = false;
    for (; utp_mux_event(utp->mux, &event); any = true)
        on_event(utp, &event);
    return any;
}

static bool write_due(struct sim_utp *utp)
{
    bool any = false;
    for (struct list_node *node; (node = list_first(&utp->due)); any = true) {
        struct sim_end *end = LIST_ELEMENT(node, struct sim_end, utp_node);
        list_remove(&utp->due, node);
        write_out(utp, end);
        sim_end_tell_room(end);
    }
    return any;
}

static bool send_all(struct sim_utp *utp)
{
    bool any = false;
    for (; utp_mux_output(utp->mux, clock_of(utp)->now, &utp->output); any = true)
        send_run(utp);
    return any;
}

static void settle(struct sim_utp *utp)
{
    uint32_t rounds = 0;
    bool again = true;
    utp->is_settling = true;
    for (; again; CHECK(++rounds < ROUNDS_MAX)) {
        again = take_events(utp);
        again = write_due(utp) || again;
        again = send_all(utp) || again;
    }
    utp->is_settling = false;
    sim_timer_set(clock_of(utp), &utp->timer, utp_mux_deadline(utp->mux));
}

static void carrier_input(struct sim_utp *utp, const struct address *source, struct bytes payload)
{
    struct utp_path path = {.remote = *source};
    struct sim_clock *clock = clock_of(utp);
    utp->facts.datagrams_in++;
    sim_clock_mix(clock, (uint64_t)clock->now);
    sim_clock_mix(clock, (uint64_t)utp->port->index << 32 | payload.length);
    sim_clock_mix_bytes(clock, payload.data,
                        payload.length < UTP_HEAD_MAX ? payload.length : UTP_HEAD_MAX);
    if (utp_mux_input(utp->mux, clock->now, &path, payload))
        settle(utp);
    else
        utp->options.datagram(utp->options.owner, source, payload);
}

void sim_utp_send(struct sim_utp *utp, const struct address *remote, struct bytes payload)
{
    sim_datagram_send(utp->port, &utp->options.air, remote, payload, false);
}

static const struct sim_carrier carrier = {
    .offer = carrier_offer,
    .available = carrier_available,
    .take = carrier_take,
    .close = carrier_close,
    .forget = carrier_forget,
    .input = carrier_input,
};

/* --- life ----------------------------------------------------------------------------------- */

struct sim_utp *sim_utp_new(struct sim_port *port, const struct sim_utp_options *options)
{
    struct sim_utp *utp = memory_new(sizeof *utp);
    struct utp_mux_options mux = {.policy = options->policy,
                                  .inbound_first = CONN_INBOUND_UTP,
                                  .accepted_head = WIRE_HANDSHAKE_SIZE,
                                  .accepts = true};
    struct rng rng;
    utp->port = port;
    utp->options = *options;
    rng_init(&rng, options->seed);
    mux.seed = rng_u64(&rng);
    rng_fill(&rng, mux.secret, sizeof mux.secret);
    utp->mux = utp_mux_new(&mux);
    map_init(&utp->ends, sizeof(conn_id), options->seed);
    list_init(&utp->due);
    sim_timer_init(&utp->timer, on_timer, utp);
    port->utp = utp;
    port->carrier = &carrier;
    return utp;
}

void sim_utp_free(struct sim_utp *utp)
{
    if (utp == NULL)
        return;
    CHECK(!utp->is_settling);
    CHECK(list_is_empty(&utp->port->ends));
    sim_timer_stop(clock_of(utp), &utp->timer);
    while (!list_is_empty(&utp->due))
        list_remove(&utp->due, list_first(&utp->due));
    utp->port->utp = NULL;
    utp_mux_free(utp->mux);
    map_deinit(&utp->ends);
    memory_free(utp);
}

const struct sim_utp_facts *sim_utp_facts(const struct sim_utp *utp)
{
    return &utp->facts;
}

void sim_utp_check(const struct sim_utp *utp)
{
    utp_mux_check(utp->mux);
}
