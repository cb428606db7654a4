/* SPDX-License-Identifier: MIT */
/*
 * The one door between BitTorrent (core/) and the world (host/ or sim/): the complete list of what
 * can happen to an engine (enum event_type) and of what an engine can ask for (enum action_type).
 *
 * Four verbs, the same for every machine:
 *     x_input(x, now, &event)    something happened
 *     x_tick(x, now)             timers due by now fire
 *     x_deadline(x)              when to tick if nothing else happens
 *     x_output(x, &action)       take the next thing it wants done; false: nothing more
 *
 * Rules of the door
 * - `now` is monotonic nanoseconds. Wall time is an event.
 * - What an action points at is borrowed until the next call into the machine, except what a job
 *   points at: a job owns its buffers from the moment it is pulled until its one EVENT_JOB_DONE.
 *   Every job ends in exactly one such event, cancelled or not.
 * - Connection ids made by the engine (ACTION_CONNECT) are below CONN_INBOUND; the host numbers
 *   accepted ones from CONN_INBOUND up, those over uTP from CONN_INBOUND_UTP up. No id is used
 * twice in a run. After ACTION_CLOSE the host says nothing more of that connection, and after
 * EVENT_CLOSED the engine does not name it again.
 * - Payload never passes as bytes: it lies in blocks of the block pool (16 KiB each, numbered by
 * the engine, memory held by the host) or in files. The engine never reads or writes payload.
 */
#ifndef FRESHET_DOOR_DOOR_H
#define FRESHET_DOOR_DOOR_H

#include "core/base/address.h"
#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/limits.h"

typedef uint32_t conn_id;    /* one stream connection */
typedef uint32_t block_id;   /* one 16 KiB buffer of the block pool */
typedef uint64_t job_id;     /* never 0, never used twice */
typedef uint32_t storage_id; /* one torrent's files below one root */
typedef uint32_t file_index; /* in a storage */
typedef uint32_t piece_index;

struct rc4; /* core/crypto/rc4.h */

#define CONN_INBOUND     0x80000000u
#define CONN_INBOUND_UTP 0xc0000000u
#define BLOCK_NONE       UINT32_MAX

/* Files that are not files of the torrent. */
#define FILE_PADDING    UINT32_MAX       /* zeros: never on the disk (BEP 47) */
#define FILE_PART_STORE (UINT32_MAX - 1) /* pieces' parts that belong to unselected files */

/* A stretch of one file. */
struct file_range {
    file_index file;
    uint32_t length;
    uint64_t offset;
};

/*
 * The bytes [0, length) of one piece, or of a stretch of it: where they go on the disk (`ranges`,
 * whose lengths add up to `length`) and where they are in memory (`blocks`: entry i holds bytes
 * [i*16384, ...) of the stretch, or BLOCK_NONE when they are not in memory). Bytes that lie in a
 * FILE_PADDING range are zeros whatever a block holds there, are never written, and read as zeros.
 */
struct extent {
    storage_id storage;
    uint32_t length;
    const struct file_range *ranges;
    uint32_t range_count;
    uint32_t block_count; /* ceil(length / 16384) */
    const block_id *blocks;
};

/* What the disk says of one file; the change check of a seed rests on it. */
struct file_stat {
    bool exists;
    uint64_t size;
    int64_t mtime_ns;
    uint64_t inode;
};

/* A file as storage wants it on the disk. Path elements are already safe names. */
struct storage_file {
    const char *path; /* relative, '/' between elements, NUL-terminated, UTF-8 */
    uint64_t length;
    bool executable; /* BEP 47 'x' */
    bool padding;    /* BEP 47 'p': does not exist on the disk */
    bool wanted;     /* DISK_PREPARE creates it. May change between two of those, never during */
    const char *symlink; /* BEP 47 'l': target relative to the link's own folder; else NULL */
    piece_index piece_first, piece_end; /* that it touches; equal: none */
};

enum allocation { ALLOCATION_SPARSE, ALLOCATION_FULL };

/* What a storage is, given once when it is opened. Owned by the engine until DISK_CLOSE is done. */
struct storage_layout {
    const char *root;         /* the folder that holds the torrent's files; opened by the host */
    const uint8_t *info_hash; /* 32 bytes, as in a resume_record: who has the root; NULL: nobody */
    const char *part_name;    /* file name of the part store below the root */
    const struct storage_file *files;
    uint32_t file_count;
    uint32_t piece_length;
    enum allocation allocation;
    bool create_root;   /* false when progress is recorded there: a missing root is then ABSENT */
    bool read_only;     /* seeding: never create or write */
    bool make_symlinks; /* off unless a person asked */
    bool part_suffix;   /* a file that is made is called ".part" until all of it is recorded */
};

enum disk_operation {
    DISK_OPEN,    /* storage, layout -> stats[file_count + 1]. A root that is missing and not to be
                     created: FRESHET_ERROR_ABSENT. Another process works on this torrent there:
                     FRESHET_ERROR_BUSY */
    DISK_STAT,    /* storage -> stats[file_count + 1]; used every 10 s while seeding */
    DISK_PREPARE, /* storage: create folders and wanted files, give each its length (longer ones are
                     cut), allocate, symlinks, modes. Asked again when `wanted` has changed */
    DISK_READ,    /* extent: file ranges -> blocks */
    DISK_WRITE,   /* extent: blocks -> file ranges. The part store is created by its first write */
    DISK_HASH,    /* extent: blocks, and file ranges where a block is BLOCK_NONE -> digests */
    DISK_COPY,    /* extent (one range, no blocks) -> copy_to: a part leaves the part store */
    DISK_SYNC,    /* storage: fdatasync all dirty files (sync_all: all that exist), part store
                     included; fsync folders with new names */
    DISK_DROP_PARTS, /* storage: remove the part store: nothing in it is needed any more */
    DISK_DELETE, /* storage: remove the files that we created (never others) and empty folders */
    DISK_CLOSE,  /* storage: forget descriptors; unsynced ones are synced first */
};

/* One disk or hash job. Lives in the engine until its EVENT_JOB_DONE. */
struct disk_job {
    job_id id;
    enum disk_operation operation;
    storage_id storage;
    const struct storage_layout *layout; /* DISK_OPEN */
    struct extent extent;                /* READ, WRITE, HASH */
    /* OPEN, STAT: file_count entries, then one for the part store. */
    struct file_stat *ret_stats;
    struct file_range copy_to; /* COPY: as long as the extent */
    /* SYNC: also files that this run has not written. What a killed process has written may be in
     * the page cache only, and a check at the start that found it good says nothing of the disk. */
    bool sync_all;
    /* HASH: either may be NULL. SHA-1 of the whole extent; SHA-256 of each 16 KiB leaf of it, the
     * last leaf shorter. Reading a file that is too short or missing ends in
     * FRESHET_ERROR_NOT_FOUND. */
    uint8_t *ret_sha1;   /* 20 bytes */
    uint8_t *ret_leaves; /* 32 bytes a leaf: see leaf_length */
    /* HASH with v2 or hybrid: payload bytes of the extent that count for leaves; the rest (the gap
     * behind a file's end) is padding and has no leaf. 0 means all of `length`. */
    uint32_t leaf_length;
};

/* An HTTP request: tracker announces and scrapes (body returned), web seeds (body into blocks). */
struct fetch_job {
    job_id id;
    const char *url;
    int64_t timeout_ns; /* of the whole transfer */
    size_t body_max;    /* larger: FRESHET_ERROR_LIMIT. Holds after inflation too */
    /* A web seed: ask for bytes [range_start, range_start + range_length) and put them one after
     * another into blocks, the first byte at block_offset of blocks[0]. range_length 0: no Range.
     */
    uint64_t range_start;
    uint32_t range_length;
    uint32_t block_offset;
    const block_id *blocks;
    uint32_t block_count;
    /* A server that knows no ranges sends the file from its start (status 200): what lies before
     * the range is thrown away then, and the rest not waited for. false: only from the start. */
    bool may_skip;
    bool is_tracker; /* selects the address rules for trackers or for web seeds */
    uint8_t family;  /* 0: any; 4 or 6: only that address family (BEP 7) */
};

struct resolve_job {
    job_id id;
    const char *host; /* name or numeric */
    uint16_t port;
};

#define RESOLVE_ADDRESSES_MAX 8

/* One torrent's durable facts. The host writes it in one transaction, or not at all. */
struct resume_record {
    uint8_t info_hash[32]; /* v1: 20 bytes then zeros; v2 and hybrid: the full SHA-256 */
    const char *root;
    struct bytes pieces; /* bitfield of durable pieces, wire form */
    /* file_count + 1 entries: the files, then the part store. A file that does not `exist` here has
     * nothing recorded in it: parts of it are in the part store. */
    const struct file_stat *stats;
    uint32_t file_count;
    uint64_t uploaded;
    uint64_t downloaded;
    bool complete;
    bool clean; /* written by an orderly stop: nothing was written to the files after it */
};

struct persist_job {
    job_id id;
    struct resume_record record;
};

/* How a stream gets there. */
enum transport {
    TRANSPORT_ANY, /* what the host has: if both, what answers first */
    TRANSPORT_TCP,
    TRANSPORT_UTP, /* BEP 29, core/utp: that and no other */
};

enum event_type {
    EVENT_NONE,
    EVENT_ACCEPTED,   /* conn, remote, local */
    EVENT_CONNECTED,  /* conn, remote, local, transport */
    EVENT_CLOSED,     /* conn, error: connect failed, end of stream, reset */
    EVENT_RECEIVED,   /* conn, bytes: protocol bytes; the engine sets `consumed` */
    EVENT_PAYLOAD,    /* conn, length: payload bytes that were placed as engine_receive_plan said */
    EVENT_SENT,       /* conn, length: that many bytes of the last ACTION_SEND went out;
                         done: all of them, and the socket has room again */
    EVENT_DATAGRAM,   /* remote, bytes: on the engine's UDP socket */
    EVENT_JOB_DONE,   /* job, error, result */
    EVENT_WALL_CLOCK, /* unix_seconds: at start and whenever the clock jumps */
    EVENT_LISTENING,  /* local: the address and port that is listened on (TCP, and UDP the same) */
    EVENT_COMMAND,    /* command: a person's wish, see engine.h */
    EVENT_LOCAL_DATAGRAM, /* remote: the source, bytes: came to a group of BEP 14 */
};

struct event {
    enum event_type type;
    conn_id conn;
    enum freshet_error error;
    uint32_t length;
    bool done;
    enum transport transport;
    struct address remote;
    struct address local;
    struct bytes bytes;
    /* out, of EVENT_RECEIVED: fewer than bytes.length when something else follows */
    size_t consumed;
    /* out, of EVENT_RECEIVED: not NULL when the bytes after `consumed` and all later ones of the
     * connection are encrypted; the host copies the cipher and takes them through it before it does
     * anything else with them. Borrowed until the next call. */
    const struct rc4 *decrypt;
    job_id job;
    int64_t unix_seconds;
    const struct engine_command *command;
    union {
        struct {
            struct address addresses[RESOLVE_ADDRESSES_MAX];
            uint32_t count;
        } resolved;
        struct {
            struct bytes body;     /* borrowed during the call */
            uint32_t received;     /* payload bytes put into blocks */
            int32_t status;        /* HTTP status, 0 if none came */
            int64_t retry_after_s; /* of a 503, 0 if absent */
        } fetched;
        struct {
            uint32_t file; /* where an error happened, or UINT32_MAX */
        } disk;
    } result;
};

enum action_type {
    ACTION_NONE,
    ACTION_CONNECT,       /* conn, remote, transport */
    ACTION_SEND,          /* conn, header[header_length], then payload (if payload.length) */
    ACTION_SEND_DATAGRAM, /* remote, bytes */
    ACTION_RECEIVE_PAUSE, /* conn: read nothing more (rate limit, memory) */
    ACTION_RECEIVE_RESUME,
    ACTION_CLOSE,      /* conn */
    ACTION_DISK,       /* disk job */
    ACTION_FETCH,      /* fetch job */
    ACTION_RESOLVE,    /* resolve job */
    ACTION_PERSIST,    /* persist job */
    ACTION_CANCEL,     /* job: finish it early if that is possible; its event still comes */
    ACTION_TELL,       /* notice: something a person may want to know */
    ACTION_SEND_LOCAL, /* remote: a group of BEP 14, bytes: out of every interface that is fit */
    ACTION_ENCRYPT, /* conn, cipher (copied): the bytes and payload of each later SEND go through it
                       in order. None is in flight when this is said */
};

struct action {
    enum action_type type;
    conn_id conn;
    enum transport transport; /* CONNECT */
    struct address remote;
    struct bytes bytes; /* SEND: protocol bytes that go first. SEND_DATAGRAM, _LOCAL: the packet */
    /* SEND: payload that follows the bytes, read by the host (sendfile). A range in FILE_PADDING is
     * zeros. At most LIMIT_REQUEST_LENGTH_MAX in all. Only one SEND of a connection is in flight:
     * the next comes after EVENT_SENT with `done`. A range that can't be read closes the connection
     * (EVENT_CLOSED with FRESHET_ERROR_IO). */
    storage_id storage;
    const struct file_range *ranges;
    uint32_t range_count;
    job_id job; /* CANCEL */
    struct disk_job *disk;
    const struct fetch_job *fetch;
    const struct resolve_job *resolve;
    const struct persist_job *persist;
    const struct notice *notice; /* see engine.h */
    const struct rc4 *cipher;    /* ENCRYPT */
};

/* Where the next bytes of a stream belong. */
struct receive_plan {
    block_id block;  /* BLOCK_NONE: payload that nobody wants; read it and drop it */
    uint32_t offset; /* in the block */
    uint32_t length; /* payload bytes that come next; 0: protocol bytes come next */
    bool is_limited; /* read at most about a block at once: what is read has passed */
    bool held;       /* over a limit: read nothing more, ACTION_RECEIVE_PAUSE is on its way */
};

#endif
