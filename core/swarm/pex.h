/* SPDX-License-Identifier: MIT */
/*
 * Peer exchange with one peer (BEP 11): what it has been told so far, what it is told next, and how
 * often it is heard. Knows no torrent and no connection; swarm_pex.c shows it the swarm.
 *
 *   - We speak at most once in PEX_INTERVAL_NS and tell what changed: at most PEX_ADDED_MAX new
 *     contacts (the first time PEX_FIRST_ADDED_MAX) and PEX_DROPPED_MAX gone ones, IPv4 and IPv6
 *     together. What does not fit waits for the next message.
 *   - A contact is added once and later dropped once; never both in one message; the receiver is
 *     not told of itself.
 *   - The first message may name up to PEX_RECENT_MAX contacts of a family that left a while ago,
 *     when fewer than PEX_FEW of it are here. The next message drops them. Only the first: named
 *     again and again they would come and go for ever.
 *   - Addresses of a home network or of the machine itself pass only between peers that are in such
 *     a place themselves: else anybody in the world could have us knock at our own doors.
 *   - Who speaks more often than once in PEX_HEAR_NS is not heard, and after LIMIT_PEX_NUISANCE
 *     such messages without a heard one between is to be left.
 */
#ifndef FRESHET_SWARM_PEX_H
#define FRESHET_SWARM_PEX_H

#include "core/base/limits.h"
#include "core/wire/wire_pex.h"

#define PEX_INTERVAL_NS     (60 * SECOND_NS)
#define PEX_RETRY_NS        (5 * SECOND_NS)  /* nothing to tell: look again */
#define PEX_HEAR_NS         (45 * SECOND_NS) /* messages sent once a minute come unevenly */
#define PEX_ADDED_MAX       50u
#define PEX_DROPPED_MAX     50u
#define PEX_FIRST_ADDED_MAX 100u
#define PEX_FEW             25u
#define PEX_RECENT_MAX      25u
#define PEX_TOLD_MAX        300u /* who is full is told of nobody new until some are dropped */

struct pex {
    struct address *told; /* ascending; NULL: nobody */
    uint32_t told_count;
    uint32_t early; /* messages that came too soon since the last heard one */
    bool has_spoken, has_heard;
    bool is_first_heard; /* the message heard last was its first */
    int64_t next_ns;     /* when it may be told something */
    int64_t heard_ns;
};

/* The swarm as the receiver may come to know it. */
struct pex_view {
    struct address receiver[2];          /* where it is connected, where it listens; may be NONE */
    const struct wire_pex_contact *live; /* by address, ascending, none twice */
    uint32_t live_count;
    uint32_t first;                        /* of the live ones: where to begin with adding, so that
                                              not everybody hears of the same ones first */
    const struct wire_pex_contact *recent; /* left a while ago, latest first, none twice */
    uint32_t recent_count;
};

enum pex_judgement {
    PEX_HEAR,
    PEX_IGNORE, /* too early */
    PEX_LEAVE,  /* too early, and too often */
};

/* May be told something from now on. */
void pex_init(struct pex *pex, int64_t now);
void pex_deinit(struct pex *pex);
bool pex_is_due(const struct pex *pex, int64_t now);
/* When it is due. The next message; false: there is nothing to tell. */
bool pex_next(struct pex *pex, int64_t now, const struct pex_view *view,
              struct wire_pex *ret_message);
/* A message came. */
enum pex_judgement pex_hear(struct pex *pex, int64_t now);
/* How many contacts of the message that was just heard are worth keeping. */
uint32_t pex_kept_max(const struct pex *pex);
/* May the address of a contact pass between us and the peer? */
bool pex_may_pass(const struct address *peer, const struct address *contact);
void pex_check(const struct pex *pex);

#endif
