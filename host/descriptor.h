/* SPDX-License-Identifier: MIT */
/*
 * Open files of all storages, bounded: 10,000 torrents do not hold 10,000 descriptors. The least
 * recently used goes first, but a descriptor with unsynced writes is never closed before its sync,
 * because a file opened again may miss the error (EIO) that its writes met. Safe between threads.
 */
#ifndef FRESHET_HOST_DESCRIPTOR_H
#define FRESHET_HOST_DESCRIPTOR_H

#include "core/base/error.h"
#include "core/base/list.h"

#include <pthread.h>
#include <stdint.h>

/* One open file. `fd` may be used while it is held; the rest is the cache's. */
struct descriptor {
    int fd;
    bool writable;
    bool retired; /* replaced: closed with its last release */
    uint32_t holders;
    uint32_t file;    /* place in its set */
    uint64_t written; /* writes finished */
    uint64_t synced;  /* of them, covered by a sync */
    struct descriptor_set *set;
    struct descriptor *next_shut; /* of cache->shut */
    struct list_node used;        /* in cache->used, oldest first */
    struct list_node dirty;       /* in set->dirty while written != synced */
};

struct descriptor_cache {
    pthread_mutex_t lock;
    struct list used;
    struct descriptor *shut; /* to be closed when the lock is let go of */
    uint32_t open_max;
};

/* The open files of one storage. */
struct descriptor_set {
    struct descriptor_cache *cache;
    struct descriptor **slots;
    uint32_t slot_count;
    struct list dirty;
    enum freshet_error sync_error; /* of a sync that making room forced; told by the next sync */
    uint32_t sync_error_file;
};

void descriptor_cache_init(struct descriptor_cache *cache, uint32_t open_max);
void descriptor_cache_deinit(struct descriptor_cache *cache);

void descriptor_set_init(struct descriptor_set *set, struct descriptor_cache *cache,
                         uint32_t slot_count);
/* Closes all; none may be held, and unsynced ones lose their word (sync first). */
void descriptor_set_deinit(struct descriptor_set *set);

/* Holds the open file of a slot, NULL when there is none (or none that can be written). */
struct descriptor *descriptor_hold(struct descriptor_set *set, uint32_t slot, bool writable);
/* Gives a fresh fd to a slot and holds it. If another thread was first, its descriptor is returned
 * and this fd closed. */
struct descriptor *descriptor_add(struct descriptor_set *set, uint32_t slot, int fd, bool writable);
/* wrote: bytes were written through it since it was held. */
void descriptor_release(struct descriptor *descriptor, bool wrote);
/* Takes a slot's descriptor out, unsynced writes or not: its file is removed. */
void descriptor_forget(struct descriptor_set *set, uint32_t slot);
/* Syncs every file with unsynced writes: by syncfs when there are many, else one by one. */
enum freshet_error descriptor_set_sync(struct descriptor_set *set, int root, uint32_t *ret_file);

#endif
