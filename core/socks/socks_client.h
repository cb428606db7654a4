/* SPDX-License-Identifier: MIT */
/*
 * A client's side of SOCKS 5 (RFC 1928, user and password by RFC 1929), as a machine without
 * sockets: the host sends what it says, and hands in what the proxy answers. It never asks for more
 * bytes than belong to the answer, so what follows on the connection is the caller's untouched.
 */
#ifndef FRESHET_SOCKS_SOCKS_CLIENT_H
#define FRESHET_SOCKS_SOCKS_CLIENT_H

#include "core/base/address.h"
#include "core/base/error.h"

#define SOCKS_WORD_MAX    255u /* a user's name, a password */
#define SOCKS_REQUEST_MAX (3u + 2u * SOCKS_WORD_MAX)
#define SOCKS_ANSWER_MAX  (7u + 255u)

/* As RFC 1928 numbers them. */
enum socks_command { SOCKS_CONNECT = 1, SOCKS_UDP_ASSOCIATE = 3 };

struct socks_login {
    char user[SOCKS_WORD_MAX + 1]; /* "": there is none */
    char password[SOCKS_WORD_MAX + 1];
};

enum socks_state {
    SOCKS_METHOD, /* which way to say who we are */
    SOCKS_LOGIN,
    SOCKS_REQUEST,
    SOCKS_DONE,
    SOCKS_FAILED,
};

struct socks_client {
    enum socks_command command;
    enum socks_state state;
    bool said;                       /* what this state has to say */
    struct address remote;           /* where to; family ADDRESS_NONE: 0.0.0.0:0 */
    struct address bound;            /* as the proxy names it; family ADDRESS_NONE: by a name */
    const struct socks_login *login; /* borrowed while the machine lives */
    uint8_t answer[SOCKS_ANSWER_MAX];
    size_t answer_length;
    enum freshet_error error;
};

void socks_client_init(struct socks_client *client, enum socks_command command,
                       const struct address *remote, const struct socks_login *login);
/* Writes what is to be sent now and returns its length; 0: nothing until the proxy has answered. */
size_t socks_client_output(struct socks_client *client, uint8_t ret_bytes[SOCKS_REQUEST_MAX]);
/* How many bytes of the answer come next for sure; 0 when done or failed. */
size_t socks_client_wants(const struct socks_client *client);
/* At most as many as it wants. An error is final: REFUSED when the proxy will not have us (the
 * password, a rule), UNSUPPORTED when it cannot, CONNECTION and TIMEOUT for what is behind it,
 * SYNTAX when it speaks no SOCKS 5. */
enum freshet_error socks_client_input(struct socks_client *client, struct bytes bytes);

#endif
