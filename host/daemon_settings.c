/* SPDX-License-Identifier: MIT */
/* Settings of all torrents that are the engine's affair rather than the catalog's: ways to find
 * peers, how many, and the port. What the command line switched off stays off. */
#include "host/daemon_service_state.h"

#include "host/session_dht.h"

static void set_dht(struct daemon_service *daemon, bool wanted)
{
    struct engine_command command = {.type = COMMAND_STOP_DHT};

    if (wanted == daemon->dht_runs || daemon->options.session.no_dht)
        return;
    daemon->dht_runs = wanted;
    if (wanted)
        session_dht_start(daemon->session);
    else
        session_command(daemon->session, &command);
}

void daemon_settings_apply(struct daemon_service *daemon)
{
    const struct catalog_settings *settings = catalog_settings(daemon->catalog);
    const struct engine_settings *line = &daemon->options.session.engine;
    struct engine_tuning tuning = {
        .no_pex = line->no_pex || !settings->pex,
        .no_lsd = line->no_lsd || !settings->lsd,
        .connections_max = settings->peers_max,
        .upload_slots = line->upload_slots ? line->upload_slots : settings->upload_slots,
        .peers_max = settings->peers_per_torrent,
    };
    struct engine_command command = {.type = COMMAND_SET_SESSION, .session = &tuning};

    session_command(daemon->session, &command);
    set_dht(daemon, settings->dht);
    daemon_ip_filter_apply(daemon);
}
