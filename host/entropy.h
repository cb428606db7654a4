/* SPDX-License-Identifier: MIT */
/* Randomness of the operating system: seeds, peer ids, secrets and tokens come from here. */
#ifndef FRESHET_HOST_ENTROPY_H
#define FRESHET_HOST_ENTROPY_H

#include <stddef.h>

/* Fills `bytes` from getrandom; a machine that has none stops the program. */
void entropy_fill(void *bytes, size_t length);

#endif
