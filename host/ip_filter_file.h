/* SPDX-License-Identifier: MIT */
/*
 * IP filter lists (core/ip_filter) from files and from bytes that were fetched, packed by gzip or
 * not. Everything here blocks: for a worker, or before the loop runs.
 */
#ifndef FRESHET_HOST_IP_FILTER_FILE_H
#define FRESHET_HOST_IP_FILTER_FILE_H

#include "core/ip_filter/ip_filter.h"

#define IP_FILTER_FILE_TEXT 256

/* Adds the list's ranges to the builder. `ret_text`: what is wrong, or on success "" or how many
 * lines were passed over; *ret_ranges (may be NULL): how many ranges the list names. After a
 * failure the builder may hold some of them. */
enum freshet_error ip_filter_file_read(const char *path, struct ip_filter_builder *builder,
                                       char ret_text[IP_FILTER_FILE_TEXT], uint32_t *ret_ranges);
enum freshet_error ip_filter_file_take(struct bytes list, struct ip_filter_builder *builder,
                                       char ret_text[IP_FILTER_FILE_TEXT], uint32_t *ret_ranges);
/* The bytes become the file, whole or not at all: written beside it, synced, renamed. */
enum freshet_error ip_filter_file_write(const char *path, struct bytes list);

#endif
