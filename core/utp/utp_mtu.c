/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_mtu.h"

#include "core/base/limits.h"

#define ETHERNET     1500u
#define IPV4_HEADERS 28u
#define IPV6_HEADERS 48u
#define FLOOR        1200u /* passes nearly everywhere (RFC 9000 rests on it) */
#define FLOOR_LEAST  548u  /* IPv4's promise of 576 */
#define NEAR_ENOUGH  16u
#define FAILURES_MAX 2u /* one loss may be chance */
#define AGAIN_NS     (600 * SECOND_NS)

static void begin(struct utp_mtu *mtu, uint16_t floor)
{
    mtu->floor = floor;
    mtu->ceiling = mtu->largest;
    mtu->probe = 0;
    mtu->failures = 0;
    mtu->again_ns = INT64_MAX;
}

void utp_mtu_init(struct utp_mtu *mtu, enum address_family family)
{
    mtu->largest = ETHERNET - (family == ADDRESS_IPV6 ? IPV6_HEADERS : IPV4_HEADERS);
    begin(mtu, FLOOR);
}

uint16_t utp_mtu_size(const struct utp_mtu *mtu)
{
    return mtu->floor;
}

static bool is_found(const struct utp_mtu *mtu)
{
    return mtu->floor + NEAR_ENOUGH > mtu->ceiling;
}

uint16_t utp_mtu_next_probe(struct utp_mtu *mtu, int64_t now)
{
    if (mtu->again_ns <= now)
        begin(mtu, mtu->floor);
    if (mtu->probe || mtu->again_ns != INT64_MAX)
        return 0;
    return mtu->ceiling == mtu->largest ? mtu->ceiling
                                        : (uint16_t)((mtu->floor + mtu->ceiling + 1) / 2);
}

void utp_mtu_on_probe(struct utp_mtu *mtu, uint16_t size)
{
    mtu->probe = size;
}

static void settle(struct utp_mtu *mtu, int64_t now)
{
    mtu->probe = 0;
    mtu->failures = 0;
    if (is_found(mtu))
        mtu->again_ns = now + AGAIN_NS;
}

void utp_mtu_on_passed(struct utp_mtu *mtu, int64_t now)
{
    if (mtu->probe > mtu->floor)
        mtu->floor = mtu->probe;
    settle(mtu, now);
}

void utp_mtu_on_lost(struct utp_mtu *mtu, int64_t now)
{
    uint16_t size = mtu->probe;
    mtu->probe = 0;
    if (++mtu->failures < FAILURES_MAX)
        return;
    if (size > mtu->floor)
        mtu->ceiling = size - 1;
    settle(mtu, now);
}

void utp_mtu_on_black_hole(struct utp_mtu *mtu)
{
    begin(mtu, mtu->largest + IPV4_HEADERS == ETHERNET ? FLOOR_LEAST : FLOOR);
}
