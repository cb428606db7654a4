/* SPDX-License-Identifier: MIT */
/* freshet peers: with whom a torrent of the daemon is connected. */
#include <stdio.h>

#include "cli/daemon_client.h"
#include "cli/daemon_table.h"
#include "cli/units.h"

static const struct command_option options[] = {
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static const char *const fields[] = {"peers", NULL};

static void add_peer(struct daemon_table *table, const json_t *peer)
{
    char text[UNITS_TEXT_SIZE + 64];
    const char *address = daemon_client_text(peer, "address");
    bool v6 = false;

    for (const char *at = address; *at; at++)
        v6 = v6 || *at == ':';
    snprintf(text, sizeof text, v6 ? "[%.50s]:%.0f" : "%.50s:%.0f", address,
             daemon_client_number(peer, "port"));
    daemon_table_add(table, text);
    snprintf(text, sizeof text, "%d%%", (int)(daemon_client_number(peer, "progress") * 100));
    daemon_table_add(table, text);
    daemon_table_add(
        table, units_format_rate((uint64_t)daemon_client_number(peer, "rate_to_client"), text));
    daemon_table_add(table,
                     units_format_rate((uint64_t)daemon_client_number(peer, "rate_to_peer"), text));
    daemon_table_add(table, daemon_client_text(peer, "flag_str"));
    daemon_table_add(table, daemon_client_text(peer, "client_name"));
}

static int peers_run(struct command_call *call)
{
    static const char *const headings[] = {"peer",  ">done",  ">down", ">up",
                                           "flags", "client", NULL};
    struct daemon_client *client;
    json_t *rows = NULL, *row, *peer;
    size_t i, j;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = daemon_client_rows(client, call, fields, &rows);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json")) {
        daemon_client_print(rows);
        return EXIT_CODE_OK;
    }
    struct daemon_table *table = daemon_table_new(headings);
    json_array_foreach(rows, i, row) json_array_foreach(json_object_get(row, "peers"), j, peer)
        add_peer(table, peer);
    daemon_table_print(table);
    json_decref(rows);
    return EXIT_CODE_OK;
}

extern const struct command peers_command;
const struct command peers_command = {
    .name = "peers",
    .summary = "with whom torrents of the daemon are connected",
    .operands = "ID...",
    .description =
        "One line a peer. Flags: D we download from it, d we would but it chokes us, U we upload "
        "to it, u it would but we choke it, K it unchoked us and we want nothing, ? we unchoked it "
        "and it wants nothing, O optimistic unchoke, E encrypted, I it came to us, H from the DHT, "
        "X "
        "from other peers.",
    .options = options,
    .examples = {"freshet peers 3"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = peers_run,
};
