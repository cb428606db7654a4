/* SPDX-License-Identifier: MIT */
/* The first words on a connection to a SOCKS 5 proxy: core/socks on a socket that does not block.
 */
#ifndef FRESHET_HOST_PROXY_DIALOG_H
#define FRESHET_HOST_PROXY_DIALOG_H

#include "host/network_route.h"

struct proxy_dialog;

enum proxy_progress { PROXY_WRITES, PROXY_READS, PROXY_DONE, PROXY_FAILED };

/* The route is borrowed. */
struct proxy_dialog *proxy_dialog_new(const struct network_route *route, enum socks_command command,
                                      const struct address *remote);
void proxy_dialog_free(struct proxy_dialog *dialog);
/* Goes on as far as the connected socket lets it. What it waits for then, or the end. */
enum proxy_progress proxy_dialog_step(struct proxy_dialog *dialog, int fd);
enum freshet_error proxy_dialog_error(const struct proxy_dialog *dialog);
/* When done: what the proxy bound for us. */
struct address proxy_dialog_bound(const struct proxy_dialog *dialog);

#endif
