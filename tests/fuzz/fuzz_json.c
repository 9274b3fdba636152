/* SPDX-License-Identifier: Apache-2.0 */
/* The gate before json-c: what passes it, json-c reads, and no parser meets what does not. */
#include <errno.h>

#include "codec/json_gate.h"
#include "codec/json_read.h"
#include "fuzz/fuzz.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct json_facts facts = {0};
    struct json_fault fault = {0};
    struct json_document *document;
    struct error err = {""};
    size_t offset;
    int r;

    if (json_gate(bytes, size, &facts, &fault)) {
        check(utf8_is_valid(bytes, size, &offset));
        check(!facts.nul_in_name || facts.nul_inside);
        check(!facts.nul_inside || (facts.nul_offset < size && bytes[facts.nul_offset] == '\\'));
        r = json_read(bytes, size, &document, &err);
        check((r == 0) == (facts.is_object && !facts.is_crowded));
        if (r == 0)
            json_read_free(document);
    } else {
        check(fault.offset <= size);
        check(fault.reason != NULL && *fault.reason != '\0');
        check(json_read(bytes, size, &document, &err) == -EINVAL);
    }
    return 0;
}
