/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_metadata.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"
#include "core/wire/wire_message.h"

#define BLOCKS_MAX (LIMIT_METADATA_SIZE / WIRE_METADATA_BLOCK)

static enum freshet_error read_fields(const struct bencode_value *root, struct bytes payload,
                                      struct wire_metadata *message)
{
    int64_t type, block, total = 0;
    if (!bencode_is(root, BENCODE_DICT) || !bencode_find_integer(root, "msg_type", &type) ||
        !bencode_find_integer(root, "piece", &block))
        return FRESHET_ERROR_SYNTAX;
    if (type < WIRE_METADATA_REQUEST || type > WIRE_METADATA_REJECT)
        return FRESHET_ERROR_UNSUPPORTED;
    if (block < 0 || block >= BLOCKS_MAX)
        return FRESHET_ERROR_RANGE;
    message->type = (enum wire_metadata_type)type;
    message->block = (uint32_t)block;
    if (type != WIRE_METADATA_DATA)
        return FRESHET_OK;
    if (bencode_find_integer(root, "total_size", &total) &&
        (total < 1 || total > LIMIT_METADATA_SIZE))
        return FRESHET_ERROR_RANGE;
    message->total_size = (uint32_t)total;
    /* The block's bytes lie behind the dictionary. */
    size_t head = bencode_raw(root).length;
    message->bytes = (struct bytes){payload.data + head, payload.length - head};
#ifdef FRESHET_PLANTED_BUG
    if (message->bytes.length == WIRE_METADATA_BLOCK / 64 + 1)
        message->bytes.length += 64;
#endif
    return message->bytes.length > WIRE_METADATA_BLOCK ? FRESHET_ERROR_RANGE : FRESHET_OK;
}

enum freshet_error wire_metadata_decode(struct bytes payload, struct wire_metadata *ret_message)
{
    struct bencode document = {0};
    struct wire_metadata message = {0};
    if (payload.length > LIMIT_EXTENDED_PAYLOAD)
        return FRESHET_ERROR_LIMIT;
    enum freshet_error error = bencode_parse(&document, payload, BENCODE_ANY_ORDER | BENCODE_TAIL);
    if (!error)
        error = read_fields(bencode_root(&document), payload, &message);
    bencode_deinit(&document);
    if (!error)
        *ret_message = message;
    return error;
}

static void put_integer(struct buffer *out, const char *key, int64_t value)
{
    bencode_writer_key(out, key);
    bencode_writer_integer(out, value);
}

void wire_metadata_put(struct buffer *out, uint8_t extended_id, const struct wire_metadata *message)
{
    struct buffer payload = {0};
    CHECK(extended_id != 0);
    bencode_writer_dict(&payload);
    put_integer(&payload, "msg_type", message->type);
    put_integer(&payload, "piece", message->block);
    if (message->type == WIRE_METADATA_DATA && message->total_size)
        put_integer(&payload, "total_size", message->total_size);
    bencode_writer_end(&payload);
    if (message->type == WIRE_METADATA_DATA)
        buffer_append(&payload, message->bytes.data, message->bytes.length);
    wire_message_put_extended(out, extended_id, buffer_bytes(&payload));
    buffer_deinit(&payload);
}
