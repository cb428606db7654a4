/* SPDX-License-Identifier: MIT */
/*
 * Sockets on which a daemon is spoken to: the Unix socket of its own user, and TCP. What a dead
 * daemon left behind is replaced, a living one is named.
 */
#ifndef FRESHET_HOST_RPC_SOCKET_H
#define FRESHET_HOST_RPC_SOCKET_H

#include "core/base/address.h"
#include "core/base/error.h"
#include "core/base/limits.h"

#include <sys/types.h>

/* $XDG_RUNTIME_DIR/freshet.sock, else freshet.sock in the state folder. */
void rpc_socket_default_path(const char *state_folder, char ret_path[LIMIT_PATH_LENGTH + 1]);
/* Listens there, mode 0600. FRESHET_ERROR_BUSY: *ret_pid (0: unknown) listens already. */
enum freshet_error rpc_socket_listen_local(const char *path, int *ret_descriptor, pid_t *ret_pid);
enum freshet_error rpc_socket_listen(const struct address *address, int *ret_descriptor);
/* Listening sockets that systemd handed over (sd_listen_fds): the first Unix one and the first of
 * IP, -1 where there is none. The variables are taken out of the environment. */
void rpc_socket_inherit(int *ret_local, int *ret_tcp);

#endif
