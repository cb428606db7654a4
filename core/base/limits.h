/* SPDX-License-Identifier: MIT */
/*
 * Every limit, in one place. Full means refuse, and the refusal has a test. Where a number follows
 * deployed clients or a BEP, the line says so.
 */
#ifndef FRESHET_BASE_LIMITS_H
#define FRESHET_BASE_LIMITS_H

#define KIB            1024u
#define MIB            (1024u * 1024u)
#define SECOND_NS      INT64_C(1000000000)
#define MILLISECOND_NS INT64_C(1000000)

/* Blocks and pieces (BEP 3, 52). */
#define LIMIT_BLOCK_SIZE          16384u  /* what we request */
#define LIMIT_REQUEST_LENGTH_MAX  131072u /* above it a request closes the connection */
#define LIMIT_PIECE_LENGTH_MIN_V2 16384u
#define LIMIT_PIECE_LENGTH_MAX    (512u * MIB)
#define LIMIT_PIECES_MAX          2097152u

/* Bencode and metainfo. */
#define LIMIT_BENCODE_DEPTH     100u
#define LIMIT_BENCODE_TOKENS    3000000u
#define LIMIT_TORRENT_FILE_SIZE (64u * MIB)
#define LIMIT_METADATA_SIZE     (16u * MIB)
#define LIMIT_FILES_MAX         1000000u
#define LIMIT_PATH_DEPTH        64u
#define LIMIT_PATH_ELEMENT      255u /* bytes, as file systems have it */
#define LIMIT_PATH_LENGTH       4095u
#define LIMIT_PATH_ELEMENTS_MAX 4194304u    /* of all files of a torrent */
#define LIMIT_PATH_BYTES_MAX    (64u * MIB) /* of all paths of a torrent */
#define LIMIT_DUPLICATE_NAMES   500u
#define LIMIT_TRACKERS_MAX      256u /* URLs of a torrent */
#define LIMIT_URL_LENGTH        4096u
#define LIMIT_WEB_SEEDS_MAX     64u
#define LIMIT_MAGNET_LENGTH     65536u
#define LIMIT_MAGNET_PEERS      64u
#define LIMIT_MAGNET_RANGES     1024u
#define LIMIT_HOST_LENGTH       253u /* of a name, RFC 1035 */

#define LIMIT_PIECE_WINDOWS    32u /* of a torrent: what is read of it while it comes */
#define LIMIT_FILE_READERS     8u  /* of a torrent, over HTTP */
#define LIMIT_FILE_READERS_ALL 32u

/* Peer wire. */
#define LIMIT_MESSAGE_LENGTH     (1u * MIB)
#define LIMIT_EXTENDED_HANDSHAKE 8192u
#define LIMIT_EXTENDED_PAYLOAD   32768u /* a metadata piece is 16 KiB and a dictionary */
#define LIMIT_ALLOWED_FAST       5u
#define LIMIT_HASHES_PER_REQUEST 8192u
#define LIMIT_HASH_PROOF_LAYERS  64u
#define LIMIT_REQUESTS_IN        2000u /* reqq that we advertise, and hold */
#define LIMIT_REQUESTS_OUT       500u
#define LIMIT_REJECTS_UNTIL_DROP 50u        /* requests beyond reqq that a peer may send */
#define LIMIT_NUISANCES          2000u      /* choke, interest, cancel of a peer in 10 s */
#define LIMIT_OUT_BYTES          (4u * MIB) /* protocol bytes that a peer does not read */
#define LIMIT_REJECTS_IN_A_ROW   600u       /* of our requests, without a block in between */
#define LIMIT_INVALID_REQUESTS   300u
#define LIMIT_PEX_NUISANCE       10u /* peer exchange that comes too soon, in a row (BEP 11) */

/* Holepunch (BEP 55). */
#define LIMIT_HOLEPUNCH_PER_MINUTE 20u /* messages of each kind and way, with one peer */
#define LIMIT_HOLEPUNCH_TOLD_PER_MINUTE                                                            \
    40u                              /* by a relay: what we asked for, and what others did         \
                                      */
#define LIMIT_HOLEPUNCH_PER_GROUP 2u /* askers are of groups: of these to one target a minute */
#define LIMIT_HOLEPUNCH_GROUPS    8u
#define LIMIT_HOLEPUNCH_TELLERS   2u  /* that are kept in mind for one candidate */
#define LIMIT_HOLEPUNCH_TRIES     3u  /* that a candidate is asked for through others */
#define LIMIT_HOLEPUNCH_DIALS     16u /* of a torrent, under way because others said so */

/* Peers. */
#define LIMIT_PEERS_PER_TORRENT       200u
#define LIMIT_CONNECTIONS             500u
#define LIMIT_PEER_LIST               3000u
#define LIMIT_CONNECTS_PER_SECOND     30u
#define LIMIT_CONNECTIONS_PER_ADDRESS 4u
#define LIMIT_MSE_PER_ADDRESS         4u  /* handshakes of encryption that came in, under way */
#define LIMIT_INBOUND_PER_NETWORK     32u /* of a torrent, from one public IPv4 /24 or IPv6 /48 */
#define LIMIT_TIMEOUT_CONNECT_NS      (15 * SECOND_NS)
#define LIMIT_TIMEOUT_HANDSHAKE_NS    (10 * SECOND_NS)
#define LIMIT_TIMEOUT_SILENT_NS       (120 * SECOND_NS)
#define LIMIT_KEEPALIVE_NS            (100 * SECOND_NS)
#define LIMIT_TIMEOUT_INACTIVE_NS     (600 * SECOND_NS)

/* Trackers. */
#define LIMIT_TRACKER_REPLY           (1u * MIB)
#define LIMIT_TRACKER_PEERS           200u /* most that our server hands out; default 50 */
#define LIMIT_SCRAPE_HASHES           74u  /* BEP 15 */
#define LIMIT_TRACKER_TIMEOUT_NS      (10 * SECOND_NS) /* of a whole HTTP answer */
#define LIMIT_TRACKER_REPLY_PEERS     3000u /* taken from one reply; the rest is ignored */
#define LIMIT_TRACKER_TEXT            512u  /* bytes of a failure or warning that are kept */
#define LIMIT_TRACKER_ID              256u
#define LIMIT_TRACKER_RESULTS         16u
#define LIMIT_ANNOUNCE_INTERVAL_MIN_S 5u /* what a tracker may ask for at least */
#define LIMIT_ANNOUNCE_INTERVAL_MAX_S 86400u
#define LIMIT_ANNOUNCE_INTERVAL_S     1800u             /* when the tracker says none */
#define LIMIT_ANNOUNCE_FLOOR_NS       (300 * SECOND_NS) /* between announces asked for by hand */
#define LIMIT_ANNOUNCE_CHANGED_NS     (300 * SECOND_NS) /* and between those for a new address */
#define LIMIT_ANNOUNCE_BACKOFF_NS     (10 * SECOND_NS)  /* times 2.5 each failure */
#define LIMIT_ANNOUNCE_BACKOFF_MAX_NS (3600 * SECOND_NS)
#define LIMIT_ANNOUNCES_FLYING        50u
#define LIMIT_ANNOUNCES_PER_SECOND    20u
#define LIMIT_UDP_TRACKER_TIMEOUT_NS  (15 * SECOND_NS) /* times 2^n (BEP 15) */
#define LIMIT_UDP_TRACKER_TRIES       3u               /* then the next tracker has its turn */
#define LIMIT_UDP_TRACKER_ID_NS       (60 * SECOND_NS) /* a connection id's life, client (BEP 15) */
#define LIMIT_TRACKER_STOP_NS         (5 * SECOND_NS)  /* a tracker's time to take our stopped */

/* The tracker server. A stored peer costs about 400 bytes, indices included. */
#define LIMIT_TRACKER_SWARMS          250000u
#define LIMIT_TRACKER_STORED_PEERS    1000000u
#define LIMIT_TRACKER_PEERS_DEFAULT   50u      /* handed out when the peer does not say how many */
#define LIMIT_TRACKER_SAME_ADDRESS    64u      /* peers of one swarm behind one address (or /64) */
#define LIMIT_TRACKER_RECORDS_ADDRESS 20000u   /* the same, over all swarms */
#define LIMIT_TRACKER_QUERY           8192u    /* bytes of an HTTP path and query */
#define LIMIT_TRACKER_DATAGRAM        1400u    /* bytes of a UDP reply: no fragments */
#define LIMIT_TRACKER_ALLOWED         1000000u /* info-hashes of an allow list */
#define LIMIT_TRACKER_PROXIES         16u
#define LIMIT_TRACKER_CONNECTION_ID_S 120 /* BEP 15 */

/* DHT. */
#define LIMIT_DHT_DATAGRAM_IN     4096u /* larger packets are not looked at */
#define LIMIT_DHT_DATAGRAM_OUT    1400u /* a reply that may go to an unproven source */
#define LIMIT_DHT_VALUE           1000u /* BEP 44 */
#define LIMIT_DHT_SALT            64u   /* BEP 44 */
#define LIMIT_DHT_TOKEN           64u   /* of another node */
#define LIMIT_DHT_TORRENTS        2000u
#define LIMIT_DHT_PEERS           500u /* of a torrent */
#define LIMIT_DHT_PEERS_ADDRESS   4u   /* of a torrent, behind one address */
#define LIMIT_DHT_ITEMS           700u
#define LIMIT_DHT_BUCKETS         24u
#define LIMIT_DHT_MESSAGES_SOURCE 5u    /* answered a second a source */
#define LIMIT_DHT_BYTES_UNPROVEN  8000u /* a second to all sources that have proven nothing */
#define LIMIT_DHT_PENDING         512u  /* queries without an answer yet */
#define LIMIT_DHT_LOOKUPS         32u
#define LIMIT_DHT_RESULTS         256u
#define LIMIT_DHT_OUTPUTS         1024u /* packets waiting for the host */
#define LIMIT_DHT_NAMES           16u   /* of nodes to begin with */
#define LIMIT_DHT_GIVE_UP_NS      (2 * SECOND_NS)
#define LIMIT_DHT_LATE_MIN_NS     (100 * MILLISECOND_NS)
#define LIMIT_DHT_LATE_MAX_NS     SECOND_NS
#define LIMIT_DHT_PEER_LIFE_NS    (45 * 60 * SECOND_NS)
#define LIMIT_DHT_ITEM_LIFE_NS    (2 * 3600 * SECOND_NS) /* BEP 44 */
#define LIMIT_DHT_ANNOUNCE_NS     (15 * 60 * SECOND_NS)
#define LIMIT_DHT_ANNOUNCE_GAP_NS (SECOND_NS / 5) /* between two torrents' announces */

/* Local service discovery (BEP 14). */
#define LIMIT_LSD_PACKET         1400u /* bytes that we send */
#define LIMIT_LSD_PACKET_IN      2048u /* larger packets are not looked at */
#define LIMIT_LSD_HASHES         32u   /* taken from one packet; the rest is passed over */
#define LIMIT_LSD_SOURCES        256u  /* heard in a minute; more are a flood */
#define LIMIT_LSD_PACKETS_SOURCE 240u  /* heard a minute of one source */
#define LIMIT_LSD_RESULTS        256u
#define LIMIT_LSD_PACKET_GAP_NS  (60 * SECOND_NS)
#define LIMIT_LSD_ANNOUNCE_NS    (300 * SECOND_NS) /* a torrent's, BEP 14 */

/* uTP (BEP 29). */
#define LIMIT_UTP_CONNECTIONS  2000u /* of a mux, those that only linger included */
#define LIMIT_UTP_PACKETS      1024u /* in flight, and held out of order; libutp has the same */
#define LIMIT_UTP_BUFFER       (1u * MIB)   /* of a connection, each way */
#define LIMIT_UTP_MEMORY       (256u * MIB) /* all buffers of a mux */
#define LIMIT_UTP_SYN_TRIES    3u
#define LIMIT_UTP_TIMEOUTS     6u  /* in a row, of one packet */
#define LIMIT_UTP_ACKS_UNSENT  16u /* packets that acknowledge what was never sent */
#define LIMIT_UTP_RESETS       64u /* a second, to those who speak of no connection of ours */
#define LIMIT_UTP_RTO_FIRST_NS SECOND_NS
#define LIMIT_UTP_RTO_MIN_NS   (500 * MILLISECOND_NS)
#define LIMIT_UTP_RTO_MAX_NS   (30 * SECOND_NS)
#define LIMIT_UTP_COOKIE_NS    (32 * SECOND_NS)
#define LIMIT_UTP_ECHO_NS      (8 * SECOND_NS)
#define LIMIT_UTP_KEEPALIVE_NS (29 * SECOND_NS) /* as libutp, for the sake of NATs */
#define LIMIT_UTP_CLOSE_NS     (30 * SECOND_NS)
#define LIMIT_UTP_LINGER_NS    (2 * SECOND_NS)

/* A dial over TCP and uTP both. */
#define LIMIT_RACE_HEAD_START_NS (250 * MILLISECOND_NS) /* of what answered last */
#define LIMIT_RACE_MEMORY        1024u                  /* addresses where that was uTP */

/* IP filter lists. A range is 8 bytes (IPv6: 32). */
#define LIMIT_IP_FILTER_RANGES 2000000u
#define LIMIT_IP_FILTER_LINES  10000000u
#define LIMIT_IP_FILTER_LINE   1024u        /* bytes; a longer one is not understood */
#define LIMIT_IP_FILTER_PACKED (64u * MIB)  /* a list as it is fetched or lies on disk */
#define LIMIT_IP_FILTER_SIZE   (512u * MIB) /* the same unpacked */

/* What a daemon takes by itself, and what it tells. */
#define LIMIT_WATCH_FOLDERS        32u
#define LIMIT_WATCH_FILES          5000u /* .torrent and .magnet files of a folder; the rest waits */
#define LIMIT_WATCH_TAKEN          20000u /* kept files that are remembered */
#define LIMIT_FEEDS                64u
#define LIMIT_FEED_SIZE            (4u * MIB)
#define LIMIT_FEED_ITEMS           1000u
#define LIMIT_FEED_DEPTH           64u
#define LIMIT_FEED_ELEMENTS        200000u
#define LIMIT_FEED_TITLE           512u
#define LIMIT_FEED_FILTERS         32u
#define LIMIT_FEED_FILTER_LENGTH   256u
#define LIMIT_FEED_FILTER_NESTING  32u
#define LIMIT_FEED_FILTER_STEPS    20000u /* of a search in one title, about half a millisecond */
#define LIMIT_FEED_FILTER_HEAP_KIB 256u
#define LIMIT_FEED_FILTER_TIRED    16u   /* titles that cost too much: then it fits nothing more */
#define LIMIT_FEED_TAKEN           4096u /* items of a feed that are remembered */
#define LIMIT_FEED_BODIES          (160u * MIB) /* of all feeds at once: two torrents, and documents */
#define LIMIT_FEED_INTERVAL_S      1800u        /* when nobody says; BEP 36 has no number */
#define LIMIT_FEED_INTERVAL_MIN_S  60u
#define LIMIT_FEED_INTERVAL_MAX_S  604800u
#define LIMIT_LOG_LINES            1000u

/* Storage. */
#define LIMIT_FILE_PRIORITY 7u /* higher wishes count as this */
#define LIMIT_BARRIER_NS    (5 * SECOND_NS)
#define LIMIT_BARRIER_BYTES (256ull * MIB)
#define LIMIT_POOL_BLOCKS   16384u /* 256 MiB of payload between wire and disk */
#define LIMIT_TORRENTS      100000u

/* Room kept for the state. */
#define LIMIT_STATE_RESERVE       (4u * MIB)
#define LIMIT_STATE_RESERVE_SHARE 16u          /* at most this part of the file system */
#define LIMIT_STATE_RESERVE_PIECE (256u * KIB) /* given at a time */

#endif
