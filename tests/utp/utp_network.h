/* SPDX-License-Identifier: MIT */
/*
 * Several uTP ends on a pretend network: what goes from one to another waits in the queue of a
 * bottleneck, is lost, doubled and overtaken as told. Streams carry bytes that depend on where they
 * lie, and each that arrives is compared. One seed, one run.
 */
#ifndef FRESHET_TESTS_UTP_UTP_NETWORK_H
#define FRESHET_TESTS_UTP_UTP_NETWORK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/heap.h"
#include "core/base/rng.h"
#include "core/utp/utp_mux.h"

#define NET_ENDS_MAX    6
#define NET_STREAMS_MAX 8
#define NET_INBOUND     0xc0000000u

struct net_packet {
    struct heap_node due;
    uint8_t from, to;
    uint32_t length;
    uint8_t bytes[];
};

/* One direction of one connection: writes up to `total`, reads up to what came. */
struct net_stream {
    uint8_t end;
    conn_id conn;
    uint64_t total, written, read;
    bool open, ended, closed, close_when_done, reads_slowly;
    enum freshet_error error;
};

struct net_end {
    struct utp_mux *mux;
    struct address address;
    uint64_t bytes_out, bytes_in, packets_out;
    bool is_deaf; /* everything to it is lost */
};

struct network {
    int64_t now;
    struct rng rng;
    struct heap air;
    struct net_end ends[NET_ENDS_MAX];
    uint32_t end_count;
    struct net_stream streams[NET_STREAMS_MAX];
    uint32_t stream_count;
    struct utp_output output;
    /* the way */
    uint32_t loss_ppm, double_ppm;
    int64_t delay_ns, jitter_ns;
    uint64_t rate;    /* bytes a second of the bottleneck that ends in `behind` share; 0: none */
    int64_t queue_ns; /* what its queue holds */
    uint32_t behind;  /* bit i: what end i sends goes through it */
    uint16_t head;    /* accepted_head of the ends added from now on */
    uint32_t mtu;     /* larger ones that may not be cut are dropped; 0: any size */
    int64_t busy_ns;  /* the bottleneck sends until then */
    /* seen */
    int64_t queue_sum_ns, queue_samples, queue_most_ns;
    uint32_t wraps_seq, wraps_time; /* of end 0's packets */
    uint16_t seq_last;
    uint32_t time_last;
    bool has_last;
    uint32_t largest;
    void (*filter)(struct network *net, struct net_packet *packet); /* may change it */
};

static inline uint8_t net_byte(uint32_t salt, uint64_t position)
{
    return (uint8_t)((position * 2654435761u >> 16) + (position >> 11) + salt);
}

static inline void net_init(struct network *net, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    rng_init(&net->rng, seed);
    heap_init(&net->air);
    net->now = 1000 * SECOND_NS;
    net->delay_ns = 10 * MILLISECOND_NS;
    net->queue_ns = SECOND_NS;
}

static inline uint8_t net_add(struct network *net, enum utp_policy policy, uint32_t buffer_max)
{
    struct utp_mux_options options = {.seed = rng_u64(&net->rng),
                                      .policy = policy,
                                      .buffer_max = buffer_max,
                                      .inbound_first = NET_INBOUND,
                                      .accepted_head = net->head,
                                      .accepts = true};
    uint8_t at = (uint8_t)net->end_count++;
    const uint8_t ip[4] = {10, 0, 0, (uint8_t)(at + 1)};
    rng_fill(&net->rng, options.secret, sizeof options.secret);
    net->ends[at].mux = utp_mux_new(&options);
    net->ends[at].address = address_ipv4(ip, 6881);
    return at;
}

static inline void net_deinit(struct network *net)
{
    while (net->air.length) {
        struct net_packet *packet = HEAP_ELEMENT(net->air.nodes[0], struct net_packet, due);
        heap_remove(&net->air, &packet->due);
        free(packet);
    }
    heap_deinit(&net->air);
    for (uint32_t i = 0; i < net->end_count; i++)
        utp_mux_free(net->ends[i].mux);
}

static inline void net_note(struct network *net, const struct net_packet *packet)
{
    struct utp_packet parsed;
    if (packet->from != 0 ||
        utp_packet_parse((struct bytes){packet->bytes, packet->length}, &parsed))
        return;
    if (net->has_last && net->time_last > 0xf0000000u && parsed.time_us < 0x10000000u)
        net->wraps_time++;
    net->time_last = parsed.time_us;
    net->has_last = true;
    if (parsed.type != UTP_DATA)
        return;
    if (net->seq_last > 0xf000 && parsed.seq < 0x1000)
        net->wraps_seq++;
    net->seq_last = parsed.seq;
}

static inline void net_fly(struct network *net, const struct net_packet *packet, int64_t when)
{
    struct net_packet *copy = malloc(sizeof *copy + packet->length);
    memcpy(copy, packet, sizeof *copy + packet->length);
    copy->due = (struct heap_node){0};
    if (net->jitter_ns)
        when += (int64_t)(rng_u64(&net->rng) % (uint64_t)net->jitter_ns);
    heap_set(&net->air, &copy->due, when);
}

/* One datagram onto the way. */
static inline void net_post(struct network *net, struct net_packet *packet, bool no_fragments)
{
    int64_t when = net->now;
    struct net_end *end = &net->ends[packet->from];
    end->bytes_out += packet->length;
    end->packets_out++;
    net_note(net, packet);
    if (net->filter)
        net->filter(net, packet);
    if (packet->length > net->largest)
        net->largest = packet->length;
    if (net->mtu && packet->length > net->mtu && no_fragments)
        return;
    if (packet->to == UINT8_MAX || rng_below(&net->rng, 1000000) < net->loss_ppm)
        return;
    if (net->rate && net->behind >> packet->from & 1) {
        int64_t queued = net->busy_ns > when ? net->busy_ns - when : 0;
        if (queued > net->queue_ns)
            return;
        net->queue_sum_ns += queued;
        net->queue_samples++;
        if (queued > net->queue_most_ns)
            net->queue_most_ns = queued;
        net->busy_ns = when + queued + (int64_t)((packet->length + 28) * SECOND_NS / net->rate);
        when = net->busy_ns;
    }
    net_fly(net, packet, when + net->delay_ns);
    if (rng_below(&net->rng, 1000000) < net->double_ppm)
        net_fly(net, packet, when + net->delay_ns);
}

static inline uint8_t net_find(const struct network *net, const struct address *address)
{
    for (uint32_t i = 0; i < net->end_count; i++)
        if (address_equal(&net->ends[i].address, address))
            return (uint8_t)i;
    return UINT8_MAX;
}

/* Cuts a run into its datagrams, as the kernel does. */
static inline void net_take_output(struct network *net, uint8_t from)
{
    static uint8_t whole[70000];
    const struct utp_output *output = &net->output;
    uint32_t length = 0;
    for (uint32_t i = 0; i < output->piece_count; i++) {
        memcpy(whole + length, output->pieces[i].data, output->pieces[i].length);
        length += (uint32_t)output->pieces[i].length;
    }
    assert_int_equal(length, output->bytes);
    assert_int_equal((length + output->packet_size - 1) / output->packet_size, output->packets);
    for (uint32_t at = 0; at < length; at += output->packet_size) {
        uint32_t size = length - at < output->packet_size ? length - at : output->packet_size;
        struct net_packet *packet = calloc(1, sizeof *packet + size);
        packet->from = from;
        packet->to = net_find(net, &output->path.remote);
        packet->length = size;
        memcpy(packet->bytes, whole + at, size);
        net_post(net, packet, output->no_fragments);
        free(packet);
    }
}

static inline struct net_stream *net_stream_of(struct network *net, uint8_t end, conn_id conn)
{
    for (uint32_t i = 0; i < net->stream_count; i++)
        if (net->streams[i].end == end && net->streams[i].conn == conn)
            return &net->streams[i];
    return NULL;
}

static inline void net_write(struct network *net, struct net_stream *stream)
{
    struct utp_mux *mux = net->ends[stream->end].mux;
    uint32_t length;
    uint8_t *at;
    if (!stream->open || stream->closed)
        return;
    while (stream->written < stream->total &&
           (at = utp_mux_reserve(mux, stream->conn, &length)) != NULL) {
        if (length > stream->total - stream->written)
            length = (uint32_t)(stream->total - stream->written);
        for (uint32_t i = 0; i < length; i++)
            at[i] = net_byte(stream->conn < NET_INBOUND, stream->written + i);
        utp_mux_commit(mux, stream->conn, length);
        stream->written += length;
    }
    if (stream->written == stream->total && stream->close_when_done) {
        utp_mux_close(mux, net->now, stream->conn);
        stream->closed = true;
    }
}

static inline void net_read(struct network *net, struct net_stream *stream)
{
    struct utp_mux *mux = net->ends[stream->end].mux;
    for (;;) {
        struct bytes bytes = utp_mux_peek(mux, stream->conn);
        if (bytes.length == 0)
            return;
        for (size_t i = 0; i < bytes.length; i++)
            if (bytes.data[i] != net_byte(stream->conn >= NET_INBOUND, stream->read + i))
                fail_msg("byte %llu is wrong", (unsigned long long)(stream->read + i));
        stream->read += bytes.length;
        utp_mux_consume(mux, stream->conn, bytes.length);
    }
}

static inline void net_on_event(struct network *net, uint8_t end, const struct utp_event *event)
{
    struct net_stream *stream = net_stream_of(net, end, event->conn);
    if (event->what & UTP_EVENT_ACCEPTED) {
        assert_null(stream);
        assert_true(net->stream_count < NET_STREAMS_MAX);
        stream = &net->streams[net->stream_count++];
        *stream = (struct net_stream){.end = end, .conn = event->conn, .open = true};
    }
    assert_non_null(stream);
    assert_false(stream->closed);
    if (event->what & UTP_EVENT_CONNECTED)
        stream->open = true;
    if (event->what & UTP_EVENT_READABLE && !stream->reads_slowly)
        net_read(net, stream);
    if (event->what & UTP_EVENT_ENDED)
        stream->ended = true;
    if (event->what & UTP_EVENT_CLOSED) {
        stream->closed = true;
        stream->error = event->error;
    }
    net_write(net, stream);
}

static inline void net_settle(struct network *net, uint8_t end)
{
    struct utp_mux *mux = net->ends[end].mux;
    struct utp_event event;
    while (utp_mux_event(mux, &event))
        net_on_event(net, end, &event);
    while (utp_mux_output(mux, net->now, &net->output))
        net_take_output(net, end);
    while (utp_mux_event(mux, &event))
        net_on_event(net, end, &event);
}

static inline void net_deliver(struct network *net, struct net_packet *packet)
{
    struct net_end *end = &net->ends[packet->to];
    end->bytes_in += packet->length;
    if (!end->is_deaf) {
        utp_mux_input(end->mux, net->now,
                      &(struct utp_path){.remote = net->ends[packet->from].address},
                      (struct bytes){packet->bytes, packet->length});
        net_settle(net, packet->to);
    }
    free(packet);
}

/* Until then. */
static inline void net_run(struct network *net, int64_t until)
{
    for (uint32_t i = 0; i < net->end_count; i++)
        net_settle(net, (uint8_t)i);
    for (;;) {
        int64_t next = heap_deadline(&net->air);
        for (uint32_t i = 0; i < net->end_count; i++)
            if (utp_mux_deadline(net->ends[i].mux) < next)
                next = utp_mux_deadline(net->ends[i].mux);
        if (next > until) {
            net->now = until;
            return;
        }
        if (next > net->now)
            net->now = next;
        struct heap_node *node = heap_pop_due(&net->air, net->now);
        if (node)
            net_deliver(net, HEAP_ELEMENT(node, struct net_packet, due));
        for (uint32_t i = 0; i < net->end_count; i++)
            if (utp_mux_deadline(net->ends[i].mux) <= net->now) {
                utp_mux_tick(net->ends[i].mux, net->now);
                net_settle(net, (uint8_t)i);
            }
    }
}

/* Until the stream has read so much, or `most` has passed; true: it has. */
static inline bool net_run_until_read(struct network *net, struct net_stream *stream,
                                      uint64_t bytes, int64_t most)
{
    int64_t end = net->now + most;
    while (stream->read < bytes && net->now < end)
        net_run(net, net->now + 20 * MILLISECOND_NS);
    return stream->read >= bytes;
}

/* From end `from` to end `to`: the connecting side's stream. */
static inline struct net_stream *net_connect(struct network *net, uint8_t from, uint8_t to,
                                             conn_id conn, uint64_t total)
{
    struct net_stream *stream = &net->streams[net->stream_count++];
    *stream = (struct net_stream){.end = from, .conn = conn, .total = total};
    assert_int_equal(utp_mux_connect(net->ends[from].mux, net->now, conn, &net->ends[to].address),
                     FRESHET_OK);
    return stream;
}

/* The accepted one at that end, the n-th. */
static inline struct net_stream *net_accepted(struct network *net, uint8_t end, uint32_t number)
{
    return net_stream_of(net, end, NET_INBOUND + number);
}

static inline void net_check(struct network *net)
{
    for (uint32_t i = 0; i < net->end_count; i++)
        utp_mux_check(net->ends[i].mux);
}

#endif
