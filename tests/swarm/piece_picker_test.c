/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/swarm/piece_picker.h"

#include <string.h>

#define PIECES 60u
#define BLOCKS 4u
#define SLOTS  12u

static const struct address SENDER = {.family = ADDRESS_IPV4, .port = 1, .ip = {10, 0, 0, 1}};

static void make_geometry(struct geometry *geometry, uint32_t pieces, uint32_t blocks)
{
    /* The last piece is short: its last block has 100 bytes. */
    uint64_t piece_length = (uint64_t)blocks * LIMIT_BLOCK_SIZE;
    struct geometry_file file = {.length = pieces * piece_length - LIMIT_BLOCK_SIZE + 100};
    assert_int_equal(geometry_init(geometry, (uint32_t)piece_length, &file, 1, false), FRESHET_OK);
    assert_int_equal(geometry->piece_count, pieces);
}

struct fixture {
    struct geometry geometry;
    struct piece_picker *picker;
    struct bitfield has[SLOTS];
};

static void fixture_init(struct fixture *f, uint32_t pieces, bool sequential,
                         const uint8_t *priorities)
{
    make_geometry(&f->geometry, pieces, BLOCKS);
    f->picker = piece_picker_new(&(struct piece_picker_options){
        .geometry = &f->geometry, .seed = 7, .sequential = sequential, .priorities = priorities});
    for (uint32_t i = 0; i < SLOTS; i++)
        bitfield_init(&f->has[i], pieces);
}

static void fixture_deinit(struct fixture *f)
{
    piece_picker_check(f->picker);
    piece_picker_free(f->picker);
    for (uint32_t i = 0; i < SLOTS; i++)
        bitfield_deinit(&f->has[i]);
    geometry_deinit(&f->geometry);
}

static void seed_joins(struct fixture *f, uint32_t slot)
{
    bitfield_set_all(&f->has[slot]);
    piece_picker_peer_joined(f->picker, slot, &f->has[slot]);
}

static uint32_t pick(struct fixture *f, uint32_t slot, struct block_pick *picks, uint32_t count)
{
    struct pick_options options = {
        .now = 5, .has = &f->has[slot], .open_new = true, .slow_before_ns = INT64_MIN};
    return piece_picker_pick(f->picker, slot, &options, picks, count);
}

static struct block_receipt receive(struct fixture *f, uint32_t slot, piece_index piece,
                                    uint32_t block)
{
    struct block_receipt receipt;
    piece_picker_received(f->picker, slot, piece, block, &SENDER, piece * BLOCKS + block, &receipt);
    return receipt;
}

static void picker_asks_for_a_piece_in_order_and_completes_it(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    struct block_pick picks[BLOCKS];
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(picks[i].piece, picks[0].piece);
        assert_int_equal(picks[i].block, i);
        assert_int_equal(picks[i].begin, i * LIMIT_BLOCK_SIZE);
        assert_false(picks[i].duplicate);
    }
    piece_index piece = picks[0].piece;
    assert_int_equal(piece_picker_outstanding(f.picker, 0), BLOCKS);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        struct block_receipt receipt = receive(&f, 0, piece, i);
        assert_true(receipt.accepted);
        assert_int_equal(receipt.piece_complete, i == BLOCKS - 1);
        assert_int_equal(receipt.cancel_count, 0);
    }
    assert_false(receive(&f, 0, piece, 1).accepted);
    uint32_t count = 0;
    const block_id *memory = piece_picker_memory(f.picker, piece, &count);
    assert_int_equal(count, BLOCKS);
    assert_int_equal(memory[2], piece * BLOCKS + 2);
    assert_true(address_equal(piece_picker_sender(f.picker, piece, 3), &SENDER));
    assert_true(piece_picker_wants(f.picker, piece));
    piece_picker_piece_verified(f.picker, piece);
    assert_false(piece_picker_wants(f.picker, piece));
    assert_null(piece_picker_memory(f.picker, piece, &count));
    piece_picker_peer_left(f.picker, 0, &f.has[0]);
    fixture_deinit(&f);
}

static void picker_knows_the_length_of_the_last_block(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 2, true, NULL);
    seed_joins(&f, 0);
    struct block_pick picks[2 * BLOCKS];
    assert_int_equal(pick(&f, 0, picks, 2 * BLOCKS), 2 * BLOCKS);
    assert_int_equal(picks[2 * BLOCKS - 1].length, 100);
    assert_int_equal(picks[0].length, LIMIT_BLOCK_SIZE);
    fixture_deinit(&f);
}

static void picker_gives_the_rarest_after_the_first_pieces(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    for (piece_index i = 0; i < PIECE_PICKER_RANDOM_FIRST; i++)
        piece_picker_piece_verified(f.picker, i);
    seed_joins(&f, 0);
    /* Slot 1 has all but piece 40; slot 2 all but 40, 41, 42. */
    for (uint32_t slot = 1; slot <= 2; slot++) {
        bitfield_set_all(&f.has[slot]);
        bitfield_clear(&f.has[slot], 40);
    }
    bitfield_clear(&f.has[2], 41);
    bitfield_clear(&f.has[2], 42);
    piece_picker_peer_joined(f.picker, 1, &f.has[1]);
    piece_picker_peer_joined(f.picker, 2, &f.has[2]);
    struct block_pick picks[3 * BLOCKS];
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    assert_int_equal(picks[0].piece, 40);
    assert_int_equal(pick(&f, 1, picks, 2 * BLOCKS), 2 * BLOCKS);
    assert_true(picks[0].piece == 41 || picks[0].piece == 42);
    assert_true(picks[BLOCKS].piece == 41 || picks[BLOCKS].piece == 42);
    assert_int_not_equal(picks[0].piece, picks[BLOCKS].piece);
    fixture_deinit(&f);
}

static void picker_draws_equals_at_random(void **state)
{
    (void)state;
    uint32_t seen[PIECES] = {0};
    struct geometry geometry;
    make_geometry(&geometry, PIECES, BLOCKS);
    struct bitfield has;
    bitfield_init(&has, PIECES);
    bitfield_set_all(&has);
    for (uint64_t seed = 0; seed < 3000; seed++) {
        struct piece_picker *picker =
            piece_picker_new(&(struct piece_picker_options){.geometry = &geometry, .seed = seed});
        piece_picker_peer_joined(picker, 0, &has);
        struct pick_options options = {.has = &has, .open_new = true, .slow_before_ns = INT64_MIN};
        struct block_pick picks[1];
        assert_int_equal(piece_picker_pick(picker, 0, &options, picks, 1), 1);
        seen[picks[0].piece]++;
        piece_picker_free(picker);
    }
    for (uint32_t i = 0; i < PIECES; i++)
        assert_in_range(seen[i], 20, 90); /* 50 expected */
    bitfield_deinit(&has);
    geometry_deinit(&geometry);
}

static void picker_obeys_priorities_before_rarity(void **state)
{
    (void)state;
    uint8_t priorities[PIECES];
    memset(priorities, 1, sizeof priorities);
    priorities[10] = 7;
    priorities[11] = 0;
    struct fixture f;
    fixture_init(&f, PIECES, false, priorities);
    seed_joins(&f, 0);
    bitfield_set(&f.has[1], 10);
    piece_picker_peer_joined(f.picker, 1, &f.has[1]);
    struct block_pick picks[PIECES * BLOCKS];
    assert_int_equal(pick(&f, 0, picks, 1), 1);
    assert_int_equal(picks[0].piece, 10);
    assert_false(piece_picker_wants(f.picker, 11));
    assert_int_equal(pick(&f, 0, picks, PIECES * BLOCKS), (PIECES - 1) * BLOCKS - 1);
    for (uint32_t i = 0; i < (PIECES - 1) * BLOCKS - 1; i++)
        assert_int_not_equal(picks[i].piece, 11);
    piece_picker_set_priority(f.picker, 11, 3);
    assert_int_equal(pick(&f, 0, picks, 1), 1);
    assert_int_equal(picks[0].piece, 11);
    fixture_deinit(&f);
}

static void picker_goes_by_index_in_sequential_mode(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, true, NULL);
    seed_joins(&f, 0);
    struct block_pick picks[3 * BLOCKS];
    assert_int_equal(pick(&f, 0, picks, 3 * BLOCKS), 3 * BLOCKS);
    for (uint32_t i = 0; i < 3 * BLOCKS; i++)
        assert_int_equal(picks[i].piece, i / BLOCKS);
    fixture_deinit(&f);
}

static void picker_finishes_open_pieces_first(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    seed_joins(&f, 1);
    struct block_pick a[2], b[3];
    assert_int_equal(pick(&f, 0, a, 2), 2);
    assert_int_equal(pick(&f, 1, b, 3), 3);
    assert_int_equal(b[0].piece, a[0].piece);
    assert_int_equal(b[0].block, 2);
    assert_int_equal(b[1].block, 3);
    assert_int_not_equal(b[2].piece, a[0].piece);
    fixture_deinit(&f);
}

static void picker_gives_a_fast_peer_pieces_of_its_own(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    seed_joins(&f, 1);
    struct block_pick a[2], b[BLOCKS];
    assert_int_equal(pick(&f, 0, a, 2), 2);
    struct pick_options options = {.has = &f.has[1], .open_new = true, .whole_pieces = true};
    assert_int_equal(piece_picker_pick(f.picker, 1, &options, b, BLOCKS), BLOCKS);
    for (uint32_t i = 0; i < BLOCKS; i++)
        assert_int_equal(b[i].piece, b[0].piece);
    assert_int_not_equal(b[0].piece, a[0].piece);
    fixture_deinit(&f);
}

static void picker_opens_nothing_when_memory_is_short(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    seed_joins(&f, 1);
    struct block_pick picks[BLOCKS];
    struct pick_options options = {.has = &f.has[0], .slow_before_ns = INT64_MIN};
    assert_int_equal(piece_picker_pick(f.picker, 0, &options, picks, 1), 0);
    assert_int_equal(pick(&f, 0, picks, 1), 1);
    assert_int_equal(piece_picker_pick(f.picker, 1, &options, picks, BLOCKS), BLOCKS - 1);
    fixture_deinit(&f);
}

static void picker_keeps_to_the_allowed_fast_set(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    const piece_index allowed[] = {7, 9, 4000};
    struct pick_options options = {.has = &f.has[0],
                                   .open_new = true,
                                   .only_these = true,
                                   .only = allowed,
                                   .only_count = 3,
                                   .slow_before_ns = INT64_MIN};
    struct block_pick picks[3 * BLOCKS];
    assert_int_equal(piece_picker_pick(f.picker, 0, &options, picks, 3 * BLOCKS), 2 * BLOCKS);
    for (uint32_t i = 0; i < 2 * BLOCKS; i++)
        assert_true(picks[i].piece == 7 || picks[i].piece == 9);
    fixture_deinit(&f);
}

static void picker_prefers_a_suggested_piece(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    const piece_index suggested[] = {4000, 33};
    struct pick_options options = {.has = &f.has[0],
                                   .open_new = true,
                                   .suggested = suggested,
                                   .suggested_count = 2,
                                   .slow_before_ns = INT64_MIN};
    struct block_pick picks[1];
    assert_int_equal(piece_picker_pick(f.picker, 0, &options, picks, 1), 1);
    assert_int_equal(picks[0].piece, 33);
    fixture_deinit(&f);
}

static void picker_doubles_requests_in_the_end_game_and_cancels(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 2, false, NULL);
    for (uint32_t slot = 0; slot < 4; slot++)
        seed_joins(&f, slot);
    struct block_pick picks[2 * BLOCKS];
    assert_int_equal(pick(&f, 0, picks, 2 * BLOCKS - 1), 2 * BLOCKS - 1);
    struct piece_picker_counts counts;
    piece_picker_count(f.picker, &counts);
    assert_false(counts.end_game);
    struct block_pick last[1];
    assert_int_equal(pick(&f, 0, last, 1), 1);
    piece_picker_count(f.picker, &counts);
    assert_true(counts.end_game);
    /* The one that asked for everything gets nothing twice. */
    assert_int_equal(pick(&f, 0, picks, 2 * BLOCKS), 0);
    struct block_pick again[2 * BLOCKS];
    for (uint32_t slot = 1; slot < 4; slot++) {
        assert_int_equal(pick(&f, slot, again, 2 * BLOCKS), PIECE_PICKER_DRY);
        for (uint32_t i = 0; i < PIECE_PICKER_DRY; i++)
            assert_true(again[i].duplicate);
        assert_int_equal(pick(&f, slot, picks, 2 * BLOCKS), 0);
    }
    struct block_receipt receipt = receive(&f, 0, again[0].piece, again[0].block);
    assert_true(receipt.accepted);
    assert_true(receipt.cancel_count >= 1 && receipt.cancel_count < PIECE_PICKER_REQUESTERS_MAX);
    bool found = false;
    for (uint32_t i = 0; i < receipt.cancel_count; i++)
        found |= receipt.cancels[i] == 3;
    assert_true(found);
    assert_int_equal(piece_picker_outstanding(f.picker, 3), PIECE_PICKER_DRY - 1);
    fixture_deinit(&f);
}

static void picker_lets_a_slow_peer_be_overtaken(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, true, NULL);
    seed_joins(&f, 0);
    bitfield_set(&f.has[1], 0);
    piece_picker_peer_joined(f.picker, 1, &f.has[1]);
    struct block_pick picks[BLOCKS];
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS); /* at 5 */
    struct pick_options options = {
        .now = 100, .has = &f.has[1], .open_new = true, .slow_before_ns = 5};
    assert_int_equal(piece_picker_pick(f.picker, 1, &options, picks, BLOCKS), 0);
    options.slow_before_ns = 6;
    assert_int_equal(piece_picker_pick(f.picker, 1, &options, picks, 2), 2);
    assert_true(picks[0].duplicate);
    assert_int_equal(picks[0].piece, 0);
    fixture_deinit(&f);
}

static void picker_frees_what_a_leaving_peer_was_asked(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, true, NULL);
    seed_joins(&f, 0);
    seed_joins(&f, 1);
    struct block_pick picks[3 * BLOCKS];
    assert_int_equal(pick(&f, 0, picks, 3 * BLOCKS), 3 * BLOCKS);
    assert_true(receive(&f, 0, 1, 0).accepted);
    piece_picker_peer_left(f.picker, 0, &f.has[0]);
    piece_picker_check(f.picker);
    struct piece_picker_counts counts;
    piece_picker_count(f.picker, &counts);
    assert_int_equal(counts.open, 1); /* the others are closed again */
    assert_int_equal(counts.blocks_requested, 0);
    assert_int_equal(counts.blocks_received, 1);
    piece_index victim;
    assert_true(piece_picker_victim(f.picker, &victim));
    assert_int_equal(victim, 1);
    assert_int_equal(pick(&f, 1, picks, 1), 1);
    assert_int_equal(picks[0].piece, 1);
    assert_int_equal(picks[0].block, 1);
    assert_false(piece_picker_victim(f.picker, &victim));
    fixture_deinit(&f);
}

static void picker_takes_a_late_block_and_a_failed_piece_starts_anew(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, true, NULL);
    seed_joins(&f, 0);
    struct block_pick picks[BLOCKS];
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    assert_true(piece_picker_abort(f.picker, 0, 0, 2));
    assert_false(piece_picker_abort(f.picker, 0, 0, 2));
    assert_false(piece_picker_abort(f.picker, 1, 0, 1));
    for (uint32_t i = 0; i < BLOCKS; i++)
        assert_true(receive(&f, 0, 0, i).accepted);
    piece_picker_piece_failed(f.picker, 0);
    piece_picker_check(f.picker);
    assert_false(piece_picker_is_open(f.picker, 0));
    assert_null(piece_picker_sender(f.picker, 0, 0));
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    assert_int_equal(picks[0].piece, 0);
    fixture_deinit(&f);
}

static void picker_tells_who_is_interesting(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    piece_picker_peer_joined(f.picker, 0, &f.has[0]);
    assert_false(piece_picker_is_interesting(f.picker, 0, &f.has[0]));
    for (piece_index i = 20; i < 22; i++) {
        bitfield_set(&f.has[0], i);
        piece_picker_peer_have(f.picker, 0, i, &f.has[0]);
        assert_true(piece_picker_is_interesting(f.picker, 0, &f.has[0]));
    }
    piece_picker_piece_verified(f.picker, 21);
    assert_true(piece_picker_is_interesting(f.picker, 0, &f.has[0]));
    piece_picker_piece_verified(f.picker, 20);
    assert_false(piece_picker_is_interesting(f.picker, 0, &f.has[0]));
    piece_picker_piece_lost(f.picker, 20);
    assert_true(piece_picker_is_interesting(f.picker, 0, &f.has[0]));
    piece_picker_set_priority(f.picker, 20, 0);
    assert_false(piece_picker_is_interesting(f.picker, 0, &f.has[0]));
    fixture_deinit(&f);
}

static void picker_finds_the_longest_gap(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, PIECES, false, NULL);
    piece_picker_piece_verified(f.picker, 10);
    piece_picker_piece_verified(f.picker, 40);
    piece_index first;
    uint32_t count;
    assert_true(piece_picker_longest_gap(f.picker, &first, &count));
    assert_int_equal(first, 11);
    assert_int_equal(count, 29);
    struct block_pick picks[BLOCKS];
    assert_int_equal(
        piece_picker_pick_piece(f.picker, LIMIT_PEERS_PER_TORRENT, 11, 1, picks, BLOCKS), BLOCKS);
    assert_int_equal(
        piece_picker_pick_piece(f.picker, LIMIT_PEERS_PER_TORRENT, 10, 1, picks, BLOCKS), 0);
    fixture_deinit(&f);
}

/* ---- against a naive model ---- */

struct model {
    struct fixture f;
    struct rng rng;
    bool joined[SLOTS];
    bool have[PIECES];
    uint8_t priorities[PIECES];
    bool asked[PIECES][BLOCKS][SLOTS];
    bool received[PIECES][BLOCKS];
};

static bool piece_is_open(const struct model *m, uint32_t piece)
{
    bool open = false;
    for (uint32_t b = 0; b < BLOCKS; b++) {
        open |= m->received[piece][b];
        for (uint32_t s = 0; s < SLOTS; s++)
            open |= m->asked[piece][b][s];
    }
    return open;
}

static uint32_t requesters(const struct model *m, uint32_t piece, uint32_t block)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < SLOTS; s++)
        count += m->asked[piece][block][s];
    return count;
}

static uint32_t rarity(const struct model *m, uint32_t piece)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < SLOTS; s++)
        count += m->joined[s] && bitfield_has(&m->f.has[s], piece);
    return count;
}

static bool nothing_is_free(const struct model *m)
{
    for (uint32_t p = 0; p < PIECES; p++) {
        bool open = piece_is_open(m, p);
        if (m->have[p] || (!open && m->priorities[p] == 0))
            continue;
        for (uint32_t b = 0; b < BLOCKS; b++)
            if (!m->received[p][b] && requesters(m, p, b) == 0)
                return false;
    }
    return true;
}

/* A new piece must be the best that the peer has, by the model's own count. */
static void expect_best(const struct model *m, uint32_t slot, uint32_t piece, uint32_t had)
{
    for (uint32_t p = 0; p < PIECES; p++) {
        if (!bitfield_has(&m->f.has[slot], p) || m->have[p])
            continue;
        if (piece_is_open(m, p)) {
            for (uint32_t b = 0; b < BLOCKS; b++)
                assert_true(m->received[p][b] || requesters(m, p, b) > 0);
            continue;
        }
        assert_true(m->priorities[p] <= m->priorities[piece]);
        if (m->priorities[p] == m->priorities[piece] && had >= PIECE_PICKER_RANDOM_FIRST)
            assert_true(rarity(m, p) >= rarity(m, piece));
    }
}

static uint32_t had_count(const struct model *m)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < PIECES; p++)
        count += m->have[p];
    return count;
}

static void model_pick(struct model *m, uint32_t slot)
{
    struct block_pick picks[9];
    uint32_t count = pick(&m->f, slot, picks, 1 + rng_below(&m->rng, 9));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t p = picks[i].piece, b = picks[i].block;
        assert_true(bitfield_has(&m->f.has[slot], p));
        assert_false(m->have[p]);
        assert_false(m->received[p][b]);
        assert_false(m->asked[p][b][slot]);
        if (picks[i].duplicate) {
            assert_true(nothing_is_free(m));
            assert_in_range(requesters(m, p, b), 1, PIECE_PICKER_REQUESTERS_MAX - 1);
        } else {
            assert_int_equal(requesters(m, p, b), 0);
            if (!piece_is_open(m, p))
                expect_best(m, slot, p, had_count(m));
        }
        m->asked[p][b][slot] = true;
    }
}

static void forget_piece(struct model *m, uint32_t p)
{
    memset(m->asked[p], 0, sizeof m->asked[p]);
    memset(m->received[p], 0, sizeof m->received[p]);
}

static void model_receive(struct model *m, uint32_t p, uint32_t b, uint32_t slot)
{
    struct block_receipt receipt = receive(&m->f, slot, p, b);
    assert_true(receipt.accepted);
    assert_int_equal(receipt.cancel_count, requesters(m, p, b) - 1);
    for (uint32_t i = 0; i < receipt.cancel_count; i++) {
        assert_true(m->asked[p][b][receipt.cancels[i]]);
        assert_int_not_equal(receipt.cancels[i], slot);
    }
    memset(m->asked[p][b], 0, sizeof m->asked[p][b]);
    m->received[p][b] = true;
    bool complete = true;
    for (uint32_t i = 0; i < BLOCKS; i++)
        complete &= m->received[p][i];
    assert_int_equal(receipt.piece_complete, complete);
    if (!complete)
        return;
    forget_piece(m, p);
    if (rng_below(&m->rng, 4) == 0) {
        piece_picker_piece_failed(m->f.picker, p);
    } else {
        piece_picker_piece_verified(m->f.picker, p);
        m->have[p] = true;
    }
}

/* Answers or aborts a random request of the slot. */
static void model_answer(struct model *m, uint32_t slot)
{
    uint32_t start = rng_below(&m->rng, PIECES * BLOCKS);
    for (uint32_t i = 0; i < PIECES * BLOCKS; i++) {
        uint32_t at = (start + i) % (PIECES * BLOCKS);
        uint32_t p = at / BLOCKS, b = at % BLOCKS;
        if (!m->asked[p][b][slot])
            continue;
        if (rng_below(&m->rng, 4) == 0) {
            assert_true(piece_picker_abort(m->f.picker, slot, p, b));
            m->asked[p][b][slot] = false;
        } else {
            model_receive(m, p, b, slot);
        }
        return;
    }
}

static void model_join_or_leave(struct model *m, uint32_t slot)
{
    struct bitfield *has = &m->f.has[slot];
    if (m->joined[slot]) {
        piece_picker_peer_left(m->f.picker, slot, has);
        bitfield_clear_all(has);
        for (uint32_t at = 0; at < PIECES * BLOCKS; at++)
            m->asked[at / BLOCKS][at % BLOCKS][slot] = false;
    } else {
        uint32_t share = rng_below(&m->rng, 5);
        for (uint32_t p = 0; p < PIECES; p++)
            if (rng_below(&m->rng, 4) < share)
                bitfield_set(has, p);
        piece_picker_peer_joined(m->f.picker, slot, has);
    }
    m->joined[slot] = !m->joined[slot];
}

static void model_have_or_lose(struct model *m, uint32_t slot)
{
    uint32_t p = rng_below(&m->rng, PIECES);
    struct bitfield *has = &m->f.has[slot];
    if (!m->joined[slot])
        return;
    if (!bitfield_has(has, p)) {
        bitfield_set(has, p);
        piece_picker_peer_have(m->f.picker, slot, p, has);
    } else if (rng_below(&m->rng, 8) == 0) {
        bitfield_clear(has, p);
        piece_picker_peer_lost(m->f.picker, slot, p, has);
    }
}

static void model_wish(struct model *m)
{
    uint32_t p = rng_below(&m->rng, PIECES);
    if (rng_below(&m->rng, 2) == 0) {
        m->priorities[p] = (uint8_t)rng_below(&m->rng, 8);
        piece_picker_set_priority(m->f.picker, p, m->priorities[p]);
    } else if (m->have[p]) {
        piece_picker_piece_lost(m->f.picker, p);
        m->have[p] = false;
    }
}

static void model_compare(struct model *m)
{
    piece_picker_check(m->f.picker);
    for (uint32_t p = 0; p < PIECES; p++) {
        assert_int_equal(availability_of(piece_picker_availability(m->f.picker), p), rarity(m, p));
        assert_int_equal(piece_picker_wants(m->f.picker, p), m->priorities[p] > 0 && !m->have[p]);
        assert_int_equal(piece_picker_is_open(m->f.picker, p), piece_is_open(m, p));
    }
    for (uint32_t s = 0; s < SLOTS; s++) {
        bool interesting = false;
        for (uint32_t p = 0; p < PIECES; p++)
            interesting |= bitfield_has(&m->f.has[s], p) && m->priorities[p] > 0 && !m->have[p];
        assert_int_equal(piece_picker_is_interesting(m->f.picker, s, &m->f.has[s]), interesting);
    }
}

static void picker_agrees_with_a_naive_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        static struct model m;
        m = (struct model){0};
        rng_init(&m.rng, seed);
        fixture_init(&m.f, PIECES, false, NULL);
        memset(m.priorities, PIECE_PRIORITY_NORMAL, sizeof m.priorities);
        for (uint32_t step = 0; step < 3000; step++) {
            uint32_t slot = rng_below(&m.rng, SLOTS);
            uint32_t what = rng_below(&m.rng, 100);
            if (what < 4)
                model_join_or_leave(&m, slot);
            else if (what < 14)
                model_have_or_lose(&m, slot);
            else if (what < 17)
                model_wish(&m);
            else if (what < 40)
                model_pick(&m, slot);
            else
                model_answer(&m, slot);
            model_compare(&m);
        }
        fixture_deinit(&m.f);
    }
}

static void picker_tells_whom_pieces_come_from(void **state)
{
    (void)state;
    struct fixture f;
    struct block_pick picks[3], others[2];
    struct address slots[PIECE_PICKER_SLOTS] = {[0] = SENDER, [1] = SENDER};
    struct piece_fetch fetches[3];
    struct block_receipt receipt;
    slots[1].ip[3] = 2;
    fixture_init(&f, PIECES, true, NULL);
    seed_joins(&f, 0);
    seed_joins(&f, 1);
    assert_int_equal(piece_picker_fetches(f.picker, slots, fetches, 3), 0);
    assert_int_equal(pick(&f, 0, picks, 3), 3);
    assert_int_equal(pick(&f, 1, others, 2), 2);
    piece_picker_received(f.picker, 0, picks[0].piece, picks[0].block, &SENDER, 5, &receipt);
    assert_int_equal(piece_picker_fetches(f.picker, slots, fetches, 1), 1);
    assert_int_equal(piece_picker_fetches(f.picker, slots, fetches, 3), 2);
    /* The new one of the second peer has free blocks and comes first. */
    assert_int_equal(fetches[0].piece, others[1].piece);
    assert_int_equal(fetches[0].blocks, BLOCKS);
    assert_int_equal(fetches[0].asked, 1);
    assert_int_equal(fetches[0].received, 0);
    assert_int_equal(fetches[0].peer_count, 1);
    assert_true(address_equal(&fetches[0].peers[0].address, &slots[1]));
    assert_int_equal(fetches[1].piece, picks[0].piece);
    assert_int_equal(fetches[1].asked, 3);
    assert_int_equal(fetches[1].received, 1);
    assert_int_equal(fetches[1].peer_count, 2);
    assert_true(address_equal(&fetches[1].peers[0].address, &SENDER));
    assert_int_equal(fetches[1].peers[0].asked, 2);
    assert_int_equal(fetches[1].peers[0].received, 1);
    assert_int_equal(fetches[1].peers[1].asked, 1);
    assert_int_equal(fetches[1].peers[1].received, 0);
    fixture_deinit(&f);
}

static void picker_names_no_more_senders_than_there_is_room_for(void **state)
{
    (void)state;
    struct fixture f;
    struct address slots[PIECE_PICKER_SLOTS] = {0};
    struct piece_fetch fetch;
    struct block_receipt receipt;
    make_geometry(&f.geometry, 1, PIECE_FETCH_PEERS + 4);
    f.picker = piece_picker_new(&(struct piece_picker_options){.geometry = &f.geometry, .seed = 7});
    for (uint32_t i = 0; i < SLOTS; i++)
        bitfield_init(&f.has[i], 1);
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct block_pick one;
        slots[i] = SENDER;
        slots[i].ip[3] = (uint8_t)(i + 1);
        seed_joins(&f, i);
        assert_int_equal(pick(&f, i, &one, 1), 1);
        if (i + 1 < SLOTS)
            piece_picker_received(f.picker, i, 0, one.block, &slots[i], i, &receipt);
    }
    assert_int_equal(piece_picker_fetches(f.picker, slots, &fetch, 1), 1);
    assert_int_equal(fetch.received, SLOTS - 1);
    assert_int_equal(fetch.asked, 1);
    assert_int_equal(fetch.peer_count, PIECE_FETCH_PEERS);
    /* Who is still asked is among them. */
    assert_true(address_equal(&fetch.peers[0].address, &slots[SLOTS - 1]));
    fixture_deinit(&f);
}

static void urge(struct fixture *f, piece_index first, uint32_t count, uint8_t priority)
{
    for (uint32_t i = 0; i < count; i++)
        piece_picker_set_priority(f->picker, first + i, priority);
}

static void picker_gives_what_is_waited_for_first_and_in_order(void **state)
{
    (void)state;
    struct fixture f;
    struct block_pick picks[PIECES * BLOCKS];
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    /* A piece is open already, with free blocks, and a person likes another. */
    assert_int_equal(pick(&f, 0, picks, 1), 1);
    piece_index opened = picks[0].piece;
    piece_index base = opened < 30 ? 30 : 3;
    urge(&f, base + 20, 1, 7);
    urge(&f, base + 4, 3, PIECE_PRIORITY_SOON);
    urge(&f, base + 10, 2, PIECE_PRIORITY_NOW);
    assert_int_equal(pick(&f, 0, picks, 6 * BLOCKS), 6 * BLOCKS);
    piece_index order[] = {base + 10, base + 11, base + 4, base + 5, base + 6, opened};
    for (uint32_t i = 0; i < 5 * BLOCKS; i++) {
        assert_int_equal(picks[i].piece, order[i / BLOCKS]);
        assert_int_equal(picks[i].block, i % BLOCKS);
    }
    /* Then as ever: what is open, what a person likes. */
    assert_int_equal(picks[5 * BLOCKS].piece, opened);
    assert_int_equal(picks[5 * BLOCKS + BLOCKS - 1].piece, base + 20);
    fixture_deinit(&f);
}

static void picker_urges_nothing_of_who_has_it_not(void **state)
{
    (void)state;
    struct fixture f;
    struct block_pick picks[BLOCKS];
    fixture_init(&f, PIECES, false, NULL);
    bitfield_set(&f.has[0], 9);
    bitfield_set(&f.has[0], 40);
    piece_picker_peer_joined(f.picker, 0, &f.has[0]);
    urge(&f, 5, 3, PIECE_PRIORITY_NOW);
    urge(&f, 40, 1, PIECE_PRIORITY_SOON);
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    assert_int_equal(picks[0].piece, 40);
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    assert_int_equal(picks[0].piece, 9);
    assert_int_equal(pick(&f, 0, picks, BLOCKS), 0);
    fixture_deinit(&f);
}

static void picker_has_a_slow_peer_overtaken_where_somebody_waits(void **state)
{
    (void)state;
    struct fixture f;
    struct block_pick picks[64];
    fixture_init(&f, PIECES, false, NULL);
    seed_joins(&f, 0);
    seed_joins(&f, 1);
    urge(&f, 7, 1, PIECE_PRIORITY_NOW);
    assert_int_equal(pick(&f, 0, picks, BLOCKS), BLOCKS);
    assert_int_equal(picks[0].piece, 7);
    /* Not at once. */
    assert_int_equal(pick(&f, 1, picks, 2), 2);
    assert_int_not_equal(picks[0].piece, 7);
    struct pick_options options = {.now = 5 + PIECE_PICKER_URGENT_SLOW_NS + 1,
                                   .has = &f.has[1],
                                   .open_new = true,
                                   .slow_before_ns = INT64_MIN};
    /* Later, though there is plenty else and this peer has been asked for much. */
    uint32_t count = piece_picker_pick(f.picker, 1, &options, picks, 8);
    assert_int_equal(count, 8);
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_int_equal(picks[i].piece, 7);
        assert_true(picks[i].duplicate);
    }
    assert_int_not_equal(picks[BLOCKS].piece, 7);
    struct block_receipt receipt = receive(&f, 1, 7, 0);
    assert_true(receipt.accepted);
    assert_int_equal(receipt.cancel_count, 1);
    assert_int_equal(receipt.cancels[0], 0);
    /* Who only will wait has nothing doubled, nor has nobody. */
    urge(&f, 7, 1, PIECE_PRIORITY_SOON);
    options.now += 10 * SECOND_NS;
    count = piece_picker_pick(f.picker, 1, &options, picks, 4);
    for (uint32_t i = 0; i < count; i++)
        assert_false(picks[i].duplicate);
    urge(&f, 7, 1, PIECE_PRIORITY_NORMAL);
    seed_joins(&f, 2);
    options.has = &f.has[2];
    options.now += 10 * SECOND_NS;
    count = piece_picker_pick(f.picker, 2, &options, picks, 8);
    for (uint32_t i = 0; i < count; i++)
        assert_false(picks[i].duplicate);
    fixture_deinit(&f);
}

static void picker_finds_the_gap_that_is_waited_for(void **state)
{
    (void)state;
    struct fixture f;
    struct block_pick picks[BLOCKS];
    piece_index first;
    uint32_t count;
    fixture_init(&f, PIECES, false, NULL);
    assert_false(piece_picker_urgent_gap(f.picker, &first, &count));
    urge(&f, 20, 4, PIECE_PRIORITY_SOON);
    urge(&f, 30, 2, PIECE_PRIORITY_NOW);
    assert_true(piece_picker_urgent_gap(f.picker, &first, &count));
    assert_int_equal(first, 30);
    assert_int_equal(count, 2);
    assert_int_equal(
        piece_picker_pick_piece(f.picker, LIMIT_PEERS_PER_TORRENT, 30, 5, picks, BLOCKS), BLOCKS);
    assert_true(piece_picker_urgent_gap(f.picker, &first, &count));
    assert_int_equal(first, 31);
    urge(&f, 31, 1, PIECE_PRIORITY_NORMAL);
    assert_true(piece_picker_urgent_gap(f.picker, &first, &count));
    assert_int_equal(first, 20);
    assert_int_equal(count, 4);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picker_asks_for_a_piece_in_order_and_completes_it),
        cmocka_unit_test(picker_knows_the_length_of_the_last_block),
        cmocka_unit_test(picker_gives_the_rarest_after_the_first_pieces),
        cmocka_unit_test(picker_draws_equals_at_random),
        cmocka_unit_test(picker_obeys_priorities_before_rarity),
        cmocka_unit_test(picker_goes_by_index_in_sequential_mode),
        cmocka_unit_test(picker_finishes_open_pieces_first),
        cmocka_unit_test(picker_gives_a_fast_peer_pieces_of_its_own),
        cmocka_unit_test(picker_opens_nothing_when_memory_is_short),
        cmocka_unit_test(picker_keeps_to_the_allowed_fast_set),
        cmocka_unit_test(picker_prefers_a_suggested_piece),
        cmocka_unit_test(picker_doubles_requests_in_the_end_game_and_cancels),
        cmocka_unit_test(picker_lets_a_slow_peer_be_overtaken),
        cmocka_unit_test(picker_frees_what_a_leaving_peer_was_asked),
        cmocka_unit_test(picker_takes_a_late_block_and_a_failed_piece_starts_anew),
        cmocka_unit_test(picker_tells_who_is_interesting),
        cmocka_unit_test(picker_finds_the_longest_gap),
        cmocka_unit_test(picker_tells_whom_pieces_come_from),
        cmocka_unit_test(picker_names_no_more_senders_than_there_is_room_for),
        cmocka_unit_test(picker_gives_what_is_waited_for_first_and_in_order),
        cmocka_unit_test(picker_urges_nothing_of_who_has_it_not),
        cmocka_unit_test(picker_has_a_slow_peer_overtaken_where_somebody_waits),
        cmocka_unit_test(picker_finds_the_gap_that_is_waited_for),
        cmocka_unit_test(picker_agrees_with_a_naive_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
