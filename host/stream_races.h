/* SPDX-License-Identifier: MIT */
/*
 * One dial over TCP and uTP both: it begins with what answered last at that address (of a stranger:
 * TCP), the other follows after LIMIT_RACE_HEAD_START_NS, or at once when the first does not get
 * there. What is connected first is the connection; the other ends untold. The engine sees one
 * dial with one id, and one end of it.
 *
 *     one way asked, the other waits   ALONE   the stream is that of the way that was asked
 *     both asked                       BOTH    the stream is TCP's; uTP's is known to the mux alone
 *     one way left, or connected       NONE
 */
#ifndef FRESHET_HOST_STREAM_RACES_H
#define FRESHET_HOST_STREAM_RACES_H

#include "host/stream_socket.h"

struct stream_races;

/* Of a table that has uTP; the streams use them until they are freed. */
struct stream_races *stream_races_new(struct stream_table *table);
/* After all streams are closed; the loop must run until its handle is gone. */
void stream_races_free(struct stream_races *races);

void stream_races_start(struct stream_races *races, conn_id conn, const struct address *remote);
/* TCP is connected: uTP ends. */
void stream_races_won_by_tcp(struct stream_socket *stream);
/* TCP does not get there; true: the stream is closed, and uTP goes on in its place. */
bool stream_races_lost_by_tcp(struct stream_socket *stream);
/* It is to go on by the way that it is of. */
void stream_races_leave(struct stream_socket *stream);

#endif
