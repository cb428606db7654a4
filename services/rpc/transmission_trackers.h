/* SPDX-License-Identifier: MIT */
/* The trackers of a torrent as torrent-set changes them: the whole list, or one after another. */
#ifndef FRESHET_RPC_TRANSMISSION_TRACKERS_H
#define FRESHET_RPC_TRANSMISSION_TRACKERS_H

#include "services/rpc/transmission_state.h"

struct transmission_trackers {
    const char *urls[LIMIT_TRACKERS_MAX]; /* borrowed */
    uint32_t tiers[LIMIT_TRACKERS_MAX];   /* ascending, dense */
    uint32_t count;
};

/* Does the request change trackers at all? */
bool transmission_trackers_asked(const struct transmission_request *request);
/* Does it need to know those that the torrent has? */
bool transmission_trackers_builds_on_old(const struct transmission_request *request);
/* Texts are taken from the arena. One URL a line, an empty line between tiers. */
void transmission_trackers_parse(struct transmission_request *request, const char *text,
                                 struct transmission_trackers *ret_trackers);
/* Applies what the request says; a fault when it makes no sense. */
void transmission_trackers_apply(struct transmission_request *request,
                                 struct transmission_trackers *trackers);

#endif
