/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of a request's header but for Idempotency-Key, which has a fuzzer of its own. */
#include "codec/header.h"
#include "fuzz/fuzz.h"

#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_string(data, size);
    const char *token = header_bearer(text);
    int seconds = -1;

    check(header_prefer_wait(text, &seconds) == (seconds >= 0));
    if (header_is_request_id(text))
        check(*text != '\0' && strlen(text) <= HEADER_REQUEST_ID_MAX && strpbrk(text, "\r\n\"\\ ") == NULL);
    if (token != NULL)
        check(token > text && token < text + strlen(text) && strpbrk(token, " \t\r\n\"") == NULL);
    /* An entity tag that is nowhere in the value cannot match, but by the star. */
    if (header_etag_matches(text, "\"0-abc\""))
        check(strstr(text, "\"0-abc\"") != NULL || strchr(text, '*') != NULL);
    header_accepts(text, "application/json");
    if (header_is_json(text))
        check(strncasecmp(text, "application/json", 16) == 0);
    free(text);
    return 0;
}
