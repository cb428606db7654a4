/* SPDX-License-Identifier: MIT */
/* planted: core/bencode/bencode.c */
/* finds: heap-buffer-overflow :: in bencode_writer_string */
/* covers: core/bencode/bencode.c core/bencode/bencode_writer.c */
/* The reader over any bytes, strict and lenient: work stays linear, every value lies within its
 * container, and what was read strictly is written back byte for byte. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 256u

/* Without a NUL inside, it is written the same as text and as a key. */
static void check_text(struct bytes string)
{
    struct buffer text = {0}, once = {0}, more = {0};
    buffer_append(&text, string.data, string.length);
    buffer_append_u8(&text, '\0');
    if (memchr(text.data, '\0', text.length) == text.data + string.length) {
        bencode_writer_string(&once, string);
        bencode_writer_text(&more, (const char *)text.data);
        CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&more)));
        buffer_clear(&more);
        bencode_writer_key(&more, (const char *)text.data);
        CHECK(bytes_equal(buffer_bytes(&once), buffer_bytes(&more)));
    }
    buffer_deinit(&text);
    buffer_deinit(&once);
    buffer_deinit(&more);
}

static void check_scalar(const struct bencode_value *value)
{
    struct buffer out = {0};
    struct bytes string = {NULL, 0};
    int64_t integer = 0;
    if (bencode_string(value, &string)) {
        bencode_writer_string(&out, string);
        if (string.length <= TEXT_MAX)
            check_text(string);
    } else if (bencode_integer(value, &integer)) {
        bencode_writer_integer(&out, integer);
    } else {
        CHECK(bencode_is(value, BENCODE_LIST) || bencode_is(value, BENCODE_DICT));
    }
    if (out.length)
        CHECK(bytes_equal(buffer_bytes(&out), bencode_raw(value)));
    buffer_deinit(&out);
}

/* Children lie side by side within their container and fill it. */
static void check_container(const struct bencode_value *value)
{
    const uint8_t *at = value->start + 1;
    struct bencode_iterator each = bencode_iterate(value);
    uint32_t spans = 1;
    while (bencode_iterate_next(&each)) {
        if (bencode_is(value, BENCODE_DICT)) {
            CHECK(each.key.data > at);
            at = each.key.data + each.key.length;
            spans++;
        }
        CHECK(each.value->start == at);
        at += each.value->length;
        spans += each.value->span;
    }
    if (bencode_is(value, BENCODE_LIST) || bencode_is(value, BENCODE_DICT)) {
        CHECK(at + 1 == value->start + value->length);
        CHECK(spans == value->span);
    } else {
        CHECK(value->span == 1);
    }
}

static void check_finds(const struct bencode_value *dict)
{
    struct bencode_iterator each = bencode_iterate(dict);
    for (int i = 0; i < 8 && bencode_iterate_next(&each); i++)
        CHECK(!bencode_is(dict, BENCODE_DICT) || bencode_find_bytes(dict, each.key) == each.value);
    int64_t integer;
    struct bytes string;
    CHECK(bencode_find_integer(dict, "a", &integer) ==
          bencode_is(bencode_find(dict, "a"), BENCODE_INTEGER));
    CHECK(bencode_find_string(dict, "a", &string) ==
          bencode_is(bencode_find(dict, "a"), BENCODE_STRING));
    CHECK(!bencode_find_list(dict, "a") || !bencode_find_dict(dict, "a"));
}

/* Writes a strictly read document again from its flat values. */
static void check_round_trip(const struct bencode *document, struct bytes source)
{
    struct buffer out = {0};
    uint32_t ends[LIMIT_BENCODE_DEPTH];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < document->value_count; i++) {
        const struct bencode_value *value = &document->values[i];
        if (bencode_is(value, BENCODE_LIST))
            bencode_writer_list(&out);
        else if (bencode_is(value, BENCODE_DICT))
            bencode_writer_dict(&out);
        else
            bencode_writer_raw(&out, bencode_raw(value));
        if (bencode_is(value, BENCODE_LIST) || bencode_is(value, BENCODE_DICT))
            ends[depth++] = i + value->span;
        for (; depth > 0 && ends[depth - 1] == i + 1; depth--)
            bencode_writer_end(&out);
    }
    CHECK(bytes_equal(buffer_bytes(&out), source));
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bencode document = {0};
    struct bytes source = {data, size};
    for (unsigned flags = 0; flags <= (BENCODE_ANY_ORDER | BENCODE_TAIL); flags++) {
        enum freshet_error error = bencode_parse(&document, source, flags);
        CHECK(document.steps <= 2 * size + 2);
        CHECK(document.value_count <= size);
        CHECK((error == FRESHET_OK) == (document.problem == NULL));
        CHECK((error == FRESHET_OK) == (bencode_root(&document) != NULL));
        for (uint32_t i = 0; i < document.value_count; i++) {
            check_scalar(&document.values[i]);
            check_container(&document.values[i]);
            if (flags == BENCODE_STRICT)
                check_finds(&document.values[i]);
        }
        if (error == FRESHET_OK && flags == BENCODE_STRICT)
            check_round_trip(&document, source);
    }
    bencode_deinit(&document);
    return 0;
}
