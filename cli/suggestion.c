/* SPDX-License-Identifier: MIT */
#include "cli/suggestion.h"

#include <string.h>

#define WORD_MAX 40

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggestion_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > WORD_MAX || b_length > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t cost = a[i - 1] != b[j - 1];
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i + 1) % 3][j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void suggestion_init(struct suggestion *suggestion, const char *typed)
{
    /* A third of the word may be wrong; of short words one letter. */
    size_t allowed = strlen(typed) / 3;
    suggestion->typed = typed;
    suggestion->best = NULL;
    suggestion->distance = (allowed ? allowed : 1) + 1;
}

void suggestion_offer(struct suggestion *suggestion, const char *word)
{
    size_t distance = suggestion_distance(suggestion->typed, word);
    if (distance < suggestion->distance && distance < strlen(word)) {
        suggestion->distance = distance;
        suggestion->best = word;
    }
}
