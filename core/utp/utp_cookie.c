/* SPDX-License-Identifier: MIT */
#include "core/utp/utp_cookie.h"

#include "core/base/limits.h"
#include "core/crypto/sha256.h"

/* Packets behind the SYN that may overtake one another and still open the connection. */
#define FIRST_PACKETS 8u

static void digest_of(const uint8_t *secret, const struct address *remote, const uint8_t *text,
                      size_t length, uint8_t ret_digest[SHA256_SIZE])
{
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, secret, UTP_SECRET_SIZE);
    sha256_update(&sha256, &remote->family, sizeof remote->family);
    sha256_update(&sha256, remote->ip, sizeof remote->ip);
    sha256_update(&sha256, text, length);
    sha256_final(&sha256, ret_digest);
}

uint32_t utp_cookie_clock(const uint8_t secret[UTP_SECRET_SIZE], const struct address *remote)
{
    uint8_t digest[SHA256_SIZE];
    struct cursor cursor;
    digest_of(secret, remote, (const uint8_t *)"clock", 5, digest);
    cursor_init(&cursor, (struct bytes){digest, sizeof digest});
    return cursor_u32(&cursor);
}

static uint16_t make(const uint8_t *secret, const struct address *remote, uint16_t id,
                     uint64_t slot)
{
    uint8_t text[2 + 2 + 8], digest[SHA256_SIZE];
    struct writer writer;
    struct cursor cursor;
    writer_init(&writer, text, sizeof text);
    writer_u16(&writer, remote->port);
    writer_u16(&writer, id);
    writer_u64(&writer, slot);
    digest_of(secret, remote, text, sizeof text, digest);
    cursor_init(&cursor, (struct bytes){digest, sizeof digest});
    return cursor_u16(&cursor);
}

static uint64_t slot_of(int64_t now)
{
    return (uint64_t)(now / LIMIT_UTP_COOKIE_NS);
}

uint16_t utp_cookie_make(const uint8_t secret[UTP_SECRET_SIZE], const struct address *remote,
                         uint16_t syn_id, uint16_t syn_seq, int64_t now)
{
    return make(secret, remote, syn_id, slot_of(now)) ^ syn_seq;
}

bool utp_cookie_is_good(const uint8_t secret[UTP_SECRET_SIZE], const struct address *remote,
                        const struct utp_packet *packet, int64_t now, uint16_t *ret_syn_seq)
{
    uint16_t cookie = (uint16_t)(packet->ack + 1);
    for (uint64_t age = 0; age < 2; age++) {
        uint16_t seq =
            cookie ^ make(secret, remote, (uint16_t)(packet->id - 1), slot_of(now) - age);
        uint16_t behind = (uint16_t)(packet->seq - seq);
        if (behind >= 1 && behind <= FIRST_PACKETS) {
            *ret_syn_seq = seq;
            return true;
        }
    }
    return false;
}

bool utp_cookie_is_echo(uint32_t clock_us, const struct utp_packet *packet, int64_t now)
{
    uint32_t now_us = (uint32_t)((uint64_t)now / 1000) + clock_us;
    uint32_t echoed_us = packet->time_us - packet->delay_us;
    return now_us - echoed_us <= (uint32_t)(LIMIT_UTP_ECHO_NS / 1000);
}
