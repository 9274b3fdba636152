/* SPDX-License-Identifier: Apache-2.0 */
/* What `webhook check` has found, as text and as JSON.  Neither holds a secret. */
#ifndef CTL_CHECK_REPORT_H
#define CTL_CHECK_REPORT_H

#include "base/buf.h"
#include "webhook/probe.h"

/* The body of a ping: two dozen members, most of them null; and with id and time, what is signed. */
#define CHECK_BODY_MAX   1024
#define CHECK_SIGNED_MAX (CHECK_BODY_MAX + 256)

struct check_report {
    const char *url;
    const char *receiver; /* NULL where the URL was refused as it stands */
    const char *key_id;
    const char *webhook_id;
    const struct signature *signature;
    const char *body;
    struct probe_address addresses[PROBE_ADDRESSES_MAX];
    size_t address_count;
    struct error unresolved; /* why there is none; "" otherwise */
    bool has_tls;            /* tls is known */
    struct tls_peer tls;
    struct error no_tls; /* why it is not; "" where nobody was asked */
    int64_t days_left;   /* of tls: whole days, negative once it is over */
    struct send_result result;
    const char *setting; /* that could allow what was blocked; NULL where nothing was */
};

void check_report_text(struct buf *out, const struct check_report *report);
void check_report_json(struct buf *out, const struct check_report *report);

#endif
