/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_node_state.h"

#include "core/base/memory.h"
#include "core/crypto/sha1.h"

#include <string.h>

/* Nobody who does not see our packets can guess the next number. */
static uint32_t make_transaction(struct dht_node *node)
{
    uint8_t text[DHT_SECRET_SIZE + 4], digest[SHA1_SIZE];
    struct writer writer;
    struct cursor cursor;
    writer_init(&writer, text, sizeof text);
    writer_bytes(&writer, node->secret, DHT_SECRET_SIZE);
    writer_u32(&writer, node->transaction_next++);
    sha1_of(text, sizeof text, digest);
    cursor_init(&cursor, (struct bytes){digest, sizeof digest});
    return cursor_u32(&cursor);
}

void dht_node_send(struct dht_node *node, const struct address *to, struct bytes bytes)
{
    if (node->packets.length >= LIMIT_DHT_OUTPUTS)
        return;
    struct dht_packet *packet = memory_new(sizeof *packet + bytes.length);
    packet->to = *to;
    packet->length = bytes.length;
    memcpy(packet->bytes, bytes.data, bytes.length);
    list_append(&node->packets, &packet->node);
}

bool dht_node_may_ask(const struct dht_node *node)
{
    return node->questions.length < LIMIT_DHT_PENDING && node->packets.length < LIMIT_DHT_OUTPUTS;
}

bool dht_node_is_asking(const struct dht_node *node, const struct address *address)
{
    for (struct list_node *at = list_first(&node->questions); at;
         at = list_next(&node->questions, at))
        if (address_equal(&LIST_ELEMENT(at, struct dht_question, node)->to, address))
            return true;
    return false;
}

bool dht_node_ask(struct dht_node *node, int64_t now, struct krpc_message *query,
                  const struct dht_contact *to, bool has_id, enum dht_purpose purpose,
                  uint32_t number)
{
    if (!dht_node_may_ask(node))
        return false;
    struct dht_question *question = memory_new(sizeof *question);
    question->transaction = make_transaction(node);
    question->purpose = purpose;
    question->number = number;
    question->has_id = has_id;
    question->id = to->id;
    question->to = to->address;
    question->sent_ns = now;
    list_append(&node->questions, &question->node);

    uint8_t transaction[4];
    struct writer writer;
    writer_init(&writer, transaction, sizeof transaction);
    writer_u32(&writer, question->transaction);
    query->transaction = (struct bytes){transaction, sizeof transaction};
    query->version = DHT_VERSION;
    query->id = node->id;
    query->is_read_only = node->is_read_only;
    if (node->sibling && query->method != KRPC_PING)
        query->want = KRPC_WANT_NODES | KRPC_WANT_NODES6;
    struct buffer out = {0};
    krpc_write(query, &out);
    dht_node_send(node, &to->address, buffer_bytes(&out));
    buffer_deinit(&out);
    node->queries_out++;
    return true;
}

/* The 95th per cent of the last answers' delays, within 100 ms and 1 s. */
static void measure(struct dht_node *node, uint16_t rtt_ms)
{
    uint16_t sorted[DHT_RTT_SAMPLES];
    node->rtts_ms[node->rtt_count++ % DHT_RTT_SAMPLES] = rtt_ms;
    uint32_t count = node->rtt_count < DHT_RTT_SAMPLES ? node->rtt_count : DHT_RTT_SAMPLES;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = i;
        for (; place > 0 && sorted[place - 1] > node->rtts_ms[i]; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = node->rtts_ms[i];
    }
    if (count < DHT_RTT_SAMPLES / 4)
        return;
    int64_t late = sorted[(count - 1) * 95 / 100] * MILLISECOND_NS;
    node->late_ns = late < LIMIT_DHT_LATE_MIN_NS   ? LIMIT_DHT_LATE_MIN_NS
                    : late > LIMIT_DHT_LATE_MAX_NS ? LIMIT_DHT_LATE_MAX_NS
                                                   : late;
}

static struct dht_question *find_question(struct dht_node *node, const struct address *from,
                                          struct bytes transaction)
{
    struct cursor cursor;
    if (transaction.length != 4)
        return NULL;
    cursor_init(&cursor, transaction);
    uint32_t number = cursor_u32(&cursor);
    for (struct list_node *at = list_first(&node->questions); at;
         at = list_next(&node->questions, at)) {
        struct dht_question *question = LIST_ELEMENT(at, struct dht_question, node);
        if (question->transaction == number && address_equal(&question->to, from))
            return question;
    }
    return NULL;
}

static void tell_person(struct dht_node *node, const struct dht_question *question,
                        const struct krpc_message *message, uint16_t rtt_ms)
{
    struct dht_result result = {.number = question->number, .from = question->to};
    if (message && message->kind == KRPC_REPLY) {
        result.type = message->samples.data ? DHT_RESULT_SAMPLES : DHT_RESULT_NODE;
        result.id = message->id;
        result.rtt_ms = rtt_ms;
        result.answered = 1;
        result.sample_total = message->sample_total;
        result.interval_s = message->sample_interval_s;
        struct buffer owned = {0};
        buffer_append(&owned, message->samples.data, message->samples.length);
        buffer_append(&owned, message->version.data, message->version.length);
        if (message->samples.length)
            result.samples = (struct bytes){owned.data, message->samples.length};
        if (message->version.length)
            result.version =
                (struct bytes){owned.data + message->samples.length, message->version.length};
        dht_node_tell(node, &result, owned.data);
        result.samples = result.version = (struct bytes){NULL, 0};
    }
    result.type = DHT_RESULT_DONE;
    result.asked = 1;
    result.error = !message                      ? FRESHET_ERROR_TIMEOUT
                   : message->kind == KRPC_ERROR ? FRESHET_ERROR_REFUSED
                                                 : FRESHET_OK;
    dht_node_tell(node, &result, NULL);
}

/* What the answer, or its absence, means for whoever asked. */
static void pass_on(struct dht_node *node, int64_t now, const struct dht_question *question,
                    const struct krpc_message *message, uint16_t rtt_ms)
{
    switch (question->purpose) {
    case DHT_FOR_TABLE:
        /* Somebody may have been waited for. */
        dht_node_search_advance_all(node, now);
        break;
    case DHT_FOR_BEGINNING:
        if (message && message->kind == KRPC_REPLY)
            dht_node_search_begin(node, now, message, &question->to);
        break;
    case DHT_FOR_PERSON: tell_person(node, question, message, rtt_ms); break;
    default: dht_node_search_hear(node, now, question, message); break;
    }
}

void dht_node_hear(struct dht_node *node, int64_t now, const struct address *from,
                   const struct krpc_message *message)
{
    struct dht_question *question = find_question(node, from, message->transaction);
    if (!question)
        return;
    list_remove(&node->questions, &question->node);
    int64_t rtt = (now - question->sent_ns) / MILLISECOND_NS;
    uint16_t rtt_ms = (uint16_t)(rtt < UINT16_MAX ? rtt : UINT16_MAX - 1);
    if (message->kind == KRPC_REPLY) {
        struct dht_contact contact = {.id = message->id, .address = *from};
        node->replies_in++;
        measure(node, rtt_ms);
        routing_table_answered(&node->table, &contact, rtt_ms, now);
        if (message->external.family == (uint8_t)node->family) {
            struct address own;
            if (!node->vote)
                node->vote = memory_new(sizeof *node->vote);
            if (dht_vote_cast(node->vote, from, &message->external, &own))
                dht_node_place(node, now, &own);
        }
    }
    pass_on(node, now, question, message, rtt_ms);
    memory_free(question);
}

void dht_node_give_up(struct dht_node *node, int64_t now)
{
    struct list_node *at;
    while ((at = list_first(&node->questions))) {
        struct dht_question *question = LIST_ELEMENT(at, struct dht_question, node);
        if (now - question->sent_ns < LIMIT_DHT_GIVE_UP_NS)
            return;
        list_remove(&node->questions, &question->node);
        routing_table_failed(&node->table, &question->to, now);
        pass_on(node, now, question, NULL, 0);
        memory_free(question);
    }
}
