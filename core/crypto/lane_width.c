/* SPDX-License-Identifier: MIT */
#include "core/crypto/lane_width.h"

#if defined(__x86_64__)

#include <cpuid.h>

#define CPUID_1_ECX_OSXSAVE  (1u << 27)
#define CPUID_7_EBX_AVX512F  (1u << 16)
#define CPUID_7_EBX_AVX512BW (1u << 30)
#define XCR0_AVX512          0xe6u /* the system saves SSE, AVX, mask and ZMM registers */

uint32_t lane_width_detect(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & CPUID_1_ECX_OSXSAVE))
        return 1;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & CPUID_7_EBX_AVX512F) ||
        !(ebx & CPUID_7_EBX_AVX512BW))
        return 1;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & XCR0_AVX512) == XCR0_AVX512 ? LANE_WIDTH_MAX : 1;
}

#else

uint32_t lane_width_detect(void)
{
    return 1;
}

#endif
