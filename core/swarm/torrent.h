/* SPDX-License-Identifier: MIT */
/*
 * What a torrent is told (settings, options) and what it tells (phase, status, notices). Stands
 * below the swarm so that swarm and engine speak of the same things; programs get it through
 * engine.h.
 */
#ifndef FRESHET_SWARM_TORRENT_H
#define FRESHET_SWARM_TORRENT_H

#include "core/base/bitfield.h"
#include "core/door/door.h"
#include "core/swarm/client_name.h"
#include "core/swarm/peer_mse.h"
#include "core/swarm/peer_source.h"

typedef uint32_t torrent_id; /* chosen by whoever adds the torrent; 0 is no torrent */

struct engine_settings {
    uint64_t seed;            /* of the engine's random numbers */
    uint8_t peer_id[20];      /* "-FR....-" and 12 random bytes */
    uint16_t listen_port;     /* announced; updated by EVENT_LISTENING, COMMAND_SET_EXTERNAL */
    uint32_t connections_max; /* 0: LIMIT_CONNECTIONS */
    uint32_t pool_blocks;     /* blocks that the host has memory for; 0: LIMIT_POOL_BLOCKS */
    uint64_t upload_limit;    /* bytes a second, 0: none; payload of all torrents */
    uint64_t download_limit;
    uint32_t upload_slots; /* regular unchoke slots a torrent; 0: default 4 */
    bool no_upload;        /* never unchoke anybody */
    bool no_pex;           /* no peer exchange (BEP 11) */
    bool no_lsd;           /* do not look for peers in the local network (BEP 14) */
    bool has_utp;          /* the host goes out by uTP where it is told to */
    bool no_tcp;           /* the host goes out by uTP alone */
    bool no_holepunch;     /* not even with uTP (BEP 55) */
    bool many_per_address; /* allow more peers from one address (tests, LANs behind NAT) */
    enum encryption encryption;
};

/* Limits that several torrents share. */
struct torrent_group {
    uint32_t number;                       /* from 1 */
    uint64_t upload_limit, download_limit; /* bytes a second, 0: none */
    bool is_alone;                         /* the limits of all do not hold it */
};

/* How a torrent shares the limits of all; zeros: as every other. */
struct torrent_share {
    bool is_alone;   /* only its own limits hold it */
    int8_t priority; /* -1, 0, 1: of a limit it gets a quarter of what others get, or four times */
    uint32_t group;  /* COMMAND_SET_GROUP made it; 0 or another: none */
};

/* Pieces that somebody reads, or is about to. They go before all others, in order. */
struct piece_window {
    piece_index first;
    uint32_t count;
    bool is_now; /* before windows that are not */
};

struct torrent_options {
    const char *root; /* where the files go (copied) */
    const uint8_t
        *file_priorities; /* file_count entries, 0 = unwanted; NULL: everything normal (copied) */
    bool sequential;
    bool seed_unchecked; /* trust that the data is there, hash nothing at the start */
    bool read_only;      /* seeding: never write, never create */
    bool super_seed;     /* BEP 16 */
    bool make_symlinks;
    bool part_suffix; /* ".part" behind a file's name until it is complete and durable */
    bool paused;
    enum allocation allocation;
    uint64_t upload_limit, download_limit; /* bytes a second, 0: none */
    struct torrent_share share;
    uint32_t upload_slots;       /* 0: the engine's */
    uint32_t peers_max;          /* 0: the engine's, see engine_tuning */
    enum transport transport;    /* of its peers' connections, either way; ANY: what the host has */
    double seed_ratio;           /* stop seeding at uploaded/size; < 0: no goal */
    int64_t seed_time_s;         /* stop seeding after; < 0: no goal */
    bool wait_for_space;         /* on a full disk: pause and retry; else the torrent stops */
    const struct address *peers; /* to try first (copied) */
    uint32_t peer_count;
    const struct resume_record *resume; /* what was durable at the last barrier, or NULL (copied) */
};

/* What may be changed of a torrent at any time: as in torrent_options. */
struct torrent_tuning {
    bool sequential;
    bool super_seed; /* takes hold when it has every piece now; peers are met anew */
    uint32_t upload_slots, peers_max;
    struct torrent_share share;
    enum transport transport; /* connections of another one are closed */
    double seed_ratio;        /* < 0: no goal */
    int64_t seed_time_s;      /* < 0: no goal */
};

enum notice_type {
    NOTICE_CHECKING,  /* hashing what is on the disk */
    NOTICE_READY,     /* checked; downloading or seeding from now on */
    NOTICE_COMPLETE,  /* everything wanted is verified AND durable */
    NOTICE_SEED_GOAL, /* ratio or time goal reached: torrent is paused */
    NOTICE_ERROR,     /* error: torrent stopped; file tells where, when known */
    NOTICE_DISK_FULL, /* writing paused, retried by itself (wait_for_space) */
    NOTICE_DISK_RESUMED,
    NOTICE_STORAGE_ABSENT, /* the root is not there; progress kept, retried by itself */
    NOTICE_FILE_CHANGED,   /* file: changed on the disk; its pieces are unknown and hashed again */
    NOTICE_PIECE_FAILED,   /* piece: did not match; who sent it is judged */
    NOTICE_PEER_BANNED,    /* address */
    NOTICE_PEER_LEFT,      /* address, uploaded, downloaded: one that gave or got payload */
    NOTICE_TRACKER_OK,     /* url: answered; count = peers in the answer */
    NOTICE_TRACKER_ERROR,  /* url, text: the tracker's words or ours */
    NOTICE_PERSIST_FAILED, /* error: the record could not be written */
    NOTICE_REMOVED,
    NOTICE_SHUTDOWN_DONE,
    NOTICE_METADATA, /* what the torrent is is known: take it (engine_take_metadata) and add it */
    NOTICE_REHASHED, /* count: of the pieces that FILE_CHANGED made unknown, those that are
                        missing or bad now */
    NOTICE_WEB_SEED_RESTS,     /* url, error, status, count: asked again in so many seconds */
    NOTICE_WEB_SEED_NO_RANGES, /* url: sends whole files only, of which the front is fetched */
    NOTICE_WEB_SEED_DROPPED,   /* url, error, status: not asked again */
    NOTICE_NO_SOURCES,         /* nobody is left who might have what is missing, or know who does */
};

struct notice {
    enum notice_type type;
    torrent_id torrent;
    enum freshet_error error;
    uint32_t file; /* UINT32_MAX when no file */
    piece_index piece;
    uint32_t count;
    int32_t status; /* of HTTP, 0: none came */
    struct address address;
    struct bytes url, text;
    uint64_t uploaded, downloaded; /* payload, with the peer that left */
};

enum torrent_phase {
    PHASE_METADATA, /* only the hash is known yet (BEP 9) */
    PHASE_OPENING,
    PHASE_CHECKING,
    PHASE_DOWNLOADING,
    PHASE_SEEDING,
    PHASE_PAUSED,
    PHASE_ABSENT,
    PHASE_ERROR,
    PHASE_STOPPING,
};

struct torrent_status {
    enum torrent_phase phase;
    enum freshet_error error;
    uint64_t wanted_bytes;    /* payload selected */
    uint64_t verified_bytes;  /* of it, verified */
    uint64_t durable_bytes;   /* of it, durable */
    uint64_t unchecked_bytes; /* blocks that came of pieces that are not verified yet, about */
    uint64_t checked_bytes;   /* while checking */
    uint64_t total_bytes;
    uint64_t uploaded, downloaded, wasted; /* payload, this run; wasted: failed or twice received */
    uint64_t corrupt;                      /* of the wasted, those of pieces whose hash failed */
    uint64_t download_rate, upload_rate;   /* bytes a second */
    uint32_t peers, peers_downloading, peers_uploading, seeds_known;
    uint32_t pieces_done, pieces_total;
    uint32_t peers_by_source[PEER_SOURCE_COUNT]; /* of the connected ones */
    uint32_t known_by_source[PEER_SOURCE_COUNT]; /* connected or not */
    /* The whole swarm, as the tracker counted it last. */
    bool swarm_known, swarm_downloads_known;
    uint32_t swarm_seeders, swarm_leechers;
    uint32_t swarm_downloads;      /* how often it was completed */
    const struct bitfield *pieces; /* verified; borrowed */
    bool complete;                 /* all wanted durable */
    enum transport lacks;          /* that it is to use, and the host does not have; ANY: none */
    /* PHASE_METADATA: bytes of the info dictionary, hashes of piece layers; totals 0: not known. */
    uint32_t metadata_bytes, metadata_size, layers, layers_total;
};

struct peer_status {
    struct address address;
    enum peer_source source; /* INBOUND also when it came and told no port */
    uint8_t peer_id[20];
    bool inbound, am_choking, am_interested, peer_choking, peer_interested, is_seed, snubbed,
        optimistic;
    uint64_t uploaded, downloaded; /* payload with this peer */
    uint64_t download_rate, upload_rate;
    uint32_t pieces;
    uint32_t progress_permille; /* of the pieces that there are */
    bool upload_only;           /* it said so (BEP 21) */
    bool is_utp;
    bool knows_holepunch;          /* BEP 55 */
    bool is_encrypted;             /* RC4; not where only the handshake was hidden */
    uint32_t requests_out;         /* blocks that we wait for */
    uint32_t requests_in;          /* blocks that it waits for */
    int64_t connected_ns;          /* since when, on the engine's clock */
    char client[CLIENT_NAME_SIZE]; /* from the extension handshake, cleaned; may be "" */
};

/* A piece on its way: who is asked for it, and who brought what of it. */
#define PIECE_FETCHES_MAX 256u /* of a torrent that are told */
#define PIECE_FETCH_PEERS 8u   /* of a piece that are told; who is asked still comes first */
struct piece_fetch_peer {
    struct address address; /* as in peer_status */
    bool is_web_seed;       /* then the address says nothing */
    uint32_t asked;         /* blocks that it has been asked for and that are not here */
    uint32_t received;      /* blocks that came from it */
};
struct piece_fetch {
    piece_index piece;
    uint32_t blocks;          /* all of it */
    uint32_t asked, received; /* of them; all received: it waits for its verdict */
    uint32_t peer_count;
    struct piece_fetch_peer peers[PIECE_FETCH_PEERS];
};

/* Where pieces are between the wire and the disk. */
struct torrent_pipeline {
    uint32_t fetching;                  /* some block came or was asked for, and not all are here */
    uint32_t hashing, waiting, writing; /* whole: see storage_pipeline */
    uint32_t verified, durable, total;  /* pieces */
    uint32_t checking;                  /* pieces on the disk that are hashed just now */
    uint64_t checked_bytes;             /* while the torrent is being checked; else 0 */
};

/* How much of what is wanted could be had from who is connected now. */
struct torrent_reach {
    uint64_t desired_bytes;   /* wanted, not verified, and somebody connected has it */
    uint32_t copies_permille; /* whole copies at connected peers, web seeds not counted */
    bool has_web_seed;        /* one that is not dropped: then all of it can be had */
};

/* A web seed (BEP 19). */
struct web_seed_status {
    struct bytes url; /* borrowed until the next call into the engine */
    uint64_t rate;    /* payload bytes a second */
    bool failing;     /* its last answer was none, or not the one asked for */
    bool dropped;     /* given up until the torrent is opened anew */
    int64_t retry_ns; /* failing: when it may be asked again, on the engine's clock */
};

#endif
