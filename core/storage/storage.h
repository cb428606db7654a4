/* SPDX-License-Identifier: MIT */
/*
 * One torrent's bytes: which pieces are verified, which are durable, and the jobs that get them
 * there. A machine with the four verbs; what its parent must know is pulled with storage_result.
 *
 * Two facts about a piece, never mixed (ARCHITECTURE.md, "Durable means durable"):
 *   verified  its hash is good and its bytes are in the page cache: announced and served at once
 *   durable   a barrier has passed since it was written: data synced, then the record written
 * A barrier runs every LIMIT_BARRIER_NS or LIMIT_BARRIER_BYTES while something is new, and at once
 * when everything wanted is verified.
 */
#ifndef FRESHET_STORAGE_STORAGE_H
#define FRESHET_STORAGE_STORAGE_H

#include "core/base/bitfield.h"
#include "core/door/door.h"
#include "core/metainfo/metainfo.h"

struct storage;

struct storage_options {
    storage_id id;
    const char *root; /* copied */
    const uint8_t
        *file_priorities; /* file_count entries, 0 = unwanted; NULL: all wanted (copied) */
    enum allocation allocation;
    bool read_only;
    bool make_symlinks;
    bool part_suffix;
    bool trust_all;                     /* --unchecked: everything there counts as verified */
    bool wait_for_space;                /* ENOSPC: hold writes and retry; else RESULT_ERROR */
    const struct resume_record *resume; /* or NULL (copied) */
    job_id *job_next;                   /* the engine's job counter; shared by all its machines */
};

enum storage_result_type {
    STORAGE_RESULT_CHECK_PROGRESS, /* bytes: checked so far */
    STORAGE_RESULT_READY,          /* opened and checked; storage_verified() is now right */
    /* piece: good and in its files. From the wire, or hashed again after a FILE_CHANGED; what a
     * check at the start or a recheck finds comes as READY alone. */
    STORAGE_RESULT_VERIFIED,
    STORAGE_RESULT_FAILED_PIECE, /* piece: did not match. leaves: SHA-256 of each block as received
                                  */
    STORAGE_RESULT_BLOCKS_FREE,  /* piece, blocks, block_count: the pool may have them back */
    STORAGE_RESULT_DURABLE,      /* pieces became durable; storage_durable() has grown */
    STORAGE_RESULT_COMPLETE, /* everything wanted is durable (once for each time it becomes so) */
    STORAGE_RESULT_FILE_CHANGED, /* file: changed on disk; its pieces are unknown, hashing again */
    /* piece_count: of what the FILE_CHANGED before took away, pieces that did not come back: they
     * are missing or bad. Told when all that can be hashed again is. */
    STORAGE_RESULT_REHASHED,
    STORAGE_RESULT_LEAVES,     /* piece, leaves (NULL: could not be had), block_count: as asked by
                                  storage_ask_leaves */
    STORAGE_RESULT_LOST_PIECE, /* piece: was verified and is not any more */
    STORAGE_RESULT_DISK_FULL,
    STORAGE_RESULT_DISK_RESUMED,
    STORAGE_RESULT_ABSENT,         /* the root is not there; retried by itself every 10 s */
    STORAGE_RESULT_ERROR,          /* error, file: storage has stopped; blocks that it holds still
                                      come back, storage_close still records what is good */
    STORAGE_RESULT_PERSIST_FAILED, /* error: data is synced, the record is not; retried */
    STORAGE_RESULT_CLOSED,         /* after storage_close: all is synced, recorded and closed */
};

struct storage_result {
    enum storage_result_type type;
    piece_index piece;
    file_index file;
    enum freshet_error error;
    uint64_t bytes;
    const uint8_t *leaves;  /* borrowed until the next call; block_count × 32, or NULL */
    const block_id *blocks; /* borrowed until the next call */
    uint32_t block_count;
    uint32_t piece_count;
};

/* The file name of a torrent's part store, below its root. */
#define STORAGE_PART_NAME_SIZE 48u
void storage_part_name(const struct metainfo *metainfo, char ret_name[STORAGE_PART_NAME_SIZE]);

/* The metainfo is borrowed and must outlive the storage. The machine starts by itself (DISK_OPEN).
 */
struct storage *storage_new(const struct metainfo *metainfo, const struct storage_options *options,
                            int64_t now);
/* Only when none of its jobs is out: after CLOSED, or when the host is gone. */
void storage_free(struct storage *storage);

/* Takes EVENT_JOB_DONE of one of its jobs; returns false when the job is not its own. */
bool storage_input(struct storage *storage, int64_t now, const struct event *event);
void storage_tick(struct storage *storage, int64_t now);
int64_t storage_deadline(const struct storage *storage);
bool storage_output(struct storage *storage, int64_t now, struct action *ret_action);
bool storage_result(struct storage *storage, struct storage_result *ret_result);

/* A piece has all its payload blocks in memory (geometry_piece_blocks of them; one that is padding
 * alone may be BLOCK_NONE). Hashes it; when it is good writes it, says VERIFIED (uploads are served
 * from the files, so not before) and gives the blocks back with BLOCKS_FREE; when it is bad says
 * FAILED_PIECE and gives them back. `want_leaves`: tell the leaves also when it is good (VERIFIED
 * then carries them), so that blame can compare. The array is copied. Any number of pieces may be
 * under way, each once. Allowed from READY on; later than ERROR, or when nobody wants its
 * files any more, the blocks just come back. */
void storage_put_piece(struct storage *storage, int64_t now, piece_index piece,
                       const block_id *blocks, bool want_leaves);

/* Hashes a verified piece of a v2 torrent for its leaves, told as LEAVES: one for each 16 KiB of
 * payload, which lead to the piece's hash. false: not now (not verified, or its bytes move). */
bool storage_ask_leaves(struct storage *storage, int64_t now, piece_index piece);

/* Pieces under way. O(those that came in and are not written). */
struct storage_pipeline {
    uint32_t hashing;  /* came in whole, and are hashed or wait for it */
    uint32_t waiting;  /* good, and wait to be written */
    uint32_t writing;  /* are written */
    uint32_t checking; /* on the disk, and are hashed or wait for it */
};
void storage_pipeline(const struct storage *storage, struct storage_pipeline *ret_pipeline);
const struct bitfield *storage_verified(const struct storage *storage);
const struct bitfield *storage_durable(const struct storage *storage);
/* Where a stretch of a verified piece can be read from, part store included. As geometry_ranges. */
uint32_t storage_ranges(const struct storage *storage, piece_index piece, uint32_t begin,
                        uint32_t length, struct file_range *ranges, uint32_t ranges_max);
/* Is any byte of the piece in a wanted file? */
bool storage_piece_wanted(const struct storage *storage, piece_index piece);
/* The highest priority of the files that the piece touches, 0: unwanted. */
uint8_t storage_piece_priority(const struct storage *storage, piece_index piece);
void storage_set_priorities(struct storage *storage, int64_t now, const uint8_t *file_priorities);
/* Hash everything again: nothing is verified from now on (no LOST_PIECE is told), READY ends it. */
void storage_recheck(struct storage *storage, int64_t now);
/* Counters for the record, told by the swarm when they change. */
void storage_set_transferred(struct storage *storage, uint64_t uploaded, uint64_t downloaded);
/* How long the files may go without a look when nothing happens; less than ten seconds is ten
 * seconds. Shorter than before: a look that was put off is due. */
void storage_set_rest(struct storage *storage, int64_t rest_ns);
/* Last barrier, last record (a clean one), then CLOSED. Pieces for which there is no room any more
 * are let go; with wait_for_space that is no error. */
void storage_close(struct storage *storage, int64_t now);
void storage_check(const struct storage *storage);

#endif
