/* SPDX-License-Identifier: MIT */
/* Texts as people search and sort them: without case and accents' forms. */
#ifndef FRESHET_API_API_TEXT_H
#define FRESHET_API_API_TEXT_H

#include "services/rpc/call_arena.h"

#define API_TEXT_MAX 512u /* bytes of a folded text; what is longer is cut */

/* Folded and NUL-terminated into `ret_text`; returns its length. */
size_t api_text_fold(const char *text, char ret_text[API_TEXT_MAX + 1]);
/* The first eight bytes as a number that sorts as they do. */
uint64_t api_text_head(const char *folded);

#endif
