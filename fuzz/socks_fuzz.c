/* SPDX-License-Identifier: MIT */
/* planted: core/socks/socks_client.c */
/* finds: internal check failed: taken == answers_length(answers) */
/* covers: core/socks/socks_client.c core/socks/socks_datagram.c */
/* max_len: 1024 */
/* What a proxy may answer, cut anywhere: when it lets us through, exactly its answers were taken
 * and no byte of what follows. And a datagram with whatever stands before it. */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/socks/socks_client.h"
#include "core/socks/socks_datagram.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of answers that let us through, as RFC 1928 and 1929 draw them. */
static size_t answers_length(struct bytes answers)
{
    size_t at = 2;

    if (answers.data[1] == 2)
        at += 2;
    switch (answers.data[at + 3]) {
    case 1: return at + 10;
    case 4: return at + 22;
    default: return at + 7 + answers.data[at + 4];
    }
}

static void run_client(uint8_t how, struct bytes answers)
{
    static const struct socks_login person = {"ann", "secret"};
    static const uint8_t ip[16] = {0x20, 1};
    struct address to = how & 1 ? address_ipv4(ip, 1) : address_ipv6(ip, 1);
    struct socks_client client;
    uint8_t out[SOCKS_REQUEST_MAX];
    size_t taken = 0, step = 1 + (how >> 4);

    socks_client_init(&client, how & 2 ? SOCKS_CONNECT : SOCKS_UDP_ASSOCIATE, &to,
                      how & 4 ? &person : NULL);
    while (client.state < SOCKS_DONE) {
        socks_client_output(&client, out);
        size_t wants = socks_client_wants(&client);
        CHECK(wants > 0);
        if (wants > step)
            wants = step;
        if (wants > answers.length - taken)
            break;
        uint8_t *exact = memory_copy(answers.data + taken, wants);
        enum freshet_error error = socks_client_input(&client, (struct bytes){exact, wants});
        memory_free(exact);
        CHECK((error != FRESHET_OK) == (client.state == SOCKS_FAILED));
        taken += wants;
    }
    if (client.state == SOCKS_DONE)
        CHECK(taken == answers_length(answers));
    if (client.state >= SOCKS_DONE) {
        CHECK(socks_client_wants(&client) == 0);
        CHECK(socks_client_output(&client, out) == 0);
    }
}

static void read_datagram(struct bytes bytes)
{
    struct address remote, again;
    struct bytes payload, rest;
    uint8_t header[SOCKS_DATAGRAM_HEADER_MAX];

    if (socks_datagram_parse(bytes, &remote, &payload) != FRESHET_OK)
        return;
    CHECK(payload.data + payload.length == bytes.data + bytes.length);
    size_t length = socks_datagram_write(&remote, header);
    CHECK(socks_datagram_parse((struct bytes){header, length}, &again, &rest) == FRESHET_OK);
    CHECK(address_equal(&remote, &again));
    CHECK(rest.length == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *exact = memory_copy(data + 1, size - 1);
    run_client(data[0], (struct bytes){exact, size - 1});
    read_datagram((struct bytes){exact, size - 1});
    memory_free(exact);
    return 0;
}
