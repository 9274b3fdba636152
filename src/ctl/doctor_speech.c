/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the voices speak and the formats can be written. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ctl/doctor.h"
#include "job/catalogue.h"
#include "speech/audio.h"
#include "speech/pool.h"

/* What a voice says in a hundredth of a second, on a machine that is not busy. */
#define WORDS          "Good."
#define SPEAK_LIMIT_MS 10000

/* All voices together, and a process that comes up again and again. */
#define VOICES_LIMIT_MS 30000

struct speech {
    struct synth_task task;
    bool done;
};

static void be_done(struct synth_task *task)
{
    container_of(task, struct speech, task)->done = true;
}

/* False where the time is over. */
static bool wait_for(struct synth_pool *pool, const struct speech *speech, int64_t end_ms)
{
    struct pollfd fd = {.fd = synth_pool_fd(pool), .events = POLLIN};

    while (!speech->done) {
        if (clock_monotonic_ms(&clock_system) >= end_ms)
            return false;
        poll(&fd, 1, 100);
        synth_pool_dispatch(pool);
    }
    return true;
}

/* "" where the voice spoke. */
static void try_voice(struct synth_pool *pool, const struct voice *voice, int64_t end_ms, char *ret_why,
                      size_t size)
{
    struct speech speech = {.task = {.language = voice->language,
                                     .voice = voice->id,
                                     .sample_rate = voice->sample_rate,
                                     .speed = 1,
                                     .pitch = 1,
                                     .text = WORDS,
                                     .text_bytes = strlen(WORDS),
                                     .done = be_done}};
    const char *trouble;
    struct error error;

    ret_why[0] = '\0';
    if (synth_pool_submit(pool, &speech.task, &error) < 0) {
        snprintf(ret_why, size, "%s", error.text);
        return;
    }
    if (!wait_for(pool, &speech, end_ms)) {
        synth_pool_drop(pool, &speech.task);
        snprintf(ret_why, size, "it said nothing in time");
        return;
    }
    trouble = synth_pool_trouble(pool);
    if (speech.task.result != SYNTH_DONE)
        snprintf(ret_why, size, "%s", trouble != NULL ? trouble : speech.task.message);
    else if (speech.task.sample_count == 0)
        snprintf(ret_why, size, "it said nothing");
    free(speech.task.samples);
    free(speech.task.words);
}

static void try_voices(struct synth_pool *pool, const struct doctor *doctor, struct finding *finding)
{
    int64_t end_ms = clock_monotonic_ms(&clock_system) + VOICES_LIMIT_MS;
    char why[ERROR_TEXT_MAX];
    size_t count;
    const struct voice *voices = catalogue_voices(&count);

    for (size_t i = 0; i < count; i++) {
        try_voice(pool, &voices[i], end_ms, why, sizeof why);
        if (why[0] == '\0')
            continue;
        finding_note(finding, VERDICT_FAULT, "the %s voice %s does not speak: %s", voices[i].language,
                     voices[i].id, why);
        finding_advise(finding, "echo Good. | '%s' --phones; apt-get install --reinstall libflite1",
                       doctor->synth_program);
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK, "all %zu speak", count);
}

void check_voices(struct doctor *doctor, struct finding *finding)
{
    const struct synth_pool_options options = {.program = doctor->synth_program,
                                               .count = 1,
                                               .segment_limit_ms = SPEAK_LIMIT_MS,
                                               .clock = &clock_system};
    struct synth_pool *pool = NULL;
    struct error error;

    if (access(doctor->synth_program, X_OK) < 0 || synth_pool_start(&options, &pool, &error) < 0) {
        finding_note(finding, VERDICT_FAULT, "the speech engine %s cannot be run: %s", doctor->synth_program,
                     pool == NULL && access(doctor->synth_program, X_OK) == 0 ? error.text
                                                                              : strerrordesc_np(errno));
        finding_advise(finding, "install Sayhook again, or name the engine: doctor --synth PROGRAM");
        return;
    }
    try_voices(pool, doctor, finding);
    synth_pool_stop(pool);
}

void check_formats(struct doctor *doctor, struct finding *finding)
{
    (void)doctor;
    for (int i = 0; i < AUDIO_FORMAT_COUNT; i++) {
        enum audio_format format = (enum audio_format)i;

        if (audio_format_is_writable(format))
            continue;
        finding_note(finding, VERDICT_FAULT, "the format %s cannot be written", audio_format_name(format));
        finding_advise(finding, "apt-get install --reinstall libsndfile1 libopus0");
    }
    if (finding->count == 0)
        finding_note(finding, VERDICT_OK, "all %d can be written", AUDIO_FORMAT_COUNT);
}
