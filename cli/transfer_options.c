/* SPDX-License-Identifier: MIT */
#include "cli/transfer_options.h"

#include <string.h>

#include "host/dht_bootstrap.h"

static bool read_address(const char *option, const char *text, struct address *ret_address)
{
    if (address_from_text(text, false, ret_address))
        return true;
    command_usage_error("--%s '%.80s' is no address and port (192.0.2.1:6881, [2001:db8::1]:6881)",
                        option, text);
    return false;
}

static bool read_peers(const struct command_call *call, struct transfer_options *options)
{
    size_t count = command_value_count(call, "peer");

    if (count > TRANSFER_PEERS_GIVEN) {
        command_usage_error("--peer may be given %d times at most", TRANSFER_PEERS_GIVEN);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        if (!read_address("peer", command_value_at(call, "peer", i), &options->peers[i]))
            return false;
    options->peer_count = (uint32_t)count;
    return true;
}

static bool read_bootstrap(const struct command_call *call, struct transfer_options *options)
{
    size_t count = command_value_count(call, "bootstrap");

    if (count > TRANSFER_BOOTSTRAP_GIVEN) {
        command_usage_error("--bootstrap may be given %d times at most", TRANSFER_BOOTSTRAP_GIVEN);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        options->bootstrap[i] = command_value_at(call, "bootstrap", i);
        if (!dht_bootstrap_is_name(options->bootstrap[i])) {
            command_usage_error("--bootstrap '%.80s' is no host and port (dht.example.org:6881)",
                                options->bootstrap[i]);
            return false;
        }
    }
    options->session.bootstrap = options->bootstrap;
    options->session.bootstrap_count = (uint32_t)count;
    return true;
}

static bool read_limits(const struct command_call *call, struct transfer_options *options)
{
    return command_rate(call, "down-limit", &options->session.engine.download_limit) &&
           command_rate(call, "up-limit", &options->session.engine.upload_limit) &&
           command_rate(call, "torrent-down-limit", &options->torrent.download_limit) &&
           command_rate(call, "torrent-up-limit", &options->torrent.upload_limit);
}

static bool read_goals(const struct command_call *call, struct transfer_options *options)
{
    uint32_t ratio = 0;
    int64_t time_ns = 0;

    options->torrent.seed_ratio = -1;
    options->torrent.seed_time_s = -1;
    if (!command_ratio(call, "seed-ratio", &ratio) ||
        !command_duration(call, "seed-time", &time_ns))
        return false;
    if (command_has(call, "seed-ratio"))
        options->torrent.seed_ratio = ratio / 1000.0;
    if (command_has(call, "seed-time"))
        options->torrent.seed_time_s = time_ns / SECOND_NS;
    options->seeds_on = command_has(call, "seed-ratio") || command_has(call, "seed-time");
    return true;
}

static bool read_get_options(const struct command_call *call, struct transfer_options *options)
{
    options->forget = command_has(call, "forget");
    options->on_done = command_value(call, "on-done");
    options->torrent.sequential = command_has(call, "sequential");
    options->torrent.wait_for_space = command_has(call, "wait");
    options->torrent.make_symlinks = command_has(call, "symlinks");
    options->torrent.allocation =
        command_has(call, "allocate") ? ALLOCATION_FULL : ALLOCATION_SPARSE;
    if (command_has(call, "no-seed")) {
        if (options->seeds_on) {
            command_usage_error("--no-seed and a seeding goal exclude one another");
            return false;
        }
    }
    return command_duration(call, "timeout", &options->timeout_ns);
}

static bool read_transport(const struct command_call *call, enum transport *ret_transport)
{
    static const char *const names[] = {"both", "tcp", "utp"};
    const char *name = command_value(call, "transport");

    for (int i = TRANSPORT_ANY; i <= TRANSPORT_UTP; i++)
        if (strcmp(name ? name : "both", names[i]) == 0) {
            *ret_transport = (enum transport)i;
            return true;
        }
    command_usage_error("--transport '%.80s' is none of tcp, utp and both", name);
    return false;
}

static bool read_utp_policy(const struct command_call *call, enum utp_policy *ret_policy)
{
    static const char *const names[] = {"ledbat++", "ledbat"};
    const char *name = command_value(call, "utp-congestion");

    for (int i = UTP_LEDBAT_PLUS; i <= UTP_LEDBAT; i++)
        if (strcmp(name ? name : "ledbat++", names[i]) == 0) {
            *ret_policy = (enum utp_policy)i;
            return true;
        }
    command_usage_error("--utp-congestion '%.80s' is neither ledbat++ nor ledbat", name);
    return false;
}

static bool read_encryption(const struct command_call *call, enum encryption *ret_encryption)
{
    static const char *const words[] = {
        [ENCRYPTION_ALLOW] = "allow",
        [ENCRYPTION_OFF] = "off",
        [ENCRYPTION_PREFER] = "prefer",
        [ENCRYPTION_REQUIRE] = "require",
    };
    const char *text = command_value(call, "encryption");

    if (!text)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_encryption = (enum encryption)i;
            return true;
        }
    }
    command_usage_error("--encryption '%.80s' is none of require, prefer, allow, off", text);
    return false;
}

/* The one way out of the machine. */
static bool read_route(const struct command_call *call, struct network_route *ret_route)
{
    const char *proxy = command_value(call, "proxy"), *interface = command_value(call, "interface");

    /* It may hold a password, so it is not shown. */
    if (proxy && !network_route_read_proxy(proxy, ret_route)) {
        command_usage_error("--proxy is no socks5://HOST or socks5://USER:PASSWORD@HOST, with "
                            ":PORT if it is not 1080");
        return false;
    }
    if (interface && !network_route_read_interface(interface, ret_route)) {
        command_usage_error("--interface '%.80s' is no name of an interface and no address",
                            interface);
        return false;
    }
    if (proxy && command_has(call, "listen")) {
        command_usage_error("--proxy and --listen exclude one another: behind a proxy nothing "
                            "listens");
        return false;
    }
    return true;
}

bool transfer_options_read_network(const struct command_call *call,
                                   struct transfer_options *ret_options)
{
    struct transfer_options *options = ret_options;
    const char *listen = command_value(call, "listen");

    memset(options, 0, sizeof *options);
    options->session.state_folder = command_value(call, "state");
    options->session.ip_filter = command_value(call, "ip-filter");
    options->session.no_dht = command_has(call, "no-dht");
    options->session.engine.no_pex = command_has(call, "no-pex");
    options->session.engine.no_lsd = command_has(call, "no-lsd");
    options->session.port_mapping = !command_has(call, "no-portmap");
    if (!read_transport(call, &options->session.transport) ||
        !read_utp_policy(call, &options->session.utp_policy))
        return false;
    if (listen && !read_address("listen", listen, &options->session.listen))
        return false;
    /* Several peers of one machine share the loopback address. */
    options->session.engine.many_per_address =
        listen && address_is_loopback(&options->session.listen);
    return read_route(call, &options->session.route) &&
           read_encryption(call, &options->session.engine.encryption) &&
           read_peers(call, options) && read_bootstrap(call, options);
}

bool transfer_options_read(const struct command_call *call, bool is_get,
                           struct transfer_options *ret_options)
{
    struct transfer_options *options = ret_options;
    uint64_t slots = 0;

    if (!transfer_options_read_network(call, options))
        return false;
    options->progress = command_value(call, "progress") ? command_value(call, "progress") : "auto";
    options->verbose = command_has(call, "verbose");
    options->torrent.seed_unchecked = command_has(call, "unchecked");
    if (!command_number(call, "upload-slots", 1000, &slots))
        return false;
    options->session.engine.upload_slots = (uint32_t)slots;
    options->session.engine.no_upload = command_has(call, "upload-slots") && slots == 0;
    if (!read_limits(call, options) || !read_goals(call, options))
        return false;
    if (is_get)
        return read_get_options(call, options);
    options->torrent.super_seed = command_has(call, "super-seed");
    return true;
}

uint32_t transfer_options_peers(const struct transfer_options *options, const struct magnet *magnet,
                                struct address ret_peers[TRANSFER_PEERS_GIVEN + LIMIT_MAGNET_PEERS])
{
    uint32_t count = options->peer_count;

    memcpy(ret_peers, options->peers, count * sizeof *ret_peers);
    for (uint32_t i = 0; magnet && i < magnet->peer_count; i++)
        if (address_from_text(magnet->peers[i], false, &ret_peers[count]))
            count++;
    return count;
}
