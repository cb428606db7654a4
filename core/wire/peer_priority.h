/* SPDX-License-Identifier: MIT */
/*
 * Canonical peer priority (BEP 40): both ends of a connection derive the same number from the two
 * addresses, so that when lists overflow, all peers prefer the same connections and the swarm stays
 * one graph. Higher is preferred.
 */
#ifndef FRESHET_WIRE_PEER_PRIORITY_H
#define FRESHET_WIRE_PEER_PRIORITY_H

#include "core/base/address.h"

/* 0 when the families differ. */
uint32_t peer_priority(const struct address *a, const struct address *b);

#endif
