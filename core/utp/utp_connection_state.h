/* SPDX-License-Identifier: MIT */
/* What the two files of utp_connection share. */
#ifndef FRESHET_UTP_UTP_CONNECTION_STATE_H
#define FRESHET_UTP_UTP_CONNECTION_STATE_H

#include "core/utp/utp_connection.h"

/* The clock of our packets, without the connection's own part. */
static inline uint32_t utp_connection_us(int64_t now)
{
    return (uint32_t)((uint64_t)now / 1000);
}

/* Payload of a full packet. */
static inline uint32_t utp_connection_payload_size(const struct utp_connection *connection)
{
    return utp_mtu_size(&connection->mtu) - UTP_HEADER_SIZE;
}

/* CLOSED, for this reason. */
void utp_connection_end(struct utp_connection *connection, enum freshet_error error);
/* Bytes in order that nobody has read. */
size_t utp_connection_unread(const struct utp_connection *connection);
uint32_t utp_connection_window_left(const struct utp_connection *connection);
void utp_connection_set_timer(struct utp_connection *connection, int64_t now);
/* What was lost: news of the path's MTU, or of congestion. */
void utp_connection_on_lost(struct utp_connection *connection, int64_t now,
                            const struct utp_lost *lost);
/* What was overtaken has had its time. */
void utp_connection_end_doubt(struct utp_connection *connection, int64_t now);
/* What was received and only the stream needs. */
void utp_connection_drop_received(struct utp_connection *connection);

#endif
