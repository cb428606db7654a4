/* SPDX-License-Identifier: MIT */
/* The name that a peer's client gives itself (BEP 10 `v`), made fit to be shown to a person. */
#ifndef FRESHET_SWARM_CLIENT_NAME_H
#define FRESHET_SWARM_CLIENT_NAME_H

#include "core/base/bytes.h"

#define CLIENT_NAME_SIZE 48u

/* Keeps printable ASCII and valid UTF-8 as it is, everything else as '?'; cut to what fits,
 * NUL-terminated. */
void client_name_read(struct bytes version, char ret_name[CLIENT_NAME_SIZE]);

#endif
