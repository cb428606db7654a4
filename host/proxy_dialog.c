/* SPDX-License-Identifier: MIT */
#include "host/proxy_dialog.h"

#include "core/base/memory.h"
#include "host/posix_error.h"

#include <errno.h>
#include <sys/socket.h>

struct proxy_dialog {
    struct socks_client client;
    uint8_t out[SOCKS_REQUEST_MAX];
    size_t out_length, out_sent;
    enum freshet_error error;
};

struct proxy_dialog *proxy_dialog_new(const struct network_route *route, enum socks_command command,
                                      const struct address *remote)
{
    struct proxy_dialog *dialog = memory_new(sizeof *dialog);

    socks_client_init(&dialog->client, command, remote, &route->login);
    return dialog;
}

void proxy_dialog_free(struct proxy_dialog *dialog)
{
    memory_free(dialog);
}

static enum proxy_progress proxy_dialog_fail(struct proxy_dialog *dialog, enum freshet_error error)
{
    dialog->error = error;
    return PROXY_FAILED;
}

static enum proxy_progress proxy_dialog_on_errno(struct proxy_dialog *dialog,
                                                 enum proxy_progress waits)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return waits;
    return proxy_dialog_fail(dialog, posix_error_of_socket(errno));
}

enum proxy_progress proxy_dialog_step(struct proxy_dialog *dialog, int fd)
{
    struct socks_client *client = &dialog->client;
    uint8_t in[SOCKS_ANSWER_MAX];

    while (client->state < SOCKS_DONE) {
        if (dialog->out_sent == dialog->out_length) {
            dialog->out_length = socks_client_output(client, dialog->out);
            dialog->out_sent = 0;
        }
        if (dialog->out_sent < dialog->out_length) {
            ssize_t sent = send(fd, dialog->out + dialog->out_sent,
                                dialog->out_length - dialog->out_sent, MSG_NOSIGNAL);
            if (sent < 0)
                return proxy_dialog_on_errno(dialog, PROXY_WRITES);
            dialog->out_sent += (size_t)sent;
            continue;
        }
        /* Never a byte of what comes behind the answer. */
        ssize_t got = recv(fd, in, socks_client_wants(client), 0);
        if (got < 0)
            return proxy_dialog_on_errno(dialog, PROXY_READS);
        if (got == 0)
            return proxy_dialog_fail(dialog, FRESHET_ERROR_CLOSED);
        enum freshet_error error = socks_client_input(client, (struct bytes){in, (size_t)got});
        if (error)
            return proxy_dialog_fail(dialog, error);
    }
    return PROXY_DONE;
}

enum freshet_error proxy_dialog_error(const struct proxy_dialog *dialog)
{
    return dialog->error;
}

struct address proxy_dialog_bound(const struct proxy_dialog *dialog)
{
    return dialog->client.bound;
}
