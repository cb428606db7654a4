/* SPDX-License-Identifier: MIT */
/* planted: core/dht/routing_table.c */
/* finds: internal check failed: routing_table_find(table, &address) == entry */
/*
 * A node of the DHT with everything that it remembers, driven by steps:
 *     (what, who, length, bytes)
 *     0 datagram as it is             1 query: method, target, token kind, port, flags
 *     2 reply to an open question     3 time goes on           4 a command
 *     5 an address or a name          6 record saved, cut or changed, and loaded
 * Its checks hold after each step, no packet is longer than 1,400 bytes, and after a tick the
 * deadline is never in the past.
 * covers: core/dht/dht_node.c core/dht/dht_node_serve.c core/dht/dht_node_search.c
 *
 * max_len: 4096
 */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/dht/dht_node.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPEN_MAX 16u

struct open_question {
    struct address to;
    uint8_t transaction[4];
};

struct run {
    struct dht_node *node, *sibling; /* the sibling knows nobody, and is asked by nobody */
    int64_t now;
    struct open_question open[OPEN_MAX];
    uint32_t open_count;
    job_id job;
    uint8_t token[64];
    size_t token_length;
};

/* A signature is good when its first byte is that of the key. */
static bool verify(void *context, const uint8_t key[32], struct bytes text, const uint8_t sig[64])
{
    (void)context;
    return text.length > 0 && sig[0] == key[0];
}

static struct address address_of(uint8_t who)
{
    if (who >= 0xf8)
        return address_ipv4((uint8_t[4]){127, 0, 0, 1}, (uint16_t)(1000 + who));
    if (who >= 0xe0)
        return address_ipv4((uint8_t[4]){192, 168, 0, who}, 1000);
    return address_ipv4((uint8_t[4]){(uint8_t)(20 + who / 4), 1, 1, (uint8_t)(who % 4)}, 1000);
}

/* Ids in a few places of the space, so that they collide and crowd. */
static struct dht_id id_of(uint8_t who)
{
    struct dht_id id;
    memset(id.bytes, 0, sizeof id.bytes);
    id.bytes[0] = (uint8_t)(who << 5);
    id.bytes[19] = (uint8_t)(who >> 1);
    return id;
}

static void note(struct run *run, const struct action *action)
{
    struct krpc_message message;
    CHECK(action->bytes.length <= LIMIT_DHT_DATAGRAM_OUT);
    CHECK(krpc_parse(action->bytes, &message) == FRESHET_OK);
    if (message.kind == KRPC_QUERY) {
        struct open_question *open = &run->open[run->open_count++ % OPEN_MAX];
        open->to = action->remote;
        memcpy(open->transaction, message.transaction.data, 4);
    } else if (message.token.length && message.token.length <= sizeof run->token) {
        memcpy(run->token, message.token.data, message.token.length);
        run->token_length = message.token.length;
    }
}

static void drain(struct run *run)
{
    struct action action;
    struct dht_result result;
    while (dht_node_output(run->node, run->now, &action)) {
        if (action.type == ACTION_RESOLVE)
            run->job = action.resolve->id;
        else
            note(run, &action);
    }
    while (dht_node_result(run->node, &result))
        CHECK(result.item.value.length <= LIMIT_DHT_VALUE);
    dht_node_check(run->node);
}

static void give(struct run *run, const struct address *from, struct bytes bytes)
{
    uint8_t *exact = memory_copy(bytes.data, bytes.length);
    struct event event = {.type = EVENT_DATAGRAM, .remote = *from, .bytes = {exact, bytes.length}};
    dht_node_input(run->node, run->now, &event);
    memory_free(exact);
}

static void give_message(struct run *run, const struct address *from,
                         const struct krpc_message *message)
{
    struct buffer out = {0};
    krpc_write(message, &out);
    give(run, from, buffer_bytes(&out));
    buffer_deinit(&out);
}

/* An item made of few bytes: immutable, or mutable with a key, a sequence and perhaps a salt. */
static uint8_t make_item(struct cursor *fields, uint8_t keys[96], struct krpc_item *item)
{
    static const char *const values[] = {"1:a", "1:b", "i5e", "le"};
    const char *value = values[cursor_u8(fields) % 4];
    uint8_t how = cursor_u8(fields);
    *item = (struct krpc_item){.value = {(const uint8_t *)value, strlen(value)}};
    if (!(how & 1))
        return how;
    memset(keys, how >> 4 & 3, 32);
    memset(keys + 32, how >> 4 & (how & 2 ? 3 : 7), 64);
    item->key = keys;
    item->signature = keys + 32;
    item->has_seq = true;
    item->seq = cursor_u8(fields) % 8;
    item->has_cas = how & 4;
    item->cas = cursor_u8(fields) % 8;
    if (how & 8)
        item->salt = BYTES_LITERAL("salt");
    return how;
}

static void query(struct run *run, const struct address *from, uint8_t who, struct cursor *fields)
{
    struct krpc_message message;
    uint8_t keys[96];
    krpc_init(&message, KRPC_QUERY);
    message.method = (enum krpc_method)(cursor_u8(fields) % KRPC_METHOD_COUNT);
    message.transaction = BYTES_LITERAL("t");
    message.id = id_of(who);
    message.target = id_of(cursor_u8(fields));
    uint8_t flags = cursor_u8(fields);
    message.has_target = !(flags & 1);
    message.is_read_only = flags & 2;
    message.implied_port = flags & 4;
    message.is_seed = flags & 8;
    message.no_seeds = flags & 16;
    message.scrape = flags & 32;
    message.want = flags >> 6;
    message.port = cursor_u8(fields);
    message.token = (struct bytes){run->token, run->token_length};
    if (message.method == KRPC_PUT || message.method == KRPC_GET) {
        /* Only who asks for the very item gets a token to put it. */
        if (make_item(fields, keys, &message.item) & 128)
            message.target = krpc_item_target(&message.item);
    }
    give_message(run, from, &message);
}

/* From whom it was asked, or nearly. */
static void reply(struct run *run, struct cursor *fields)
{
    struct krpc_message message;
    uint8_t nodes[4 * KRPC_CONTACT_SIZE], keys[96], flags = cursor_u8(fields);
    if (run->open_count == 0)
        return;
    struct open_question *open = &run->open[cursor_u8(fields) % run->open_count % OPEN_MAX];
    krpc_init(&message, flags & 1 ? KRPC_ERROR : KRPC_REPLY);
    message.transaction = (struct bytes){open->transaction, sizeof open->transaction};
    message.id = id_of(cursor_u8(fields));
    message.external = address_of(cursor_u8(fields));
    if (flags & 2)
        message.token = BYTES_LITERAL("token");
    if (flags & 4)
        make_item(fields, keys, &message.item);
    uint32_t count = flags >> 4 & 3;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t who = cursor_u8(fields);
        struct dht_contact contact = {.id = id_of(who), .address = address_of(who)};
        dht_id_write_contact(&contact, nodes + i * KRPC_CONTACT_SIZE);
        message.values[i] = contact.address;
    }
    message.nodes = (struct bytes){nodes, count * KRPC_CONTACT_SIZE};
    message.value_count = flags & 8 ? count : 0;
    static const uint8_t bloom[KRPC_BLOOM_SIZE] = {1, 2, 3};
    if (flags & 128)
        message.seeds_bloom = message.peers_bloom = (struct bytes){bloom, sizeof bloom};
    give_message(run, &open->to, &message);
}

static void command(struct run *run, struct cursor *fields)
{
    uint8_t what = cursor_u8(fields), keys[96];
    struct dht_id target = id_of(cursor_u8(fields));
    struct address address = address_of(cursor_u8(fields));
    struct krpc_item item;
    switch (what % 9) {
    case 0: dht_node_find_node(run->node, run->now, &target); break;
    case 1: dht_node_get_peers(run->node, run->now, &target, what >> 4 & 3); break;
    case 2: dht_node_announce(run->node, run->now, &target, what >> 4, what >> 7); break;
    case 3:
        make_item(fields, keys, &item);
        target = krpc_item_target(&item);
        dht_node_get(run->node, run->now, &target, item.salt);
        break;
    case 4:
        make_item(fields, keys, &item);
        dht_node_put(run->node, run->now, &item);
        break;
    case 5: dht_node_ping(run->node, run->now, &address); break;
    case 6: dht_node_sample(run->node, run->now, &address, &target); break;
    case 7: dht_node_keep_announced(run->node, run->now, &target, 1, what >> 7); break;
    default: dht_node_stop_announcing(run->node, &target); break;
    }
}

static void add(struct run *run, const struct address *address, struct cursor *fields)
{
    uint8_t how = cursor_u8(fields);
    if (how & 1) {
        dht_node_add_address(run->node, address, run->now);
    } else if (how & 2) {
        dht_node_add_name(run->node, "a", 1);
    } else {
        struct event event = {.type = EVENT_JOB_DONE,
                              .job = run->job,
                              .error = how & 4 ? FRESHET_ERROR_RESOLVE : FRESHET_OK};
        event.result.resolved.addresses[0] = *address;
        event.result.resolved.count = 1;
        dht_node_input(run->node, run->now, &event);
    }
}

static void reload(struct run *run, struct cursor *fields)
{
    struct buffer record = {0};
    dht_node_save(run->node, &record);
    uint16_t place = cursor_u16(fields);
    uint8_t change = cursor_u8(fields);
    if (place < record.length)
        record.data[place] ^= change;
    size_t length = change == 0x80 ? record.length / 2 : record.length;
    dht_node_load(run->node, (struct bytes){record.data, length}, run->now);
    buffer_deinit(&record);
}

static void step(struct run *run, uint8_t what, uint8_t who, struct bytes bytes)
{
    struct address from = address_of(who);
    struct cursor cursor;
    cursor_init(&cursor, bytes);
    switch (what % 7) {
    case 0: give(run, &from, bytes); break;
    case 1: query(run, &from, who, &cursor); break;
    case 2: reply(run, &cursor); break;
    case 3:
        run->now += cursor_u16(&cursor) * (who & 1 ? SECOND_NS : MILLISECOND_NS);
        dht_node_tick(run->node, run->now);
        CHECK(dht_node_deadline(run->node) > run->now);
        break;
    case 4: command(run, &cursor); break;
    case 5: add(run, &from, &cursor); break;
    default: reload(run, &cursor); break;
    }
    drain(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dht_node_options options = {
        .family = ADDRESS_IPV4, .seed = 1, .verifier = {.verify = verify}, .first_job = 1};
    struct run run = {.node = dht_node_new(&options), .now = 1000 * SECOND_NS};
    options.family = ADDRESS_IPV6;
    run.sibling = dht_node_new(&options);
    dht_node_set_sibling(run.node, run.sibling);
    struct cursor cursor;
    dht_node_tick(run.node, run.now);
    cursor_init(&cursor, (struct bytes){data, size});
    while (cursor_left(&cursor) >= 3) {
        uint8_t what = cursor_u8(&cursor), who = cursor_u8(&cursor);
        size_t length = cursor_u8(&cursor), left = cursor_left(&cursor);
        step(&run, what, who, cursor_bytes(&cursor, length < left ? length : left));
    }
    dht_node_free(run.sibling);
    dht_node_free(run.node);
    return 0;
}
