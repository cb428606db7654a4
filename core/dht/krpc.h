/* SPDX-License-Identifier: MIT */
/*
 * The messages of the DHT, both ways: bytes to one struct and back (BEP 5, 32, 33, 42, 43, 44, 45,
 * 51). Who may say what to whom is dht_node's business; here are grammar and bounds.
 *
 *     query   d 1:a {id, ...} 1:q <method> [2:ro i1e] 1:t <transaction> [1:v <client>] 1:y 1:q e
 *     reply   d [2:ip <address of who asked>] 1:r {id, ...} 1:t .. 1:y 1:r e
 *     error   d 1:e [code, text] 1:t .. 1:y 1:e e
 */
#ifndef FRESHET_DHT_KRPC_H
#define FRESHET_DHT_KRPC_H

#include "core/base/error.h"
#include "core/dht/dht_id.h"

#define KRPC_VALUES_MAX      128u
#define KRPC_BLOOM_SIZE      256u
#define KRPC_KEY_SIZE        32u
#define KRPC_SIGNATURE_SIZE  64u
#define KRPC_CONTACT_SIZE    26u
#define KRPC_CONTACT6_SIZE   38u
#define KRPC_TRANSACTION_MAX 32u

enum krpc_kind { KRPC_QUERY, KRPC_REPLY, KRPC_ERROR };

enum krpc_method {
    KRPC_UNKNOWN, /* a query that we do not know; answered as find_node when it has a target */
    KRPC_PING,
    KRPC_FIND_NODE,
    KRPC_GET_PEERS,
    KRPC_ANNOUNCE_PEER,
    KRPC_GET,
    KRPC_PUT,
    KRPC_SAMPLE_INFOHASHES,
    KRPC_METHOD_COUNT
};

enum krpc_want { KRPC_WANT_NODES = 1, KRPC_WANT_NODES6 = 2 }; /* BEP 32 */

enum krpc_error_code {
    KRPC_ERROR_GENERIC = 201,
    KRPC_ERROR_SERVER = 202,
    KRPC_ERROR_PROTOCOL = 203,
    KRPC_ERROR_METHOD = 204,
    KRPC_ERROR_TOO_BIG = 205, /* BEP 44 from here on */
    KRPC_ERROR_SIGNATURE = 206,
    KRPC_ERROR_SALT = 207,
    KRPC_ERROR_CAS = 301,
    KRPC_ERROR_SEQ = 302,
};

/* An item of BEP 44; mutable when it has a key. */
struct krpc_item {
    struct bytes value;       /* bencoded; data NULL: none */
    const uint8_t *key;       /* 32 bytes, or NULL */
    const uint8_t *signature; /* 64 bytes, or NULL */
    struct bytes salt;
    bool has_seq;
    bool has_cas;
    int64_t seq;
    int64_t cas;
};

/* Spans and pointers are borrowed from the packet. A span with data NULL is absent. */
struct krpc_message {
    enum krpc_kind kind;
    enum krpc_method method; /* of a query */
    /* A query that cannot be answered: what is wrong with its arguments. NULL: nothing. */
    const char *problem;
    struct bytes transaction;
    struct bytes version;
    bool is_read_only;       /* BEP 43 */
    struct address external; /* `ip`, BEP 42; family 0: not said */

    struct dht_id id; /* of the sender; queries and replies */
    bool has_target;
    bool implied_port;
    bool is_seed; /* BEP 33: seed, noseed, scrape */
    bool no_seeds;
    bool scrape;
    uint8_t want;         /* OR of enum krpc_want; 0: not said */
    uint16_t port;        /* announce_peer */
    struct dht_id target; /* target or info_hash */
    struct bytes token;
    struct bytes nodes;       /* whole entries of 26 bytes */
    struct bytes nodes6;      /* whole entries of 38 bytes */
    struct bytes seeds_bloom; /* 256 bytes, BEP 33 */
    struct bytes peers_bloom;
    struct bytes samples; /* whole hashes of 20 bytes, BEP 51 */
    int64_t sample_total;
    int64_t sample_interval_s;
    struct krpc_item item;

    int64_t error_code;
    struct bytes error_text;

    uint32_t value_count;
    struct address values[KRPC_VALUES_MAX]; /* more are ignored */
};

/* All but the values, which need no clearing. */
void krpc_init(struct krpc_message *message, enum krpc_kind kind);
/* TRUNCATED, SYNTAX, LIMIT, RANGE, MISSING. A query whose arguments are at fault parses: see
 * `problem`. */
enum freshet_error krpc_parse(struct bytes packet, struct krpc_message *ret_message);
/* Appends the packet: what is present in the message and belongs to its kind. */
void krpc_write(const struct krpc_message *message, struct buffer *out);
/* What is signed of a mutable item (BEP 44): salt, seq and v. */
void krpc_write_signed(const struct krpc_item *item, struct buffer *out);
/* SHA-1 of the value, or of key and salt. */
struct dht_id krpc_item_target(const struct krpc_item *item);

#endif
