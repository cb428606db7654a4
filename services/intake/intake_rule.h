/* SPDX-License-Identifier: MIT */
/*
 * What comes by itself, and how: a folder that is watched for .torrent and .magnet files, or a feed
 * that is read for items. A person makes rules over the API; the settings of the catalog keep each
 * as a line of JSON (catalog_settings.watch_folders and .feeds), the host does what they say
 * (host/daemon_watch.c, host/daemon_feeds.c).
 */
#ifndef FRESHET_INTAKE_INTAKE_RULE_H
#define FRESHET_INTAKE_INTAKE_RULE_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#include <jansson.h>

#define INTAKE_REASON_SIZE 200

/* What happens to a file that was taken, once its torrent is durable. */
enum intake_after {
    INTAKE_KEEP,   /* nothing; it is remembered, and not taken again */
    INTAKE_RENAME, /* ".added" comes behind its name */
    INTAKE_DELETE,
};

struct intake_rule {
    uint32_t id;  /* from 1; of its kind */
    char *folder; /* where the data go, absolute; NULL: the settings' */
    bool stopped; /* added, not started */
    char **labels;
    uint32_t label_count;

    char *path; /* a folder that is watched, absolute; or NULL: a feed */
    enum intake_after after;

    char *url; /* a feed, http or https; or NULL: a folder */
    uint32_t interval_s;
    char **includes; /* filters: one of them fits (feed_filter.h); none: everything does */
    uint32_t include_count;
    char **excludes; /* and none of these */
    uint32_t exclude_count;
    bool once; /* an episode that was taken is not taken again under another title */
};

enum intake_kind { INTAKE_WATCH, INTAKE_FEED };

/* A rule as a person or the settings write it; `reason` says what is wrong with it. Members that
 * nobody knows are wrong. Whether the folders may be used is for the caller to judge. */
enum freshet_error intake_rule_read(enum intake_kind kind, const json_t *json,
                                    char ret_reason[INTAKE_REASON_SIZE],
                                    struct intake_rule *ret_rule);
/* The same from a text of intake_rule_text, without judging its filters once more: many are read on
 * the loop. */
enum freshet_error intake_rule_parse(enum intake_kind kind, const char *text,
                                     char ret_reason[INTAKE_REASON_SIZE],
                                     struct intake_rule *ret_rule);
/* The caller owns it. */
json_t *intake_rule_json(const struct intake_rule *rule);
/* On one line; the caller frees it with memory_free. */
char *intake_rule_text(const struct intake_rule *rule);
void intake_rule_deinit(struct intake_rule *rule);

#endif
