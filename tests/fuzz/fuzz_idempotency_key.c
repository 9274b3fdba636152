/* SPDX-License-Identifier: Apache-2.0 */
/* A key, written again as a quoted string, is the same key. */
#include "codec/header.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    char key[HEADER_IDEMPOTENCY_KEY_SIZE], same[HEADER_IDEMPOTENCY_KEY_SIZE];
    char quoted[2 * HEADER_IDEMPOTENCY_KEY_SIZE + 2];
    size_t length = 0;

    if (header_idempotency_key(text, key)) {
        check(*key != '\0' && strlen(key) <= HEADER_IDEMPOTENCY_KEY_MAX);
        quoted[length++] = '"';
        for (const char *at = key; *at != '\0'; at++) {
            check(*at >= ' ' && *at <= '~');
            if (*at == '"' || *at == '\\')
                quoted[length++] = '\\';
            quoted[length++] = *at;
        }
        memcpy(quoted + length, "\"", 2);
        check(header_idempotency_key(quoted, same) && strcmp(key, same) == 0);
    }
    free(text);
    return 0;
}
