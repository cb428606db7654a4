/* SPDX-License-Identifier: MIT */
/* Settings of all torrents that are the engine's affair rather than the catalog's: ways to find
 * peers, how many, by which transport, the port, encryption. What the command line switched off
 * stays off. */
#include "host/daemon_service_state.h"

#include "host/clock.h"
#include "host/daemon_log.h"
#include "host/session_dht.h"

#include <stdio.h>

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

/* A port that cannot be had is not kept as a wish that looks like a fact. */
static void keep_port(struct daemon_service *daemon, uint16_t port)
{
    struct catalog_settings settings;

    catalog_settings_copy(catalog_settings(daemon->catalog), &settings);
    settings.peer_port = port;
    catalog_set_settings(daemon->catalog, &settings, clock_now());
    catalog_settings_deinit(&settings);
}

static void set_port(struct daemon_service *daemon, uint16_t wanted)
{
    uint16_t port = session_listen_address(daemon->session).port;
    char text[16];

    if (wanted == port || daemon->is_stopping)
        return;
    snprintf(text, sizeof text, "%u", wanted);
    enum freshet_error error = session_set_port(daemon->session, wanted);
    if (error) {
        daemon_log("warning", "peer-port", "port", text, "error", error_text(error), NULL);
        keep_port(daemon, port);
    } else {
        daemon_log("info", "peer-port", "port", text, NULL);
    }
}

void daemon_settings_apply(struct daemon_service *daemon)
{
    const struct catalog_settings *settings = catalog_settings(daemon->catalog);
    const struct engine_settings *line = &daemon->options.session.engine;
    enum transport transport = daemon->options.session.transport;
    struct engine_tuning tuning = {
        .no_pex = line->no_pex || !settings->pex,
        .no_lsd = line->no_lsd || !settings->lsd,
        .has_utp = transport == TRANSPORT_UTP || (transport == TRANSPORT_ANY && settings->utp),
        .connections_max = settings->peers_max,
        .upload_slots = line->upload_slots ? line->upload_slots : settings->upload_slots,
        .peers_max = settings->peers_per_torrent,
        .encryption =
            settings->encryption <= ENCRYPTION_REQUIRE ? settings->encryption : ENCRYPTION_ALLOW,
    };
    struct engine_command command = {.type = COMMAND_SET_SESSION, .session = &tuning};

    session_command(daemon->session, &command);
    set_dht(daemon, settings->dht);
    set_port(daemon, settings->peer_port);
    daemon_trackers_on_settings(daemon);
    daemon_ip_filter_apply(daemon);
    session_set_utp(daemon->session, settings->utp);
    session_set_port_mapping(daemon->session, settings->port_mapping);
}
