/* SPDX-License-Identifier: MIT */
/* What a service tells systemd (sd_notify(3)): one datagram to $NOTIFY_SOCKET. Without one nothing
 * happens. */
#ifndef FRESHET_HOST_SERVICE_NOTIFY_H
#define FRESHET_HOST_SERVICE_NOTIFY_H

/* "READY=1\nSTATUS=..." */
void service_notify(const char *state);

#endif
