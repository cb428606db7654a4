/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/transfer_peers.h"

static struct notice left(uint8_t last, uint16_t port, uint64_t uploaded, uint64_t downloaded)
{
    uint8_t ip[4] = {10, 0, 0, last};

    return (struct notice){.type = NOTICE_PEER_LEFT,
                           .address = address_ipv4(ip, port),
                           .uploaded = uploaded,
                           .downloaded = downloaded};
}

static void transfer_peers_sums_over_connections(void **state)
{
    struct transfer_peers peers = {0};
    struct notice first = left(1, 1000, 5, 7), second = left(2, 1000, 1, 0),
                  again = left(1, 1000, 10, 20);

    (void)state;
    transfer_peers_add(&peers, "aa", &first);
    transfer_peers_add(&peers, "aa", &second);
    transfer_peers_add(&peers, "aa", &again);
    transfer_peers_add(&peers, "bb", &again);
    assert_int_equal(peers.count, 3);
    assert_int_equal(peers.peers[0].uploaded, 15);
    assert_int_equal(peers.peers[0].downloaded, 27);
    assert_int_equal(peers.peers[1].uploaded, 1);
    assert_string_equal(peers.peers[2].info_hash, "bb");
    assert_int_equal(peers.peers[2].downloaded, 20);
    transfer_peers_deinit(&peers);
}

static void transfer_peers_keeps_a_limited_number(void **state)
{
    struct transfer_peers peers = {0};

    (void)state;
    for (uint32_t i = 0; i < TRANSFER_PEERS_MAX + 10; i++) {
        struct notice notice = left((uint8_t)(i / 60000), (uint16_t)(i % 60000 + 1), 1, 1);
        transfer_peers_add(&peers, "aa", &notice);
    }
    assert_int_equal(peers.count, TRANSFER_PEERS_MAX);
    struct notice known = left(0, 5, 1, 1);
    transfer_peers_add(&peers, "aa", &known);
    assert_int_equal(peers.peers[4].uploaded, 2);
    transfer_peers_deinit(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transfer_peers_sums_over_connections),
        cmocka_unit_test(transfer_peers_keeps_a_limited_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
