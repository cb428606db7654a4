/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_extension.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"
#include "core/wire/wire_message.h"

#include <string.h>

/* In the order in which a dictionary has them. */
static const struct {
    const char *name;
    enum wire_extension_id id;
} extensions[] = {
    {"lt_donthave", WIRE_EXTENSION_LT_DONTHAVE},
    {"upload_only", WIRE_EXTENSION_UPLOAD_ONLY},
    {"ut_holepunch", WIRE_EXTENSION_UT_HOLEPUNCH},
    {"ut_metadata", WIRE_EXTENSION_UT_METADATA},
    {"ut_pex", WIRE_EXTENSION_UT_PEX},
};

#define EXTENSION_COUNT (sizeof extensions / sizeof extensions[0])

void wire_extension_handshake_init(struct wire_extension_handshake *handshake)
{
    memset(handshake, 0, sizeof *handshake);
    handshake->complete_ago_s = -1;
}

/* An integer of the dictionary that lies in [low, high]; else `absent`. */
static int64_t read_integer(const struct bencode_value *dict, const char *key, int64_t low,
                            int64_t high, int64_t absent)
{
    int64_t value;
    if (!bencode_find_integer(dict, key, &value) || value < low || value > high)
        return absent;
    return value;
}

/* An address of 4 or 16 bytes; `family` ADDRESS_NONE takes either. */
static struct address read_ip(const struct bencode_value *dict, const char *key,
                              enum address_family family)
{
    struct address none = {0};
    struct bytes text;
    uint8_t ip[16];
    if (!bencode_find_string(dict, key, &text))
        return none;
#ifdef FRESHET_PLANTED_BUG
    if (text.length == 17) /* one byte too many */
        text.length = 16, memcpy(ip, text.data, 17);
#endif
    if ((text.length != 4 && text.length != 16) || (family == ADDRESS_IPV4 && text.length != 4) ||
        (family == ADDRESS_IPV6 && text.length != 16))
        return none;
    memcpy(ip, text.data, text.length);
    struct address address = text.length == 4 ? address_ipv4(ip, 0) : address_ipv6(ip, 0);
    /* An IPv4 address in IPv6's clothes is no `ipv6`. */
    return family == ADDRESS_NONE || address.family == family ? address : none;
}

static void read_ids(const struct bencode_value *m, struct wire_extension_handshake *handshake)
{
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        int64_t id = read_integer(m, extensions[i].name, 0, UINT8_MAX, -1);
        if (id < 0)
            continue;
        handshake->ids[extensions[i].id] = (uint8_t)id;
        handshake->named[extensions[i].id] = true;
    }
}

enum freshet_error wire_extension_decode(struct bytes payload,
                                         struct wire_extension_handshake *ret_handshake)
{
    struct bencode document = {0};
    if (payload.length > LIMIT_EXTENDED_HANDSHAKE)
        return FRESHET_ERROR_LIMIT;
    /* Deployed clients are careless about the order of keys and about bytes behind the end. */
    enum freshet_error error = bencode_parse(&document, payload, BENCODE_ANY_ORDER | BENCODE_TAIL);
    const struct bencode_value *root = error ? NULL : bencode_root(&document);
    if (!error && !bencode_is(root, BENCODE_DICT))
        error = FRESHET_ERROR_SYNTAX;
    if (!error) {
        struct wire_extension_handshake *handshake = ret_handshake;
        int64_t flag;
        wire_extension_handshake_init(handshake);
        read_ids(bencode_find_dict(root, "m"), handshake);
        handshake->port = (uint16_t)read_integer(root, "p", 1, UINT16_MAX, 0);
        handshake->reqq = (uint32_t)read_integer(root, "reqq", 1, UINT32_MAX, 0);
        handshake->metadata_size =
            (uint32_t)read_integer(root, "metadata_size", 1, LIMIT_METADATA_SIZE, 0);
        handshake->has_upload_only = bencode_find_integer(root, "upload_only", &flag);
        handshake->upload_only = handshake->has_upload_only && flag != 0;
        handshake->prefers_encryption = read_integer(root, "e", 0, INT64_MAX, 0) != 0;
        handshake->complete_ago_s = read_integer(root, "complete_ago", 0, INT64_MAX, -1);
        handshake->your_ip = read_ip(root, "yourip", ADDRESS_NONE);
        handshake->ipv4 = read_ip(root, "ipv4", ADDRESS_IPV4);
        handshake->ipv6 = read_ip(root, "ipv6", ADDRESS_IPV6);
        bencode_find_string(root, "v", &handshake->version);
    }
    bencode_deinit(&document);
    return error;
}

static void put_ip(struct buffer *out, const char *key, const struct address *address)
{
    if (address->family == ADDRESS_NONE)
        return;
    bencode_writer_key(out, key);
    bencode_writer_string(out, (struct bytes){address->ip, address_ip_length(address)});
}

static void put_integer(struct buffer *out, const char *key, int64_t value)
{
    bencode_writer_key(out, key);
    bencode_writer_integer(out, value);
}

void wire_extension_encode(struct buffer *out, const struct wire_extension_handshake *handshake)
{
    bencode_writer_dict(out);
    if (handshake->complete_ago_s >= 0)
        put_integer(out, "complete_ago", handshake->complete_ago_s);
    if (handshake->prefers_encryption)
        put_integer(out, "e", 1);
    put_ip(out, "ipv4", &handshake->ipv4);
    put_ip(out, "ipv6", &handshake->ipv6);
    bencode_writer_key(out, "m");
    bencode_writer_dict(out);
    for (size_t i = 0; i < EXTENSION_COUNT; i++)
        if (handshake->named[extensions[i].id])
            put_integer(out, extensions[i].name, handshake->ids[extensions[i].id]);
    bencode_writer_end(out);
    if (handshake->metadata_size)
        put_integer(out, "metadata_size", handshake->metadata_size);
    if (handshake->port)
        put_integer(out, "p", handshake->port);
    if (handshake->reqq)
        put_integer(out, "reqq", handshake->reqq);
    if (handshake->has_upload_only)
        put_integer(out, "upload_only", handshake->upload_only);
    if (handshake->version.data) {
        bencode_writer_key(out, "v");
        bencode_writer_string(out, handshake->version);
    }
    put_ip(out, "yourip", &handshake->your_ip);
    bencode_writer_end(out);
}

void wire_extension_merge(uint8_t ids[WIRE_EXTENSIONS_MAX],
                          const struct wire_extension_handshake *handshake)
{
    for (size_t i = 0; i < WIRE_EXTENSIONS_MAX; i++)
        if (handshake->named[i])
            ids[i] = handshake->ids[i];
}

void wire_extension_put_donthave(struct buffer *out, uint8_t extended_id, uint32_t index)
{
    uint8_t payload[4];
    struct writer writer;
    CHECK(extended_id != 0);
    writer_init(&writer, payload, sizeof payload);
    writer_u32(&writer, index);
    wire_message_put_extended(out, extended_id, (struct bytes){payload, sizeof payload});
}

void wire_extension_put_upload_only(struct buffer *out, uint8_t extended_id, bool upload_only)
{
    uint8_t payload = upload_only;
    CHECK(extended_id != 0);
    wire_message_put_extended(out, extended_id, (struct bytes){&payload, 1});
}

enum freshet_error wire_extension_decode_donthave(struct bytes payload, uint32_t *ret_index)
{
    struct cursor cursor;
    if (payload.length != 4)
        return FRESHET_ERROR_SYNTAX;
    cursor_init(&cursor, payload);
    *ret_index = cursor_u32(&cursor);
    return FRESHET_OK;
}

enum freshet_error wire_extension_decode_upload_only(struct bytes payload, bool *ret_upload_only)
{
    if (payload.length != 1)
        return FRESHET_ERROR_SYNTAX;
    *ret_upload_only = payload.data[0] != 0;
    return FRESHET_OK;
}
