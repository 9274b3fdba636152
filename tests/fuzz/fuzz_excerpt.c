/* SPDX-License-Identifier: Apache-2.0 */
/* What a webhook's receiver answered, made fit for people: the first byte is the room for it. */
#include "fuzz/fuzz.h"
#include "text/utf8.h"
#include "webhook/excerpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t room = size > 0 ? 1 + data[0] : 1;
    char *excerpt = malloc(room);
    size_t length, offset;

    check(excerpt != NULL);
    excerpt_make((const char *)data + (size > 0), size - (size > 0), excerpt, room);
    length = strnlen(excerpt, room);
    check(length < room);
    check(utf8_is_valid(excerpt, length, &offset));
    for (size_t i = 0; i < length; i++)
        check((unsigned char)excerpt[i] >= 0x20 && excerpt[i] != 0x7f);
    free(excerpt);
    return 0;
}
