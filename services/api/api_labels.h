/* SPDX-License-Identifier: MIT */
/* How many torrents carry each label. Texts are copied into the arena of who counts. */
#ifndef FRESHET_API_API_LABELS_H
#define FRESHET_API_API_LABELS_H

#include "services/rpc/call_arena.h"
#include "services/rpc/json_writer.h"

#define API_LABELS_MAX   1024u /* told; further ones are not counted */
#define API_LABELS_SLOTS 4096u

struct api_labels {
    struct {
        const char *name;
        uint32_t count;
    } entries[API_LABELS_MAX];
    uint32_t count;
    uint16_t slots[API_LABELS_SLOTS]; /* entry and one; 0: free */
};

void api_labels_add(struct api_labels *labels, struct call_arena *arena, const char *name);
/* The member "labels", by name. */
void api_labels_write(struct api_labels *labels, struct json_writer *json);

#endif
