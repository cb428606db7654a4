/* SPDX-License-Identifier: MIT */
#include "core/swarm/piece_order.h"

#include "core/base/check.h"
#include "core/base/memory.h"

/* Pieces looked at in buckets before the search goes by index instead: a peer that has few pieces
 * would otherwise cost a walk over all that it lacks. */
#define SEARCH_MAX 128u

void piece_order_init(struct piece_order *order, uint32_t piece_count)
{
    *order = (struct piece_order){.lowest = piece_count, .generation = 1};
    order->places = memory_new_array(piece_count, sizeof *order->places);
    bitfield_init(&order->listed, piece_count);
}

void piece_order_deinit(struct piece_order *order)
{
    for (uint32_t priority = 0; priority < PIECE_ORDER_PRIORITIES; priority++) {
        struct piece_bucket *level = order->buckets[priority];
        for (uint32_t i = 0; level && i < PIECE_ORDER_LEVELS; i++)
            memory_free(level[i].pieces);
        memory_free(level);
    }
    memory_free(order->places);
    bitfield_deinit(&order->listed);
    *order = (struct piece_order){0};
}

static struct piece_bucket *bucket_of(struct piece_order *order, uint32_t priority, uint32_t level)
{
    if (!order->buckets[priority])
        order->buckets[priority] =
            memory_new_array(PIECE_ORDER_LEVELS, sizeof *order->buckets[priority]);
    return &order->buckets[priority][level];
}

static void bucket_append(struct piece_bucket *bucket, piece_index piece)
{
    if (bucket->length == bucket->capacity) {
        bucket->capacity = bucket->capacity ? bucket->capacity * 2 : 8;
        bucket->pieces =
            memory_resize_array(bucket->pieces, bucket->capacity, sizeof *bucket->pieces);
    }
    bucket->pieces[bucket->length++] = piece;
}

void piece_order_insert(struct piece_order *order, piece_index piece, uint32_t priority,
                        uint32_t rarity)
{
    struct piece_place *place = &order->places[piece];
    CHECK(piece < order->listed.size);
    CHECK(!place->listed);
    CHECK(priority > 0 && priority < PIECE_ORDER_PRIORITIES);
    uint32_t level = rarity < PIECE_ORDER_LEVELS ? rarity : PIECE_ORDER_LEVELS - 1;
    struct piece_bucket *bucket = bucket_of(order, priority, level);
    *place = (struct piece_place){bucket->length, (uint16_t)level, (uint8_t)priority, true};
    bucket_append(bucket, piece);
    order->used[priority][level / 64] |= UINT64_C(1) << level % 64;
    order->lengths[priority]++;
    bitfield_set(&order->listed, piece);
    if (piece < order->lowest)
        order->lowest = piece;
    order->generation++;
}

static void bucket_leave(struct piece_order *order, const struct piece_place *place)
{
    struct piece_bucket *bucket = &order->buckets[place->priority][place->level];
    piece_index last = bucket->pieces[--bucket->length];
    bucket->pieces[place->position] = last;
    order->places[last].position = place->position;
    if (bucket->length == 0)
        order->used[place->priority][place->level / 64] &= ~(UINT64_C(1) << place->level % 64);
}

void piece_order_remove(struct piece_order *order, piece_index piece)
{
    CHECK(piece < order->listed.size);
    struct piece_place place = order->places[piece];
    CHECK(place.listed);
    bucket_leave(order, &place);
    order->places[piece] = (struct piece_place){0};
    order->lengths[place.priority]--;
    bitfield_clear(&order->listed, piece);
}

void piece_order_move(struct piece_order *order, piece_index piece, uint32_t rarity)
{
    CHECK(piece < order->listed.size);
    struct piece_place *place = &order->places[piece];
    uint32_t level = rarity < PIECE_ORDER_LEVELS ? rarity : PIECE_ORDER_LEVELS - 1;
    if (!place->listed || place->level == level)
        return;
    struct piece_place before = *place;
    bucket_leave(order, &before);
    struct piece_bucket *bucket = bucket_of(order, before.priority, level);
    place->level = (uint16_t)level;
    place->position = bucket->length;
    bucket_append(bucket, piece);
    order->used[before.priority][level / 64] |= UINT64_C(1) << level % 64;
}

bool piece_order_has(const struct piece_order *order, piece_index piece)
{
    CHECK(piece < order->listed.size);
    return order->places[piece].listed;
}

uint32_t piece_order_length(const struct piece_order *order)
{
    return order->listed.count;
}

uint32_t piece_order_top(const struct piece_order *order)
{
    uint32_t priority = PIECE_ORDER_PRIORITIES - 1;
    while (priority > 0 && order->lengths[priority] == 0)
        priority--;
    return priority;
}

/* The lowest level >= from that is not empty; PIECE_ORDER_LEVELS: none. */
static uint32_t next_level(const struct piece_order *order, uint32_t priority, uint32_t from)
{
    for (uint32_t word = from / 64; word < PIECE_ORDER_WORDS; word++) {
        uint64_t bits = order->used[priority][word];
        if (word == from / 64)
            bits &= UINT64_MAX << from % 64;
        if (bits)
            return word * 64 + (uint32_t)__builtin_ctzll(bits);
    }
    return PIECE_ORDER_LEVELS;
}

/* By index: the cost is the bitfields' length and what they have in common. */
static piece_index rarest_by_index(const struct piece_order *order, const struct bitfield *has,
                                   struct rng *rng)
{
    piece_index best = PIECE_ORDER_NONE;
    uint32_t best_rank = 0;
    uint32_t equals = 0;
    uint32_t size = order->listed.size;
    for (uint32_t i = piece_order_next_common(&order->listed, has, order->lowest); i < size;
         i = piece_order_next_common(&order->listed, has, i + 1)) {
        const struct piece_place *place = &order->places[i];
        uint32_t rank = place->priority * PIECE_ORDER_LEVELS + PIECE_ORDER_LEVELS - place->level;
        if (rank > best_rank) {
            best_rank = rank;
            best = i;
            equals = 1;
        } else if (rank == best_rank && rng_below(rng, ++equals) == 0) {
            best = i;
        }
    }
    return best;
}

piece_index piece_order_rarest(const struct piece_order *order, const struct bitfield *has,
                               bool counted, struct rng *rng)
{
    uint32_t searched = 0;
    for (uint32_t priority = piece_order_top(order); priority > 0; priority--) {
        for (uint32_t level = next_level(order, priority, counted); level < PIECE_ORDER_LEVELS;
             level = next_level(order, priority, level + 1)) {
            const struct piece_bucket *bucket = &order->buckets[priority][level];
            uint32_t at = rng_below(rng, bucket->length);
            for (uint32_t i = 0; i < bucket->length; i++) {
                if (bitfield_has(has, bucket->pieces[at]))
                    return bucket->pieces[at];
                if (++searched == SEARCH_MAX)
                    return rarest_by_index(order, has, rng);
                at = at + 1 < bucket->length ? at + 1 : 0;
            }
        }
    }
    return PIECE_ORDER_NONE;
}

/* The first common piece in [from, to) of the highest priority. */
static piece_index first_in(const struct piece_order *order, const struct bitfield *has,
                            uint32_t from, uint32_t to)
{
    uint32_t top = piece_order_top(order);
    piece_index best = PIECE_ORDER_NONE;
    for (uint32_t i = piece_order_next_common(&order->listed, has, from); i < to;
         i = piece_order_next_common(&order->listed, has, i + 1)) {
        if (best == PIECE_ORDER_NONE || order->places[i].priority > order->places[best].priority)
            best = i;
        if (order->places[best].priority == top)
            break;
    }
    return best;
}

piece_index piece_order_random(const struct piece_order *order, const struct bitfield *has,
                               struct rng *rng)
{
    uint32_t size = order->listed.size;
    if (order->listed.count == 0)
        return PIECE_ORDER_NONE;
    uint32_t start = rng_below(rng, size);
    piece_index behind = first_in(order, has, start, size);
    piece_index before = first_in(order, has, 0, start);
    if (behind == PIECE_ORDER_NONE)
        return before;
    if (before == PIECE_ORDER_NONE)
        return behind;
    return order->places[before].priority > order->places[behind].priority ? before : behind;
}

piece_index piece_order_first(struct piece_order *order, const struct bitfield *has)
{
    order->lowest = bitfield_next_set(&order->listed, order->lowest);
    return first_in(order, has, order->lowest, order->listed.size);
}

static piece_index first_of_bucket(const struct piece_bucket *bucket, const struct bitfield *has,
                                   piece_index best)
{
    for (uint32_t i = 0; i < bucket->length; i++)
        if (bucket->pieces[i] < best && (!has || bitfield_has(has, bucket->pieces[i])))
            best = bucket->pieces[i];
    return best;
}

piece_index piece_order_first_above(const struct piece_order *order, const struct bitfield *has,
                                    uint32_t priority)
{
    piece_index best = PIECE_ORDER_NONE;
    for (uint32_t at = piece_order_top(order); at >= priority && best == PIECE_ORDER_NONE; at--)
        for (uint32_t level = next_level(order, at, 0); level < PIECE_ORDER_LEVELS;
             level = next_level(order, at, level + 1))
            best = first_of_bucket(&order->buckets[at][level], has, best);
    return best;
}

static uint64_t word_at(const uint8_t *bytes, size_t length, size_t at)
{
    uint64_t word = 0;
    size_t end = length - at < 8 ? length - at : 8;
    for (size_t i = 0; i < end; i++)
        word |= (uint64_t)bytes[at + i] << (56 - 8 * i);
    return word;
}

uint32_t piece_order_next_common(const struct bitfield *a, const struct bitfield *b, uint32_t from)
{
    CHECK(a->size == b->size);
    if (from >= a->size)
        return a->size;
    size_t length = bitfield_wire_length(a->size);
    uint64_t mask = UINT64_MAX >> from % 64; /* bit 0 of the wire is the highest of the word */
    for (size_t at = from / 64 * 8; at < length; at += 8) {
        uint64_t word = word_at(a->bytes, length, at) & word_at(b->bytes, length, at) & mask;
        if (word)
            return (uint32_t)(at * 8) + (uint32_t)__builtin_clzll(word);
        mask = UINT64_MAX;
    }
    return a->size;
}

void piece_order_check(const struct piece_order *order)
{
    uint32_t listed = 0;
    for (uint32_t priority = 0; priority < PIECE_ORDER_PRIORITIES; priority++) {
        const struct piece_bucket *level = order->buckets[priority];
        uint32_t length = 0;
        for (uint32_t i = 0; level && i < PIECE_ORDER_LEVELS; i++) {
            CHECK((order->used[priority][i / 64] >> i % 64 & 1) == (level[i].length > 0));
            for (uint32_t j = 0; j < level[i].length; j++) {
                const struct piece_place *place = &order->places[level[i].pieces[j]];
                CHECK(place->listed);
                CHECK(place->position == j);
                CHECK(place->level == i);
                CHECK(place->priority == priority);
                CHECK(bitfield_has(&order->listed, level[i].pieces[j]));
                CHECK(level[i].pieces[j] >= order->lowest);
            }
            length += level[i].length;
        }
        CHECK(order->lengths[priority] == length);
        listed += length;
    }
    CHECK(order->listed.count == listed);
}
