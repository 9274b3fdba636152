/* SPDX-License-Identifier: Apache-2.0 */
/* The query string: what comes out may stand in JSON and in a log. */
#include "codec/query.h"
#include "fuzz/fuzz.h"
#include "text/utf8.h"

static void check_shown(const char *text, size_t room)
{
    size_t length = strnlen(text, room);
    size_t offset;

    check(length < room);
    check(utf8_is_valid(text, length, &offset));
    for (size_t i = 0; i < length; i++)
        check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    struct query query;

    if (query_decode(text, &query)) {
        check(query.count <= QUERY_PARAMETERS_MAX);
        for (size_t i = 0; i < query.count; i++) {
            check_shown(query.parameters[i].name, QUERY_NAME_SIZE);
            check_shown(query.parameters[i].value, QUERY_VALUE_SIZE);
        }
    }
    free(text);
    return 0;
}
