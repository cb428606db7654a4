/* SPDX-License-Identifier: MIT */
/*
 * Which items of a feed are wanted, by their titles. A filter is words, all of which the title
 * holds in any order, case and form of Unicode aside ("ubuntu amd64"); or, between slashes, a
 * regular expression (PCRE2) that fits somewhere, case aside ("/^Ubuntu .*amd64/").
 *
 * Expressions come from a person, but run on titles from strangers: a compiled one is at most
 * 64 KiB, a search has so many steps and so much memory. A title that wants more is not included,
 * and is excluded; an expression to which that happens often is given up until it is made anew.
 */
#ifndef FRESHET_INTAKE_FEED_FILTER_H
#define FRESHET_INTAKE_FEED_FILTER_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#define FEED_FILTER_REASON_SIZE 96

struct feed_filter;

/* Is it one? `reason` says what is wrong. */
enum freshet_error feed_filter_judge(const char *text, char ret_reason[FEED_FILTER_REASON_SIZE]);
/* Of texts that were judged; others fit nothing. */
struct feed_filter *feed_filter_new(char *const *includes, uint32_t include_count,
                                    char *const *excludes, uint32_t exclude_count);
void feed_filter_free(struct feed_filter *filter);
/* One of the includes fits (or there are none), and none of the excludes. */
bool feed_filter_fits(struct feed_filter *filter, const char *title);

/* What an episode is whatever its release is called: "Show.S01E02.1080p" and "show 1x02 720p" have
 * one key, and a proper or repacked one has another. false: the title names no episode. */
bool feed_filter_episode(const char *title, struct buffer *ret_key);

#endif
