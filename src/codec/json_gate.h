/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate before the JSON parser: RFC 8259, strictly, byte by byte and in linear time.
 *
 * json-c takes much that RFC 8259 does not (duplicate names, NaN, single quotes, raw control characters, lone
 * surrogates, overlong UTF-8, bytes behind the end), and where two readers of one document differ, one of
 * them can be fooled.  So only what passes here reaches json-c.
 */
#ifndef CODEC_JSON_GATE_H
#define CODEC_JSON_GATE_H

#include <stdbool.h>
#include <stddef.h>

/* The contract's limit: objects and arrays inside each other. */
#define JSON_GATE_DEPTH_MAX 16

/*
 * Values in a document, those inside of others among them.  A request has a few dozen, and 16 MB of zeros in
 * an array would cost the parser behind the gate half a gigabyte.
 */
#define JSON_GATE_VALUES_MAX 1024

struct json_fault {
    size_t offset;      /* of the first byte that is wrong */
    const char *reason; /* "a name stands twice in this object"; static */
};

/* What a client may send as JSON and not as a request: the caller decides. */
struct json_facts {
    bool is_object;  /* the document is an object */
    bool is_crowded; /* it has more values than JSON_GATE_VALUES_MAX: not for a parser; names behind them were
                        not compared */
    bool nul_inside; /* a name or a string holds \u0000, which C strings cannot */
    bool nul_in_name;  /* a name does */
    size_t nul_offset; /* of the first */
};

/* False where the bytes are not one JSON text; *ret_fault says where. */
bool json_gate(const char *bytes, size_t size, struct json_facts *ret_facts, struct json_fault *ret_fault);

#endif
