/* SPDX-License-Identifier: MIT */
/*
 * Message stream encryption (MSE/PE): the handshake that goes before BitTorrent's own where a
 * filter on the way must not see what is spoken. No BEP has it; the wire is that of deployed
 * clients.
 *
 *   A -> B   Ya, PadA                                    96 bytes, 0 to 512
 *   B -> A   Yb, PadB
 *   A -> B   HASH("req1", S), HASH("req2", SKEY) xor HASH("req3", S),
 *            ENC(VC = 8 zeros, provided u32, len(PadC) u16, PadC, len(IA) u16), ENC(IA)
 *   B -> A   ENC(VC, selected u32, len(PadD) u16, PadD), then the stream
 *
 * IA is the initiator's first words, its BitTorrent handshake. What follows is a stream in RC4, or,
 * where both are content to have hidden the handshake only, in the clear.
 *
 * A machine without time: bytes go in with mse_read, bytes come out with mse_take_output. The
 * engine (engine_mse.c) gives it a deadline with that of the handshake as a whole. All that the
 * other side may send is bounded: paddings as above, IA by MSE_INITIAL_MAX.
 */
#ifndef FRESHET_WIRE_MSE_H
#define FRESHET_WIRE_MSE_H

#include "core/base/bytes.h"
#include "core/base/rng.h"
#include "core/wire/mse_key.h"

#define MSE_PLAINTEXT   1u /* the handshake is hidden, the rest is not */
#define MSE_RC4         2u
#define MSE_PAD_MAX     512u
#define MSE_INITIAL_MAX 8192u /* of the initiator's first words; deployed clients send 68 bytes */

struct mse;

struct mse_options {
    uint32_t methods;    /* MSE_PLAINTEXT | MSE_RC4: what is offered, or taken */
    bool prefers_rc4;    /* a responder's choice where both will do */
    const uint8_t *skey; /* MSE_SKEY_SIZE: an initiator's (copied). NULL: it is a responder */
};

enum mse_progress {
    MSE_MORE, /* all is well so far, more must come */
    MSE_ASKS, /* a responder: which torrent has the name mse_name? Then mse_set_skey and read on */
    MSE_DONE, /* the rest of the input is the stream's */
    MSE_FAILED, /* the other side does not speak this, or wants no method that we want */
};

/* The rng gives the secret exponent and the paddings; it is not kept. */
struct mse *mse_new(const struct mse_options *options, struct rng *rng);
void mse_free(struct mse *mse);

/* An initiator's first words, of at most MSE_INITIAL_MAX bytes (copied). false: too late, the third
 * step has been made without them. */
bool mse_set_initial(struct mse *mse, struct bytes initial);
/* Takes what belongs to the handshake from the front of *input (which moves on), never more. */
enum mse_progress mse_read(struct mse *mse, struct bytes *input);
/* After MSE_ASKS: HASH("req2", SKEY) of the torrent that is asked for; borrowed. */
const uint8_t *mse_name(const struct mse *mse);
void mse_set_skey(struct mse *mse, const uint8_t skey[MSE_SKEY_SIZE]);
/* Appends what is to be sent; false: nothing is. */
bool mse_take_output(struct mse *mse, struct buffer *out);

/* After MSE_DONE; borrowed. The initiator's first words, in the clear; empty for the initiator. */
struct bytes mse_initial(const struct mse *mse);
/* The method that was agreed: MSE_PLAINTEXT or MSE_RC4. */
uint32_t mse_method(const struct mse *mse);
/* The ciphers of the stream, each where its first byte needs it; MSE_RC4 only. */
const struct rc4 *mse_decrypts(const struct mse *mse);
const struct rc4 *mse_encrypts(const struct mse *mse);
void mse_check(const struct mse *mse);

#endif
