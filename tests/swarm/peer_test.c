/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/memory.h"
#include "core/swarm/peer.h"

#include <string.h>

static void peer_requests_are_taken_in_any_order(void **state)
{
    (void)state;
    struct peer_requests requests = {0};
    struct peer_request taken;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 100; i++)
            peer_requests_add(&requests, (struct peer_request){.piece = i / 10, .block = i % 10});
        /* From the middle, the front and the back: the rest keeps its order. */
        assert_true(peer_requests_take(&requests, 5, 5, &taken));
        assert_false(peer_requests_take(&requests, 5, 5, &taken));
        assert_int_equal(requests.count, 99);
        uint32_t at = 0;
        for (uint32_t i = 0; i < 100; i++) {
            if (i == 55)
                continue;
            struct peer_request *request = peer_requests_at(&requests, at++);
            assert_int_equal(request->piece * 10 + request->block, i);
        }
        for (uint32_t i = 0; i < 100; i++)
            assert_int_equal(peer_requests_take(&requests, i / 10, i % 10, &taken), i != 55);
        assert_int_equal(requests.count, 0);
    }
    memory_free(requests.items);
}

static void peer_is_a_seed_only_with_every_piece(void **state)
{
    (void)state;
    struct address address = address_ipv4((uint8_t[]){10, 0, 0, 1}, 1);
    struct peer *peer = peer_new(NULL, 1, &address, 0, 3, 0);
    assert_false(peer_is_seed(peer));
    bitfield_set_all(&peer->has);
    assert_true(peer_is_seed(peer));
    peer_free(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_requests_are_taken_in_any_order),
        cmocka_unit_test(peer_is_a_seed_only_with_every_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
