/* SPDX-License-Identifier: Apache-2.0 */
/* Reads single members out of a JSON document that a server has sent: for clients, which care for few of
 * them. */
#ifndef CODEC_JSON_READ_H
#define CODEC_JSON_READ_H

#include <stddef.h>

#include "base/error.h"

struct json_document;

/* -EINVAL where the bytes are not one JSON object (json_gate.h). */
int json_read(const char *bytes, size_t size, struct json_document **ret_document, struct error *err);
struct json_document *json_read_free(struct json_document *document);

/*
 * A member by its JSON pointer (RFC 6901), "/error/message".  NULL where there is none or it is no string.
 * The document owns the text.
 */
const char *json_read_string(const struct json_document *document, const char *pointer);

/* The same for a number; otherwise where there is none. */
double json_read_number(const struct json_document *document, const char *pointer, double otherwise);

#endif
