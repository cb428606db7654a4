/* SPDX-License-Identifier: MIT */
/*
 * The inside of a storage, for the files of this folder only. storage.c owns the machine (jobs in
 * and out, results, phases); each other file owns one concern and the fields under its heading:
 *
 *   storage_layout.c    where each byte of a piece lies: file, part store, padding
 *   storage_judge.c     what the facts of the files say of the pieces in them
 *   storage_verify.c    hashing what is on the disk
 *   storage_put.c       pieces on their way in: hash, prepare, write, full disk
 *   storage_export.c    parts that move from the part store to their file
 *   storage_barrier.c   sync, facts, record; counters; the close
 */
#ifndef FRESHET_STORAGE_STORAGE_STATE_H
#define FRESHET_STORAGE_STORAGE_STATE_H

#include "core/base/list.h"
#include "core/storage/storage.h"

/* A full disk, an absent root and a record that could not be written are tried again after this. */
#define STORAGE_RETRY_NS (10 * SECOND_NS)
/* How often the facts of the files are looked at. */
#define STORAGE_STAT_NS (10 * SECOND_NS)
/* How often counters alone are recorded, at most. */
#define STORAGE_COUNTERS_NS (60 * SECOND_NS)
/* Pieces that are hashed from the disk at a time. */
#define STORAGE_VERIFY_JOBS  8u
#define STORAGE_VERIFY_BYTES (32u * MIB)
/* Syncs that may fail one after another before the disk is given up. */
#define STORAGE_SYNC_FAILURES 3u

enum storage_phase {
    STORAGE_OPENING,
    STORAGE_AWAY,     /* the root is absent */
    STORAGE_CHECKING, /* open; what is on the disk is hashed */
    STORAGE_RUNNING,
    STORAGE_FAILED,
    STORAGE_CLOSED,
};

enum storage_job_kind {
    STORAGE_JOB_OPEN,
    STORAGE_JOB_STAT,
    STORAGE_JOB_PREPARE,
    STORAGE_JOB_VERIFY,
    STORAGE_JOB_LEAVES,
    STORAGE_JOB_PUT,
    STORAGE_JOB_COPY,
    STORAGE_JOB_SYNC,
    STORAGE_JOB_PERSIST,
    STORAGE_JOB_DROP_PARTS,
    STORAGE_JOB_CLOSE,
};

struct storage_put;

/* A job from its making to its EVENT_JOB_DONE; its buffers belong to whoever runs it. */
struct storage_job {
    struct list_node node; /* in ready, then in out */
    enum storage_job_kind kind;
    bool persist_job;
    struct disk_job disk;
    struct persist_job persist;
    struct storage_put *put; /* PUT */
    piece_index piece;       /* VERIFY, LEAVES, COPY */
    struct file_range *ranges;
    uint8_t *leaves;
    struct file_stat *stats; /* OPEN, STAT, PERSIST */
    uint8_t *pieces;         /* PERSIST */
    uint8_t sha1[20];
};

enum storage_put_stage {
    STORAGE_PUT_HASHING,
    STORAGE_PUT_LEAVES, /* bad; the leaves are wanted for the blame */
    STORAGE_PUT_WAITING,
    STORAGE_PUT_WRITING,
};

/* A piece on its way to its files. */
struct storage_put {
    struct list_node node;
    enum storage_put_stage stage;
    piece_index piece;
    block_id *blocks; /* block_count of them, then BLOCK_NONE for padding that is hashed */
    uint32_t block_count;
    uint8_t *leaves; /* block_count × 32, when wanted */
    bool want_leaves;
    bool again; /* a sync failed while it was written: its pages are not to be trusted */
};

/* What storage_result gives out, with what it borrows. */
struct storage_told {
    struct list_node node;
    struct storage_result result;
    piece_index piece_end; /* LOST_PIECE: all of [piece, piece_end) */
    uint8_t *leaves;
    block_id *blocks;
};

enum storage_place {
    STORAGE_PLACE_FILE,
    STORAGE_PLACE_PARTS,
    STORAGE_PLACE_MOVED, /* a file now, but the record still says part store */
};

enum storage_barrier_stage {
    STORAGE_BARRIER_NONE,
    STORAGE_BARRIER_SYNC,
    STORAGE_BARRIER_STAT,
    STORAGE_BARRIER_PERSIST,
};

enum storage_export_stage {
    STORAGE_EXPORT_NONE,
    STORAGE_EXPORT_DRAIN, /* writes under way end first */
    STORAGE_EXPORT_PREPARE,
    STORAGE_EXPORT_COPY,
};

struct storage {
    const struct metainfo *metainfo;
    const struct geometry *geometry;
    int64_t now;
    int64_t deadline;
    job_id *job_next;
    storage_id id;
    enum storage_phase phase;
    bool read_only;
    bool trust_all;
    bool wait_for_space;
    bool opened; /* a DISK_CLOSE is owed */
    bool away_told;
    bool closing;    /* storage_close was called */
    bool ready_told; /* since it was opened, or since the recheck began */
    bool complete_told;

    struct list ready; /* jobs not yet pulled */
    struct list out;   /* jobs pulled, not yet done */
    struct list told;
    struct storage_told *given; /* the last one given out; freed at the next call */

    struct bitfield verified;
    struct bitfield durable;

    /* storage_layout.c */
    struct storage_layout layout;
    struct storage_file *files;
    uint8_t *priorities;    /* file_count, or NULL: all wanted */
    uint8_t *places;        /* file_count of enum storage_place */
    uint32_t places_parts;  /* how many of them are in the part store */
    struct bitfield wanted; /* bytes == NULL: every piece */
    piece_index *slots;     /* pieces in which files meet, ascending; NULL until needed */
    uint32_t slot_count;
    uint8_t info_hash[32];

    /* storage_judge.c. One entry a file, then the part store. */
    uint32_t facts; /* file_count + 1 */
    struct file_stat *stats;
    struct bitfield written;        /* since the facts were last asked for */
    struct bitfield written_before; /* between the last two askings */
    bool has_record;
    bool record_complete; /* it said so, and named these priorities' pieces */
    bool record_clean;    /* the record out there says: nothing was written after it */

    /* storage_verify.c */
    struct bitfield rehash;    /* while changed files are looked at */
    struct bitfield taken;     /* verified before a file changed; bytes == NULL: none changed */
    struct bitfield to_verify; /* bytes == NULL: nothing to hash */
    struct bitfield verifying; /* being hashed now; of the same life */
    piece_index verify_next;
    uint32_t verify_jobs;
    uint64_t verify_bytes; /* under way */
    uint64_t checked_bytes;
    bool recheck;    /* wanted when what is under way has ended */
    bool rechecking; /* what is known now is less than what is recorded */
    block_id *no_blocks;

    /* storage_put.c */
    struct list puts;
    uint32_t writes; /* under way */
    bool prepared;
    bool preparing;
    bool full;
    bool probing; /* one try whether the disk still is full */
    int64_t retry_at;
    uint64_t unsynced_bytes;

    /* storage_export.c */
    enum storage_export_stage export_stage;
    uint32_t copies;    /* under way */
    bool export_due;    /* some wanted file is not made, or lies in the part store */
    bool copies_failed; /* one of them */
    bool moved;         /* some file is in STORAGE_PLACE_MOVED */
    bool drop_parts;    /* when the record no longer needs the part store */

    /* storage_barrier.c */
    enum storage_barrier_stage barrier;
    bool barrier_full;  /* sync, facts and record; else facts or record alone */
    bool last_barrier;  /* of a close: has been tried */
    bool barrier_clean; /* what the record under way says of itself */
    bool dirty;         /* something has to become durable or be recorded */
    bool sync_all;
    bool mark_unclean; /* the record must say "unclean" before anything is written */
    bool counters_dirty;
    uint32_t sync_failures;
    struct bitfield snapshot; /* bytes == NULL: none. What the barrier under way makes durable */
    int64_t barrier_at;
    int64_t barrier_not_before; /* a record failed: try again then */
    int64_t stat_at;
    int64_t counters_at;
    uint64_t uploaded;
    uint64_t downloaded;
};

/* storage.c */
struct storage_job *storage_job_disk(struct storage *storage, enum storage_job_kind kind,
                                     enum disk_operation operation);
struct storage_job *storage_job_persist(struct storage *storage, const struct bitfield *pieces,
                                        bool clean);
struct storage_result *storage_tell(struct storage *storage, enum storage_result_type type);
/* As storage_tell, for what borrows. Takes leaves and blocks (either may be NULL). */
struct storage_result *storage_tell_owned(struct storage *storage, enum storage_result_type type,
                                          uint8_t *leaves, block_id *blocks, uint32_t block_count);
void storage_tell_lost(struct storage *storage, piece_index piece);
void storage_fail(struct storage *storage, enum freshet_error error, uint32_t file);
/* The piece is not verified any more, and nowhere counts as such. */
void storage_forget_piece(struct storage *storage, piece_index piece);
bool storage_is_idle(const struct storage *storage);

/* storage_layout.c */
void storage_layout_init(struct storage *storage, const struct storage_options *options);
void storage_layout_deinit(struct storage *storage);
void storage_layout_prioritise(struct storage *storage, const uint8_t *priorities);
/* Decides for each file whether it is itself or lies in the part store. */
void storage_layout_place(struct storage *storage, const struct file_stat *stats);
void storage_layout_set_place(struct storage *storage, file_index file, enum storage_place place);
bool storage_layout_file_wanted(const struct storage *storage, file_index file);
bool storage_layout_piece_wanted(const struct storage *storage, piece_index piece);
/* Are all wanted pieces in `field`? */
bool storage_layout_has_wanted(const struct storage *storage, const struct bitfield *field);
uint32_t storage_layout_ranges(const struct storage *storage, piece_index piece, uint32_t begin,
                               uint32_t length, struct file_range *ranges, uint32_t ranges_max);
/* False: the piece belongs to a file that is in the part store, which has no slot for it. */
bool storage_layout_has_room(const struct storage *storage, piece_index piece);
/* All of [0, length) as a fresh array; *ret_count of them. */
struct file_range *storage_layout_all_ranges(const struct storage *storage, piece_index piece,
                                             uint32_t length, uint32_t *ret_count);
/* The index in `stats` of what a range lies in; UINT32_MAX: padding. */
uint32_t storage_layout_fact(const struct storage *storage, const struct file_range *range);
void storage_layout_check(const struct storage *storage);

/* storage_judge.c */
void storage_judge_open(struct storage *storage, const struct file_stat *stats);
/* New facts of an open storage; those of files that we write ourselves are taken as they are. */
void storage_judge_facts(struct storage *storage, const struct file_stat *stats);
/* The facts are asked for now. */
void storage_judge_ask(struct storage *storage);
void storage_judge_written(struct storage *storage, const struct file_range *ranges,
                           uint32_t count);
/* Files are being made: those that are not finished change by our own hand. */
void storage_judge_prepared(struct storage *storage);

/* storage_verify.c */
void storage_verify_add(struct storage *storage, piece_index piece);
bool storage_verify_pending(const struct storage *storage);
void storage_verify_plan(struct storage *storage);
void storage_verify_done(struct storage *storage, struct storage_job *job,
                         enum freshet_error error);
void storage_verify_leaves_done(struct storage *storage, struct storage_job *job,
                                enum freshet_error error);
void storage_verify_deinit(struct storage *storage);

/* storage_put.c */
void storage_put_new(struct storage *storage, piece_index piece, const block_id *blocks,
                     bool want_leaves);
void storage_put_plan(struct storage *storage);
void storage_put_done(struct storage *storage, struct storage_job *job, enum freshet_error error,
                      uint32_t file);
void storage_put_prepare_done(struct storage *storage, enum freshet_error error, uint32_t file);
bool storage_put_needs_prepare(const struct storage *storage);
/* A write, copy or allocation found no space. */
void storage_put_full(struct storage *storage, uint32_t file);
void storage_put_resumed(struct storage *storage);
void storage_put_sync_failed(struct storage *storage);
void storage_put_release_all(struct storage *storage);
void storage_put_free(struct storage *storage, struct storage_put *put);

/* storage_export.c */
void storage_export_look(struct storage *storage);
void storage_export_plan(struct storage *storage);
void storage_export_copied(struct storage *storage, struct storage_job *job,
                           enum freshet_error error, uint32_t file);
/* The record tells of the files that were moved; or a sync failed, and their bytes are unknown. */
void storage_export_recorded(struct storage *storage);
void storage_export_sync_failed(struct storage *storage);

/* storage_barrier.c */
void storage_barrier_plan(struct storage *storage);
void storage_barrier_synced(struct storage *storage, enum freshet_error error);
void storage_barrier_stat(struct storage *storage, struct storage_job *job,
                          enum freshet_error error, uint32_t file);
void storage_barrier_persisted(struct storage *storage, enum freshet_error error);
void storage_barrier_abandon(struct storage *storage);
/* A piece has become verified, or something else has to be recorded. */
void storage_barrier_wanted(struct storage *storage);
int64_t storage_barrier_deadline(const struct storage *storage);

#endif
