/* SPDX-License-Identifier: MIT */
#include "core/base/address.h"

#include <string.h>

struct address address_ipv4(const uint8_t ip[4], uint16_t port)
{
    struct address address = {.family = ADDRESS_IPV4, .port = port};
    memcpy(address.ip, ip, 4);
    return address;
}

struct address address_ipv6(const uint8_t ip[16], uint16_t port)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(ip, mapped, sizeof mapped) == 0)
        return address_ipv4(ip + 12, port);
    struct address address = {.family = ADDRESS_IPV6, .port = port};
    memcpy(address.ip, ip, 16);
    return address;
}

bool address_same_ip(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return address_same_ip(a, b) && a->port == b->port;
}

bool address_same_network(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, a->family == ADDRESS_IPV4 ? 3 : 6) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    int order = memcmp(a->ip, b->ip, sizeof a->ip);
    if (order != 0)
        return order;
    return (a->port > b->port) - (a->port < b->port);
}

size_t address_ip_length(const struct address *address)
{
    return address->family == ADDRESS_IPV6 ? 16 : 4;
}

bool address_from_compact(struct bytes compact, struct address *ret_address)
{
    if (compact.length != 6 && compact.length != 18)
        return false;
    const uint8_t *port = compact.data + compact.length - 2;
    uint16_t number = (uint16_t)(port[0] << 8 | port[1]);
    *ret_address = compact.length == 6 ? address_ipv4(compact.data, number)
                                       : address_ipv6(compact.data, number);
    return true;
}

size_t address_to_compact(const struct address *address, uint8_t compact[18])
{
    size_t length = address_ip_length(address);
    memcpy(compact, address->ip, length);
    compact[length] = (uint8_t)(address->port >> 8);
    compact[length + 1] = (uint8_t)address->port;
    return length + 2;
}

static char *put_text(char *at, const char *text)
{
    size_t length = strlen(text);
    memcpy(at, text, length + 1);
    return at + length;
}

static char *put_number(char *at, uint32_t value, uint32_t base)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        *at++ = digits[--count];
    *at = '\0';
    return at;
}

static char *put_ipv4(char *at, const uint8_t *ip)
{
    for (size_t i = 0; i < 4; i++) {
        if (i)
            at = put_text(at, ".");
        at = put_number(at, ip[i], 10);
    }
    return at;
}

/* RFC 5952: the longest run of two or more zero groups becomes "::", the first of equals. */
static char *put_ipv6(char *at, const uint8_t *ip)
{
    uint32_t groups[8];
    for (size_t i = 0; i < 8; i++)
        groups[i] = (uint32_t)(ip[2 * i] << 8 | ip[2 * i + 1]);
    size_t best = 8, best_length = 1;
    for (size_t i = 0; i < 8;) {
        size_t run = i;
        while (run < 8 && groups[run] == 0)
            run++;
        if (run - i > best_length) {
            best = i;
            best_length = run - i;
        }
        i = run > i ? run : i + 1;
    }
    for (size_t i = 0; i < 8;) {
        if (i == best) {
            at = put_text(at, "::");
            i += best_length;
            continue;
        }
        if (i > 0 && i != best + best_length)
            at = put_text(at, ":");
        at = put_number(at, groups[i], 16);
        i++;
    }
    return at;
}

static char *put_ip(char *at, const struct address *address)
{
    if (address->family == ADDRESS_IPV4)
        return put_ipv4(at, address->ip);
    if (address->family == ADDRESS_IPV6)
        return put_ipv6(at, address->ip);
    return put_text(at, "none");
}

void address_ip_to_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    put_ip(text, address);
}

void address_to_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
    char *at = text;
    bool bracketed = address->family == ADDRESS_IPV6;
    if (bracketed)
        at = put_text(at, "[");
    at = put_ip(at, address);
    at = put_text(at, bracketed ? "]:" : ":");
    put_number(at, address->port, 10);
}

/* Digits of a number of at most `max`; NULL when there is none. A leading zero is refused: some
 * programs read such a number as octal, and an address must not mean two things. */
static const char *take_decimal(const char *at, uint32_t max, uint32_t *ret_value)
{
    uint32_t value = 0;
    const char *start = at;
    while (*at >= '0' && *at <= '9') {
        value = value * 10 + (uint32_t)(*at - '0');
        if (value > max || at - start >= 5)
            return NULL;
        at++;
    }
    if (at == start || (*start == '0' && at - start > 1))
        return NULL;
    *ret_value = value;
    return at;
}

static const char *take_ipv4(const char *at, uint8_t ip[4])
{
    for (size_t i = 0; i < 4; i++) {
        uint32_t octet;
        if (i && *at++ != '.')
            return NULL;
        at = take_decimal(at, 255, &octet);
        if (at == NULL)
            return NULL;
        ip[i] = (uint8_t)octet;
    }
    return at;
}

static const char *take_group(const char *at, uint32_t *ret_group)
{
    uint32_t group = 0;
    size_t digits = 0;
    for (;; at++, digits++) {
        char c = *at;
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            digit = (uint32_t)(c - 'a') + 10;
        else if (c >= 'A' && c <= 'F')
            digit = (uint32_t)(c - 'A') + 10;
        else
            break;
        if (digits == 4)
            return NULL;
        group = group << 4 | digit;
    }
    *ret_group = group;
    return digits ? at : NULL;
}

static const char *take_ipv6(const char *at, uint8_t ip[16])
{
    uint8_t head[16] = {0};
    size_t length = 0, gap = SIZE_MAX;
    if (at[0] == ':' && at[1] == ':') {
        gap = 0;
        at += 2;
    }
    while (length < 16 && *at && *at != ']') {
        uint32_t group;
        const char *group_end = take_group(at, &group);
        if (group_end && *group_end == '.' && length <= 12) {
            at = take_ipv4(at, head + length);
            if (at == NULL)
                return NULL;
            length += 4;
            break;
        }
        if (group_end == NULL)
            return NULL;
        at = group_end;
        head[length++] = (uint8_t)(group >> 8);
        head[length++] = (uint8_t)group;
        if (at[0] == ':' && at[1] == ':' && gap == SIZE_MAX) {
            gap = length;
            at += 2;
        } else if (at[0] == ':' && at[1] != ':' && at[1] != '\0' && at[1] != ']' && length < 16) {
            at++;
        } else {
            break;
        }
    }
    if (gap == SIZE_MAX ? length != 16 : length > 14)
        return NULL;
    memset(ip, 0, 16);
    if (gap == SIZE_MAX)
        gap = length;
    memcpy(ip, head, gap);
    memcpy(ip + 16 - (length - gap), head + gap, length - gap);
    return at;
}

bool address_from_text(const char *text, bool port_optional, struct address *ret_address)
{
    uint8_t ip[16];
    bool bracketed = text[0] == '[';
    const char *at = take_ipv4(text, ip);
    bool ipv6 = at == NULL;
    if (ipv6) {
        at = take_ipv6(text + bracketed, ip);
        if (at == NULL || (bracketed && *at++ != ']'))
            return false;
        /* Without brackets nobody could tell a port from one more group. */
        if (!bracketed && (!port_optional || *at != '\0'))
            return false;
    }
    uint32_t port = 0;
    if (*at == ':') {
        at = take_decimal(at + 1, 65535, &port);
        if (at == NULL)
            return false;
    } else if (!port_optional) {
        return false;
    }
    if (*at != '\0')
        return false;
    *ret_address = ipv6 ? address_ipv6(ip, (uint16_t)port) : address_ipv4(ip, (uint16_t)port);
    return true;
}

static bool starts_with(const struct address *address, const uint8_t *prefix, size_t bits)
{
    size_t whole = bits / 8;
    if (memcmp(address->ip, prefix, whole) != 0)
        return false;
    if (bits % 8 == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff00u >> (bits % 8));
    return (address->ip[whole] & mask) == (prefix[whole] & mask);
}

struct prefix {
    uint8_t family;
    uint8_t bits;
    uint8_t ip[16];
};

static bool is_in(const struct address *address, const struct prefix *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (prefixes[i].family == address->family &&
            starts_with(address, prefixes[i].ip, prefixes[i].bits))
            return true;
    return false;
}

bool address_is_loopback(const struct address *address)
{
    static const struct prefix prefixes[] = {
        {ADDRESS_IPV4, 8, {127}},
        {ADDRESS_IPV6, 128, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
    };
    return is_in(address, prefixes, sizeof prefixes / sizeof *prefixes);
}

bool address_is_private(const struct address *address)
{
    static const struct prefix prefixes[] = {
        {ADDRESS_IPV4, 8, {10}},          {ADDRESS_IPV4, 12, {172, 16}},
        {ADDRESS_IPV4, 16, {192, 168}},   {ADDRESS_IPV4, 10, {100, 64}},
        {ADDRESS_IPV4, 16, {169, 254}},   {ADDRESS_IPV6, 7, {0xfc}},
        {ADDRESS_IPV6, 10, {0xfe, 0x80}},
    };
    return is_in(address, prefixes, sizeof prefixes / sizeof *prefixes);
}

bool address_is_multicast(const struct address *address)
{
    static const struct prefix prefixes[] = {
        {ADDRESS_IPV4, 4, {224}},
        {ADDRESS_IPV4, 4, {240}},
        {ADDRESS_IPV6, 8, {0xff}},
    };
    return is_in(address, prefixes, sizeof prefixes / sizeof *prefixes);
}

bool address_is_unspecified(const struct address *address)
{
    static const struct prefix prefixes[] = {{ADDRESS_IPV4, 8, {0}}, {ADDRESS_IPV6, 128, {0}}};
    return address->family == ADDRESS_NONE ||
           is_in(address, prefixes, sizeof prefixes / sizeof *prefixes);
}

bool address_is_metadata_service(const struct address *address)
{
    static const struct prefix prefixes[] = {
        {ADDRESS_IPV4, 32, {169, 254, 169, 254}},
        {ADDRESS_IPV6, 128, {0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54}},
    };
    return is_in(address, prefixes, sizeof prefixes / sizeof *prefixes);
}
