/* SPDX-License-Identifier: MIT */
/*
 * Bandwidth groups: limits that several torrents share, below those of all or beside them. A group
 * stands in the settings as a text, "UP DOWN FLAGS NAME", with FLAGS out of u and d (that limit
 * holds), s (those of all do not) or -; its number for the engine is its place, from 1, since a
 * group never goes.
 */
#ifndef FRESHET_CATALOG_CATALOG_GROUPS_H
#define FRESHET_CATALOG_CATALOG_GROUPS_H

#include "services/catalog/catalog.h"

#define CATALOG_GROUPS_MAX        64u
#define CATALOG_GROUP_NAME_LENGTH 255u

struct catalog_group {
    const char *name;                      /* borrowed */
    uint64_t upload_limit, download_limit; /* bytes a second */
    bool upload_limited, download_limited;
    bool honors_session_limits;
};

/* A text that is none gives a group without limits. */
void catalog_groups_read(const char *text, struct catalog_group *ret_group);
/* NUL-terminated, for catalog_settings. */
char *catalog_groups_write(const struct catalog_group *group);
/* Its number; 0: there is none of that name. */
uint32_t catalog_groups_find(const struct catalog_settings *settings, const char *name);
/* Adds it, or changes the one of its name. false: its name is none, or there are too many. */
bool catalog_groups_put(struct catalog_settings *settings, const struct catalog_group *group);

#endif
