/* SPDX-License-Identifier: MIT */
/* Where a torrent stands in the tree of limits: below the engine's, below a group of it, or beside
 * all, and how much of a limit it gets among its siblings. */
#include "core/swarm/swarm_state.h"

#include "core/base/memory.h"

#define WEIGHT_LOW  (BANDWIDTH_WEIGHT / 4)
#define WEIGHT_HIGH (BANDWIDTH_WEIGHT * 4)

static struct swarm_group *find_group(struct swarm_shared *shared, uint32_t number)
{
    for (struct list_node *node = list_first(&shared->groups); node;
         node = list_next(&shared->groups, node)) {
        struct swarm_group *group = LIST_ELEMENT(node, struct swarm_group, node);
        if (group->number == number)
            return group;
    }
    return NULL;
}

void swarm_limits_place(struct swarm *swarm, const struct torrent_share *share)
{
    struct swarm_shared *shared = swarm->shared;
    struct swarm_group *group = share->group ? find_group(shared, share->group) : NULL;
    struct bandwidth *upload = group ? &group->upload_limit : &shared->upload_limit;
    struct bandwidth *download = group ? &group->download_limit : &shared->download_limit;
    uint32_t weight = share->priority < 0   ? WEIGHT_LOW
                      : share->priority > 0 ? WEIGHT_HIGH
                                            : BANDWIDTH_WEIGHT;

    bandwidth_place(&swarm->upload_limit, share->is_alone ? NULL : upload, weight);
    bandwidth_place(&swarm->download_limit, share->is_alone ? NULL : download, weight);
}

void swarm_limits_set_group(struct swarm_shared *shared, const struct torrent_group *limits,
                            int64_t now)
{
    struct swarm_group *group = find_group(shared, limits->number);

    if (group == NULL) {
        group = memory_new(sizeof *group);
        group->number = limits->number;
        bandwidth_init(&group->upload_limit, NULL, 0, now);
        bandwidth_init(&group->download_limit, NULL, 0, now);
        list_append(&shared->groups, &group->node);
    }
    bandwidth_set_rate(&group->upload_limit, limits->upload_limit, now);
    bandwidth_set_rate(&group->download_limit, limits->download_limit, now);
    bandwidth_place(&group->upload_limit, limits->is_alone ? NULL : &shared->upload_limit,
                    BANDWIDTH_WEIGHT);
    bandwidth_place(&group->download_limit, limits->is_alone ? NULL : &shared->download_limit,
                    BANDWIDTH_WEIGHT);
}

void swarm_limits_free_groups(struct swarm_shared *shared)
{
    struct list_node *node;

    while ((node = list_first(&shared->groups))) {
        list_remove(&shared->groups, node);
        memory_free(LIST_ELEMENT(node, struct swarm_group, node));
    }
}
