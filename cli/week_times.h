/* SPDX-License-Identifier: MIT */
/* Hours of the week as people write them: "mon-fri 8:00-17:00", "sat,sun 9-23", "22:00-6:00" on
 * every day. Local time. A window that ends before it begins ends on the next day; one that ends
 * when it begins is the whole day. */
#ifndef FRESHET_CLI_WEEK_TIMES_H
#define FRESHET_CLI_WEEK_TIMES_H

#include <stdbool.h>
#include <stdint.h>

struct week_times {
    uint32_t begin, end; /* minutes of the day, 0..1439 */
    uint8_t days;        /* on which a window begins; bit 0 Sunday .. bit 6 Saturday */
};

/* false, touching nothing, on text that is not wholly understood. */
bool week_times_parse(const char *text, struct week_times *ret_times);

#define WEEK_TIMES_TEXT_SIZE 64
/* As week_times_parse reads it. Returns text. */
const char *week_times_format(const struct week_times *times, char text[WEEK_TIMES_TEXT_SIZE]);

#endif
