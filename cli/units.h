/* SPDX-License-Identifier: MIT */
/*
 * How people write sizes, rates, times and lists of numbers, and how we write them back. A bare
 * letter counts in 1024s (10M is 10MiB, as a piece size wants it), "MB" in 1000s. Every parser
 * returns false, and touches nothing, on text that is not wholly understood.
 */
#ifndef FRESHET_CLI_UNITS_H
#define FRESHET_CLI_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "4096", "10M", "10MiB", "1.5G", "700MB", "16k". */
bool units_parse_size(const char *text, uint64_t *ret_bytes);
/* A size a second, with or without "/s"; "0", "none" and "unlimited" give 0. */
bool units_parse_rate(const char *text, uint64_t *ret_bytes_per_s);
/* "90" (seconds), "1h30m", "2d", "1w", "500ms", "1.5h". */
bool units_parse_duration(const char *text, int64_t *ret_ns);
/* A whole decimal number of at most `most`. */
bool units_parse_number(const char *text, uint64_t most, uint64_t *ret_number);
/* A ratio such as "1.5", in thousandths. */
bool units_parse_ratio(const char *text, uint32_t *ret_thousandths);

struct units_range {
    uint32_t first;
    uint32_t last; /* included; UINT32_MAX for an open end, "7-" */
};

/* "1,3-5,9-": numbers of at least 1. The caller frees *ret_ranges with free(). */
bool units_parse_ranges(const char *text, struct units_range **ret_ranges, size_t *ret_count);
bool units_ranges_have(const struct units_range *ranges, size_t count, uint32_t number);

#define UNITS_TEXT_SIZE 32
/* "0 B", "1023 B", "1.9 GiB". All return text. */
const char *units_format_bytes(uint64_t bytes, char text[UNITS_TEXT_SIZE]);
/* "11.4 MiB/s". */
const char *units_format_rate(uint64_t bytes_per_s, char text[UNITS_TEXT_SIZE]);
/* A clock as an ETA shows it: "0:09", "1:02", "3:04:05", "2d 03:04"; "-" when negative. */
const char *units_format_clock(int64_t ns, char text[UNITS_TEXT_SIZE]);
/* As units_parse_duration reads it: "1h30m", "45s", "500ms". */
const char *units_format_duration(int64_t ns, char text[UNITS_TEXT_SIZE]);

#endif
