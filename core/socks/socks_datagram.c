/* SPDX-License-Identifier: MIT */
#include "core/socks/socks_datagram.h"

#define ADDRESS_TYPE_IPV4 1u
#define ADDRESS_TYPE_NAME 3u
#define ADDRESS_TYPE_IPV6 4u

size_t socks_datagram_write(const struct address *remote,
                            uint8_t ret_header[SOCKS_DATAGRAM_HEADER_MAX])
{
    struct writer writer;

    writer_init(&writer, ret_header, SOCKS_DATAGRAM_HEADER_MAX);
    writer_u16(&writer, 0);
    writer_u8(&writer, 0); /* a whole one */
    writer_u8(&writer, remote->family == ADDRESS_IPV6 ? ADDRESS_TYPE_IPV6 : ADDRESS_TYPE_IPV4);
    writer_bytes(&writer, remote->ip, address_ip_length(remote));
    writer_u16(&writer, remote->port);
    return writer_length(&writer);
}

enum freshet_error socks_datagram_parse(struct bytes bytes, struct address *ret_remote,
                                        struct bytes *ret_payload)
{
    struct cursor cursor;
    struct address remote;

    cursor_init(&cursor, bytes);
    uint16_t reserved = cursor_u16(&cursor);
    uint8_t fragment = cursor_u8(&cursor), type = cursor_u8(&cursor);
    if (cursor.failed)
        return FRESHET_ERROR_TRUNCATED;
    if (reserved != 0)
        return FRESHET_ERROR_SYNTAX;
    if (fragment != 0 || type == ADDRESS_TYPE_NAME)
        return FRESHET_ERROR_UNSUPPORTED;
    if (type != ADDRESS_TYPE_IPV4 && type != ADDRESS_TYPE_IPV6)
        return FRESHET_ERROR_SYNTAX;
    struct bytes ip = cursor_bytes(&cursor, type == ADDRESS_TYPE_IPV4 ? 4 : 16);
    uint16_t port = cursor_u16(&cursor);
    if (cursor.failed)
        return FRESHET_ERROR_TRUNCATED;
    remote = type == ADDRESS_TYPE_IPV4 ? address_ipv4(ip.data, port) : address_ipv6(ip.data, port);
    *ret_remote = remote;
    *ret_payload = cursor_bytes(&cursor, cursor_left(&cursor));
    return FRESHET_OK;
}
