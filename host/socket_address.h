/* SPDX-License-Identifier: MIT */
/* Between struct address and what the system calls want. */
#ifndef FRESHET_HOST_SOCKET_ADDRESS_H
#define FRESHET_HOST_SOCKET_ADDRESS_H

#include "core/base/address.h"

#include <sys/socket.h>

/* false when the family is neither IPv4 nor IPv6. Mapped IPv4 comes out as IPv4. */
bool socket_address_from(const struct sockaddr *from, struct address *ret_address);
/* `mapped`: write IPv4 as ::ffff:a.b.c.d, for a dual-stack socket. Returns the length. */
socklen_t socket_address_to(const struct address *address, bool mapped,
                            struct sockaddr_storage *ret_to);
/* Binds a socket that is to connect to `remote` to the address `source` (not its port), if that is
 * a specific one from which `remote` can be reached at all. true: bound. */
bool socket_address_bind_like(int descriptor, const struct address *source,
                              const struct address *remote);
/* The local end of a socket. */
bool socket_address_of_local(int descriptor, struct address *ret_address);

#endif
