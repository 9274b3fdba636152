/* SPDX-License-Identifier: Apache-2.0 */
/* A webhook's URL: its receiver is a scheme, a host and a port, and parses as such. */
#include <ctype.h>

#include "base/clock.h"
#include "fuzz/fuzz.h"
#include "net/guard.h"

static void check_receiver(const struct url *url)
{
    struct url again;

    check(strcmp(url->scheme, "http") == 0 || strcmp(url->scheme, "https") == 0);
    check(url->port >= 1 && url->port <= 65535);
    check(*url->host != '\0' && strpbrk(url->host, "/@?#[]% \\") == NULL);
    for (const char *at = url->host; *at != '\0'; at++)
        check((unsigned char)*at > ' ' && (unsigned char)*at < 0x7f && !isupper((unsigned char)*at));
    check(url_parse(url->receiver, &again, NULL) == 0);
    check(strcmp(url->receiver, again.receiver) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct guard_options options = {.allow_http = true, .clock = &clock_system};
    static struct guard *guard;
    char *text = fuzz_string(data, size);
    struct error err = {""};
    struct url url, judged;
    int r = url_parse(text, &url, &err);

    if (guard == NULL)
        check(guard_new(&options, &guard, NULL) == 0);
    check((r < 0) == (guard_judge_url(guard, text, &judged, &err) < 0));
    if (r == 0)
        check_receiver(&url);
    else
        check(*err.text != '\0');
    free(text);
    return 0;
}
