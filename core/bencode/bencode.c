/* SPDX-License-Identifier: MIT */
#include "core/bencode/bencode.h"

#include "core/base/limits.h"
#include "core/base/memory.h"

#include <string.h>

/* A list or dictionary that is still open. */
struct open_container {
    uint32_t index; /* of its value */
    uint32_t
        last_key;     /* dictionaries: value index of the latest key; UINT32_MAX before the first */
    bool wants_value; /* dictionaries: a key has come, its value has not */
};

struct parser {
    struct bencode *document;
    const uint8_t *start, *at, *end;
    unsigned flags;
    uint32_t depth;
    struct open_container open[LIMIT_BENCODE_DEPTH];
};

static enum freshet_error fail(struct parser *parser, enum freshet_error error, const char *problem)
{
    parser->document->problem = problem;
    parser->document->problem_offset = (size_t)(parser->at - parser->start);
    return error;
}

static enum freshet_error add_value(struct parser *parser, enum bencode_type type,
                                    const uint8_t *start)
{
    struct bencode *document = parser->document;
    if (document->value_count == LIMIT_BENCODE_TOKENS)
        return fail(parser, FRESHET_ERROR_LIMIT, "too many values");
    if (document->value_count == document->value_capacity) {
        uint32_t capacity = document->value_capacity ? 2 * document->value_capacity : 32;
        document->values =
            memory_resize_array(document->values, capacity, sizeof document->values[0]);
        document->value_capacity = capacity;
    }
    document->values[document->value_count++] = (struct bencode_value){
        .start = start, .length = (uint32_t)(parser->at - start), .span = 1, .type = (uint8_t)type};
    return FRESHET_OK;
}

/* "i" [-] digits "e", with `at` on the "i". */
static enum freshet_error read_integer(struct parser *parser)
{
    const uint8_t *start = parser->at++;
    bool negative = parser->at < parser->end && *parser->at == '-';
    parser->at += negative;
    const uint8_t *digits = parser->at;
    uint64_t value = 0;
    uint64_t value_max = (uint64_t)INT64_MAX + negative;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        unsigned digit = *parser->at - (unsigned)'0';
        parser->document->steps++;
        if (value > (value_max - digit) / 10)
            return fail(parser, FRESHET_ERROR_RANGE, "an integer of more than 64 bits");
        value = value * 10 + digit;
    }
    if (parser->at == parser->end)
        return fail(parser, FRESHET_ERROR_TRUNCATED, "ends inside an integer");
    size_t digit_count = (size_t)(parser->at - digits);
    if (*parser->at != 'e' || digit_count == 0)
        return fail(parser, FRESHET_ERROR_SYNTAX, "an integer that is not made of digits");
    if (digits[0] == '0' && (digit_count > 1 || negative))
        return fail(parser, FRESHET_ERROR_SYNTAX, "an integer with a leading zero");
    parser->at++;
    return add_value(parser, BENCODE_INTEGER, start);
}

/* digits ":" bytes, with `at` on the first digit. */
static enum freshet_error read_string(struct parser *parser)
{
    const uint8_t *start = parser->at;
    uint64_t length = 0;
    for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        parser->document->steps++;
        length = length * 10 + (*parser->at - (unsigned)'0');
        if (length > UINT32_MAX)
            return fail(parser, FRESHET_ERROR_LIMIT, "a string of absurd length");
    }
    if (parser->at == parser->end)
        return fail(parser, FRESHET_ERROR_TRUNCATED, "ends inside the length of a string");
    if (*parser->at != ':')
        return fail(parser, FRESHET_ERROR_SYNTAX, "a string length without its colon");
    if (*start == '0' && parser->at - start > 1)
        return fail(parser, FRESHET_ERROR_SYNTAX, "a string length with a leading zero");
    parser->at++;
#ifdef FRESHET_PLANTED_BUG
    if (length > (size_t)(parser->end - start))
#else
    if (length > (size_t)(parser->end - parser->at))
#endif
        return fail(parser, FRESHET_ERROR_TRUNCATED, "ends inside a string");
    parser->at += length;
    enum freshet_error error = add_value(parser, BENCODE_STRING, start);
    if (error == FRESHET_OK)
        parser->document->values[parser->document->value_count - 1].count = (uint32_t)length;
    return error;
}

static enum freshet_error open_container(struct parser *parser, enum bencode_type type)
{
    if (parser->depth == LIMIT_BENCODE_DEPTH)
        return fail(parser, FRESHET_ERROR_LIMIT, "nested too deep");
    const uint8_t *start = parser->at++;
    enum freshet_error error = add_value(parser, type, start);
    if (error == FRESHET_OK)
        parser->open[parser->depth++] = (struct open_container){
            .index = parser->document->value_count - 1, .last_key = UINT32_MAX};
    return error;
}

static enum freshet_error close_container(struct parser *parser)
{
    struct open_container *open = &parser->open[parser->depth - 1];
    if (open->wants_value)
        return fail(parser, FRESHET_ERROR_SYNTAX, "a key without a value");
    struct bencode_value *value = &parser->document->values[open->index];
    parser->at++;
    value->length = (uint32_t)(parser->at - value->start);
    value->span = parser->document->value_count - open->index;
    parser->depth--;
    return FRESHET_OK;
}

static struct bytes string_of(const struct bencode_value *value)
{
    return (struct bytes){value->start + value->length - value->count, value->count};
}

/* The string that was read last is a key of the innermost dictionary. */
static enum freshet_error accept_key(struct parser *parser, struct open_container *open)
{
    const struct bencode_value *values = parser->document->values;
    uint32_t key = parser->document->value_count - 1;
    if (open->last_key != UINT32_MAX && !(parser->flags & BENCODE_ANY_ORDER)) {
        int order = bytes_compare(string_of(&values[open->last_key]), string_of(&values[key]));
        if (order >= 0)
            parser->at = values[key].start;
        if (order == 0)
            return fail(parser, FRESHET_ERROR_CONFLICT, "a key that comes twice");
        if (order > 0)
            return fail(parser, FRESHET_ERROR_SYNTAX, "keys that are not in order");
    }
    open->last_key = key;
    open->wants_value = true;
    return FRESHET_OK;
}

static enum freshet_error read_value(struct parser *parser)
{
    switch (*parser->at) {
    case 'i': return read_integer(parser);
    case 'l': return open_container(parser, BENCODE_LIST);
    case 'd': return open_container(parser, BENCODE_DICT);
    default: break;
    }
    if (*parser->at >= '0' && *parser->at <= '9')
        return read_string(parser);
    return fail(parser, FRESHET_ERROR_SYNTAX, "a byte that begins no value");
}

/* One more value, key or end of the innermost open container. */
static enum freshet_error read_inside(struct parser *parser)
{
    struct open_container *open = &parser->open[parser->depth - 1];
    struct bencode_value *container = &parser->document->values[open->index];
    if (*parser->at == 'e')
        return close_container(parser);
    if (container->type == BENCODE_LIST) {
        container->count++;
        return read_value(parser);
    }
    if (open->wants_value) {
        open->wants_value = false;
        container->count++;
        return read_value(parser);
    }
    if (*parser->at < '0' || *parser->at > '9')
        return fail(parser, FRESHET_ERROR_SYNTAX, "a key that is not a string");
    enum freshet_error error = read_string(parser);
    return error != FRESHET_OK ? error : accept_key(parser, open);
}

static enum freshet_error read_document(struct parser *parser)
{
    if (parser->at == parser->end)
        return fail(parser, FRESHET_ERROR_TRUNCATED, "empty");
    enum freshet_error error = read_value(parser);
    while (error == FRESHET_OK && parser->depth > 0) {
        parser->document->steps++;
        if (parser->at == parser->end)
            return fail(parser, FRESHET_ERROR_TRUNCATED, "ends inside a list or dictionary");
        error = read_inside(parser);
    }
    if (error == FRESHET_OK && parser->at != parser->end && !(parser->flags & BENCODE_TAIL))
        return fail(parser, FRESHET_ERROR_SYNTAX, "bytes after the end");
    return error;
}

enum freshet_error bencode_parse(struct bencode *document, struct bytes source, unsigned flags)
{
    struct parser parser;
    parser.document = document;
    parser.start = parser.at = source.data;
    parser.end = source.length ? source.data + source.length : source.data;
    parser.flags = flags;
    parser.depth = 0;
    document->value_count = 0;
    document->consumed = 0;
    document->steps = 0;
    document->problem = NULL;
    document->problem_offset = 0;
    enum freshet_error error;
    if (source.length > UINT32_MAX)
        error = fail(&parser, FRESHET_ERROR_LIMIT, "too large");
    else
        error = read_document(&parser);
    if (error != FRESHET_OK) {
        document->value_count = 0;
        return error;
    }
    document->consumed = (size_t)(parser.at - parser.start);
    return FRESHET_OK;
}

void bencode_deinit(struct bencode *document)
{
    memory_free(document->values);
    *document = (struct bencode){0};
}

const struct bencode_value *bencode_root(const struct bencode *document)
{
    return document->value_count ? &document->values[0] : NULL;
}

struct bytes bencode_raw(const struct bencode_value *value)
{
    return value ? (struct bytes){value->start, value->length} : (struct bytes){NULL, 0};
}

bool bencode_is(const struct bencode_value *value, enum bencode_type type)
{
    return value && value->type == type;
}

bool bencode_integer(const struct bencode_value *value, int64_t *ret_integer)
{
    if (!bencode_is(value, BENCODE_INTEGER))
        return false;
    const uint8_t *at = value->start + 1;
    bool negative = *at == '-';
    uint64_t magnitude = 0;
    for (at += negative; *at != 'e'; at++)
        magnitude = magnitude * 10 + (*at - (unsigned)'0');
    if (negative)
        *ret_integer = magnitude > INT64_MAX ? INT64_MIN : -(int64_t)magnitude;
    else
        *ret_integer = (int64_t)magnitude;
    return true;
}

bool bencode_string(const struct bencode_value *value, struct bytes *ret_string)
{
    if (!bencode_is(value, BENCODE_STRING))
        return false;
    *ret_string = string_of(value);
    return true;
}

struct bencode_iterator bencode_iterate(const struct bencode_value *container)
{
    struct bencode_iterator iterator = {0};
    if (!bencode_is(container, BENCODE_LIST) && !bencode_is(container, BENCODE_DICT))
        return iterator;
    iterator.at = container + 1;
    iterator.left = container->count;
    iterator.has_keys = container->type == BENCODE_DICT;
    return iterator;
}

bool bencode_iterate_next(struct bencode_iterator *iterator)
{
    if (iterator->left == 0)
        return false;
    iterator->left--;
    if (iterator->has_keys)
        iterator->key = string_of(iterator->at++);
    iterator->value = iterator->at;
    iterator->at += iterator->value->span;
    return true;
}

const struct bencode_value *bencode_find_bytes(const struct bencode_value *dict, struct bytes key)
{
    if (!bencode_is(dict, BENCODE_DICT))
        return NULL;
    struct bencode_iterator each = bencode_iterate(dict);
    while (bencode_iterate_next(&each))
        if (bytes_equal(each.key, key))
            return each.value;
    return NULL;
}

const struct bencode_value *bencode_find(const struct bencode_value *dict, const char *key)
{
    return bencode_find_bytes(dict, (struct bytes){(const uint8_t *)key, strlen(key)});
}

bool bencode_find_integer(const struct bencode_value *dict, const char *key, int64_t *ret_integer)
{
    return bencode_integer(bencode_find(dict, key), ret_integer);
}

bool bencode_find_string(const struct bencode_value *dict, const char *key,
                         struct bytes *ret_string)
{
    return bencode_string(bencode_find(dict, key), ret_string);
}

const struct bencode_value *bencode_find_list(const struct bencode_value *dict, const char *key)
{
    const struct bencode_value *value = bencode_find(dict, key);
    return bencode_is(value, BENCODE_LIST) ? value : NULL;
}

const struct bencode_value *bencode_find_dict(const struct bencode_value *dict, const char *key)
{
    const struct bencode_value *value = bencode_find(dict, key);
    return bencode_is(value, BENCODE_DICT) ? value : NULL;
}
