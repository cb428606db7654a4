/* SPDX-License-Identifier: MIT */
/*
 * Checks of our own promises, on in every build. A failed CHECK is a bug in freshet and stops the
 * program before it can do harm; bytes from the network or the disk are never CHECKed, they are
 * parsed. One condition a CHECK, so that the message says which one.
 */
#ifndef FRESHET_BASE_CHECK_H
#define FRESHET_BASE_CHECK_H

/* Prints and aborts. Supplied by the program around the core (host/freshet_panic.c), since the core
 * has no way to print. */
_Noreturn void freshet_panic(const char *condition, const char *file, int line);

#define CHECK(condition) ((condition) ? (void)0 : freshet_panic(#condition, __FILE__, __LINE__))

#endif
