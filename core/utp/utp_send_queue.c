/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_send_queue.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/utp/utp_packet.h"

#include <string.h>

#define CAPACITY_FIRST 16384u
#define PACKETS_FIRST  16u
#define OVERTAKEN_BY   3u /* BEP 29 */
#define SENDINGS_MAX   255u

void utp_send_queue_init(struct utp_send_queue *queue, uint16_t seq, uint32_t capacity_max)
{
    CHECK(capacity_max >= CAPACITY_FIRST);
    *queue = (struct utp_send_queue){
        .seq_first = seq, .seq_next = seq, .seq_lost = seq, .capacity_max = capacity_max};
    queue->newest_ns = INT64_MIN;
}

void utp_send_queue_deinit(struct utp_send_queue *queue)
{
    memory_free(queue->ring);
    memory_free(queue->packets);
    queue->ring = NULL;
    queue->packets = NULL;
    queue->capacity = queue->packet_capacity = 0;
}

uint64_t utp_send_queue_memory(const struct utp_send_queue *queue)
{
    return queue->capacity + (uint64_t)queue->packet_capacity * sizeof *queue->packets;
}

/* ---- bytes ---- */

uint32_t utp_send_queue_room(const struct utp_send_queue *queue)
{
    if (queue->fin_wanted)
        return 0;
    return queue->capacity_max - (uint32_t)(queue->written - queue->acked);
}

/* Twice the ring; each byte keeps its position in the stream. */
static void grow_ring(struct utp_send_queue *queue)
{
    uint32_t capacity = queue->capacity ? 2 * queue->capacity : CAPACITY_FIRST;
    uint8_t *ring = memory_new(capacity);
    for (uint64_t at = queue->acked; at < queue->written;) {
        uint32_t from = (uint32_t)(at & (queue->capacity - 1));
        uint32_t to = (uint32_t)(at & (capacity - 1));
        uint64_t length = queue->written - at;
        if (length > queue->capacity - from)
            length = queue->capacity - from;
        if (length > capacity - to)
            length = capacity - to;
        memcpy(ring + to, queue->ring + from, length);
        at += length;
    }
    memory_free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
}

uint8_t *utp_send_queue_reserve(struct utp_send_queue *queue, uint64_t grow_max,
                                uint32_t *ret_length)
{
    uint32_t used = (uint32_t)(queue->written - queue->acked);
    *ret_length = 0;
    if (queue->fin_wanted)
        return NULL;
    uint32_t more = queue->capacity ? queue->capacity : CAPACITY_FIRST;
    if (used == queue->capacity && queue->capacity < queue->capacity_max && more <= grow_max)
        grow_ring(queue);
    if (used == queue->capacity)
        return NULL;
    uint32_t at = (uint32_t)(queue->written & (queue->capacity - 1));
    uint32_t free = queue->capacity - used;
    *ret_length = free < queue->capacity - at ? free : queue->capacity - at;
    return queue->ring + at;
}

void utp_send_queue_commit(struct utp_send_queue *queue, uint32_t length)
{
    CHECK(queue->written - queue->acked + length <= queue->capacity);
    queue->written += length;
}

uint32_t utp_send_queue_unframed(const struct utp_send_queue *queue)
{
    return (uint32_t)(queue->written - queue->framed);
}

uint32_t utp_send_queue_bytes(const struct utp_send_queue *queue, const struct utp_sent *packet,
                              struct bytes ret_pieces[2])
{
    if (packet->length == 0)
        return 0;
    uint32_t at = (uint32_t)(packet->position & (queue->capacity - 1));
    uint32_t first = queue->capacity - at;
    if (first >= packet->length) {
        ret_pieces[0] = (struct bytes){queue->ring + at, packet->length};
        return 1;
    }
    ret_pieces[0] = (struct bytes){queue->ring + at, first};
    ret_pieces[1] = (struct bytes){queue->ring, packet->length - first};
    return 2;
}

/* ---- packets ---- */

static struct utp_sent *packet_at(const struct utp_send_queue *queue, uint16_t seq)
{
    return &queue->packets[seq & (queue->packet_capacity - 1)];
}

uint32_t utp_send_queue_outstanding(const struct utp_send_queue *queue)
{
    return (uint16_t)(queue->seq_next - queue->seq_first);
}

static void grow_packets(struct utp_send_queue *queue)
{
    uint32_t capacity = queue->packet_capacity ? 2 * queue->packet_capacity : PACKETS_FIRST;
    struct utp_sent *packets = memory_new_array(capacity, sizeof *packets);
    for (uint16_t seq = queue->seq_first; seq != queue->seq_next; seq++)
        packets[seq & (capacity - 1)] = *packet_at(queue, seq);
    memory_free(queue->packets);
    queue->packets = packets;
    queue->packet_capacity = capacity;
}

struct utp_sent *utp_send_queue_frame(struct utp_send_queue *queue, uint32_t size)
{
    uint32_t outstanding = utp_send_queue_outstanding(queue);
    uint32_t length = utp_send_queue_unframed(queue);
    bool fin = length == 0 && queue->fin_wanted && !queue->fin_framed;
    if ((length == 0 && !fin) || outstanding == LIMIT_UTP_PACKETS)
        return NULL;
    if (outstanding == queue->packet_capacity)
        grow_packets(queue);
    struct utp_sent *packet = packet_at(queue, queue->seq_next);
    *packet = (struct utp_sent){
        .position = queue->framed, .length = (uint16_t)(length < size ? length : size), .fin = fin};
    queue->framed += packet->length;
    queue->fin_framed |= fin;
    queue->seq_next++;
    return packet;
}

struct utp_sent *utp_send_queue_next_lost(struct utp_send_queue *queue, uint16_t *ret_seq)
{
    if (queue->lost == 0)
        return NULL;
    if (utp_seq_before(queue->seq_lost, queue->seq_first))
        queue->seq_lost = queue->seq_first;
    for (; queue->seq_lost != queue->seq_next; queue->seq_lost++) {
        struct utp_sent *packet = packet_at(queue, queue->seq_lost);
        if (packet->lost) {
            *ret_seq = queue->seq_lost;
            return packet;
        }
    }
    return NULL;
}

void utp_send_queue_on_sent(struct utp_send_queue *queue, struct utp_sent *packet, int64_t now)
{
    if (packet->lost) {
        packet->lost = false;
        queue->lost--;
    }
    if (packet->sendings < SENDINGS_MAX)
        packet->sendings++;
    packet->sent_ns = now;
    queue->flight += packet->length;
}

/* ---- what has arrived ---- */

static void arrive(struct utp_send_queue *queue, int64_t now, struct utp_sent *packet,
                   struct utp_acked *acked)
{
    if (packet->arrived)
        return;
    packet->arrived = true;
    if (packet->lost) {
        packet->lost = false;
        queue->lost--;
    } else {
        queue->flight -= packet->length;
    }
    if (packet->sent_ns > queue->newest_ns)
        queue->newest_ns = packet->sent_ns;
    /* What was sent before others that have arrived did so earlier than we are told: a selective
     * ack of bounded length tells of it when the hole before it is filled. */
    if (packet->sendings == 1 && packet->sent_ns == queue->newest_ns)
        acked->rtt_ns = now - packet->sent_ns > 0 ? now - packet->sent_ns : 1;
    acked->probe |= packet->probe;
    packet->probe = false;
    acked->bytes += packet->length;
    acked->packets++;
}

void utp_send_queue_ack(struct utp_send_queue *queue, int64_t now, uint16_t ack,
                        struct utp_acked *acked)
{
    while (queue->seq_first != (uint16_t)(ack + 1)) {
        struct utp_sent *packet = packet_at(queue, queue->seq_first);
        arrive(queue, now, packet, acked);
        queue->acked = packet->position + packet->length;
        queue->seq_first++;
    }
    if (utp_seq_before(queue->seq_lost, queue->seq_first))
        queue->seq_lost = queue->seq_first;
}

static bool is_set(struct bytes sack, uint32_t bit)
{
    return sack.data[bit / 8] >> bit % 8 & 1;
}

bool utp_send_queue_sack(struct utp_send_queue *queue, int64_t now, uint16_t ack, struct bytes sack,
                         struct utp_acked *acked)
{
    uint32_t bits = (uint32_t)sack.length * 8;
    /* Packets ack + 2 ... seq_next - 1 may be spoken of. */
    uint32_t sent = (uint16_t)(queue->seq_next - (uint16_t)(ack + 1));
    for (uint32_t i = sent ? sent - 1 : 0; i < bits; i++)
        if (is_set(sack, i))
            return false;
    for (uint32_t i = 0; i < bits && i + 1 < sent; i++) {
        uint16_t seq = (uint16_t)(ack + 2 + i);
        if (is_set(sack, i) && !utp_seq_before(seq, queue->seq_first))
            arrive(queue, now, packet_at(queue, seq), acked);
    }
    return true;
}

/* ---- what is lost ---- */

static void lose(struct utp_send_queue *queue, struct utp_sent *packet, uint16_t seq,
                 struct utp_lost *lost)
{
    packet->lost = true;
    queue->lost++;
    queue->flight -= packet->length;
    lost->packets++;
    if (lost->packets == 1 || utp_seq_before(lost->newest, seq))
        lost->newest = seq;
    lost->probe = packet->probe && lost->packets == 1;
    packet->probe = false;
    if (utp_seq_before(seq, queue->seq_lost))
        queue->seq_lost = seq;
}

/* Something that was sent after it has arrived. */
static bool is_overtaken(const struct utp_send_queue *queue, const struct utp_sent *packet,
                         uint32_t behind)
{
    return packet->sendings == 1 ? behind > 0 : packet->sent_ns < queue->newest_ns;
}

void utp_send_queue_find_lost(struct utp_send_queue *queue, int64_t reorder_ns,
                              struct utp_lost *ret_lost)
{
    uint32_t behind = 0; /* arrived behind the one that is looked at */
    *ret_lost = (struct utp_lost){0};
    for (uint16_t seq = queue->seq_next; seq != queue->seq_first;) {
        struct utp_sent *packet = packet_at(queue, --seq);
        if (packet->arrived)
            behind++;
        else if (packet->lost || packet->sendings == 0)
            continue;
        else if (packet->sendings == 1 ? behind >= OVERTAKEN_BY
                                       : packet->sent_ns + reorder_ns < queue->newest_ns)
            lose(queue, packet, seq, ret_lost);
        else if (is_overtaken(queue, packet, behind))
            ret_lost->doubtful = true;
    }
}

void utp_send_queue_lose_overtaken(struct utp_send_queue *queue, int64_t newest_ns,
                                   struct utp_lost *ret_lost)
{
    uint32_t behind = 0;
    *ret_lost = (struct utp_lost){0};
    for (uint16_t seq = queue->seq_next; seq != queue->seq_first;) {
        struct utp_sent *packet = packet_at(queue, --seq);
        if (packet->arrived)
            behind++;
        else if (!packet->lost && packet->sendings > 0 && packet->sent_ns <= newest_ns &&
                 is_overtaken(queue, packet, behind))
            lose(queue, packet, seq, ret_lost);
    }
}

void utp_send_queue_lose_first(struct utp_send_queue *queue, struct utp_lost *ret_lost)
{
    *ret_lost = (struct utp_lost){0};
    if (queue->seq_first == queue->seq_next)
        return;
    struct utp_sent *packet = packet_at(queue, queue->seq_first);
    if (!packet->lost && !packet->arrived)
        lose(queue, packet, queue->seq_first, ret_lost);
}

void utp_send_queue_lose_all(struct utp_send_queue *queue, struct utp_lost *ret_lost)
{
    *ret_lost = (struct utp_lost){0};
    for (uint16_t seq = queue->seq_first; seq != queue->seq_next; seq++) {
        struct utp_sent *packet = packet_at(queue, seq);
        if (!packet->lost && !packet->arrived)
            lose(queue, packet, seq, ret_lost);
    }
}

void utp_send_queue_check(const struct utp_send_queue *queue)
{
    uint32_t flight = 0, lost = 0;
    uint64_t position = queue->acked;
    for (uint16_t seq = queue->seq_first; seq != queue->seq_next; seq++) {
        const struct utp_sent *packet = packet_at(queue, seq);
        CHECK(packet->position == position);
        CHECK(!packet->lost || !packet->arrived);
        position += packet->length;
        flight += packet->lost || packet->arrived ? 0 : packet->length;
        lost += packet->lost;
    }
    CHECK(position == queue->framed);
    CHECK(flight == queue->flight);
    CHECK(lost == queue->lost);
    CHECK(queue->written >= queue->framed);
    CHECK(queue->written - queue->acked <= queue->capacity);
    CHECK(utp_send_queue_outstanding(queue) <= queue->packet_capacity);
    CHECK(queue->capacity <= queue->capacity_max);
}
