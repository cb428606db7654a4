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

static const char *client_of(const char *version)
{
    static struct peer peer;
    peer_set_client(&peer, (struct bytes){(const uint8_t *)version, strlen(version)});
    return peer.client;
}

static void peer_client_names_are_made_harmless(void **state)
{
    (void)state;
    assert_string_equal(client_of("libtorrent/2.0.8"), "libtorrent/2.0.8");
    assert_string_equal(client_of("\xc2\xb5Torrent 3"), "\xc2\xb5Torrent 3");
    assert_string_equal(client_of("caf\xc3\xa9 \xe4\xb8\xad"), "caf\xc3\xa9 \xe4\xb8\xad");
    assert_string_equal(client_of("\xc2\x85y"), "??y");
    assert_string_equal(client_of("a\x1b[31mb\n\x7f"), "a?[31mb??");
    assert_string_equal(client_of("x\xe2\x80\xaey"), "x???y");
    char longer[200];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(strlen(client_of(longer)), 47);
    memcpy(longer + 46, "\xe4\xb8\xad", 3);
    assert_int_equal(strlen(client_of(longer)), 46);
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
        cmocka_unit_test(peer_client_names_are_made_harmless),
        cmocka_unit_test(peer_is_a_seed_only_with_every_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
