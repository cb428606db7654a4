/* SPDX-License-Identifier: MIT */
#include "host/port_natpmp.h"

#include "core/base/limits.h"
#include "host/clock.h"

#include <natpmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* RFC 6886 would try for a minute; three times are enough for a router in the same house, and most
 * that do not answer do not know the protocol. */
#define ANSWER_NS (2 * SECOND_NS)
/* Datagrams that are no answer do not keep us. */
#define READS_MAX 64

/* What is asked of the gateway; 0: which address it has. */
struct question {
    int protocol;
    uint16_t port, external_port;
    uint32_t lifetime_s;
};

static const char *error_of(int code)
{
    switch (code) {
    case NATPMP_TRYAGAIN: return "no answer";
    case NATPMP_ERR_NOGATEWAYSUPPORT: return "the router does not speak it";
    case NATPMP_ERR_NOTAUTHORIZED: return "the router refuses";
    case NATPMP_ERR_NETWORKFAILURE: return "the router has no connection";
    case NATPMP_ERR_OUTOFRESOURCES: return "the router has no room";
    case NATPMP_ERR_UNSUPPORTEDVERSION:
    case NATPMP_ERR_UNSUPPORTEDOPCODE: return "the router speaks another version";
    default: return "no connection to the router";
    }
}

static int await(natpmp_t *gateway, natpmpresp_t *ret_response)
{
    int64_t end = clock_now() + ANSWER_NS;
    int code = NATPMP_TRYAGAIN;

    for (int i = 0; i < READS_MAX && code == NATPMP_TRYAGAIN; i++) {
        struct pollfd wait = {.fd = gateway->s, .events = POLLIN};
        struct timeval next;
        int64_t left = end - clock_now();
        if (left <= 0 || getnatpmprequesttimeout(gateway, &next) != 0)
            break;
        int64_t again = next.tv_sec * SECOND_NS + next.tv_usec * (SECOND_NS / 1000000);
        left = again < left ? again : left;
        poll(&wait, 1, left <= 0 ? 0 : (int)(left / MILLISECOND_NS) + 1);
        code = readnatpmpresponseorretry(gateway, ret_response);
    }
    return code;
}

/* A socket a question: a late answer to an earlier one does not reach it. */
static int ask(const struct address *router, const struct question *question,
               natpmpresp_t *ret_response)
{
    natpmp_t gateway;
    in_addr_t address;
    uint16_t type = NATPMP_RESPTYPE_PUBLICADDRESS;
    int code;

    memcpy(&address, router->ip, sizeof address);
    code = initnatpmp(&gateway, 1, address);
    if (code)
        return code;
    if (question->protocol) {
        type = question->protocol == NATPMP_PROTOCOL_UDP ? NATPMP_RESPTYPE_UDPPORTMAPPING
                                                         : NATPMP_RESPTYPE_TCPPORTMAPPING;
        code = sendnewportmappingrequest(&gateway, question->protocol, question->port,
                                         question->external_port, question->lifetime_s);
    } else {
        code = sendpublicaddressrequest(&gateway);
    }
    code = code < 0 ? code : await(&gateway, ret_response);
    closenatpmp(&gateway);
    if (!code && (ret_response->type != type ||
                  (type && ret_response->pnu.newportmapping.privateport != question->port)))
        return NATPMP_ERR_UNDEFINEDERROR;
    return code;
}

static int map_one(const struct port_lease *lease, int protocol, uint16_t wish,
                   natpmpresp_t *ret_response)
{
    struct question question = {protocol, lease->port, wish, PORT_LEASE_S};
    int code = ask(&lease->gateway, &question, ret_response);

    if (!code && (ret_response->pnu.newportmapping.mappedpublicport == 0 ||
                  ret_response->pnu.newportmapping.lifetime == 0))
        return NATPMP_ERR_OUTOFRESOURCES;
    return code;
}

bool port_natpmp_map(struct port_lease *lease, uint16_t wish, char ret_text[PORT_TEXT])
{
    struct question where = {0};
    natpmpresp_t response;
    uint8_t ip[4];
    int code = ask(&lease->gateway, &where, &response);

    if (code)
        goto fail;
    memcpy(ip, &response.pnu.publicaddress.addr, sizeof ip);
    code = map_one(lease, NATPMP_PROTOCOL_TCP, wish, &response);
    if (code)
        goto fail;
    lease->method = PORT_METHOD_NATPMP;
    lease->external_port = response.pnu.newportmapping.mappedpublicport;
    lease->lifetime_s = response.pnu.newportmapping.lifetime;
    code = map_one(lease, NATPMP_PROTOCOL_UDP, lease->external_port, &response);
    /* We have one port for all: two that differ would send half of those who come astray. */
    if (!code && response.pnu.newportmapping.mappedpublicport != lease->external_port)
        code = NATPMP_ERR_OUTOFRESOURCES;
    if (code) {
        port_natpmp_unmap(lease);
        lease->method = PORT_METHOD_NONE;
        goto fail;
    }
    if (response.pnu.newportmapping.lifetime < lease->lifetime_s)
        lease->lifetime_s = response.pnu.newportmapping.lifetime;
    lease->external = address_ipv4(ip, lease->external_port);
    return true;
fail:
    snprintf(ret_text, PORT_TEXT, "%s", error_of(code));
    return false;
}

void port_natpmp_unmap(const struct port_lease *lease)
{
    struct question tcp = {NATPMP_PROTOCOL_TCP, lease->port, 0, 0};
    struct question udp = {NATPMP_PROTOCOL_UDP, lease->port, 0, 0};
    natpmpresp_t response;

    /* Who does not answer the one need not be waited for twice. */
    if (ask(&lease->gateway, &tcp, &response) != NATPMP_TRYAGAIN)
        ask(&lease->gateway, &udp, &response);
}
