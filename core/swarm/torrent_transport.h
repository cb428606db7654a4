/* SPDX-License-Identifier: MIT */
/*
 * Which connections a torrent takes by the transport that it is to use (enum transport): a swarm
 * and a metadata_swarm dial by that one alone, take none by the other, and let go of those when it
 * changes. That is nobody's fault: who is refused may come by the other way.
 */
#ifndef FRESHET_SWARM_TORRENT_TRANSPORT_H
#define FRESHET_SWARM_TORRENT_TRANSPORT_H

#include "core/swarm/torrent.h"

static inline bool torrent_transport_is_inbound_utp(conn_id conn)
{
    return conn >= CONN_INBOUND_UTP;
}

/* May a torrent that is to use `wanted` have this connection? */
static inline bool torrent_transport_is_allowed(enum transport wanted, bool is_utp)
{
    return wanted == TRANSPORT_ANY || (wanted == TRANSPORT_UTP) == is_utp;
}

/* Is there a way out by it? Nobody is dialled without. */
static inline bool torrent_transport_is_there(enum transport wanted,
                                              const struct engine_settings *settings)
{
    return wanted == TRANSPORT_UTP ? settings->has_utp
                                   : wanted != TRANSPORT_TCP || !settings->no_tcp;
}

/* A dial is under way while the torrent's transport changes to `wanted`. By which it goes out is
 * not known: what races over both may come by either. */
static inline bool torrent_transport_keeps_dial(enum transport wanted, bool is_told, bool by_utp)
{
    return wanted == TRANSPORT_ANY || (!is_told && (!by_utp || wanted == TRANSPORT_UTP));
}

#endif
