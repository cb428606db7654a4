/* SPDX-License-Identifier: MIT */
#include "host/descriptor.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* From here on one syncfs is cheaper than many fdatasync. */
#define SYNCFS_FROM 64u

void descriptor_cache_init(struct descriptor_cache *cache, uint32_t open_max)
{
    CHECK(pthread_mutex_init(&cache->lock, NULL) == 0);
    list_init(&cache->used);
    cache->shut = NULL;
    cache->open_max = open_max;
}

void descriptor_cache_deinit(struct descriptor_cache *cache)
{
    CHECK(list_is_empty(&cache->used));
    pthread_mutex_destroy(&cache->lock);
}

void descriptor_set_init(struct descriptor_set *set, struct descriptor_cache *cache,
                         uint32_t slot_count)
{
    *set = (struct descriptor_set){.cache = cache, .slot_count = slot_count};
    set->slots = memory_new_array(slot_count, sizeof *set->slots);
    list_init(&set->dirty);
}

static bool descriptor_is_dirty(const struct descriptor *descriptor)
{
    return descriptor->written != descriptor->synced;
}

/* With the lock held, by nobody held. It is closed when the lock is let go of. */
static void descriptor_shut(struct descriptor *descriptor)
{
    struct descriptor_set *set = descriptor->set;

    CHECK(descriptor->holders == 0);
    if (list_contains(&descriptor->dirty))
        list_remove(&set->dirty, &descriptor->dirty);
    list_remove(&set->cache->used, &descriptor->used);
    if (set->slots[descriptor->file] == descriptor)
        set->slots[descriptor->file] = NULL;
    descriptor->next_shut = set->cache->shut;
    set->cache->shut = descriptor;
}

/* What was shut is closed when nobody waits for the lock any more: the last close of a file that
 * was deleted may take long. */
static void descriptor_cache_unlock(struct descriptor_cache *cache)
{
    struct descriptor *shut = cache->shut;

    cache->shut = NULL;
    pthread_mutex_unlock(&cache->lock);
    while (shut) {
        struct descriptor *next = shut->next_shut;
        close(shut->fd);
        memory_free(shut);
        shut = next;
    }
}

void descriptor_set_deinit(struct descriptor_set *set)
{
    if (!set->slots)
        return;
    pthread_mutex_lock(&set->cache->lock);
    for (uint32_t i = 0; i < set->slot_count; i++)
        if (set->slots[i])
            descriptor_shut(set->slots[i]);
    descriptor_cache_unlock(set->cache);
    memory_free(set->slots);
    set->slots = NULL;
}

/* Out of its slot: nobody finds it any more, its holders keep it. Lock held. */
static void descriptor_retire(struct descriptor *descriptor)
{
    descriptor->set->slots[descriptor->file] = NULL;
    descriptor->retired = true;
    if (descriptor->holders == 0)
        descriptor_shut(descriptor);
}

static struct descriptor *descriptor_hold_locked(struct descriptor_set *set, uint32_t slot,
                                                 bool writable)
{
    struct descriptor *descriptor = set->slots[slot];

    if (!descriptor || (writable && !descriptor->writable))
        return NULL;
    descriptor->holders++;
    list_remove(&set->cache->used, &descriptor->used);
    list_append(&set->cache->used, &descriptor->used);
    return descriptor;
}

struct descriptor *descriptor_hold(struct descriptor_set *set, uint32_t slot, bool writable)
{
    CHECK(slot < set->slot_count);
    pthread_mutex_lock(&set->cache->lock);
    struct descriptor *descriptor = descriptor_hold_locked(set, slot, writable);
    descriptor_cache_unlock(set->cache);
    return descriptor;
}

/* fdatasync without the lock; the caller holds the descriptor. */
static enum freshet_error descriptor_sync(struct descriptor *descriptor, uint64_t written)
{
    struct descriptor_set *set = descriptor->set;
    enum freshet_error error =
        fdatasync(descriptor->fd) == 0 ? FRESHET_OK : posix_error_of_file(errno);
    /* Pages that could not be written are clean now and would be read as good by a later check,
     * even by another run of the program. Without them it sees what is on the disk. */
    if (error)
        (void)posix_fadvise(descriptor->fd, 0, 0, POSIX_FADV_DONTNEED);

    pthread_mutex_lock(&set->cache->lock);
    if (!error && written > descriptor->synced)
        descriptor->synced = written;
    if (!descriptor_is_dirty(descriptor) && list_contains(&descriptor->dirty))
        list_remove(&set->dirty, &descriptor->dirty);
    descriptor_cache_unlock(set->cache);
    return error;
}

/* The oldest that nobody holds: a clean one if there is one. Lock held. */
static struct descriptor *descriptor_cache_victim(struct descriptor_cache *cache)
{
    struct descriptor *dirty = NULL;

    for (struct list_node *node = list_first(&cache->used); node;
         node = list_next(&cache->used, node)) {
        struct descriptor *descriptor = LIST_ELEMENT(node, struct descriptor, used);
        if (descriptor->holders > 0)
            continue;
        if (!descriptor_is_dirty(descriptor))
            return descriptor;
        if (!dirty)
            dirty = descriptor;
    }
    return dirty;
}

/* Closes what is too much. Called with the lock held; lets go of it around a sync. */
static void descriptor_cache_make_room(struct descriptor_cache *cache)
{
    while (cache->used.length > cache->open_max) {
        struct descriptor *victim = descriptor_cache_victim(cache);
        if (!victim)
            return;
        if (descriptor_is_dirty(victim)) {
            uint64_t written = victim->written;
            victim->holders++;
            descriptor_cache_unlock(cache);
            enum freshet_error error = descriptor_sync(victim, written);
            pthread_mutex_lock(&cache->lock);
            victim->holders--;
            if (error) {
                /* Told by the next sync of its storage; what it wrote is not trusted. */
                victim->set->sync_error = error;
                victim->set->sync_error_file = victim->file;
                victim->synced = victim->written;
            } else if (victim->holders > 0 || descriptor_is_dirty(victim)) {
                continue;
            }
        }
        if (victim->holders > 0)
            return;
        descriptor_shut(victim);
    }
}

struct descriptor *descriptor_add(struct descriptor_set *set, uint32_t slot, int fd, bool writable)
{
    CHECK(slot < set->slot_count);
    pthread_mutex_lock(&set->cache->lock);
    struct descriptor *descriptor = descriptor_hold_locked(set, slot, writable);
    if (descriptor) {
        close(fd);
    } else {
        if (set->slots[slot]) {
            /* Only one that cannot be written is replaced, so nothing unsynced is lost sight of. */
            CHECK(!set->slots[slot]->writable);
            descriptor_retire(set->slots[slot]);
        }
        descriptor = memory_new(sizeof *descriptor);
        *descriptor = (struct descriptor){
            .fd = fd, .writable = writable, .holders = 1, .file = slot, .set = set};
        set->slots[slot] = descriptor;
        list_append(&set->cache->used, &descriptor->used);
        descriptor_cache_make_room(set->cache);
    }
    descriptor_cache_unlock(set->cache);
    return descriptor;
}

void descriptor_release(struct descriptor *descriptor, bool wrote)
{
    struct descriptor_set *set = descriptor->set;

    pthread_mutex_lock(&set->cache->lock);
    CHECK(descriptor->holders > 0);
    descriptor->holders--;
    if (wrote) {
        descriptor->written++;
        if (!list_contains(&descriptor->dirty))
            list_append(&set->dirty, &descriptor->dirty);
    }
    if (descriptor->retired && descriptor->holders == 0)
        descriptor_shut(descriptor);
    descriptor_cache_unlock(set->cache);
}

void descriptor_forget(struct descriptor_set *set, uint32_t slot)
{
    pthread_mutex_lock(&set->cache->lock);
    struct descriptor *descriptor = set->slots[slot];
    if (descriptor) {
        descriptor->synced = descriptor->written;
        descriptor_retire(descriptor);
    }
    descriptor_cache_unlock(set->cache);
}

/* Holds all dirty descriptors; returns an array of them and of their write counts. */
static uint32_t descriptor_set_hold_dirty(struct descriptor_set *set, struct descriptor ***ret_all,
                                          uint64_t **ret_written)
{
    uint32_t count = 0;

    pthread_mutex_lock(&set->cache->lock);
    struct descriptor **all = memory_new_array(set->dirty.length, sizeof(struct descriptor *));
    uint64_t *written = memory_new_array(set->dirty.length, sizeof *written);
    for (struct list_node *node = list_first(&set->dirty); node;
         node = list_next(&set->dirty, node)) {
        struct descriptor *descriptor = LIST_ELEMENT(node, struct descriptor, dirty);
        descriptor->holders++;
        written[count] = descriptor->written;
        all[count++] = descriptor;
    }
    descriptor_cache_unlock(set->cache);
    *ret_all = all;
    *ret_written = written;
    return count;
}

static enum freshet_error descriptor_set_take_error(struct descriptor_set *set, uint32_t *ret_file)
{
    pthread_mutex_lock(&set->cache->lock);
    enum freshet_error error = set->sync_error;
    if (error)
        *ret_file = set->sync_error_file;
    set->sync_error = FRESHET_OK;
    descriptor_cache_unlock(set->cache);
    return error;
}

enum freshet_error descriptor_set_sync(struct descriptor_set *set, int root, uint32_t *ret_file)
{
    struct descriptor **all;
    uint64_t *written;
    uint32_t count = descriptor_set_hold_dirty(set, &all, &written);
    enum freshet_error error = FRESHET_OK;

    /* After one syncfs the single syncs find nothing to do, and each still tells its own error. */
    if (count >= SYNCFS_FROM && syncfs(root) != 0)
        error = posix_error_of_file(errno);
    for (uint32_t i = 0; i < count; i++) {
        enum freshet_error one = descriptor_sync(all[i], written[i]);
        if (one && (!error || *ret_file == UINT32_MAX)) {
            error = one;
            *ret_file = all[i]->file;
        }
        descriptor_release(all[i], false);
    }
    memory_free(all);
    memory_free(written);
    enum freshet_error earlier = descriptor_set_take_error(set, ret_file);
    return earlier ? earlier : error;
}
