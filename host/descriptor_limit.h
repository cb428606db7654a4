/* SPDX-License-Identifier: MIT */
/* How many descriptors this process may have open: a soft limit, often far below the hard one. */
#ifndef FRESHET_HOST_DESCRIPTOR_LIMIT_H
#define FRESHET_HOST_DESCRIPTOR_LIMIT_H

#include <stdint.h>

/* Raises the soft limit towards `wanted`; returns how many may be open, at most `wanted`. */
uint32_t descriptor_limit_raise(uint32_t wanted);

#endif
