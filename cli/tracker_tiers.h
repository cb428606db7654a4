/* SPDX-License-Identifier: MIT */
/* URLs as people give them. Trackers: each option is a tier, commas join URLs of one tier (BEP 12).
 */
#ifndef FRESHET_CLI_TRACKER_TIERS_H
#define FRESHET_CLI_TRACKER_TIERS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"

struct tracker_tiers {
    char **urls;
    uint32_t *tiers; /* tier of each URL, ascending from 0 */
    uint32_t count;
};

/* Reads the repeated option `name`. false after saying on stderr what is wrong; deinit is needed
 * either way. */
bool tracker_tiers_read(struct tracker_tiers *tiers, const struct command_call *call,
                        const char *name);
void tracker_tiers_deinit(struct tracker_tiers *tiers);

/* Are the values of the repeated option `name` web seeds (BEP 19), and not too many? false after
 * saying on stderr what is wrong. */
bool tracker_tiers_are_web_seeds(const struct command_call *call, const char *name);

#endif
