/* SPDX-License-Identifier: MIT */
/*
 * Which version of a document a server sent, in its own words (RFC 9110, 8.8), to be asked later
 * whether there is another one. The words are a stranger's and go back into a request, so what is
 * longer than a word should be, or has other bytes than such words have, counts as not said.
 */
#ifndef FRESHET_HOST_HTTP_VALIDATORS_H
#define FRESHET_HOST_HTTP_VALIDATORS_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_VALIDATORS_ETAG_SIZE 256
#define HTTP_VALIDATORS_DATE_SIZE 40

struct http_validators {
    char *url;                                /* that they were said of; NULL: none were */
    char etag[HTTP_VALIDATORS_ETAG_SIZE];     /* with its quotes; "": not said */
    char modified[HTTP_VALIDATORS_DATE_SIZE]; /* the same */
};

void http_validators_deinit(struct http_validators *validators);
/* Takes what a header line says, if it is one of those. */
void http_validators_read(struct http_validators *validators, const char *line, size_t length);
bool http_validators_are_empty(const struct http_validators *validators);

#endif
