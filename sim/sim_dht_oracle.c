/* SPDX-License-Identifier: MIT */
/* Dijkstra's shortest path over who names whom; see sim_dht_oracle_ns. */
#include "sim/sim_dht.h"

#include "core/base/memory.h"

#define NAMED    8u  /* nodes that an answer names */
#define KNOWN    12u /* of the own table, to begin with */
#define EXPLORED 4096u

/* An answer on its way. */
struct answer {
    struct heap_node node;
    uint32_t from;
};

struct oracle {
    const struct sim_dht *world;
    uint32_t searcher;
    const struct dht_id *info_hash;
    struct heap answers;
    struct map asked; /* place + 1 -> itself: each is asked once */
    struct answer *pool;
    uint32_t pool_used;
};

static void ask(struct oracle *oracle, const struct dht_contact *contact, int64_t at_ns)
{
    const struct sim_dht *world = oracle->world;
    uint32_t place = sim_dht_at(world, &contact->address);
    if (place == UINT32_MAX || place == oracle->searcher || !world->places[place].node ||
        oracle->pool_used == EXPLORED || map_get(&oracle->asked, &place))
        return;
    struct answer *answer = &oracle->pool[oracle->pool_used++];
    answer->from = place;
    map_put(&oracle->asked, &place, answer);
    heap_set(&oracle->answers, &answer->node,
             at_ns + sim_dht_rtt_ns(world, oracle->searcher, place));
}

static void ask_all(struct oracle *oracle, uint32_t place, bool proven, uint32_t max, int64_t at_ns)
{
    struct dht_contact contacts[KNOWN];
    uint32_t count = dht_node_closest(oracle->world->places[place].node, oracle->info_hash, proven,
                                      contacts, max);
    for (uint32_t i = 0; i < count; i++)
        ask(oracle, &contacts[i], at_ns);
}

int64_t sim_dht_oracle_ns(const struct sim_dht *world, uint32_t searcher,
                          const struct dht_id *info_hash)
{
    struct oracle oracle = {.world = world, .searcher = searcher, .info_hash = info_hash};
    struct heap_node *node;
    int64_t found_ns = -1;
    heap_init(&oracle.answers);
    map_init(&oracle.asked, sizeof(uint32_t), 1);
    oracle.pool = memory_new_array(EXPLORED, sizeof *oracle.pool);
    ask_all(&oracle, searcher, false, KNOWN, 0);
    while (found_ns < 0 && (node = heap_pop_due(&oracle.answers, INT64_MAX - 1))) {
        const struct answer *answer = HEAP_ELEMENT(node, struct answer, node);
        int64_t at_ns = node->when_ns;
        if (dht_node_has_peers(world->places[answer->from].node, info_hash))
            found_ns = at_ns;
        else
            ask_all(&oracle, answer->from, true, NAMED, at_ns);
    }
    heap_deinit(&oracle.answers);
    map_deinit(&oracle.asked);
    memory_free(oracle.pool);
    return found_ns;
}
