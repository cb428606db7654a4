/* SPDX-License-Identifier: MIT */
/*
 * What bytes are, without having them: a stretch of pretend content is a list of spans, each of
 * which says where its bytes come from. Files, blocks in memory and payload in flight are all made
 * of spans. Two stretches hold the same bytes when their normal forms are equal; neighbours that
 * continue one another are always one span, so the normal form is the list itself.
 *
 *   source 0             zeros: holes and what was never written
 *   source of a torrent  its true bytes, `offset` in its linear space
 *   source of garbage    bytes that somebody made up; different for different sources
 */
#ifndef FRESHET_SIM_SPANS_H
#define FRESHET_SIM_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SOURCE_ZERO    UINT64_C(0)
#define SIM_SOURCE_GARBAGE (UINT64_C(1) << 63)

struct sim_span {
    uint64_t begin;  /* place in the stretch */
    uint64_t length; /* > 0 */
    uint64_t source;
    uint64_t offset; /* in the source; 0 for zeros */
};

/* Sorted by begin, without overlap; what lies between spans is zeros. */
struct sim_spans {
    struct sim_span *items;
    size_t count;
    size_t capacity;
};

void sim_spans_deinit(struct sim_spans *spans);
void sim_spans_clear(struct sim_spans *spans);
void sim_spans_copy(struct sim_spans *to, const struct sim_spans *from);
/* Overwrites [begin, begin+length). */
void sim_spans_put(struct sim_spans *spans, uint64_t begin, uint64_t length, uint64_t source,
                   uint64_t offset);
/* Overwrites [to_begin, ...) of `to` with [begin, begin+length) of `from`. */
void sim_spans_put_from(struct sim_spans *to, uint64_t to_begin, const struct sim_spans *from,
                        uint64_t begin, uint64_t length);
/* Cuts everything at and after `length`. */
void sim_spans_truncate(struct sim_spans *spans, uint64_t length);
/* The stretch from `at` on that has one source, at most `length` long: zeros count as a span. */
struct sim_span sim_spans_at(const struct sim_spans *spans, uint64_t at, uint64_t length);
/* Are all bytes of [begin, begin+length) those of the source from `offset` on? */
bool sim_spans_match(const struct sim_spans *spans, uint64_t begin, uint64_t length,
                     uint64_t source, uint64_t offset);
/* Do those bytes of the source lie anywhere in one span? */
bool sim_spans_hold(const struct sim_spans *spans, uint64_t source, uint64_t offset,
                    uint64_t length);

#endif
