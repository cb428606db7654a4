/* SPDX-License-Identifier: MIT */
/* The end of a program that found itself wrong: one line on stderr, then a core dump. */
#include "core/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void freshet_panic(const char *condition, const char *file, int line)
{
    fprintf(stderr, "freshet: internal check failed: %s (%s:%d)\n", condition, file, line);
    abort();
}
