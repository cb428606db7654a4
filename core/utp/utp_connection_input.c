/* SPDX-License-Identifier: MIT */
/* What comes: the other's bytes, and what it says of ours. */
#include "core/utp/utp_connection_state.h"

#include "core/base/check.h"
#include "core/base/limits.h"

#include <string.h>

#define REPEATED_MEANS_LOST 3u
#define WAS_LIMIT_NS        SECOND_NS /* libutp's: the window counts as used for so long */
#define REORDER_LEAST_NS    (2 * MILLISECOND_NS)

/* ---- receiving: the stream ---- */

size_t utp_connection_unread(const struct utp_connection *connection)
{
    return connection->inbox.length - connection->inbox_read + connection->borrowed.length;
}

uint32_t utp_connection_window_left(const struct utp_connection *connection)
{
    uint64_t used = utp_connection_unread(connection) + connection->in.bytes;
    return used < connection->window_max ? connection->window_max - (uint32_t)used : 0;
}

struct bytes utp_connection_peek(const struct utp_connection *connection)
{
    const struct buffer *inbox = &connection->inbox;
    if (connection->inbox_read < inbox->length)
        return (struct bytes){inbox->data + connection->inbox_read,
                              inbox->length - connection->inbox_read};
    return connection->borrowed;
}

static void tell_end(struct utp_connection *connection)
{
    if (connection->end_reached && utp_connection_unread(connection) == 0 && !connection->closing)
        connection->happened |= UTP_TOLD_ENDED;
}

void utp_connection_consume(struct utp_connection *connection, size_t length)
{
    CHECK(length <= utp_connection_unread(connection));
    size_t waiting = connection->inbox.length - connection->inbox_read;
    size_t first = length < waiting ? length : waiting;
    connection->inbox_read += first;
    connection->borrowed.length -= length - first;
    if (length > first)
        connection->borrowed.data += length - first;
    if (connection->inbox_read == connection->inbox.length) {
        buffer_clear(&connection->inbox);
        connection->inbox_read = 0;
    }
    if (utp_connection_unread(connection) == 0) {
        connection->happened &= ~UTP_TOLD_READABLE;
        if (length > 0 && !connection->end_known && connection->inbox.capacity > 65536)
            buffer_deinit(&connection->inbox);
        if (length > 0)
            tell_end(connection);
    }
    /* A writer that waits for our window hears of it when that is worth a packet. */
    uint32_t left = utp_connection_window_left(connection);
    if (connection->state == UTP_OPEN && left > connection->window_told &&
        left - connection->window_told >= connection->window_max / 2)
        connection->state_due = true;
}

void utp_connection_settle(struct utp_connection *connection)
{
    struct bytes rest = connection->borrowed;
    connection->borrowed = (struct bytes){NULL, 0};
    if (rest.length == 0)
        return;
    /* Read bytes go before the buffer grows for their sake. */
    if (connection->inbox_read > connection->inbox.length / 2) {
        connection->inbox.length -= connection->inbox_read;
        memmove(connection->inbox.data, connection->inbox.data + connection->inbox_read,
                connection->inbox.length);
        connection->inbox_read = 0;
    }
    buffer_append(&connection->inbox, rest.data, rest.length);
}

/* The packet in.next. Its bytes are borrowed until utp_connection_settle. */
static void take_in_order(struct utp_connection *connection, struct bytes payload)
{
    utp_connection_settle(connection);
    if (connection->end_known && connection->in.next == connection->end)
        connection->end_reached = true;
    else if (payload.length && !connection->closing) {
        connection->borrowed = payload;
        connection->happened |= UTP_TOLD_READABLE;
    }
}

static void take_payload(struct utp_connection *connection, const struct utp_packet *packet)
{
    struct bytes payload = packet->payload;
    uint16_t ahead = (uint16_t)(packet->seq - connection->in.next);
    connection->state_due = true;
    if (ahead >= LIMIT_UTP_PACKETS || connection->end_reached)
        return; /* old, or nonsense */
    if (connection->end_known && utp_seq_before(connection->end, packet->seq))
        return; /* behind the end there is nothing */
    if (packet->type == UTP_FIN && !connection->end_known) {
        if (ahead + 1u < connection->in.spread)
            return; /* the end lies before what came already */
        connection->end_known = true;
        connection->end = packet->seq;
    }
    if (connection->end_known && packet->seq == connection->end)
        payload.length = 0;
    if (connection->closing)
        payload.length = 0;
    if (payload.length > utp_connection_window_left(connection))
        return; /* more than we said there is room for */
    if (ahead > 0) {
        utp_reorder_put(&connection->in, packet->seq, payload);
        return;
    }
    take_in_order(connection, payload);
    utp_reorder_advance(&connection->in);
    while (utp_reorder_peek(&connection->in, &payload)) {
        take_in_order(connection, payload);
        utp_connection_settle(connection); /* the held packet goes */
        utp_reorder_advance(&connection->in);
    }
    tell_end(connection);
}

/* ---- receiving: acknowledgements ---- */

void utp_connection_set_timer(struct utp_connection *connection, int64_t now)
{
    bool waits = utp_send_queue_outstanding(&connection->out) > 0;
    connection->timer_ns = waits ? now + utp_timeout_wait(&connection->timeout) : INT64_MAX;
}

void utp_connection_on_lost(struct utp_connection *connection, int64_t now,
                            const struct utp_lost *lost)
{
    if (lost->packets == 0)
        return;
    if (connection->mtu.probe && lost->probe) {
        utp_mtu_on_lost(&connection->mtu, now);
        return;
    }
    if (connection->recovering && !utp_seq_before(connection->recover, lost->newest))
        return;
    connection->recovering = true;
    connection->recover = (uint16_t)(connection->out.seq_next - 1);
    utp_congestion_on_loss(&connection->congestion, now);
}

static void on_acked(struct utp_connection *connection, int64_t now, const struct utp_acked *acked)
{
    struct utp_timeout *timeout = &connection->timeout;
    if (acked->rtt_ns)
        utp_timeout_sample(timeout, acked->rtt_ns);
    utp_timeout_progress(timeout);
    if (acked->probe) {
        utp_mtu_on_passed(&connection->mtu, now);
        connection->congestion.packet = utp_mtu_size(&connection->mtu) - UTP_HEADER_SIZE;
    }
    uint32_t queue_us = utp_delay_queue_us(&connection->delay);
    /* A queue longer than the whole way there and back is a clock that was set. */
    if (acked->rtt_ns && queue_us > acked->rtt_ns / 1000)
        queue_us = (uint32_t)(acked->rtt_ns / 1000);
    struct utp_window_ack ack = {
        .now = now,
        .bytes = acked->bytes,
        .queue_us = queue_us,
        .rtt_ns = timeout->rtt_ns,
        .rtt_least_ns = timeout->least_ns == INT64_MAX ? timeout->rtt_ns : timeout->least_ns,
        .was_limit = connection->full_ns != INT64_MIN && now - connection->full_ns < WAS_LIMIT_NS,
    };
    if (acked->bytes)
        utp_congestion_on_ack(&connection->congestion, &ack);
    utp_connection_set_timer(connection, now);
    utp_connection_wake_writer(connection);
}

/* The other says again what it said before: what is behind arrives, the next does not. */
static void count_repeated(struct utp_connection *connection, int64_t now,
                           const struct utp_packet *packet)
{
    struct utp_lost lost;
    if (packet->type != UTP_STATE || packet->window != connection->peer_window ||
        utp_send_queue_outstanding(&connection->out) == 0 || packet->sack.length)
        return;
    if (++connection->repeated != REPEATED_MEANS_LOST)
        return;
    utp_send_queue_lose_first(&connection->out, &lost);
    utp_connection_on_lost(connection, now, &lost);
}

/* Few in flight, or the last of what there is to send: too few come behind one that is missing for
 * it to be given up. It gets a while in which it may still come. */
static void doubt(struct utp_connection *connection, int64_t now, bool doubtful)
{
    if (!doubtful) {
        connection->doubt_ns = INT64_MAX;
    } else if (connection->doubt_ns == INT64_MAX) {
        connection->doubt_ns = now + connection->timeout.rtt_ns / 2;
        connection->doubt_newest_ns = connection->out.newest_ns;
    }
}

void utp_connection_end_doubt(struct utp_connection *connection, int64_t now)
{
    struct utp_lost lost;
    connection->doubt_ns = INT64_MAX;
    utp_send_queue_lose_overtaken(&connection->out, connection->doubt_newest_ns, &lost);
    utp_connection_on_lost(connection, now, &lost);
}

static void take_ack(struct utp_connection *connection, int64_t now,
                     const struct utp_packet *packet)
{
    struct utp_send_queue *out = &connection->out;
    struct utp_acked acked = {0};
    struct utp_lost lost;
    bool advances = packet->ack != (uint16_t)(out->seq_first - 1);
    if (advances) {
        utp_send_queue_ack(out, now, packet->ack, &acked);
        connection->repeated = 0;
        if (connection->recovering && !utp_seq_before(packet->ack, connection->recover))
            connection->recovering = false;
    } else {
        count_repeated(connection, now, packet);
    }
    if (packet->sack.length)
        utp_send_queue_sack(out, now, packet->ack, packet->sack, &acked);
    if (packet->window != connection->peer_window)
        connection->probe_window = false;
    connection->peer_window = packet->window;
    if (acked.packets)
        on_acked(connection, now, &acked);
    if (packet->sack.length || (advances && connection->recovering)) {
        int64_t reorder_ns = connection->timeout.rtt_ns / 4;
        if (reorder_ns < REORDER_LEAST_NS)
            reorder_ns = REORDER_LEAST_NS;
        utp_send_queue_find_lost(out, reorder_ns, &lost);
        utp_connection_on_lost(connection, now, &lost);
        doubt(connection, now, lost.doubtful);
    } else if (advances) {
        connection->doubt_ns = INT64_MAX;
    }
}

/* Does it speak only of packets that were sent? An older one says nothing new: {ahead of us}. */
static bool ack_is_possible(struct utp_connection *connection, const struct utp_packet *packet,
                            bool *ret_old)
{
    const struct utp_send_queue *out = &connection->out;
    uint16_t ahead = (uint16_t)(packet->ack - (uint16_t)(out->seq_first - 1));
    uint16_t behind = (uint16_t)(0u - ahead);
    uint32_t sent = utp_send_queue_outstanding(out);
    *ret_old = ahead != 0 && behind <= LIMIT_UTP_PACKETS;
    if (*ret_old)
        return true;
#ifndef FRESHET_PLANTED_BUG
    if (ahead > sent)
        return false;
#endif
    for (size_t i = sent - ahead ? sent - ahead - 1u : 0; i < packet->sack.length * 8; i++)
        if (packet->sack.data[i / 8] >> i % 8 & 1)
            return false;
    return true;
}

static bool seq_is_possible(const struct utp_connection *connection,
                            const struct utp_packet *packet)
{
    uint16_t ahead = (uint16_t)(packet->seq - connection->in.next);
    uint16_t behind = (uint16_t)(0u - ahead);
    return ahead <= LIMIT_UTP_PACKETS || behind <= 2 * LIMIT_UTP_PACKETS;
}

static void on_reset(struct utp_connection *connection, const struct utp_packet *packet)
{
    const struct utp_send_queue *out = &connection->out;
    /* It names the packet that it answers. What we did not send cannot have offended. */
    uint16_t first = (uint16_t)(out->seq_first - 1);
    uint16_t ahead = (uint16_t)(packet->ack - first);
    if (connection->state == UTP_SYN_SENT ? packet->ack == first
                                          : ahead <= utp_send_queue_outstanding(out) + 1)
        utp_connection_end(connection, FRESHET_ERROR_CONNECTION);
}

static void on_state_in_syn_sent(struct utp_connection *connection, int64_t now,
                                 const struct utp_packet *packet)
{
    if (packet->type != UTP_STATE || packet->ack != (uint16_t)(connection->out.seq_first - 1))
        return;
    if (connection->closing) {
        utp_connection_end(connection, FRESHET_ERROR_CANCELLED);
        utp_reorder_init(&connection->in, packet->seq);
        connection->reset_due = true;
        return;
    }
    connection->state = UTP_OPEN;
    if (connection->syns == 1)
        utp_timeout_sample(&connection->timeout, now - connection->sent_ns);
    utp_timeout_progress(&connection->timeout);
    connection->timer_ns = INT64_MAX;
    connection->syn_due = false;
    connection->peer_window = packet->window;
    connection->reply_us = utp_connection_us(now) + connection->clock_us - packet->time_us;
    /* Its STATE has the number that its first packet will have. */
    utp_reorder_init(&connection->in, packet->seq);
    /* The other keeps nothing of us until it sees its numbers again. */
    connection->state_due = true;
    connection->happened |= UTP_TOLD_CONNECTED;
}

void utp_connection_input(struct utp_connection *connection, int64_t now,
                          const struct utp_packet *packet)
{
    bool old;
    if (connection->state == UTP_CLOSED)
        return;
    if (packet->type == UTP_RESET) {
        on_reset(connection, packet);
        return;
    }
    if (connection->state == UTP_SYN_SENT) {
        on_state_in_syn_sent(connection, now, packet);
        return;
    }
    if (packet->type == UTP_SYN) {
        connection->state_due = true; /* our answer was lost */
        return;
    }
    if (!ack_is_possible(connection, packet, &old)) {
        if (++connection->liar == LIMIT_UTP_ACKS_UNSENT) {
            connection->reset_due = true;
            utp_connection_end(connection, FRESHET_ERROR_PROTOCOL);
        }
        return;
    }
    if (!seq_is_possible(connection, packet))
        return;
    connection->reply_us = utp_connection_us(now) + connection->clock_us - packet->time_us;
    connection->heard_ns = now;
    if (!old) {
        if (packet->delay_us)
            utp_delay_sample(&connection->delay, now, packet->delay_us);
        take_ack(connection, now, packet);
    }
    if (packet->type == UTP_DATA || packet->type == UTP_FIN)
        take_payload(connection, packet);
    /* Both ends have ended and know it: only a FIN that comes again needs us. */
    if (connection->closing && connection->end_reached && connection->out.fin_framed &&
        utp_send_queue_outstanding(&connection->out) == 0 && !connection->lingers) {
        connection->lingers = true;
        connection->close_ns = now + LIMIT_UTP_LINGER_NS;
        connection->timer_ns = INT64_MAX;
        utp_connection_drop_received(connection);
        utp_send_queue_deinit(&connection->out);
    }
}
