/* SPDX-License-Identifier: MIT */
/*
 * What a file system may take for the same character: case folded (simple folding) and decomposed
 * canonically (NFD; Hangul too). Two names whose keys are equal would be one file on a disk that
 * ignores case or normal form. Only used to compare, never to rename.
 */
#ifndef FRESHET_METAINFO_UNICODE_FOLD_H
#define FRESHET_METAINFO_UNICODE_FOLD_H

#include <stdint.h>

#define UNICODE_FOLD_MAX 6

/* The key of one code point: how many code points it has, 1 to UNICODE_FOLD_MAX. */
unsigned unicode_fold(uint32_t code_point, uint32_t ret_key[UNICODE_FOLD_MAX]);

#endif
