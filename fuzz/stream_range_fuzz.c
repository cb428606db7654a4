/* SPDX-License-Identifier: MIT */
/* planted: services/stream/stream_range.c */
/* finds: internal check failed: count <= length - first :: stream_range_fuzz.c */
/* covers: services/stream/stream_range.c */
/* A Range header of anybody, for a file of the length that the first eight bytes say: what is
 * answered lies in the file, and nothing is answered only when nothing does. */
#include "core/base/bytes.h"
#include "core/base/check.h"
#include "core/base/memory.h"
#include "services/stream/stream_range.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(uint64_t length, uint64_t first, uint64_t count)
{
    CHECK(count > 0);
    CHECK(first < length);
    CHECK(count <= length - first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t length = 0, first, count;
    if (size < 8)
        return 0;
    for (int i = 0; i < 8; i++)
        length = length << 8 | data[i];
    char *text = memory_new(size - 8 + 1);
    memcpy(text, data + 8, size - 8);
    text[size - 8] = '\0';
    switch (stream_range_parse(text, length, &first, &count)) {
    case STREAM_WHOLE: CHECK(first == 0 && count == length); break;
    case STREAM_PART: check_part(length, first, count); break;
    case STREAM_BEYOND: CHECK(count == 0); break;
    }
    CHECK(stream_range_parse(NULL, length, &first, &count) == STREAM_WHOLE);
    memory_free(text);
    return 0;
}
