/* SPDX-License-Identifier: MIT */
/*
 * Reads bencoded bytes (BEP 3) where they lie: one pass without recursion turns them into a flat
 * array of values in the order of the text, each knowing its own bytes, so that any part can be
 * hashed or copied as it came. Nothing is copied; the caller's bytes must outlive the values.
 *
 *     d 4:name 3:abc 1:z l i1e e e        values: dict, string, string, string, list, integer
 *     values[i + span] is what follows value i and all that it holds
 *
 * Strict: integers without leading zeros, plus sign or -0, within int64; dictionary keys ascending
 * as raw bytes and without duplicates (BENCODE_ANY_ORDER lifts the order for senders that are known
 * to be careless: trackers, extension handshakes); at most LIMIT_BENCODE_DEPTH levels and
 * LIMIT_BENCODE_TOKENS values. Every question about a NULL value is answered with "absent".
 */
#ifndef FRESHET_BENCODE_BENCODE_H
#define FRESHET_BENCODE_BENCODE_H

#include "core/base/bytes.h"
#include "core/base/error.h"

enum bencode_type { BENCODE_INTEGER = 1, BENCODE_STRING, BENCODE_LIST, BENCODE_DICT };

struct bencode_value {
    const uint8_t *start; /* first byte of its encoding */
    uint32_t length;      /* bytes of its encoding */
    uint32_t span;        /* values that it is made of, itself included */
    uint32_t count;       /* string: its bytes; list: elements; dict: pairs */
    uint8_t type;         /* enum bencode_type */
};

/* A parsed document. Zero it before the first parse; its memory is used again by later parses. */
struct bencode {
    struct bencode_value *values;
    uint32_t value_count;
    uint32_t value_capacity;
    size_t consumed;       /* bytes that the value took */
    uint64_t steps;        /* work done, at most a constant times the bytes read */
    const char *problem;   /* what is wrong, static text; NULL after success */
    size_t problem_offset; /* and where */
};

enum bencode_flags {
    BENCODE_STRICT = 0,
    BENCODE_ANY_ORDER = 1, /* keys in any order; the first of equal keys is the one found */
    BENCODE_TAIL = 2,      /* bytes may follow the value (ut_metadata): see `consumed` */
};

/* TRUNCATED, SYNTAX, RANGE (integer), LIMIT, CONFLICT (duplicate key). After a failure the document
 * has no values. `flags` is an OR of enum bencode_flags. */
enum freshet_error bencode_parse(struct bencode *document, struct bytes source, unsigned flags);
void bencode_deinit(struct bencode *document);

/* The outermost value; NULL when nothing was parsed. */
const struct bencode_value *bencode_root(const struct bencode *document);
/* The encoding itself, byte for byte as it came. */
struct bytes bencode_raw(const struct bencode_value *value);
bool bencode_is(const struct bencode_value *value, enum bencode_type type);
/* false, and nothing written, when the value is absent or of another type. */
bool bencode_integer(const struct bencode_value *value, int64_t *ret_integer);
bool bencode_string(const struct bencode_value *value, struct bytes *ret_string);

/* The value of a key; NULL when there is none or `dict` is no dictionary. O(pairs). */
const struct bencode_value *bencode_find(const struct bencode_value *dict, const char *key);
const struct bencode_value *bencode_find_bytes(const struct bencode_value *dict, struct bytes key);
/* The same, only when it has the type wanted. */
bool bencode_find_integer(const struct bencode_value *dict, const char *key, int64_t *ret_integer);
bool bencode_find_string(const struct bencode_value *dict, const char *key,
                         struct bytes *ret_string);
const struct bencode_value *bencode_find_list(const struct bencode_value *dict, const char *key);
const struct bencode_value *bencode_find_dict(const struct bencode_value *dict, const char *key);

/* Walks a list or a dictionary; over anything else it ends at once.
 *     struct bencode_iterator each = bencode_iterate(list);
 *     while (bencode_iterate_next(&each)) use(each.key, each.value); */
struct bencode_iterator {
    struct bytes key; /* of a dictionary's pair; {NULL, 0} in a list */
    const struct bencode_value *value;
    const struct bencode_value *at; /* private */
    uint32_t left;                  /* private */
    bool has_keys;                  /* private */
};

struct bencode_iterator bencode_iterate(const struct bencode_value *container);
bool bencode_iterate_next(struct bencode_iterator *iterator);

#endif
