/* SPDX-License-Identifier: MIT */
/* Where we heard of a peer. Apart, since both what ranks peers and what reports on them need it. */
#ifndef FRESHET_SWARM_PEER_SOURCE_H
#define FRESHET_SWARM_PEER_SOURCE_H

/* Best first. */
enum peer_source {
    PEER_SOURCE_USER,
    PEER_SOURCE_LAN,     /* BEP 14 */
    PEER_SOURCE_TRACKER, /* BEP 3, 15 */
    PEER_SOURCE_RESUME,
    PEER_SOURCE_INBOUND, /* it came to us, and told its listening port (BEP 10 `p`) */
    PEER_SOURCE_DHT,
    PEER_SOURCE_PEX, /* BEP 11 */
    PEER_SOURCE_COUNT
};

#endif
