/* SPDX-License-Identifier: MIT */
#include "core/swarm/pex.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

void pex_init(struct pex *pex, int64_t now)
{
    *pex = (struct pex){.next_ns = now};
}

void pex_deinit(struct pex *pex)
{
    memory_free(pex->told);
    *pex = (struct pex){0};
}

bool pex_is_due(const struct pex *pex, int64_t now)
{
    return now >= pex->next_ns;
}

/* ---- what it has been told ---- */

/* The place of the address among those told, or where it would be. */
static uint32_t place_of(const struct pex *pex, const struct address *address)
{
    uint32_t low = 0, high = pex->told_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (address_compare(&pex->told[middle], address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_told(const struct pex *pex, const struct address *address)
{
    uint32_t place = place_of(pex, address);
    return place < pex->told_count && address_equal(&pex->told[place], address);
}

static void remember(struct pex *pex, const struct address *address)
{
    uint32_t place = place_of(pex, address);
    CHECK(pex->told_count < PEX_TOLD_MAX);
    pex->told = memory_resize_array(pex->told, pex->told_count + 1, sizeof *pex->told);
    memmove(pex->told + place + 1, pex->told + place,
            (pex->told_count - place) * sizeof *pex->told);
    pex->told[place] = *address;
    pex->told_count++;
}

/* ---- the next message ---- */

/* Those told that are not here any more. Both are sorted: one walk. */
static void drop_gone(struct pex *pex, const struct pex_view *view, struct wire_pex *message)
{
    uint32_t live = 0, kept = 0;
    for (uint32_t i = 0; i < pex->told_count; i++) {
        struct address address = pex->told[i];
        while (live < view->live_count && address_compare(&view->live[live].address, &address) < 0)
            live++;
        bool is_here =
            live < view->live_count && address_equal(&view->live[live].address, &address);
        if (!is_here && message->dropped_count < PEX_DROPPED_MAX)
            message->dropped[message->dropped_count++] =
                (struct wire_pex_contact){.address = address};
        else
            pex->told[kept++] = address;
    }
    pex->told_count = kept;
}

static bool is_receiver(const struct pex_view *view, const struct address *address)
{
    return address_equal(&view->receiver[0], address) || address_equal(&view->receiver[1], address);
}

/* Adds it unless it is known or must not be told. */
static void add(struct pex *pex, const struct pex_view *view,
                const struct wire_pex_contact *contact, struct wire_pex *message)
{
    uint32_t max = pex->has_spoken ? PEX_ADDED_MAX : PEX_FIRST_ADDED_MAX;
    if (message->added_count == max || pex->told_count == PEX_TOLD_MAX ||
        is_receiver(view, &contact->address) ||
        !pex_may_pass(&view->receiver[0], &contact->address) || is_told(pex, &contact->address))
        return;
    remember(pex, &contact->address);
    message->added[message->added_count++] = *contact;
}

static void add_live(struct pex *pex, const struct pex_view *view, struct wire_pex *message)
{
    for (uint32_t i = 0; i < view->live_count; i++)
        add(pex, view, &view->live[(view->first + i) % view->live_count], message);
}

static void add_recent(struct pex *pex, const struct pex_view *view, enum address_family family,
                       struct wire_pex *message)
{
    uint32_t live = 0, before = message->added_count;
    for (uint32_t i = 0; i < view->live_count; i++)
        live += view->live[i].address.family == family;
    if (live >= PEX_FEW)
        return;
    for (uint32_t i = 0; i < view->recent_count; i++)
        if (view->recent[i].address.family == family &&
            message->added_count - before < PEX_RECENT_MAX)
            add(pex, view, &view->recent[i], message);
}

bool pex_next(struct pex *pex, int64_t now, const struct pex_view *view,
              struct wire_pex *ret_message)
{
    CHECK(pex_is_due(pex, now));
    CHECK(view->live_count == 0 || view->first < view->live_count);
    ret_message->added_count = ret_message->dropped_count = 0;
    ret_message->was_cut = false;
    /* First who is gone, so that nobody is dropped who is added now. */
    drop_gone(pex, view, ret_message);
    add_live(pex, view, ret_message);
    if (!pex->has_spoken) {
        add_recent(pex, view, ADDRESS_IPV4, ret_message);
        add_recent(pex, view, ADDRESS_IPV6, ret_message);
    }
    bool has_news = ret_message->added_count + ret_message->dropped_count > 0;
    pex->next_ns = now + (has_news ? PEX_INTERVAL_NS : PEX_RETRY_NS);
    pex->has_spoken = pex->has_spoken || has_news;
    return has_news;
}

/* ---- what it tells ---- */

enum pex_judgement pex_hear(struct pex *pex, int64_t now)
{
    if (pex->has_heard && now - pex->heard_ns < PEX_HEAR_NS) {
        pex->early++;
        return pex->early < LIMIT_PEX_NUISANCE ? PEX_IGNORE : PEX_LEAVE;
    }
    pex->is_first_heard = !pex->has_heard;
    pex->has_heard = true;
    pex->heard_ns = now;
    pex->early = 0;
    return PEX_HEAR;
}

uint32_t pex_kept_max(const struct pex *pex)
{
    return pex->is_first_heard ? PEX_FIRST_ADDED_MAX : PEX_ADDED_MAX;
}

bool pex_may_pass(const struct address *peer, const struct address *contact)
{
    if (address_is_metadata_service(contact))
        return false;
    if (address_is_loopback(contact))
        return address_is_loopback(peer);
    if (address_is_private(contact))
        return address_is_loopback(peer) || address_is_private(peer);
    return true;
}

void pex_check(const struct pex *pex)
{
    CHECK(pex->told_count <= PEX_TOLD_MAX);
    CHECK(pex->early <= LIMIT_PEX_NUISANCE);
    for (uint32_t i = 1; i < pex->told_count; i++)
        CHECK(address_compare(&pex->told[i - 1], &pex->told[i]) < 0);
}
