/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_connection_state.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#include <string.h>

#define BLACK_HOLE_TIMEOUTS 2u

/* ---- a life ---- */

void utp_connection_init(struct utp_connection *connection, int64_t now,
                         const struct utp_connection_options *options)
{
    *connection = (struct utp_connection){
        .id = options->id,
        .path = options->path,
        .id_receive = options->id_receive,
        .id_send = options->id_send,
        .clock_us = options->clock_us,
        .state = UTP_SYN_SENT,
        .head = options->head,
        .window_max = options->buffer_max,
        .window_told = options->buffer_max,
        .peer_window = options->buffer_max,
        .syn_due = true,
        .timer_ns = INT64_MAX,
        .sent_ns = now,
        .heard_ns = now,
        .full_ns = INT64_MIN,
        .close_ns = INT64_MAX,
        .doubt_ns = INT64_MAX,
        .paced_ns = INT64_MAX,
    };
    utp_mtu_init(&connection->mtu, options->path.remote.family);
    utp_send_queue_init(&connection->out, options->seq, options->buffer_max);
    utp_timeout_init(&connection->timeout);
    utp_window_init(&connection->congestion, options->policy,
                    utp_mtu_size(&connection->mtu) - UTP_HEADER_SIZE, options->buffer_max);
    utp_reorder_init(&connection->in, 0);
}

void utp_connection_init_accepted(struct utp_connection *connection, int64_t now,
                                  const struct utp_connection_options *options, uint16_t syn_seq,
                                  uint32_t peer_window)
{
    utp_connection_init(connection, now, options);
    connection->syn_due = false;
    connection->state = UTP_OPEN;
    connection->happened = UTP_TOLD_ACCEPTED;
    connection->peer_window = peer_window;
    utp_reorder_init(&connection->in, (uint16_t)(syn_seq + 1));
}

/* What only the stream needs. */
void utp_connection_drop_received(struct utp_connection *connection)
{
    utp_reorder_deinit(&connection->in);
    buffer_deinit(&connection->inbox);
    connection->inbox_read = 0;
    connection->borrowed = (struct bytes){NULL, 0};
}

void utp_connection_deinit(struct utp_connection *connection)
{
    utp_connection_drop_received(connection);
    utp_send_queue_deinit(&connection->out);
}

void utp_connection_end(struct utp_connection *connection, enum freshet_error error)
{
    if (connection->state == UTP_CLOSED)
        return;
    connection->state = UTP_CLOSED;
    connection->error = error;
    connection->happened = (connection->happened & UTP_TOLD_ACCEPTED) | UTP_TOLD_CLOSED;
    if (connection->closing)
        connection->happened = 0;
    connection->timer_ns = INT64_MAX;
    connection->doubt_ns = INT64_MAX;
    connection->close_ns = INT64_MAX;
    connection->state_due = connection->syn_due = false;
    utp_connection_drop_received(connection);
}

bool utp_connection_is_over(const struct utp_connection *connection)
{
    return connection->state == UTP_CLOSED && !connection->reset_due &&
           (connection->closing || connection->happened == 0);
}

uint64_t utp_connection_memory(const struct utp_connection *connection)
{
    return utp_send_queue_memory(&connection->out) + utp_reorder_memory(&connection->in) +
           connection->inbox.capacity;
}

/* ---- sending ---- */

bool utp_connection_wake_writer(struct utp_connection *connection)
{
    if (!connection->wants_room || connection->closing ||
        utp_send_queue_room(&connection->out) < connection->out.capacity_max / 4)
        return false;
    connection->wants_room = false;
    connection->happened |= UTP_TOLD_WRITABLE;
    return true;
}

uint8_t *utp_connection_reserve(struct utp_connection *connection, uint64_t grow_max,
                                uint32_t *ret_length)
{
    *ret_length = 0;
    if (connection->closing || connection->state == UTP_CLOSED)
        return NULL;
    uint8_t *at = utp_send_queue_reserve(&connection->out, grow_max, ret_length);
    connection->wants_room = at == NULL;
    return at;
}

void utp_connection_commit(struct utp_connection *connection, uint32_t length)
{
    utp_send_queue_commit(&connection->out, length);
}

/* Many keep what a SYN began until it ends: who answers this one yet is told that it has. Only the
 * answer says by which number such a reset is believed. */
static void linger_for_answer(struct utp_connection *connection, int64_t now)
{
    connection->lingers = true;
    connection->syn_due = false;
    connection->timer_ns = INT64_MAX;
    connection->close_ns = now + LIMIT_UTP_CLOSE_NS;
}

void utp_connection_close(struct utp_connection *connection, int64_t now)
{
    if (connection->closing)
        return;
    connection->closing = true;
    connection->happened = 0;
    if (connection->state == UTP_SYN_SENT && connection->syns == 0)
        utp_connection_end(connection, FRESHET_ERROR_CANCELLED);
    if (connection->state == UTP_SYN_SENT) {
        linger_for_answer(connection, now);
        return;
    }
    if (connection->state == UTP_CLOSED)
        return;
    buffer_deinit(&connection->inbox);
    connection->inbox_read = 0;
    connection->borrowed = (struct bytes){NULL, 0};
    connection->out.fin_wanted = true;
    connection->close_ns = now + LIMIT_UTP_CLOSE_NS;
}

/* May a packet of so many bytes go now? */
static bool window_allows(struct utp_connection *connection, int64_t now, uint32_t length)
{
    const struct utp_send_queue *out = &connection->out;
    uint32_t window = utp_window_bytes(&connection->congestion);
    if (out->flight + length > window && out->flight > 0) {
        connection->full_ns = now;
        return false;
    }
    /* The other's window is the law, except for one packet that asks whether it still is. */
    return out->flight + length <= connection->peer_window || connection->probe_window ||
           length == 0;
}

/* The size of the probe that may be made of what waits; 0: none. */
static uint32_t probe_size(struct utp_connection *connection, int64_t now)
{
    const struct utp_send_queue *out = &connection->out;
    uint32_t size = utp_mtu_next_probe(&connection->mtu, now);
    /* Others on their way tell whether it alone was lost. */
    bool may = size && utp_send_queue_unframed(out) >= size - UTP_HEADER_SIZE &&
               !connection->recovering && utp_send_queue_outstanding(out) >= 2;
    return may ? size : 0;
}

/* What the next packet that is cut may hold. */
static uint32_t cut_size(const struct utp_connection *connection)
{
    uint32_t size = utp_connection_payload_size(connection);
    bool is_head = connection->head && connection->out.framed == 0;
    return is_head && connection->head < size ? connection->head : size;
}

/* The next packet that may go, or NULL. */
static struct utp_sent *choose(struct utp_connection *connection, int64_t now, uint16_t *ret_seq)
{
    struct utp_send_queue *out = &connection->out;
    struct utp_sent *packet = utp_send_queue_next_lost(out, ret_seq);
    if (packet)
        return window_allows(connection, now, packet->length) ? packet : NULL;
    uint32_t waiting = utp_send_queue_unframed(out);
    uint32_t size = cut_size(connection);
    if (waiting == 0 && (!out->fin_wanted || out->fin_framed))
        return NULL;
    if (!window_allows(connection, now, waiting < size ? waiting : size))
        return NULL;
    uint32_t probe = probe_size(connection, now);
    bool probes = probe && window_allows(connection, now, probe - UTP_HEADER_SIZE);
    packet = utp_send_queue_frame(out, probes ? probe - UTP_HEADER_SIZE : size);
    if (packet == NULL)
        return NULL;
    if (probes) {
        packet->probe = true;
        utp_mtu_on_probe(&connection->mtu, (uint16_t)probe);
    }
    *ret_seq = (uint16_t)(out->seq_next - 1);
    return packet;
}

static void put_head(struct utp_connection *connection, int64_t now, struct utp_output *output,
                     struct utp_packet *packet)
{
    uint8_t *head = output->heads[output->packets];
    packet->id = connection->id_send;
    packet->time_us = utp_connection_us(now) + connection->clock_us;
    packet->delay_us = connection->reply_us;
    packet->window = connection->window_told = utp_connection_window_left(connection);
    packet->ack = (uint16_t)(connection->in.next - 1);
    size_t length = utp_packet_write_head(packet, head);
    output->pieces[output->piece_count++] = (struct bytes){head, length};
    output->bytes += (uint32_t)length;
    output->packets++;
    connection->sent_ns = now;
}

static void put_data(struct utp_connection *connection, int64_t now, struct utp_output *output,
                     struct utp_sent *sent, uint16_t seq)
{
    struct utp_packet packet = {.type = sent->fin ? UTP_FIN : UTP_DATA, .seq = seq};
    put_head(connection, now, output, &packet);
    output->piece_count +=
        utp_send_queue_bytes(&connection->out, sent, &output->pieces[output->piece_count]);
    output->bytes += sent->length;
    utp_send_queue_on_sent(&connection->out, sent, now);
    utp_pacer_on_sent(&connection->pacer, sent->length + UTP_HEADER_SIZE);
    connection->probe_window = false;
    if (connection->timer_ns == INT64_MAX)
        utp_connection_set_timer(connection, now);
}

/* Data packets, as many as belong into one call. */
static void put_run(struct utp_connection *connection, int64_t now, struct utp_output *output)
{
    connection->paced_ns = INT64_MAX;
    utp_pacer_update(&connection->pacer, now, utp_window_bytes(&connection->congestion),
                     connection->timeout.rtt_ns, utp_connection_payload_size(connection));
    for (;;) {
        struct utp_send_queue *out = &connection->out;
        uint16_t seq;
        if (output->packets == UTP_RUN_PACKETS || output->no_fragments ||
            output->bytes + output->packet_size > UTP_RUN_BYTES)
            return;
        /* What is cut stays cut: look first whether it will be as long as the others. */
        const struct utp_sent *lost = utp_send_queue_next_lost(out, &seq);
        uint32_t waiting = utp_send_queue_unframed(out), size = cut_size(connection);
        uint32_t length = lost ? lost->length : waiting < size ? waiting : size;
        if (output->packets && length + UTP_HEADER_SIZE > output->packet_size)
            return;
        if (output->packets && !lost && probe_size(connection, now))
            return; /* a probe goes alone */
        if (!utp_pacer_may_send(&connection->pacer)) {
            if (lost || waiting || (out->fin_wanted && !out->fin_framed))
                connection->paced_ns = utp_pacer_deadline(&connection->pacer);
            return;
        }
        struct utp_sent *packet = choose(connection, now, &seq);
        if (packet == NULL)
            return;
        if (packet->probe)
            output->no_fragments = true;
        put_data(connection, now, output, packet, seq);
        if (output->packets == 1)
            output->packet_size = output->bytes;
        else if (packet->length + UTP_HEADER_SIZE < output->packet_size)
            return; /* a shorter one is the last of its run */
    }
}

static void put_state(struct utp_connection *connection, int64_t now, struct utp_output *output)
{
    uint8_t sack[UTP_SACK_MAX];
    struct utp_packet packet = {.type = UTP_STATE, .seq = connection->out.seq_next};
    packet.sack = (struct bytes){sack, utp_reorder_sack(&connection->in, sack, sizeof sack)};
    put_head(connection, now, output, &packet);
    connection->state_due = false;
}

/* Is the other's window what keeps all from going? Then a timer must ask it. */
static bool is_shut(const struct utp_connection *connection)
{
    uint32_t waiting = utp_send_queue_unframed(&connection->out);
    uint32_t size = utp_connection_payload_size(connection);
    return connection->state == UTP_OPEN && waiting && connection->out.flight == 0 &&
           (waiting < size ? waiting : size) > connection->peer_window;
}

static void put_syn(struct utp_connection *connection, int64_t now, struct utp_output *output)
{
    /* The SYN takes a sequence number, and goes by the id on which we listen. */
    struct utp_packet packet = {.type = UTP_SYN};
    if (connection->syns == 0) {
        connection->out.seq_first++;
        connection->out.seq_next++;
    }
    packet.seq = (uint16_t)(connection->out.seq_first - 1);
    uint16_t id_send = connection->id_send;
    connection->id_send = connection->id_receive;
    put_head(connection, now, output, &packet);
    connection->id_send = id_send;
    connection->syn_due = false;
    connection->syns++;
    connection->timer_ns = now + utp_timeout_wait(&connection->timeout);
}

bool utp_connection_output(struct utp_connection *connection, int64_t now,
                           struct utp_output *output)
{
    output->path = connection->path;
    output->packets = output->packet_size = output->bytes = output->piece_count = 0;
    output->no_fragments = false;
    if (connection->reset_due) {
        struct utp_packet packet = {.type = UTP_RESET, .seq = connection->out.seq_next};
        put_head(connection, now, output, &packet);
        connection->reset_due = false;
    } else if (connection->syn_due) {
        put_syn(connection, now, output);
    } else if (connection->state == UTP_OPEN) {
        /* A selective ack goes before data, which says less; else data says it all. */
        if (connection->state_due && connection->in.count)
            put_state(connection, now, output);
        else
            put_run(connection, now, output);
        if (output->packets)
            connection->state_due = false;
        else if (connection->state_due)
            put_state(connection, now, output);
    }
    if (output->packet_size == 0)
        output->packet_size = output->bytes;
    if (connection->timer_ns == INT64_MAX && is_shut(connection))
        connection->timer_ns = now + utp_timeout_wait(&connection->timeout);
    return output->packets > 0;
}

/* ---- time ---- */

static void on_timeout(struct utp_connection *connection, int64_t now)
{
    struct utp_lost lost;
    if (connection->state == UTP_SYN_SENT) {
        if (connection->syns == LIMIT_UTP_SYN_TRIES) {
            utp_connection_end(connection, FRESHET_ERROR_TIMEOUT);
            return;
        }
        utp_timeout_expire(&connection->timeout);
        connection->syn_due = true;
        connection->timer_ns = INT64_MAX;
        return;
    }
    bool shut = connection->peer_window < utp_connection_payload_size(connection);
    utp_timeout_expire(&connection->timeout);
    /* Who says that its window is shut is alive, however long that takes. */
    if (shut && now - connection->heard_ns < 2 * LIMIT_UTP_RTO_MAX_NS &&
        connection->timeout.timeouts > LIMIT_UTP_TIMEOUTS)
        connection->timeout.timeouts = LIMIT_UTP_TIMEOUTS;
    if (connection->timeout.timeouts > LIMIT_UTP_TIMEOUTS) {
        connection->reset_due = true;
        utp_connection_end(connection, FRESHET_ERROR_TIMEOUT);
        return;
    }
    utp_send_queue_lose_all(&connection->out, &lost);
    connection->repeated = 0;
    connection->doubt_ns = INT64_MAX;
    connection->probe_window = shut;
    utp_connection_set_timer(connection, now);
    if (lost.packets == 0 || (shut && lost.packets == 1))
        return;
    if (connection->mtu.probe && lost.probe) {
        utp_mtu_on_lost(&connection->mtu, now);
        return;
    }
    connection->mtu.probe = 0;
    utp_congestion_on_timeout(&connection->congestion);
    connection->recovering = false;
    if (connection->timeout.timeouts == BLACK_HOLE_TIMEOUTS)
        utp_mtu_on_black_hole(&connection->mtu);
}

void utp_connection_tick(struct utp_connection *connection, int64_t now)
{
    if (connection->state == UTP_CLOSED)
        return;
    if (connection->close_ns <= now) {
        connection->reset_due = !connection->lingers;
        utp_connection_end(connection, FRESHET_ERROR_CLOSED);
        return;
    }
    if (connection->timer_ns <= now)
        on_timeout(connection, now);
    if (connection->doubt_ns <= now)
        utp_connection_end_doubt(connection, now);
    if (connection->state == UTP_OPEN && !connection->lingers &&
        now - connection->sent_ns >= LIMIT_UTP_KEEPALIVE_NS)
        connection->state_due = true;
    if (connection->paced_ns <= now)
        connection->paced_ns = INT64_MAX;
}

int64_t utp_connection_deadline(const struct utp_connection *connection)
{
    int64_t deadline = connection->timer_ns;
    if (connection->state == UTP_CLOSED)
        return INT64_MAX;
    if (connection->close_ns < deadline)
        deadline = connection->close_ns;
    if (connection->doubt_ns < deadline)
        deadline = connection->doubt_ns;
    if (connection->paced_ns < deadline)
        deadline = connection->paced_ns;
    int64_t keepalive = connection->sent_ns + LIMIT_UTP_KEEPALIVE_NS;
    if (connection->state == UTP_OPEN && !connection->lingers && keepalive < deadline)
        deadline = keepalive;
    return deadline;
}

void utp_connection_check(const struct utp_connection *connection)
{
    utp_send_queue_check(&connection->out);
    utp_reorder_check(&connection->in);
    CHECK(connection->inbox_read <= connection->inbox.length);
    CHECK(utp_connection_unread(connection) + connection->in.bytes <= connection->out.capacity_max);
    CHECK(!connection->closing || utp_connection_unread(connection) == 0);
    CHECK(connection->state != UTP_OPEN || utp_send_queue_outstanding(&connection->out) == 0 ||
          connection->timer_ns != INT64_MAX || connection->lingers);
}
