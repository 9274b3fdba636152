/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of the web and of e-mail within a text, and how they are read so that they can be written down.
 */
#ifndef TEXT_ADDRESS_H
#define TEXT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most code points that are looked at.  What is longer is read as an address up to there. */
#define ADDRESS_MAX 256

/* Whether an address may start behind this code point. */
bool address_may_follow(uint32_t code_point);

/*
 * The code points of the address that starts at code_points[0], without the punctuation of the sentence
 * around it: "https://example.org/a", "www.example.org", "jo@example.org".  0 where none does.
 */
size_t address_length(const uint32_t *code_points, size_t count);

#endif
