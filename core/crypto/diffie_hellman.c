/* SPDX-License-Identifier: MIT */
#include "core/crypto/diffie_hellman.h"

#include <stdbool.h>
#include <string.h>

#define LIMBS 12

/* A limb times a limb, and room for two more. */
__extension__ typedef unsigned __int128 wide;

/* Little-endian limbs, below the prime. */
struct number {
    uint64_t limbs[LIMBS];
};

/*
 * Montgomery's way: a number n is kept as n * R modulo P with R = 2^768, and a product is divided
 * by R with shifts where a division by P would be needed otherwise.
 */
/* P: the protocol's own, 0x90564 above Oakley's first prime (RFC 2409 section 6.1). */
static const struct number prime = {{
    0x0000000000090563,
    0xf44c42e9a63a3621,
    0xe485b576625e7ec6,
    0x4fe1356d6d51c245,
    0x302b0a6df25f1437,
    0xef9519b3cd3a431b,
    0x514a08798e3404dd,
    0x020bbea63b139b22,
    0x29024e088a67cc74,
    0xc4c6628b80dc1cd1,
    0xc90fdaa22168c234,
    0xffffffffffffffff,
}};
/* R * R modulo P: times it, a number becomes one of Montgomery's. */
static const struct number square_of_r = {{
    0x95f0194046281a8e,
    0xff0ca2a3d838c985,
    0x6d9f175993af6d83,
    0xd4c85168a99a751f,
    0x3423ecee2ddc6158,
    0xd515b23cd4ace6dd,
    0x112ce56282e51749,
    0x3361bff33a35e04b,
    0xafbc083554e85ee3,
    0xa95d0ecbc5679266,
    0x8d001cb98c6f28c7,
    0xa6130c9d54da3d53,
}};
/* R modulo P: one. */
static const struct number one = {{
    0xfffffffffff6fa9d,
    0x0bb3bd1659c5c9de,
    0x1b7a4a899da18139,
    0xb01eca9292ae3dba,
    0xcfd4f5920da0ebc8,
    0x106ae64c32c5bce4,
    0xaeb5f78671cbfb22,
    0xfdf44159c4ec64dd,
    0xd6fdb1f77598338b,
    0x3b399d747f23e32e,
    0x36f0255dde973dcb,
    0x0000000000000000,
}};
/* -1 / P modulo 2^64 */
#define PRIME_INVERSE UINT64_C(0x6d5d6e6995075bb5)

static bool is_below(const struct number *a, const struct number *b)
{
    for (int i = LIMBS - 1; i >= 0; i--)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i];
    return false;
}

static void subtract_prime(struct number *number)
{
    uint64_t borrow = 0;
    for (int i = 0; i < LIMBS; i++) {
        wide difference = (wide)number->limbs[i] - prime.limbs[i] - borrow;
        number->limbs[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

/* a * b / R modulo P, limb by limb: adds a * b[i], then the multiple of P that clears the lowest
 * limb, and drops that. */
static void multiply(const struct number *a, const struct number *b, struct number *ret_product)
{
    uint64_t sum[LIMBS + 2] = {0};
    for (int i = 0; i < LIMBS; i++) {
        wide carry = 0;
        for (int k = 0; k < LIMBS; k++) {
            carry += (wide)a->limbs[k] * b->limbs[i] + sum[k];
            sum[k] = (uint64_t)carry;
            carry >>= 64;
        }
        carry += sum[LIMBS];
        sum[LIMBS] = (uint64_t)carry;
        sum[LIMBS + 1] = (uint64_t)(carry >> 64);

        uint64_t multiple = sum[0] * PRIME_INVERSE;
        carry = ((wide)multiple * prime.limbs[0] + sum[0]) >> 64;
        for (int k = 1; k < LIMBS; k++) {
            carry += (wide)multiple * prime.limbs[k] + sum[k];
            sum[k - 1] = (uint64_t)carry;
            carry >>= 64;
        }
        carry += sum[LIMBS];
        sum[LIMBS - 1] = (uint64_t)carry;
        sum[LIMBS] = sum[LIMBS + 1] + (uint64_t)(carry >> 64);
    }
    memcpy(ret_product->limbs, sum, sizeof ret_product->limbs);
    if (sum[LIMBS] || !is_below(ret_product, &prime))
        subtract_prime(ret_product);
}

static void read_number(const uint8_t bytes[DIFFIE_HELLMAN_SIZE], struct number *ret_number)
{
    memset(ret_number, 0, sizeof *ret_number);
    for (int i = 0; i < DIFFIE_HELLMAN_SIZE; i++) {
        uint64_t *limb = &ret_number->limbs[LIMBS - 1 - i / 8];
        *limb = *limb << 8 | bytes[i];
    }
    /* Anybody may send more than the prime; twice the prime has no room in 96 bytes. */
    if (!is_below(ret_number, &prime))
        subtract_prime(ret_number);
}

static void write_number(const struct number *number, uint8_t ret_bytes[DIFFIE_HELLMAN_SIZE])
{
    for (int i = 0; i < DIFFIE_HELLMAN_SIZE; i++)
        ret_bytes[i] = (uint8_t)(number->limbs[LIMBS - 1 - i / 8] >> (56 - 8 * (i % 8)));
}

void diffie_hellman_shared(const uint8_t exponent[DIFFIE_HELLMAN_EXPONENT_SIZE],
                           const uint8_t other[DIFFIE_HELLMAN_SIZE],
                           uint8_t ret_number[DIFFIE_HELLMAN_SIZE])
{
    static const struct number plain_one = {{1}};
    struct number base, power = one;
    read_number(other, &base);
    multiply(&base, &square_of_r, &base);
    for (int bit = 0; bit < 8 * DIFFIE_HELLMAN_EXPONENT_SIZE; bit++) {
        multiply(&power, &power, &power);
        if (exponent[bit / 8] >> (7 - bit % 8) & 1)
            multiply(&power, &base, &power);
    }
    multiply(&power, &plain_one, &power);
    write_number(&power, ret_number);
}

void diffie_hellman_public(const uint8_t exponent[DIFFIE_HELLMAN_EXPONENT_SIZE],
                           uint8_t ret_number[DIFFIE_HELLMAN_SIZE])
{
    static const uint8_t generator[DIFFIE_HELLMAN_SIZE] = {[DIFFIE_HELLMAN_SIZE - 1] = 2};
    diffie_hellman_shared(exponent, generator, ret_number);
}
