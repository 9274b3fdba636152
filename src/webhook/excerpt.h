/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WEBHOOK_EXCERPT_H
#define WEBHOOK_EXCERPT_H

#include <stddef.h>

/*
 * Makes text of what a receiver answered, for people to read: UTF-8 on one line, U+FFFD for each byte that is
 * of no sequence, a space for each control character.  Ends before the character that would pass ret_size
 * with its NUL, and before one that the end of bytes cuts.
 */
void excerpt_make(const char *bytes, size_t size, char *ret_text, size_t ret_size);

#endif
