/* SPDX-License-Identifier: MIT */
/*
 * A set of IP addresses as sorted ranges: 8 bytes for each of IPv4, 32 for each of IPv6, looked up
 * in O(log n). A builder gathers ranges in any order, overlapping or not; the table that it becomes
 * never changes, so that threads may share it.
 */
#ifndef FRESHET_IP_FILTER_IP_FILTER_H
#define FRESHET_IP_FILTER_IP_FILTER_H

#include "core/base/address.h"
#include "core/base/error.h"

struct ip_filter;
struct ip_filter_builder;

struct ip_filter_builder *ip_filter_builder_new(void);
void ip_filter_builder_free(struct ip_filter_builder *builder);
/* Both ends belong to it; ports do not count. RANGE: they are of two families or the wrong way
 * round. LIMIT: there are LIMIT_IP_FILTER_RANGES already. */
enum freshet_error ip_filter_builder_add(struct ip_filter_builder *builder,
                                         const struct address *first, const struct address *last);
/* All ranges of another table. LIMIT as above; some may be in then. */
enum freshet_error ip_filter_builder_add_all(struct ip_filter_builder *builder,
                                             const struct ip_filter *filter);
/* How many were added. */
uint32_t ip_filter_builder_length(const struct ip_filter_builder *builder);
/* The table; the builder is freed. O(n log n). */
struct ip_filter *ip_filter_builder_finish(struct ip_filter_builder *builder);

/* Every address there is. */
struct ip_filter *ip_filter_new_all(void);
void ip_filter_free(struct ip_filter *filter);
/* NULL: holds nothing. */
bool ip_filter_has(const struct ip_filter *filter, const struct address *address);
/* Ranges after merging. */
uint32_t ip_filter_length(const struct ip_filter *filter);
void ip_filter_check(const struct ip_filter *filter);

#endif
