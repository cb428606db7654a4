/* SPDX-License-Identifier: MIT */
/* The nearest known word to a mistyped one, by edit distance with swapped neighbours. */
#ifndef FRESHET_CLI_SUGGESTION_H
#define FRESHET_CLI_SUGGESTION_H

#include <stddef.h>

struct suggestion {
    const char *typed;
    const char *best; /* NULL: nothing is near enough */
    size_t distance;
};

void suggestion_init(struct suggestion *suggestion, const char *typed);
/* Offers one known word; on equal distance the first offered stays. */
void suggestion_offer(struct suggestion *suggestion, const char *word);
/* Insertions, deletions, replacements and swaps of neighbours between two words. */
size_t suggestion_distance(const char *a, const char *b);

#endif
