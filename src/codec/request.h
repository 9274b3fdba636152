/* SPDX-License-Identifier: Apache-2.0 */
/* The body of POST /v1/tts/async, from bytes to values that are all within their limits. */
#ifndef CODEC_REQUEST_H
#define CODEC_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "codec/fault.h"
#include "codec/json_gate.h"
#include "job/catalogue.h"
#include "job/job.h"
#include "net/guard.h"

/* The contract's range of speed and pitch. */
#define REQUEST_FACTOR_MIN 0.5
#define REQUEST_FACTOR_MAX 2.0

/* What this server takes. */
struct request_limits {
    int64_t max_text_chars;
    unsigned int formats; /* bit 1 << enum audio_format for each that can be encoded */
    struct guard *guard;  /* judges webhook URLs */
};

struct create_request {
    const char *text; /* inside document */
    size_t text_bytes;
    int64_t characters; /* code points */
    const struct language *language;
    const struct voice *voice;
    enum audio_format format;
    double speed;
    double pitch;
    bool timings;
    char *metadata;          /* a JSON object without white space, or NULL; owned */
    const char *webhook_url; /* inside document; NULL is none */
    char receiver[URL_RECEIVER_SIZE];
    struct json_object *document; /* owned */
};

/* Conditions. */
#define REQUEST_NOT_JSON 1 /* *ret_fault says where and why */
#define REQUEST_FAULTY   2 /* *faults, which the caller zeroed, lists all that is wrong */

/* *ret_request is for create_request_release(), and untouched unless 0 is returned.  -ENOMEM. */
int create_request_parse(const char *body, size_t size, const struct request_limits *limits,
                         struct create_request *ret_request, struct json_fault *ret_fault,
                         struct faults *faults, struct error *err);

void create_request_release(struct create_request *request);

#endif
