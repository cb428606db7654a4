/* SPDX-License-Identifier: MIT */
/*
 * What torrent-get may be asked for: one table, two names a field. A row is a value a field asked
 * for, so that ten thousand rows of twenty fields are a few megabytes; what is no single value
 * (files, peers, trackers) is in the row's part.
 */
#ifndef FRESHET_RPC_TRANSMISSION_FIELDS_H
#define FRESHET_RPC_TRANSMISSION_FIELDS_H

#include "services/rpc/transmission_state.h"

enum transmission_kind { KIND_INTEGER, KIND_BOOL, KIND_REAL, KIND_TEXT, KIND_PART };

/* What a field costs beyond the row. */
enum transmission_need {
    NEEDS_CONTENT = 1, /* the metainfo; a torrent that is not open has to be read */
    NEEDS_FILES = 2,   /* a copy of the list of files */
    NEEDS_PIECES = 4,  /* which pieces are there */
    NEEDS_PEERS = 8,
    NEEDS_TRACKERS = 16,
    NEEDS_WEB_SEEDS = 32,
    NEEDS_AVAILABILITY = 64, /* O(peers * pieces / 8) */
    NEEDS_REACH = 128,       /* O(pieces) */
    NEEDS_LABELS = 256,
    NEEDS_SOURCES = 512,
    NEEDS_PRIORITIES = 1024,
    NEEDS_NAMES = 2048, /* of the files too */
};
#define NEEDS_PART                                                                                 \
    (NEEDS_FILES | NEEDS_PIECES | NEEDS_PEERS | NEEDS_TRACKERS | NEEDS_WEB_SEEDS |                 \
     NEEDS_AVAILABILITY | NEEDS_LABELS | NEEDS_SOURCES | NEEDS_PRIORITIES)

enum transmission_field {
    FIELD_ACTIVITY_DATE,
    FIELD_ADDED_DATE,
    FIELD_ANNOUNCE_URL,
    FIELD_AVAILABILITY,
    FIELD_BANDWIDTH_PRIORITY,
    FIELD_BYTES_COMPLETED,
    FIELD_COMMENT,
    FIELD_CORRUPT_EVER,
    FIELD_CREATOR,
    FIELD_DATE_CREATED,
    FIELD_DESIRED_AVAILABLE,
    FIELD_DONE_DATE,
    FIELD_DOWNLOAD_DIR,
    FIELD_DOWNLOAD_LIMIT,
    FIELD_DOWNLOAD_LIMITED,
    FIELD_DOWNLOADED_EVER,
    FIELD_EDIT_DATE,
    FIELD_ERROR,
    FIELD_ERROR_STRING,
    FIELD_ETA,
    FIELD_ETA_IDLE,
    FIELD_FILE_COUNT,
    FIELD_FILE_STATS,
    FIELD_FILES,
    FIELD_GROUP,
    FIELD_HASH_STRING,
    FIELD_HAVE_UNCHECKED,
    FIELD_HAVE_VALID,
    FIELD_HONORS_SESSION_LIMITS,
    FIELD_ID,
    FIELD_IS_FINISHED,
    FIELD_IS_FOLDER,
    FIELD_IS_PRIVATE,
    FIELD_IS_STALLED,
    FIELD_LABELS,
    FIELD_LEFT_UNTIL_DONE,
    FIELD_MAGNET_LINK,
    FIELD_MANUAL_ANNOUNCE_TIME,
    FIELD_MAX_CONNECTED_PEERS,
    FIELD_METADATA_PERCENT_COMPLETE,
    FIELD_NAME,
    FIELD_PEER_LIMIT,
    FIELD_PEERS,
    FIELD_PEERS_CONNECTED,
    FIELD_PEERS_FROM,
    FIELD_PEERS_GETTING_FROM_US,
    FIELD_PEERS_KNOWN,
    FIELD_PEERS_SENDING_TO_US,
    FIELD_PERCENT_COMPLETE,
    FIELD_PERCENT_DONE,
    FIELD_PIECE_COUNT,
    FIELD_PIECE_SIZE,
    FIELD_PIECES,
    FIELD_PRIMARY_MIME_TYPE,
    FIELD_PRIORITIES,
    FIELD_QUEUE_POSITION,
    FIELD_RATE_DOWNLOAD,
    FIELD_RATE_UPLOAD,
    FIELD_RECHECK_PROGRESS,
    FIELD_SECONDS_DOWNLOADING,
    FIELD_SECONDS_SEEDING,
    FIELD_SEED_IDLE_LIMIT,
    FIELD_SEED_IDLE_MODE,
    FIELD_SEED_RATIO_LIMIT,
    FIELD_SEED_RATIO_MODE,
    FIELD_SEQUENTIAL_DOWNLOAD,
    FIELD_SEQUENTIAL_FROM_PIECE,
    FIELD_SIZE_WHEN_DONE,
    FIELD_START_DATE,
    FIELD_STATUS,
    FIELD_TORRENT_FILE,
    FIELD_TOTAL_SIZE,
    FIELD_TRACKER_LIST,
    FIELD_TRACKER_STATS,
    FIELD_TRACKERS,
    FIELD_UPLOAD_LIMIT,
    FIELD_UPLOAD_LIMITED,
    FIELD_UPLOAD_RATIO,
    FIELD_UPLOADED_EVER,
    FIELD_WANTED,
    FIELD_WEB_SEEDS,
    FIELD_WEB_SEEDS_EX,
    FIELD_WEB_SEEDS_SENDING,
    FIELD_WHY, /* ours: why it is not faster, in words */
    FIELD_COUNT
};

struct transmission_field_info {
    const char *old_name, *new_name;
    enum transmission_kind kind;
    unsigned needs; /* enum transmission_need */
};

struct transmission_file {
    const char *name;
    uint64_t offset, length; /* in the torrent's linear space */
    bool padding;            /* BEP 47: not on the disk, and of no interest to people */
};

struct transmission_tracker {
    const char *url;
    struct tracker_status status; /* its url is not used; times are unix seconds, 0: never */
};

struct transmission_web_seed {
    const char *url;
    uint64_t rate;
};

struct transmission_part {
    const char *const *labels;
    uint32_t label_count;
    uint32_t peers_from[PEER_SOURCE_COUNT];
    uint32_t piece_count, piece_length;
    const uint8_t *pieces;       /* wire form; NULL: none is there */
    const uint8_t *availability; /* piece_count entries; NULL: nobody has any */
    const uint8_t *priorities;   /* file_count entries; NULL: all normal */
    uint32_t file_count;
    struct transmission_file *files; /* NULL, or files_copied (in the end file_count) entries */
    uint32_t files_copied;
    const struct peer_status *peers;
    uint32_t peer_count;
    const struct transmission_tracker *trackers;
    uint32_t tracker_count;
    const struct transmission_web_seed *web_seeds;
    uint32_t web_seed_count;
};

union transmission_value {
    int64_t integer;
    double real;
    const char *text;
    const struct transmission_part *part;
};

/* By either name; FIELD_COUNT: no such field. */
enum transmission_field transmission_fields_find(const char *name);
const struct transmission_field_info *transmission_fields_info(enum transmission_field field);

/* What a value is made of, on the engine's thread. */
struct transmission_source {
    const struct service_world *world;
    const struct catalog_torrent *row;
    const struct metainfo *metainfo; /* NULL: not known, or nobody needs it */
    const struct transmission_part *part;
    struct call_arena *arena;
    bool shows_urls; /* whole */
};

/* ---- transmission_values.c ---- */

void transmission_values_copy(const struct transmission_source *source,
                              enum transmission_field field, const union transmission_value *before,
                              union transmission_value *ret_value);

/* ---- transmission_parts.c ---- */

/* Everything of the part but its files; `needs` says what. `pieces` may be NULL. */
struct transmission_part *transmission_parts_new(const struct transmission_source *source,
                                                 const struct bitfield *pieces, unsigned needs);
/* Copies more of the files; false: no time is left, call again with the same torrent. */
bool transmission_parts_copy_files(const struct transmission_source *source,
                                   struct transmission_part *part, bool names,
                                   struct transmission_slice *slice);

/* ---- transmission_rows.c ---- */

void transmission_rows_write(struct json_writer *writer, enum transmission_field field,
                             union transmission_value value, bool is_rpc2);
/* -1 low, 0 normal, 1 high, of a priority that the catalog has. */
int transmission_rows_priority(uint8_t priority);

/* ---- transmission_lists.c: the parts that are lists of objects ---- */

void transmission_lists_write_files(struct json_writer *writer,
                                    const struct transmission_part *part, bool is_rpc2);
void transmission_lists_write_file_stats(struct json_writer *writer,
                                         const struct transmission_part *part, bool is_rpc2);
void transmission_lists_write_bytes(struct json_writer *writer,
                                    const struct transmission_part *part);
void transmission_lists_write_peers(struct json_writer *writer,
                                    const struct transmission_part *part, bool is_rpc2);
void transmission_lists_write_trackers(struct json_writer *writer,
                                       const struct transmission_part *part, bool is_rpc2);
void transmission_lists_write_tracker_stats(struct json_writer *writer,
                                            const struct transmission_part *part, bool is_rpc2);

#endif
