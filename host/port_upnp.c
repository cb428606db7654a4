/* SPDX-License-Identifier: MIT */
#include "host/port_upnp.h"

#include "host/port_http.h"

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnperrors.h>
#include <miniupnpc/upnpreplyparse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_MS      2000
#define DEVICES_MAX    16 /* that are at the gateway */
#define PORT_TRIES     8
#define NO_ANSWER      (-1)
#define CONFLICT       718 /* errors of AddPortMapping */
#define ONLY_PERMANENT 725
#define NAME           "freshet"

bool port_upnp_is_at(const char *url, const struct address *host)
{
    static const char scheme[] = "http://";
    char ip[ADDRESS_TEXT_SIZE];

    address_ip_to_text(host, ip);
    size_t length = strlen(ip);
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 ||
        strncmp(url + sizeof scheme - 1, ip, length) != 0)
        return false;
    const char *after = url + sizeof scheme - 1 + length;
    if (*after == ':') { /* a port, and no name with a password before another host */
        size_t digits = strspn(after + 1, "0123456789");
        if (digits == 0 || digits > 5)
            return false;
        after += 1 + digits;
    }
    return *after == '/';
}

/* An action of the service; `arguments` is XML. 0, an error of UPnP, or NO_ANSWER. With `wanted`
 * that element of the answer. */
static int act(const struct port_lease *lease, const char *action, const char *arguments,
               const char *wanted, char ret_value[ADDRESS_TEXT_SIZE])
{
    char body[1024], soap_action[256];
    struct buffer answer = {0};
    struct NameValueParserData values;

    snprintf(soap_action, sizeof soap_action, "%s#%s", lease->service, action);
    snprintf(body, sizeof body,
             "<?xml version=\"1.0\"?>\r\n<s:Envelope "
             "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
             "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
             "<u:%s xmlns:u=\"%s\">%s</u:%s></s:Body></s:Envelope>\r\n",
             action, lease->service, arguments, action);
    long status = port_http_ask(lease->control, soap_action, body, &answer);
    if (status == 0) {
        buffer_deinit(&answer);
        return NO_ANSWER;
    }
    ParseNameValue((const char *)answer.data, (int)answer.length, &values);
    const char *error = GetValueFromNameValueList(&values, "errorCode");
    const char *value = wanted ? GetValueFromNameValueList(&values, wanted) : NULL;
    int code = status == 200 ? 0 : NO_ANSWER;
    if (error)
        code = atoi(error) > 0 ? atoi(error) : NO_ANSWER;
    if (value)
        snprintf(ret_value, ADDRESS_TEXT_SIZE, "%s", value);
    ClearNameValueList(&values);
    buffer_deinit(&answer);
    return code;
}

static int add(const struct port_lease *lease, const char *protocol, uint16_t external_port,
               uint32_t lifetime_s)
{
    char arguments[512], own[ADDRESS_TEXT_SIZE];

    address_ip_to_text(&lease->own, own);
    snprintf(arguments, sizeof arguments,
             "<NewRemoteHost></NewRemoteHost><NewExternalPort>%u</NewExternalPort>"
             "<NewProtocol>%s</NewProtocol><NewInternalPort>%u</NewInternalPort>"
             "<NewInternalClient>%s</NewInternalClient><NewEnabled>1</NewEnabled>"
             "<NewPortMappingDescription>" NAME "</NewPortMappingDescription>"
             "<NewLeaseDuration>%u</NewLeaseDuration>",
             external_port, protocol, lease->port, own, lifetime_s);
    return act(lease, "AddPortMapping", arguments, NULL, NULL);
}

static int drop(const struct port_lease *lease, const char *protocol, uint16_t external_port)
{
    char arguments[256];

    snprintf(arguments, sizeof arguments,
             "<NewRemoteHost></NewRemoteHost><NewExternalPort>%u</NewExternalPort>"
             "<NewProtocol>%s</NewProtocol>",
             external_port, protocol);
    return act(lease, "DeletePortMapping", arguments, NULL, NULL);
}

/* Both or none. */
static int add_both(struct port_lease *lease, uint16_t external_port)
{
    int code = add(lease, "TCP", external_port, lease->lifetime_s);

    if (code == ONLY_PERMANENT && lease->lifetime_s) {
        lease->lifetime_s = 0;
        code = add(lease, "TCP", external_port, 0);
    }
    if (code)
        return code;
    code = add(lease, "UDP", external_port, lease->lifetime_s);
    if (code)
        drop(lease, "TCP", external_port);
    return code;
}

static void ask_external(struct port_lease *lease)
{
    char text[ADDRESS_TEXT_SIZE] = "";
    struct address external;

    lease->external = (struct address){0};
    if (act(lease, "GetExternalIPAddress", "", "NewExternalIPAddress", text) != 0 ||
        !address_from_text(text, true, &external) || address_is_unspecified(&external))
        return;
    external.port = lease->external_port;
    lease->external = external;
}

static bool map_at(struct port_lease *lease, uint16_t wish, char ret_text[PORT_TEXT])
{
    int code = CONFLICT;

    lease->lifetime_s = PORT_LEASE_S;
    for (unsigned i = 0; i < PORT_TRIES && code == CONFLICT; i++) {
        uint16_t port = wish + i <= 65535 ? (uint16_t)(wish + i) : (uint16_t)(wish - i);
        code = add_both(lease, port);
        lease->external_port = port;
    }
    if (code) {
        const char *words = code == NO_ANSWER ? "no answer" : strupnperror(code);
        snprintf(ret_text, PORT_TEXT, "the router refuses: %.40s (%d)", words ? words : "error",
                 code);
        return false;
    }
    lease->method = PORT_METHOD_UPNP;
    ask_external(lease);
    return true;
}

/* One of the two services of a gateway: where it is spoken to. */
static bool take_service(struct port_lease *lease, const struct UPNPUrls *urls,
                         const struct IGDdatas *data)
{
    if (!urls->controlURL || !data->first.servicetype[0] ||
        !port_upnp_is_at(urls->controlURL, &lease->gateway) ||
        strlen(urls->controlURL) >= sizeof lease->control)
        return false;
    snprintf(lease->control, sizeof lease->control, "%s", urls->controlURL);
    snprintf(lease->service, sizeof lease->service, "%.127s", data->first.servicetype);
    return strpbrk(lease->service, "<>&\"\r\n") == NULL; /* it stands in headers and XML */
}

static bool try_service(struct port_lease *lease, struct IGDdatas *data, const char *url,
                        uint16_t wish, char ret_text[PORT_TEXT])
{
    struct UPNPUrls urls = {0};
    bool mapped;

    GetUPNPUrls(&urls, data, url, 0);
    mapped = take_service(lease, &urls, data) && map_at(lease, wish, ret_text);
    FreeUPNPUrls(&urls);
    return mapped;
}

static bool try_device(struct port_lease *lease, const char *url, uint16_t wish,
                       char ret_text[PORT_TEXT])
{
    struct IGDdatas data = {0};
    struct buffer description = {0};

    if (port_http_ask(url, NULL, NULL, &description) == 200)
        parserootdesc((const char *)description.data, (int)description.length, &data);
    buffer_deinit(&description);
    if (!data.first.servicetype[0])
        return false; /* something else of the router's: it shares a disk, perhaps */
    if (try_service(lease, &data, url, wish, ret_text))
        return true;
    data.first = data.second;
    return data.first.servicetype[0] && try_service(lease, &data, url, wish, ret_text);
}

bool port_upnp_map(struct port_lease *lease, uint16_t wish, char ret_text[PORT_TEXT])
{
    char own[ADDRESS_TEXT_SIZE];
    int error = 0, tried = 0;
    bool mapped = false;

    address_ip_to_text(&lease->own, own);
    snprintf(ret_text, PORT_TEXT, "no answer");
    struct UPNPDev *devices = upnpDiscover(SEARCH_MS, own, NULL, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
    if (devices)
        snprintf(ret_text, PORT_TEXT, "answers, but none of the router's");
    for (const struct UPNPDev *device = devices; device && !mapped && tried < DEVICES_MAX;
         device = device->pNext) {
        if (!port_upnp_is_at(device->descURL, &lease->gateway))
            continue;
        if (tried++ == 0)
            snprintf(ret_text, PORT_TEXT, "the router answers, but maps no ports");
        mapped = try_device(lease, device->descURL, wish, ret_text);
    }
    freeUPNPDevlist(devices);
    return mapped;
}

void port_upnp_unmap(const struct port_lease *lease)
{
    if (drop(lease, "TCP", lease->external_port) != NO_ANSWER)
        drop(lease, "UDP", lease->external_port);
}
