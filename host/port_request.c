/* SPDX-License-Identifier: MIT */
#include "host/port_request.h"

#include "host/doctor.h"
#include "host/port_gateway.h"
#include "host/port_natpmp.h"
#include "host/port_upnp.h"

#include <stdio.h>

const char *port_request_method_text(enum port_method method)
{
    static const char *const texts[] = {"none", "NAT-PMP", "UPnP"};

    return texts[method];
}

static void fail(struct port_answer *answer, const char *text)
{
    answer->ok = false;
    snprintf(answer->text, sizeof answer->text, "%s", text);
}

/* Is there a router for what listens there? */
static bool may_ask(const struct address *listen, struct port_answer *answer)
{
    struct port_lease *lease = &answer->lease;

    if (address_is_loopback(listen)) {
        fail(answer, "it listens to this machine only");
        return false;
    }
    if (!port_gateway_find(&lease->gateway, &lease->own)) {
        fail(answer, "this machine has no default gateway for IPv4");
        return false;
    }
    if (doctor_is_public(&lease->own)) {
        fail(answer, "this machine has a public address: no router need be asked");
        return false;
    }
    if (!address_is_unspecified(listen) && !address_same_ip(listen, &lease->own)) {
        fail(answer, "it listens at an address that is not the one towards the router");
        return false;
    }
    return true;
}

static void let_go(const struct port_lease *held)
{
    if (held->method == PORT_METHOD_NATPMP)
        port_natpmp_unmap(held);
    else if (held->method == PORT_METHOD_UPNP)
        port_upnp_unmap(held);
}

/* The router of a network that we have left is not looked for, and another one knows nothing. */
static void perform_let_go(const struct port_request *request, struct port_answer *answer)
{
    struct address gateway, own;

    answer->ok = true;
    if (port_gateway_find(&gateway, &own) && address_same_ip(&gateway, &request->held.gateway))
        let_go(&request->held);
}

static void map(const struct port_request *request, struct port_answer *answer)
{
    const struct port_lease *held = &request->held;
    bool is_same = held->method != PORT_METHOD_NONE && held->port == request->listen.port &&
                   address_same_ip(&held->gateway, &answer->lease.gateway);
    uint16_t wish = is_same ? held->external_port : request->listen.port;
    char text[PORT_TEXT];

    /* A router gives a port that one of its hosts has to no other, not even to us at our new
     * address. */
    if (is_same && !address_same_ip(&held->own, &answer->lease.own))
        let_go(held);
    answer->lease.port = request->listen.port;
    if (port_natpmp_map(&answer->lease, wish, answer->text)) {
        answer->ok = true;
        return;
    }
    snprintf(text, sizeof text, "%s", answer->text);
    answer->ok = port_upnp_map(&answer->lease, wish, answer->text);
    if (!answer->ok) {
        char upnp[PORT_TEXT];
        snprintf(upnp, sizeof upnp, "%s", answer->text);
        snprintf(answer->text, sizeof answer->text, "NAT-PMP: %.60s; UPnP: %.70s", text, upnp);
    }
}

void port_request_perform(const struct port_request *request, struct port_answer *ret_answer)
{
    *ret_answer = (struct port_answer){0};
    if (request->lets_go)
        perform_let_go(request, ret_answer);
    else if (may_ask(&request->listen, ret_answer))
        map(request, ret_answer);
    if (ret_answer->ok)
        ret_answer->text[0] = '\0';
}
