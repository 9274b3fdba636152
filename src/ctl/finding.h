/* SPDX-License-Identifier: Apache-2.0 */
/* What a check has found: notes, each with a verdict, what is so and, where it should not be, what to do. */
#ifndef CTL_FINDING_H
#define CTL_FINDING_H

#include <stddef.h>

#include "base/buf.h"

/* From good to bad.  Skipped: it could not be looked at, and the note says why. */
enum verdict { VERDICT_OK, VERDICT_SKIPPED, VERDICT_WARNING, VERDICT_FAULT };

struct note {
    enum verdict verdict;
    int line;     /* of the configuration; 0 is none */
    char *found;  /* owned; NULL where memory ran out */
    char *advice; /* owned: a command, or a sentence that holds one; NULL is none */
};

/* A configuration may have a hundred faults; whatever else is found is less.  Further notes are dropped. */
#define FINDING_NOTES_MAX 128

struct finding {
    struct note notes[FINDING_NOTES_MAX];
    size_t count;
};

/* Adds a note, to which the next finding_advise() belongs. */
void finding_note(struct finding *finding, enum verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void finding_advise(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The worst of its notes; VERDICT_OK where there is none. */
enum verdict finding_verdict(const struct finding *finding);

void finding_release(struct finding *finding);

/* "ok", "skipped", "warning", "fault". */
const char *verdict_name(enum verdict verdict);

/* A note as an object of JSON: {"verdict", "line", "found", "advice"}. */
void note_append_json(struct buf *out, const struct note *note);

#endif
