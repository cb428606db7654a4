/* SPDX-License-Identifier: MIT */
#include "core/dht/krpc.h"

#include "core/base/limits.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"
#include "core/crypto/sha1.h"

#include <stddef.h>
#include <string.h>

static const char *const method_names[KRPC_METHOD_COUNT] = {
    [KRPC_PING] = "ping",
    [KRPC_FIND_NODE] = "find_node",
    [KRPC_GET_PEERS] = "get_peers",
    [KRPC_ANNOUNCE_PEER] = "announce_peer",
    [KRPC_GET] = "get",
    [KRPC_PUT] = "put",
    [KRPC_SAMPLE_INFOHASHES] = "sample_infohashes",
};

void krpc_init(struct krpc_message *message, enum krpc_kind kind)
{
    memset(message, 0, offsetof(struct krpc_message, values));
    message->kind = kind;
}

static enum krpc_method method_of(struct bytes name)
{
    for (int i = KRPC_PING; i < KRPC_METHOD_COUNT; i++)
        if (bytes_is(name, method_names[i]))
            return (enum krpc_method)i;
    return KRPC_UNKNOWN;
}

static bool find_id(const struct bencode_value *dict, const char *key, struct dht_id *ret_id)
{
    struct bytes text;
    if (!bencode_find_string(dict, key, &text))
        return false;
#ifdef FRESHET_PLANTED_BUG
    if (text.length < DHT_ID_SIZE / 2)
        return false;
#else
    if (text.length != DHT_ID_SIZE)
        return false;
#endif
    memcpy(ret_id->bytes, text.data, DHT_ID_SIZE);
    return true;
}

static bool find_flag(const struct bencode_value *dict, const char *key)
{
    int64_t number;
    return bencode_find_integer(dict, key, &number) && number != 0;
}

/* A string of whole entries; what is left over at its end is ignored. */
static void find_entries(const struct bencode_value *dict, const char *key, size_t size,
                         struct bytes *ret_entries)
{
    struct bytes text;
    if (!bencode_find_string(dict, key, &text))
        return;
    text.length -= text.length % size;
    *ret_entries = text;
}

static void find_exact(const struct bencode_value *dict, const char *key, size_t size,
                       struct bytes *ret_text)
{
    struct bytes text;
    if (bencode_find_string(dict, key, &text) && text.length == size)
        *ret_text = text;
}

static void parse_want(const struct bencode_value *arguments, struct krpc_message *message)
{
    struct bencode_iterator each = bencode_iterate(bencode_find_list(arguments, "want"));
    while (bencode_iterate_next(&each)) {
        struct bytes text;
        if (!bencode_string(each.value, &text))
            continue;
        if (bytes_is(text, "n4"))
            message->want |= KRPC_WANT_NODES;
        else if (bytes_is(text, "n6"))
            message->want |= KRPC_WANT_NODES6;
    }
}

static void parse_item(const struct bencode_value *dict, struct krpc_item *item)
{
    struct bytes text = {NULL, 0};
    const struct bencode_value *value = bencode_find(dict, "v");
    if (value)
        item->value = bencode_raw(value);
    find_exact(dict, "k", KRPC_KEY_SIZE, &text);
    item->key = text.data;
    text.data = NULL;
    find_exact(dict, "sig", KRPC_SIGNATURE_SIZE, &text);
    item->signature = text.data;
    bencode_find_string(dict, "salt", &item->salt);
    item->has_seq = bencode_find_integer(dict, "seq", &item->seq);
    item->has_cas = bencode_find_integer(dict, "cas", &item->cas);
}

/* NULL, or what is wrong. */
static const char *judge_query(const struct krpc_message *message, bool has_id, bool has_port)
{
    const struct krpc_item *item = &message->item;
    if (!has_id)
        return "no id";
    switch (message->method) {
    case KRPC_FIND_NODE:
    case KRPC_GET:
    case KRPC_SAMPLE_INFOHASHES: return message->has_target ? NULL : "no target";
    case KRPC_GET_PEERS: return message->has_target ? NULL : "no info_hash";
    case KRPC_ANNOUNCE_PEER:
        if (!message->has_target || !message->token.data)
            return "no info_hash or token";
        return has_port || message->implied_port ? NULL : "no port";
    case KRPC_PUT:
        if (!message->token.data || !item->value.data)
            return "no token or value";
        if (item->key && (!item->signature || !item->has_seq || item->seq < 0))
            return "no signature or sequence number";
        return NULL;
    default: return NULL;
    }
}

static enum freshet_error parse_query(const struct bencode_value *root,
                                      struct krpc_message *message)
{
    struct bytes name;
    int64_t port;
    bool has_port = false;
    const struct bencode_value *arguments = bencode_find_dict(root, "a");
    if (!bencode_find_string(root, "q", &name))
        return FRESHET_ERROR_MISSING;
    message->method = method_of(name);
    message->is_read_only = find_flag(root, "ro");
    bool has_id = find_id(arguments, "id", &message->id);
    /* An unknown query may have either (BEP 5, forward compatibility). */
    bool by_hash = message->method == KRPC_GET_PEERS || message->method == KRPC_ANNOUNCE_PEER;
    message->has_target = find_id(arguments, by_hash ? "info_hash" : "target", &message->target);
    if (!message->has_target && message->method == KRPC_UNKNOWN)
        message->has_target = find_id(arguments, "info_hash", &message->target);
    parse_want(arguments, message);
    bencode_find_string(arguments, "token", &message->token);
    if (bencode_find_integer(arguments, "port", &port) && port > 0 && port <= UINT16_MAX) {
        message->port = (uint16_t)port;
        has_port = true;
    }
    message->implied_port = find_flag(arguments, "implied_port");
    message->is_seed = find_flag(arguments, "seed");
    message->no_seeds = find_flag(arguments, "noseed");
    message->scrape = find_flag(arguments, "scrape");
    parse_item(arguments, &message->item);
    message->problem = judge_query(message, has_id, has_port);
    return FRESHET_OK;
}

static void parse_values(const struct bencode_value *dict, struct krpc_message *message)
{
    struct bencode_iterator each = bencode_iterate(bencode_find_list(dict, "values"));
    while (message->value_count < KRPC_VALUES_MAX && bencode_iterate_next(&each)) {
        struct bytes text;
        struct address address;
        if (bencode_string(each.value, &text) && address_from_compact(text, &address) &&
            address.port != 0)
            message->values[message->value_count++] = address;
    }
}

static enum freshet_error parse_reply(const struct bencode_value *root,
                                      struct krpc_message *message)
{
    struct bytes text;
    const struct bencode_value *result = bencode_find_dict(root, "r");
    if (!find_id(result, "id", &message->id))
        return FRESHET_ERROR_MISSING;
    if (bencode_find_string(root, "ip", &text))
        address_from_compact(text, &message->external);
    find_entries(result, "nodes", KRPC_CONTACT_SIZE, &message->nodes);
    find_entries(result, "nodes6", KRPC_CONTACT6_SIZE, &message->nodes6);
    find_entries(result, "samples", DHT_ID_SIZE, &message->samples);
    find_exact(result, "BFsd", KRPC_BLOOM_SIZE, &message->seeds_bloom);
    find_exact(result, "BFpe", KRPC_BLOOM_SIZE, &message->peers_bloom);
    bencode_find_string(result, "token", &message->token);
    bencode_find_integer(result, "num", &message->sample_total);
    bencode_find_integer(result, "interval", &message->sample_interval_s);
    parse_item(result, &message->item);
    if (message->item.value.length > LIMIT_DHT_VALUE)
        return FRESHET_ERROR_LIMIT;
    parse_values(result, message);
    return FRESHET_OK;
}

static enum freshet_error parse_error(const struct bencode_value *root,
                                      struct krpc_message *message)
{
    struct bencode_iterator each = bencode_iterate(bencode_find_list(root, "e"));
    if (bencode_iterate_next(&each))
        bencode_integer(each.value, &message->error_code);
    if (bencode_iterate_next(&each))
        bencode_string(each.value, &message->error_text);
    return FRESHET_OK;
}

static enum freshet_error parse_root(const struct bencode_value *root, struct krpc_message *message)
{
    struct bytes kind;
    if (!bencode_find_string(root, "y", &kind) ||
        !bencode_find_string(root, "t", &message->transaction))
        return FRESHET_ERROR_MISSING;
    if (message->transaction.length > KRPC_TRANSACTION_MAX)
        return FRESHET_ERROR_LIMIT;
    bencode_find_string(root, "v", &message->version);
    if (bytes_is(kind, "q")) {
        message->kind = KRPC_QUERY;
        return parse_query(root, message);
    }
    if (bytes_is(kind, "r")) {
        message->kind = KRPC_REPLY;
        return parse_reply(root, message);
    }
    if (!bytes_is(kind, "e"))
        return FRESHET_ERROR_SYNTAX;
    message->kind = KRPC_ERROR;
    return parse_error(root, message);
}

enum freshet_error krpc_parse(struct bytes packet, struct krpc_message *ret_message)
{
    if (packet.length > LIMIT_DHT_DATAGRAM_IN)
        return FRESHET_ERROR_LIMIT;
    struct bencode document = {0};
    enum freshet_error error = bencode_parse(&document, packet, BENCODE_ANY_ORDER);
    if (error == FRESHET_OK) {
        krpc_init(ret_message, KRPC_QUERY);
        error = parse_root(bencode_root(&document), ret_message);
    }
    bencode_deinit(&document);
    return error;
}

static void write_bytes(struct buffer *out, const char *key, struct bytes text)
{
    if (!text.data)
        return;
    bencode_writer_key(out, key);
    bencode_writer_string(out, text);
}

static void write_integer(struct buffer *out, const char *key, int64_t number)
{
    bencode_writer_key(out, key);
    bencode_writer_integer(out, number);
}

static void write_flag(struct buffer *out, const char *key, bool flag)
{
    if (flag)
        write_integer(out, key, 1);
}

static void write_id(struct buffer *out, const char *key, const struct dht_id *id)
{
    write_bytes(out, key, (struct bytes){id->bytes, DHT_ID_SIZE});
}

static void write_fixed(struct buffer *out, const char *key, const uint8_t *bytes, size_t size)
{
    write_bytes(out, key, (struct bytes){bytes, size});
}

static void write_value(struct buffer *out, const struct krpc_item *item)
{
    if (!item->value.data)
        return;
    bencode_writer_key(out, "v");
    bencode_writer_raw(out, item->value);
}

static void write_want(struct buffer *out, uint8_t want)
{
    if (!want)
        return;
    bencode_writer_key(out, "want");
    bencode_writer_list(out);
    if (want & KRPC_WANT_NODES)
        bencode_writer_text(out, "n4");
    if (want & KRPC_WANT_NODES6)
        bencode_writer_text(out, "n6");
    bencode_writer_end(out);
}

static void write_arguments(struct buffer *out, const struct krpc_message *message)
{
    const struct krpc_item *item = &message->item;
    bool by_hash = message->method == KRPC_GET_PEERS || message->method == KRPC_ANNOUNCE_PEER;
    bencode_writer_dict(out);
    if (item->has_cas)
        write_integer(out, "cas", item->cas);
    write_id(out, "id", &message->id);
    write_flag(out, "implied_port", message->implied_port);
    if (message->has_target && by_hash)
        write_id(out, "info_hash", &message->target);
    write_fixed(out, "k", item->key, KRPC_KEY_SIZE);
    write_flag(out, "noseed", message->no_seeds);
    if (message->port)
        write_integer(out, "port", message->port);
    write_bytes(out, "salt", item->salt);
    write_flag(out, "scrape", message->scrape);
    write_flag(out, "seed", message->is_seed);
    if (item->has_seq)
        write_integer(out, "seq", item->seq);
    write_fixed(out, "sig", item->signature, KRPC_SIGNATURE_SIZE);
    if (message->has_target && !by_hash)
        write_id(out, "target", &message->target);
    write_bytes(out, "token", message->token);
    write_value(out, item);
    write_want(out, message->want);
    bencode_writer_end(out);
}

static void write_values(struct buffer *out, const struct krpc_message *message)
{
    if (message->value_count == 0)
        return;
    bencode_writer_key(out, "values");
    bencode_writer_list(out);
    for (uint32_t i = 0; i < message->value_count; i++) {
        uint8_t compact[18];
        size_t length = address_to_compact(&message->values[i], compact);
        bencode_writer_string(out, (struct bytes){compact, length});
    }
    bencode_writer_end(out);
}

static void write_result(struct buffer *out, const struct krpc_message *message)
{
    const struct krpc_item *item = &message->item;
    bencode_writer_dict(out);
    write_bytes(out, "BFpe", message->peers_bloom);
    write_bytes(out, "BFsd", message->seeds_bloom);
    write_id(out, "id", &message->id);
    if (message->samples.data)
        write_integer(out, "interval", message->sample_interval_s);
    write_fixed(out, "k", item->key, KRPC_KEY_SIZE);
    write_bytes(out, "nodes", message->nodes);
    write_bytes(out, "nodes6", message->nodes6);
    if (message->samples.data)
        write_integer(out, "num", message->sample_total);
    write_bytes(out, "samples", message->samples);
    if (item->has_seq)
        write_integer(out, "seq", item->seq);
    write_fixed(out, "sig", item->signature, KRPC_SIGNATURE_SIZE);
    write_bytes(out, "token", message->token);
    write_value(out, item);
    write_values(out, message);
    bencode_writer_end(out);
}

static void write_error(struct buffer *out, const struct krpc_message *message)
{
    bencode_writer_key(out, "e");
    bencode_writer_list(out);
    bencode_writer_integer(out, message->error_code);
    bencode_writer_string(out, message->error_text);
    bencode_writer_end(out);
}

void krpc_write(const struct krpc_message *message, struct buffer *out)
{
    static const char *const kinds[] = {"q", "r", "e"};
    bencode_writer_dict(out);
    if (message->kind == KRPC_QUERY) {
        bencode_writer_key(out, "a");
        write_arguments(out, message);
        bencode_writer_key(out, "q");
        bencode_writer_text(out, method_names[message->method] ? method_names[message->method]
                                                               : "unknown");
        write_flag(out, "ro", message->is_read_only);
    } else if (message->kind == KRPC_REPLY) {
        uint8_t compact[18];
        if (message->external.family)
            write_fixed(out, "ip", compact, address_to_compact(&message->external, compact));
        bencode_writer_key(out, "r");
        write_result(out, message);
    } else {
        write_error(out, message);
    }
    write_bytes(out, "t", message->transaction);
    write_bytes(out, "v", message->version);
    bencode_writer_key(out, "y");
    bencode_writer_text(out, kinds[message->kind]);
    bencode_writer_end(out);
}

void krpc_write_signed(const struct krpc_item *item, struct buffer *out)
{
    if (item->salt.length)
        write_bytes(out, "salt", item->salt);
    write_integer(out, "seq", item->seq);
    write_value(out, item);
}

struct dht_id krpc_item_target(const struct krpc_item *item)
{
    struct dht_id target;
    struct sha1 sha1;
    sha1_init(&sha1);
    if (item->key) {
        sha1_update(&sha1, item->key, KRPC_KEY_SIZE);
        sha1_update(&sha1, item->salt.data, item->salt.length);
    } else {
        sha1_update(&sha1, item->value.data, item->value.length);
    }
    sha1_final(&sha1, target.bytes);
    return target;
}
