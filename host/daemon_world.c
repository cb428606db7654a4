/* SPDX-License-Identifier: MIT */
/* What calls of the RPC see of a daemon (struct service_world). */
#include "host/clock.h"
#include "host/daemon_log.h"
#include "host/daemon_service_state.h"
#include "host/disk.h"

#include <unistd.h>

static struct service_load load_of(const struct disk_load *load)
{
    return (struct service_load){load->threads, load->jobs, load->bytes, load->rate};
}

void daemon_world_refresh(void *context)
{
    struct daemon_service *daemon = context;
    struct service_world *world = &daemon->world;
    struct disk_loads loads;

    world->now = clock_now();
    world->wall_s = clock_wall() / SECOND_NS;
    bool has_proxy = network_route_has_proxy(&daemon->options.session.route);
    world->listen = has_proxy ? (struct address){0} : session_listen_address(daemon->session);
    world->reached.ipv4 = session_is_reached(daemon->session, ADDRESS_IPV4);
    world->reached.ipv6 = session_is_reached(daemon->session, ADDRESS_IPV6);
    daemon_port_mapping_refresh(daemon);
    session_measure_disk(daemon->session, &loads);
    world->hashing = load_of(&loads.hash);
    world->writing = load_of(&loads.write);
    world->revision_minute_ago = daemon->seconds < 60 ? 0 : daemon->revisions[daemon->seconds % 60];
}

static bool tell_intake(void *context, bool is_feed, uint32_t id, struct intake_status *ret_status)
{
    return is_feed ? daemon_feeds_status(context, id, ret_status)
                   : daemon_watch_status(context, id, ret_status);
}

static uint32_t tell_items(void *context, uint32_t id, const struct intake_item **ret_items)
{
    return daemon_feeds_items(context, id, ret_items);
}

static bool tell_log(void *context, uint64_t from, uint64_t *ret_number, struct bytes *ret_line)
{
    (void)context;
    return daemon_log_line(from, ret_number, ret_line);
}

void daemon_world_make(struct daemon_service *daemon)
{
    struct service_world *world = &daemon->world;

    world->catalog = daemon->catalog;
    world->engine = session_engine(daemon->session);
    world->version = daemon->options.version;
    world->off = (struct service_off){.dht = daemon->options.session.no_dht,
                                      .lsd = daemon->options.session.engine.no_lsd,
                                      .pex = daemon->options.session.engine.no_pex,
                                      .port_mapping = !daemon->options.session.port_mapping};
    world->pid = getpid();
    world->state_folder = daemon->folder;
    world->state_trouble = state_store_trouble(session_state(daemon->session));
    world->route = network_route_has_proxy(&daemon->options.session.route)       ? "proxy"
                   : network_route_has_interface(&daemon->options.session.route) ? "interface"
                                                                                 : NULL;
    world->content = daemon_known_find;
    world->intake = tell_intake;
    world->feed_items = tell_items;
    world->log = tell_log;
    world->context = daemon;
    daemon->born_ns = clock_now();
}
