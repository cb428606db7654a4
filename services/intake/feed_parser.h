/* SPDX-License-Identifier: MIT */
/*
 * Reads a feed: RSS 2.0 (BEP 36: enclosures, links, the torrent: and torznab: names) or Atom, by
 * expat. What comes is from strangers, so a document type, and with it every entity of its own, is
 * refused at its first word; size, depth, items and the length of each text are bounded
 * (LIMIT_FEED_*). A feed that breaks off keeps nothing.
 */
#ifndef FRESHET_INTAKE_FEED_PARSER_H
#define FRESHET_INTAKE_FEED_PARSER_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#define FEED_PARSER_REASON_SIZE 160

struct feed_item {
    char *title;   /* never NULL; one line, without control characters */
    char *guid;    /* what makes it that item; its link when the feed says nothing; never NULL */
    char *link;    /* a magnet link, or an http or https URL of a .torrent; NULL: there is none */
    uint64_t size; /* of the payload, as the feed says; 0: it does not */
};

struct feed_document {
    char *title; /* never NULL */
    struct feed_item *items;
    uint32_t count; /* of those beyond LIMIT_FEED_ITEMS nothing is kept */
};

enum freshet_error feed_parser_parse(struct bytes text, char ret_reason[FEED_PARSER_REASON_SIZE],
                                     struct feed_document *ret_document);
void feed_parser_deinit(struct feed_document *document);

#endif
