/* SPDX-License-Identifier: MIT */
/*
 * Web seeds (BEP 19): HTTP servers that hold the torrent's files. Each is treated as an unchoked
 * seed that has everything, with WEB_SEED_CONNECTIONS connections; it is given the longest gaps of
 * the piece map, in whole pieces, since one long range costs a server less than many short ones and
 * leaves the scattered rest to peers; but first what somebody waits for. When no gap is left it
 * takes single blocks like any peer.
 *
 * A task is a run of blocks that is fetched by one or more jobs one after another, one for each
 * file that the run touches (padding is not fetched). Blocks are handed out as results as soon as
 * all their bytes are there.
 *
 * A server that errs rests WEB_SEED_RETRY_NS (longer each time, or as it asks); one that says that
 * it has not got the file, or whose piece did not match, is dropped.
 *
 * A server that knows no ranges and sends files from their start has one connection and is given
 * long runs, first those at the front of files. What lies before a run is fetched in vain, so runs
 * begin at most WEB_SEED_SKIP_MAX inside a file, and a server that costs far more than it brings is
 * dropped.
 *
 * The swarm drives it: web_seed_start when there may be something to fetch, web_seed_input with
 * finished jobs, then web_seed_result until it is empty; web_seed_output gives the jobs.
 */
#ifndef FRESHET_SWARM_WEB_SEED_H
#define FRESHET_SWARM_WEB_SEED_H

#include "core/metainfo/metainfo.h"
#include "core/swarm/bandwidth.h"
#include "core/swarm/block_ledger.h"
#include "core/swarm/piece_picker.h"
#include "core/swarm/torrent.h"

#define WEB_SEED_CONNECTIONS 3u  /* to one server */
#define WEB_SEED_TASKS_MAX   12u /* of a torrent */
#define WEB_SEED_RETRY_NS    (30 * SECOND_NS)
#define WEB_SEED_RETRY_MAX   (600 * SECOND_NS)
#define WEB_SEED_TIMEOUT_NS  (120 * SECOND_NS)
#define WEB_SEED_RUN_MIN     (256u * KIB)
#define WEB_SEED_RUN_MAX     (4u * MIB)
#define WEB_SEED_RUN_WHOLE   (16u * MIB)  /* of a server without ranges */
#define WEB_SEED_SKIP_MAX    (64u * MIB)  /* thrown away for one of its runs */
#define WEB_SEED_SKIP_TOTAL  (256u * MIB) /* thrown away in all, and 8 times what it brought */

struct web_seed;

/* NULL when the torrent names no http or https server. The metainfo is borrowed and must outlive
 * it; job_next is the engine's counter of jobs. */
struct web_seed *web_seed_new(const struct metainfo *metainfo, job_id *job_next);
/* No job of it may be under way. NULL is fine. */
void web_seed_free(struct web_seed *seeds);

struct web_seed_ground {
    int64_t now;
    struct piece_picker *picker;
    struct block_ledger *pool;
    uint32_t run_max; /* bytes that may be asked for at once; 0: no limit. Under a limit one task
                         runs at a time, so that little goes ahead of its payment */
    struct bandwidth *limit; /* a leaf of its own, charged by the caller */
    bool sequential;         /* pieces in order instead of long gaps */
    uint32_t piece_blocks;   /* what an open piece reserves in the pool */
};

/* Begins tasks on idle connections: blocks are picked and get memory. Account for opened pieces
 * and take the results afterwards (a server may be found useless). Returns how many were begun. */
uint32_t web_seed_start(struct web_seed *seeds, const struct web_seed_ground *ground);
/* EVENT_JOB_DONE; false when the job is not one of these. */
bool web_seed_input(struct web_seed *seeds, int64_t now, const struct event *event);
/* When a server has rested: then web_seed_start may begin more. HEAP_NEVER: none rests. */
int64_t web_seed_deadline(const struct web_seed *seeds);
/* ACTION_FETCH, ACTION_CANCEL. */
bool web_seed_output(struct web_seed *seeds, struct action *ret_action);

enum web_seed_result_type {
    WEB_SEED_BLOCK, /* the block is in memory: piece_picker_received */
    WEB_SEED_LOST,  /* it will not come: piece_picker_abort, and give the memory back */
};

struct web_seed_result {
    enum web_seed_result_type type;
    uint32_t slot; /* the picker's, LIMIT_PEERS_PER_TORRENT and up */
    piece_index piece;
    uint32_t block;
    uint32_t length;
    block_id memory; /* the caller's from now on */
};

bool web_seed_result(struct web_seed *seeds, struct web_seed_result *ret_result);

/* What went wrong with a server, and what happens next. */
enum web_seed_fate {
    WEB_SEED_RESTS,     /* rest_ns: then it is asked again */
    WEB_SEED_NO_RANGES, /* it is of use for the front of files only */
    WEB_SEED_DROPPED,
};

struct web_seed_trouble {
    enum web_seed_fate fate;
    struct bytes url; /* as the torrent names it; borrowed from the metainfo */
    enum freshet_error error;
    int32_t status; /* of HTTP, 0: none came */
    int64_t rest_ns;
};

/* The latest trouble of each server, once. */
bool web_seed_next_trouble(struct web_seed *seeds, struct web_seed_trouble *ret_trouble);
/* Payload that came and was thrown away since the last call. */
uint64_t web_seed_take_discarded(struct web_seed *seeds);

/* The address under which blame knows a web seed: one in 100::/8, where no peer lives (RFC 6666
 * and the reserved space around it). */
struct address web_seed_address(uint32_t slot);
/* Is it one of those? */
bool web_seed_has_address(const struct address *address);
/* Blame has banned an address: drops the server when it is one of these (then true). */
bool web_seed_on_banned(struct web_seed *seeds, const struct address *address);
/* Gives up everything: running jobs are cancelled and end as LOST, nothing is begun until
 * web_seed_resume. */
void web_seed_stop(struct web_seed *seeds);
void web_seed_resume(struct web_seed *seeds);
/* No job is under way and no result is waiting. */
bool web_seed_is_idle(const struct web_seed *seeds);
/* All servers, in the torrent's order; up to `max`, returns how many. */
uint32_t web_seed_statuses(const struct web_seed *seeds, int64_t now,
                           struct web_seed_status *ret_seeds, uint32_t max);
/* Servers that are not dropped. */
uint32_t web_seed_count(const struct web_seed *seeds);

/* The URL of a file at a web seed: BEP 19's rule, percent-encoded; NUL-terminated. false when it
 * would be longer than LIMIT_URL_LENGTH. */
bool web_seed_url(struct bytes base, const struct metainfo *metainfo, file_index file,
                  char ret_url[LIMIT_URL_LENGTH + 1]);

#endif
