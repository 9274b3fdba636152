/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/json_write.h"

void finding_note(struct finding *finding, enum verdict verdict, const char *format, ...)
{
    struct note *note = &finding->notes[finding->count];
    va_list args;

    if (finding->count == FINDING_NOTES_MAX)
        return;
    *note = (struct note){.verdict = verdict};
    va_start(args, format);
    if (vasprintf(&note->found, format, args) < 0)
        note->found = NULL;
    va_end(args);
    finding->count++;
}

void finding_advise(struct finding *finding, const char *format, ...)
{
    struct note *note = &finding->notes[finding->count - 1];
    va_list args;

    if (finding->count == FINDING_NOTES_MAX && note->advice != NULL)
        return; /* of a note that was dropped */
    va_start(args, format);
    if (vasprintf(&note->advice, format, args) < 0)
        note->advice = NULL;
    va_end(args);
}

enum verdict finding_verdict(const struct finding *finding)
{
    enum verdict worst = VERDICT_OK;

    for (size_t i = 0; i < finding->count; i++)
        if (finding->notes[i].verdict > worst)
            worst = finding->notes[i].verdict;
    return worst;
}

void finding_release(struct finding *finding)
{
    while (finding->count > 0) {
        struct note *note = &finding->notes[--finding->count];

        free(note->found);
        free(note->advice);
    }
}

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[] = {[VERDICT_OK] = "ok",
                                        [VERDICT_SKIPPED] = "skipped",
                                        [VERDICT_WARNING] = "warning",
                                        [VERDICT_FAULT] = "fault"};

    return names[verdict];
}

void note_append_json(struct buf *out, const struct note *note)
{
    json_item(out);
    buf_append_str(out, "{");
    json_member_string(out, "verdict", verdict_name(note->verdict));
    json_member_int_if(out, "line", note->line != 0, note->line);
    json_member_string(out, "found", note->found);
    json_member_string(out, "advice", note->advice);
    buf_append_str(out, "}");
}
