/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a create: what is taken is within its limits, and what is told of the rest is JSON itself. */
#include "base/clock.h"
#include "codec/problem.h"
#include "codec/request.h"
#include "fuzz/fuzz.h"
#include "text/utf8.h"

#define TEXT_CHARS_MAX 200

static struct guard *make_guard(void)
{
    static char port[] = "443";
    static char *ports[] = {port};
    const struct guard_options options = {.ports = ports, .port_count = 1, .clock = &clock_system};
    struct guard *guard;

    check(guard_new(&options, &guard, NULL) == 0);
    return guard;
}

static void check_taken(const struct create_request *request)
{
    size_t offset;

    check(request->characters >= 1 && request->characters <= TEXT_CHARS_MAX);
    check(strlen(request->text) == request->text_bytes);
    check(utf8_is_valid(request->text, request->text_bytes, &offset));
    check(text_is_speakable(request->text, request->text_bytes));
    check(request->language != NULL && request->voice != NULL);
    check(strcmp(request->voice->language, request->language->name) == 0);
    check(request->speed >= REQUEST_FACTOR_MIN && request->speed <= REQUEST_FACTOR_MAX);
    check(request->pitch >= REQUEST_FACTOR_MIN && request->pitch <= REQUEST_FACTOR_MAX);
    check(request->webhook_url == NULL || strncmp(request->receiver, "https://", 8) == 0);
    if (request->metadata != NULL) {
        struct json_facts facts;
        struct json_fault fault;

        check(json_gate(request->metadata, strlen(request->metadata), &facts, &fault));
        check(facts.is_object && !facts.nul_inside);
    }
}

static void check_told(const struct faults *faults)
{
    const struct problem_details details = {.detail = "a detail",
                                            .request_id = "an-id",
                                            .public_base_url = "https://example.org",
                                            .faults = faults};
    struct buf out = BUF_INIT(1 << 20);
    struct json_facts facts;
    struct json_fault fault;

    problem_render(&out, problem_of_faults(faults), &details);
    check(buf_ok(&out));
    check(json_gate(out.data, out.length, &facts, &fault));
    check(facts.is_object && !facts.nul_inside);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct guard *guard;
    struct request_limits limits = {.max_text_chars = TEXT_CHARS_MAX, .formats = 1u << AUDIO_WAV};
    struct create_request request;
    struct json_fault fault = {0};
    struct faults faults = {0};
    struct error err = {""};
    int r;

    if (guard == NULL)
        guard = make_guard();
    limits.guard = guard;
    r = create_request_parse((const char *)data, size, &limits, &request, &fault, &faults, &err);
    check(r >= 0);
    if (r == 0) {
        check_taken(&request);
        create_request_release(&request);
    } else if (r == REQUEST_FAULTY) {
        check(faults.total > 0);
        check_told(&faults);
    } else {
        check(r == REQUEST_NOT_JSON && fault.offset <= size);
    }
    return 0;
}
