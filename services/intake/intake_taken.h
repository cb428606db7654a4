/* SPDX-License-Identifier: MIT */
/*
 * What was taken already: fingerprints, newest last, at most so many; the oldest go when there are
 * more. What is met again is made the newest, so that nothing that is still there is forgotten.
 */
#ifndef FRESHET_INTAKE_INTAKE_TAKEN_H
#define FRESHET_INTAKE_INTAKE_TAKEN_H

#include "core/base/bytes.h"
#include "core/base/list.h"
#include "core/base/map.h"

#define INTAKE_KEY_SIZE 16

struct intake_key {
    uint8_t bytes[INTAKE_KEY_SIZE];
};

struct intake_taken {
    struct map map; /* key -> entry */
    struct list order;
    uint32_t count, max;
};

/* Of what makes a thing that thing: the first bytes of its SHA-256. */
struct intake_key intake_taken_key(struct bytes what);

void intake_taken_init(struct intake_taken *taken, uint32_t max);
void intake_taken_deinit(struct intake_taken *taken);
/* Is it there? Then it is the newest now. */
bool intake_taken_has(struct intake_taken *taken, const struct intake_key *key);
void intake_taken_add(struct intake_taken *taken, const struct intake_key *key);
/* For the state: keys one behind the other. Loading adds; a torn last key is passed over. */
void intake_taken_save(const struct intake_taken *taken, struct buffer *out);
void intake_taken_load(struct intake_taken *taken, struct bytes saved);

#endif
