/* SPDX-License-Identifier: MIT */
#include "host/address_rules.h"

#include <string.h>

struct bytes address_rules_path(const char *url, bool *ret_has_query)
{
    const char *host = strstr(url, "://");
    const char *start = host ? host + 3 : url;
    size_t authority = strcspn(start, "/?#\\");
    const char *path = start + authority;
    size_t length = strcspn(path, "?#");

    *ret_has_query = path[length] == '?';
    if (length == 0)
        return BYTES_LITERAL("/");
    return (struct bytes){(const uint8_t *)path, length};
}

bool address_rules_is_public(const struct address *address)
{
    return !address_is_loopback(address) && !address_is_private(address) &&
           !address_is_multicast(address) && !address_is_unspecified(address) &&
           !address_is_metadata_service(address);
}

static bool path_begins_with(struct bytes path, const char *start)
{
    size_t length = strlen(start);

    return path.length >= length && memcmp(path.data, start, length) == 0;
}

bool address_rules_allow(const struct address_request *request, const struct address *address)
{
    bool has_query;

    if (address->family != ADDRESS_IPV4 && address->family != ADDRESS_IPV6)
        return false;
    if (address_is_metadata_service(address) || address_is_multicast(address) ||
        address_is_unspecified(address))
        return false;
    if (address_rules_is_public(address))
        return true;
    if (request->from_public)
        return false;
    struct bytes path = address_rules_path(request->url ? request->url : "", &has_query);
    switch (request->purpose) {
    case ADDRESS_FOR_TRACKER:
        return path_begins_with(path, "/announce") || path_begins_with(path, "/scrape");
    case ADDRESS_FOR_WEB_SEED: return !has_query;
    case ADDRESS_FOR_PERSON:
    case ADDRESS_FOR_DATAGRAM: return true;
    }
    return false;
}
