/* SPDX-License-Identifier: MIT */
/*
 * What a mux wants sent: packets of one connection that are equally long (the last may be shorter),
 * as pieces in their order, so that one system call with UDP_SEGMENT sends them all. Heads lie in
 * here, payload in the connection's ring.
 */
#ifndef FRESHET_UTP_UTP_OUTPUT_H
#define FRESHET_UTP_UTP_OUTPUT_H

#include "core/base/address.h"
#include "core/utp/utp_packet.h"

/* Where a packet comes from or goes to. A machine with several addresses must answer from the one
 * that was spoken to, or the other end takes the answer for a stranger's. */
struct utp_path {
    struct address remote;
    struct address local; /* ours; family ADDRESS_NONE: any */
};

#define UTP_RUN_PACKETS 64u    /* what the kernel takes */
#define UTP_RUN_BYTES   65000u /* what IPv4 takes */

struct utp_output {
    struct utp_path path;
    uint32_t packets;
    uint32_t packet_size; /* of all but the last */
    uint32_t bytes;       /* in all */
    bool no_fragments;    /* a probe: not to be cut on its way */
    uint32_t piece_count;
    struct bytes pieces[3 * UTP_RUN_PACKETS];
    uint8_t heads[UTP_RUN_PACKETS][UTP_HEAD_MAX];
};

#endif
