/* SPDX-License-Identifier: MIT */
#include "core/socks/socks_client.h"

#include "core/base/check.h"

#include <string.h>

#define VERSION           5u
#define LOGIN_VERSION     1u
#define METHOD_NONE       0u
#define METHOD_PASSWORD   2u
#define METHOD_NO_SUCH    0xffu
#define ADDRESS_TYPE_IPV4 1u
#define ADDRESS_TYPE_NAME 3u
#define ADDRESS_TYPE_IPV6 4u
#define ANSWER_HEAD       5u /* to the first byte of the address, which is a name's length */

void socks_client_init(struct socks_client *client, enum socks_command command,
                       const struct address *remote, const struct socks_login *login)
{
    *client = (struct socks_client){.command = command, .remote = *remote, .login = login};
}

static bool has_login(const struct socks_client *client)
{
    return client->login && client->login->user[0] != '\0';
}

/* RFC 1928, 3: only what we would do is offered. */
static void write_methods(const struct socks_client *client, struct writer *writer)
{
    writer_u8(writer, VERSION);
    writer_u8(writer, has_login(client) ? 2 : 1);
    writer_u8(writer, METHOD_NONE);
    if (has_login(client))
        writer_u8(writer, METHOD_PASSWORD);
}

/* RFC 1929, 2. */
static void write_login(const struct socks_client *client, struct writer *writer)
{
    size_t user = strlen(client->login->user), password = strlen(client->login->password);

    writer_u8(writer, LOGIN_VERSION);
    writer_u8(writer, (uint8_t)user);
    writer_bytes(writer, client->login->user, user);
    writer_u8(writer, (uint8_t)password);
    writer_bytes(writer, client->login->password, password);
}

/* RFC 1928, 4. */
static void write_request(const struct socks_client *client, struct writer *writer)
{
    const struct address *remote = &client->remote;

    writer_u8(writer, VERSION);
    writer_u8(writer, (uint8_t)client->command);
    writer_u8(writer, 0);
    writer_u8(writer, remote->family == ADDRESS_IPV6 ? ADDRESS_TYPE_IPV6 : ADDRESS_TYPE_IPV4);
    writer_bytes(writer, remote->ip, remote->family == ADDRESS_IPV6 ? 16 : 4);
    writer_u16(writer, remote->port);
}

size_t socks_client_output(struct socks_client *client, uint8_t ret_bytes[SOCKS_REQUEST_MAX])
{
    struct writer writer;

    if (client->said || client->state >= SOCKS_DONE)
        return 0;
    writer_init(&writer, ret_bytes, SOCKS_REQUEST_MAX);
    if (client->state == SOCKS_METHOD)
        write_methods(client, &writer);
    else if (client->state == SOCKS_LOGIN)
        write_login(client, &writer);
    else
        write_request(client, &writer);
    CHECK(!writer.failed);
    client->said = true;
    return writer_length(&writer);
}

/* The whole answer to a request, as far as it is known; 0: it is none. */
static size_t answer_size(const struct socks_client *client)
{
    if (client->answer_length < ANSWER_HEAD)
        return ANSWER_HEAD;
    switch (client->answer[3]) {
    case ADDRESS_TYPE_IPV4: return 4 + 4 + 2;
    case ADDRESS_TYPE_IPV6: return 4 + 16 + 2;
#ifdef FRESHET_PLANTED_BUG
    case ADDRESS_TYPE_NAME: return ANSWER_HEAD + (client->answer[4] | 1u) + 2u;
#else
    case ADDRESS_TYPE_NAME: return ANSWER_HEAD + client->answer[4] + 2u;
#endif
    default: return 0;
    }
}

size_t socks_client_wants(const struct socks_client *client)
{
    if (client->state >= SOCKS_DONE || !client->said)
        return 0;
    size_t size = client->state == SOCKS_REQUEST ? answer_size(client) : 2;
    return size > client->answer_length ? size - client->answer_length : 0;
}

static enum freshet_error fail(struct socks_client *client, enum freshet_error error)
{
    client->state = SOCKS_FAILED;
    client->error = error;
    return error;
}

static void go_on(struct socks_client *client, enum socks_state state)
{
    client->state = state;
    client->said = false;
    client->answer_length = 0;
}

static enum freshet_error take_method(struct socks_client *client)
{
    if (client->answer[0] != VERSION)
        return fail(client, FRESHET_ERROR_SYNTAX);
    if (client->answer[1] == METHOD_NO_SUCH)
        return fail(client, FRESHET_ERROR_REFUSED);
    if (client->answer[1] == METHOD_NONE)
        go_on(client, SOCKS_REQUEST);
    else if (client->answer[1] == METHOD_PASSWORD && has_login(client))
        go_on(client, SOCKS_LOGIN);
    else
        return fail(client, FRESHET_ERROR_PROTOCOL); /* we did not offer that */
    return FRESHET_OK;
}

static enum freshet_error take_login(struct socks_client *client)
{
    if (client->answer[0] != LOGIN_VERSION)
        return fail(client, FRESHET_ERROR_SYNTAX);
    if (client->answer[1] != 0)
        return fail(client, FRESHET_ERROR_REFUSED);
    go_on(client, SOCKS_REQUEST);
    return FRESHET_OK;
}

/* RFC 1928, 6. */
static enum freshet_error reply_error(uint8_t reply)
{
    switch (reply) {
    case 0: return FRESHET_OK;
    case 2: return FRESHET_ERROR_REFUSED;
    case 6: return FRESHET_ERROR_TIMEOUT;
    case 7:
    case 8: return FRESHET_ERROR_UNSUPPORTED;
    default: return FRESHET_ERROR_CONNECTION;
    }
}

/* The head says whether the rest is worth waiting for. */
static enum freshet_error take_head(struct socks_client *client)
{
    enum freshet_error error = reply_error(client->answer[1]);

    if (client->answer[0] != VERSION || client->answer[2] != 0 || answer_size(client) == 0)
        error = FRESHET_ERROR_SYNTAX;
    return error ? fail(client, error) : FRESHET_OK;
}

static void take_bound(struct socks_client *client)
{
    size_t at = client->answer_length - 2;
    uint16_t port = (uint16_t)(client->answer[at] << 8 | client->answer[at + 1]);

    if (client->answer[3] == ADDRESS_TYPE_IPV4)
        client->bound = address_ipv4(client->answer + 4, port);
    else if (client->answer[3] == ADDRESS_TYPE_IPV6)
        client->bound = address_ipv6(client->answer + 4, port);
    else
        client->bound = (struct address){.port = port};
    client->state = SOCKS_DONE;
}

enum freshet_error socks_client_input(struct socks_client *client, struct bytes bytes)
{
    CHECK(bytes.length <= socks_client_wants(client));
    if (bytes.length == 0)
        return client->error;
    memcpy(client->answer + client->answer_length, bytes.data, bytes.length);
    client->answer_length += bytes.length;
    if (client->state != SOCKS_REQUEST) {
        if (client->answer_length < 2)
            return FRESHET_OK;
        return client->state == SOCKS_METHOD ? take_method(client) : take_login(client);
    }
    if (client->answer_length < ANSWER_HEAD)
        return FRESHET_OK;
    enum freshet_error error = take_head(client);
    if (!error && client->answer_length == answer_size(client))
        take_bound(client);
    return error;
}
