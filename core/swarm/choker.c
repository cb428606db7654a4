/* SPDX-License-Identifier: MIT */
#include "core/swarm/choker.h"

#include "core/base/check.h"

#define NEWCOMER_CHANCES 3u
#define PROBE_ROUNDS     3u /* rates are over 20 s: a new slot shows after so many rounds */
#define REST_ROUNDS      12u
#define SLOT_RATE_MIN    2048u /* bytes a second: below it slots are too many for the limit */

enum standing {
    STANDING_NONE,     /* choked */
    STANDING_REGULAR,  /* has a regular slot */
    STANDING_FAVOURED, /* better than the worst regular one, and not interested */
    STANDING_OPTIMISTIC,
};

/* One round at work. */
struct ballot {
    struct choker *choker;
    const struct choker_situation *situation;
    const struct choker_peer *peers;
    uint32_t count;
    uint32_t ranked[LIMIT_PEERS_PER_TORRENT]; /* indices of peers, the best first */
    uint32_t ranked_count;
    uint8_t standings[LIMIT_PEERS_PER_TORRENT]; /* enum standing, by index */
    uint32_t used;                              /* slots given */
};

void choker_init(struct choker *choker, uint32_t slots, uint64_t seed, int64_t now)
{
    *choker = (struct choker){.next_round_ns = now + CHOKER_ROUND_NS,
                              .next_optimistic_ns = now + CHOKER_OPTIMISTIC_NS};
    rng_init(&choker->rng, seed);
    choker_set_slots(choker, slots);
}

void choker_set_slots(struct choker *choker, uint32_t slots)
{
    choker->adapts = slots == 0;
    choker->slots_base = slots == 0                 ? CHOKER_SLOTS_DEFAULT
                         : slots > CHOKER_SLOTS_MAX ? CHOKER_SLOTS_MAX
                                                    : slots;
    choker->slots = choker->slots_base;
    choker->probe_age = choker->rest = 0;
}

int64_t choker_deadline(const struct choker *choker)
{
    return choker->next_round_ns;
}

bool choker_is_optimistic(const struct choker *choker, uint32_t slot)
{
    for (uint32_t i = 0; i < choker->optimistic_count; i++)
        if (choker->optimistic[i] == slot)
            return true;
    return false;
}

void choker_on_left(struct choker *choker, uint32_t slot)
{
    for (uint32_t i = 0; i < choker->optimistic_count; i++) {
        if (choker->optimistic[i] != slot)
            continue;
        for (choker->optimistic_count--; i < choker->optimistic_count; i++)
            choker->optimistic[i] = choker->optimistic[i + 1];
    }
}

static void make_optimistic(struct choker *choker, uint32_t slot)
{
    if (choker->optimistic_count < CHOKER_SLOTS_MAX && !choker_is_optimistic(choker, slot))
        choker->optimistic[choker->optimistic_count++] = slot;
}

/* Would a slot be of use to it? */
static bool is_taker(const struct choker_peer *peer)
{
    return peer->interested && !peer->is_seed;
}

/* ---- ranking ---- */

/* While seeding: in its turn, waiting, turn over. */
static uint32_t turn_of(const struct choker_situation *situation, const struct choker_peer *peer)
{
    if (!peer->unchoked)
        return 1;
    return situation->now - peer->choked_ns < CHOKER_TURN_NS ? 0 : 2;
}

/* <0: `a` is better; 0: equal. */
static int compare(const struct choker_situation *situation, const struct choker_peer *a,
                   const struct choker_peer *b)
{
    if (!situation->seeding) {
        if (a->rate_from != b->rate_from)
            return a->rate_from > b->rate_from ? -1 : 1;
        return (int)b->unchoked - (int)a->unchoked;
    }
    uint32_t turn_a = turn_of(situation, a);
    uint32_t turn_b = turn_of(situation, b);
    if (turn_a != turn_b)
        return turn_a < turn_b ? -1 : 1;
    if (turn_a == 1)
        return a->choked_ns < b->choked_ns ? -1 : a->choked_ns > b->choked_ns;
    return a->rate_to > b->rate_to ? -1 : a->rate_to < b->rate_to;
}

/* Ranks who may have a regular slot. Shuffled before a stable sort: equals are in random order. */
static void rank(struct ballot *ballot)
{
    for (uint32_t i = 0; i < ballot->count; i++) {
        const struct choker_peer *peer = &ballot->peers[i];
        if (is_taker(peer) && !peer->snubbed)
            ballot->ranked[ballot->ranked_count++] = i;
    }
    rng_shuffle(&ballot->choker->rng, ballot->ranked, ballot->ranked_count,
                sizeof ballot->ranked[0]);
    for (uint32_t i = 1; i < ballot->ranked_count; i++) {
        uint32_t peer = ballot->ranked[i];
        uint32_t at = i;
        for (; at > 0 && compare(ballot->situation, &ballot->peers[peer],
                                 &ballot->peers[ballot->ranked[at - 1]]) < 0;
             at--)
            ballot->ranked[at] = ballot->ranked[at - 1];
        ballot->ranked[at] = peer;
    }
}

static void give_regular_slots(struct ballot *ballot)
{
    uint32_t snubbers = 0;
    for (uint32_t i = 0; i < ballot->count; i++)
        snubbers +=
            is_taker(&ballot->peers[i]) && ballot->peers[i].snubbed && ballot->peers[i].unchoked;
    /* One slot is the optimistic one; those of snubbers become optimistic too. */
    uint32_t regular = ballot->choker->slots - 1;
    regular = snubbers < regular ? regular - snubbers : 0;
    for (uint32_t i = 0; i < ballot->ranked_count && ballot->used < regular; i++) {
        ballot->standings[ballot->ranked[i]] = STANDING_REGULAR;
        ballot->used++;
    }
}

/* BEP 3: who is better than the worst regular one and not interested is unchoked as well, so that
 * it need not wait when it becomes interested. */
static void favour_the_better(struct ballot *ballot)
{
    if (ballot->situation->seeding || ballot->used == 0 || ballot->used == ballot->ranked_count)
        return;
    uint64_t worst = ballot->peers[ballot->ranked[ballot->used - 1]].rate_from;
    for (uint32_t i = 0; i < ballot->count; i++) {
        const struct choker_peer *peer = &ballot->peers[i];
        if (!peer->interested && !peer->is_seed && !peer->snubbed && peer->rate_from > worst)
            ballot->standings[i] = STANDING_FAVOURED;
    }
}

/* ---- optimism ---- */

static uint32_t chances(const struct choker_situation *situation, const struct choker_peer *peer)
{
    bool newcomer = situation->now - peer->connected_ns < CHOKER_NEWCOMER_NS;
    return newcomer ? NEWCOMER_CHANCES : 1;
}

/* A random one without a standing, newcomers three times as likely; `except_current`: not one that
 * has been optimistic until now. UINT32_MAX: nobody. */
static uint32_t draw(struct ballot *ballot, bool except_current)
{
    uint32_t total = 0;
    uint32_t drawn = UINT32_MAX;
    for (uint32_t i = 0; i < ballot->count; i++) {
        const struct choker_peer *peer = &ballot->peers[i];
        if (!is_taker(peer) || ballot->standings[i] != STANDING_NONE ||
            (except_current && peer->unchoked))
            continue;
        uint32_t weight = chances(ballot->situation, peer);
        total += weight;
        if (rng_below(&ballot->choker->rng, total) < weight)
            drawn = i;
    }
    return drawn;
}

static void keep_optimistic_slots(struct ballot *ballot)
{
    struct choker *choker = ballot->choker;
    uint32_t before = choker->optimistic_count;
    choker->optimistic_count = 0;
    for (uint32_t i = 0; i < before; i++) {
        for (uint32_t j = 0; j < ballot->count; j++) {
            if (ballot->peers[j].slot != choker->optimistic[i] || !is_taker(&ballot->peers[j]) ||
                ballot->standings[j] != STANDING_NONE || ballot->used == choker->slots)
                continue;
            ballot->standings[j] = STANDING_OPTIMISTIC;
            ballot->used++;
            choker->optimistic[choker->optimistic_count++] = ballot->peers[j].slot;
        }
    }
}

static void give_optimistic_slots(struct ballot *ballot)
{
    struct choker *choker = ballot->choker;
    if (ballot->situation->now >= choker->next_optimistic_ns) {
        choker->next_optimistic_ns = ballot->situation->now + CHOKER_OPTIMISTIC_NS;
        choker->optimistic_count = 0;
    } else {
        keep_optimistic_slots(ballot);
    }
    while (ballot->used < choker->slots) {
        uint32_t drawn = draw(ballot, true);
        if (drawn == UINT32_MAX)
            drawn = draw(ballot, false);
        if (drawn == UINT32_MAX)
            return;
        ballot->standings[drawn] = STANDING_OPTIMISTIC;
        ballot->used++;
        make_optimistic(choker, ballot->peers[drawn].slot);
    }
}

/* ---- adapting ---- */

static void adapt(struct choker *choker, const struct choker_situation *situation,
                  const struct choker_peer *peers, uint32_t count)
{
    uint32_t takers = 0;
    for (uint32_t i = 0; i < count; i++)
        takers += is_taker(&peers[i]);
    bool spare =
        situation->upload_limit == 0 || situation->upload_rate < situation->upload_limit / 10 * 9;
    if (choker->rest > 0)
        choker->rest--;
    if (choker->probe_age > 0 && ++choker->probe_age > PROBE_ROUNDS) {
        /* Worth it when it brought half of what a slot brought before. */
        uint64_t worth = choker->probe_rate / choker->slots / 2;
        choker->probe_age = 0;
        if (situation->upload_rate <= choker->probe_rate + worth) {
            choker->slots--;
            choker->rest = REST_ROUNDS;
        }
    }
    if (!spare && choker->slots > choker->slots_base &&
        situation->upload_rate / choker->slots < SLOT_RATE_MIN)
        choker->slots--;
    if (choker->probe_age == 0 && choker->rest == 0 && spare && takers > choker->slots &&
        choker->slots < CHOKER_SLOTS_MAX) {
        choker->probe_rate = situation->upload_rate;
        choker->probe_age = 1;
        choker->slots++;
    }
}

uint32_t choker_round(struct choker *choker, const struct choker_situation *situation,
                      const struct choker_peer *peers, uint32_t count, uint32_t *ret_slots)
{
    CHECK(count <= LIMIT_PEERS_PER_TORRENT);
    choker->next_round_ns = situation->now + CHOKER_ROUND_NS;
    if (choker->adapts)
        adapt(choker, situation, peers, count);
    struct ballot ballot = {
        .choker = choker, .situation = situation, .peers = peers, .count = count};
    rank(&ballot);
    give_regular_slots(&ballot);
    favour_the_better(&ballot);
    give_optimistic_slots(&ballot);
    uint32_t length = 0;
    for (uint32_t i = 0; i < count; i++)
        if (ballot.standings[i] != STANDING_NONE)
            ret_slots[length++] = peers[i].slot;
    return length;
}

/* ---- between rounds ---- */

/* The regular one that is worth least, `except` apart. UINT32_MAX: there is none. */
static uint32_t worst_regular(const struct choker *choker, const struct choker_situation *situation,
                              const struct choker_peer *peers, uint32_t count, uint32_t except)
{
    uint32_t worst = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_taker(&peers[i]) || !peers[i].unchoked || peers[i].slot == except ||
            choker_is_optimistic(choker, peers[i].slot))
            continue;
        if (worst == UINT32_MAX || compare(situation, &peers[worst], &peers[i]) < 0)
            worst = i;
    }
    return worst;
}

/* Who waits and is worth most; who snubs us comes last. */
static uint32_t best_waiting(const struct choker_situation *situation,
                             const struct choker_peer *peers, uint32_t count)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_taker(&peers[i]) || peers[i].unchoked)
            continue;
        if (best == UINT32_MAX || (peers[best].snubbed && !peers[i].snubbed) ||
            (peers[best].snubbed == peers[i].snubbed &&
             compare(situation, &peers[i], &peers[best]) < 0))
            best = i;
    }
    return best;
}

static uint32_t index_of(const struct choker_peer *peers, uint32_t count, uint32_t slot)
{
    for (uint32_t i = 0; i < count; i++)
        if (peers[i].slot == slot)
            return i;
    return UINT32_MAX;
}

void choker_on_interested(struct choker *choker, const struct choker_situation *situation,
                          const struct choker_peer *peers, uint32_t count, uint32_t slot,
                          struct choker_change *ret_change)
{
    CHECK(count <= LIMIT_PEERS_PER_TORRENT);
    *ret_change = (struct choker_change){CHOKER_SLOT_NONE, CHOKER_SLOT_NONE};
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++)
        used += is_taker(&peers[i]) && peers[i].unchoked;
    uint32_t who = slot == CHOKER_SLOT_NONE ? best_waiting(situation, peers, count)
                                            : index_of(peers, count, slot);
    if (who == UINT32_MAX || !is_taker(&peers[who]))
        return;
    if (peers[who].unchoked) {
        uint32_t worst = worst_regular(choker, situation, peers, count, slot);
        if (used > choker->slots && worst != UINT32_MAX)
            ret_change->choke = peers[worst].slot;
        return;
    }
    if (used >= choker->slots)
        return;
    ret_change->unchoke = peers[who].slot;
    if (peers[who].snubbed)
        make_optimistic(choker, peers[who].slot);
}
