/* SPDX-License-Identifier: MIT */
#include "host/descriptor_limit.h"

#include <sys/resource.h>

#define DESCRIPTORS_UNKNOWN 1024u

uint32_t descriptor_limit_raise(uint32_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return DESCRIPTORS_UNKNOWN;
    if (limit.rlim_cur < wanted) {
        struct rlimit raised = limit;
        raised.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    return limit.rlim_cur < wanted ? (uint32_t)limit.rlim_cur : wanted;
}
