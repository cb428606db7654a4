/* SPDX-License-Identifier: MIT */
/*
 * Reads a list of addresses as people publish them, a line at a time and in pieces of any size. Of
 * which format a line is, the line itself tells:
 *
 *     some name, with: anything:1.2.3.4-1.2.3.255          PeerGuardian (P2P text)
 *     001.002.003.004 - 001.002.003.255 , 000 , some name  eMule (.dat); a level above 127 lets in
 *     1.2.3.0/24   2001:db8::/32   1.2.3.4   1.2.3.4-1.2.3.255    plain
 *
 * Plain lines may end with "# text" or "; text"; lines that begin with #, ; or // are comments.
 * Numbers are decimal whatever their zeros. After a name with a colon an IPv6 range begins as early
 * as it can be read.
 */
#ifndef FRESHET_IP_FILTER_IP_FILTER_TEXT_H
#define FRESHET_IP_FILTER_IP_FILTER_TEXT_H

#include "core/base/limits.h"
#include "core/ip_filter/ip_filter.h"

struct ip_filter_text {
    struct ip_filter_builder *builder; /* borrowed */
    uint32_t lines;                    /* that have come to their end */
    uint32_t ranges;                   /* added of this text */
    uint32_t bad;                      /* lines that were not understood */
    uint32_t bad_first;                /* number of the first of them, from 1; 0: none */
    enum freshet_error error;          /* LIMIT, sticky */
    bool is_long;                      /* more of this line than is kept */
    size_t length;
    uint8_t line[LIMIT_IP_FILTER_LINE];
};

void ip_filter_text_init(struct ip_filter_text *text, struct ip_filter_builder *builder);
/* LIMIT: more ranges or lines than are allowed; what follows is not looked at. */
enum freshet_error ip_filter_text_feed(struct ip_filter_text *text, struct bytes bytes);
/* The last line may lack its end. SYNTAX: something is there, and nothing of it was understood. */
enum freshet_error ip_filter_text_end(struct ip_filter_text *text);

#endif
