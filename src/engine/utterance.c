/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/utterance.h"

#include <assert.h>
#include <errno.h>
#include <flite/flite.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "engine/pitch.h"

/*
 * Samples that are ready before flite hands them on: small enough for a flood to be seen early and for the
 * worker to take them while the next ones are made, and FRAME_PIECE_MAX with one frame of a voice at most.
 */
#define STREAM_SAMPLES 16000

/* After a segment that made this much audio, two minutes, what flite freed is given back to the system. */
#define TRIM_SAMPLES (120 * 16000)

/* The statistical voices draw noise from rand(): from the same seed the same text sounds the same. */
#define NOISE_SEED 1

enum outcome {
    OUTCOME_SPOKEN,
    OUTCOME_SILENT,
    OUTCOME_FLOODED,
    OUTCOME_SINK_FAILED,
    OUTCOME_ENGINE_FAILED,
};

/* A segment under way; flite's callback finds it behind userdata. */
struct stream {
    const struct engine_request *request;
    struct engine_sink *sink;
    uint32_t samples;
    enum outcome outcome;
    int sink_result;
    struct pitch *pitch;
};

/* Flite's own chain for text (utt_synth), cut in two, to look at the words before any audio is made. */
static const cst_synth_module text_modules[] = {
    {"tokenizer_func", default_tokenization},
    {"textanalysis_func", default_textanalysis},
    {"pos_tagger_func", default_pos_tagger},
    {"phrasing_func", default_phrasing},
    {"lexical_insertion_func", default_lexical_insertion},
    {NULL, NULL},
};

static const cst_synth_module audio_modules[] = {
    {"pause_insertion_func", default_pause_insertion},
    {"intonation_func", cart_intonation},
    {"postlex_func", NULL},
    {"duration_model_func", cart_duration},
    {"f0_model_func", NULL},
    {"wave_synth_func", NULL},
    {"post_synth_hook_func", NULL},
    {NULL, NULL},
};

static int send_piece(struct stream *stream, const short *samples, size_t count)
{
    while (count > 0) {
        size_t piece = count < FRAME_PIECE_MAX ? count : FRAME_PIECE_MAX;

        stream->sink_result = stream->sink->audio(stream->sink, samples, piece);
        if (stream->sink_result < 0) {
            stream->outcome = OUTCOME_SINK_FAILED;
            return CST_AUDIO_STREAM_STOP;
        }
        samples += piece;
        count -= piece;
    }
    return CST_AUDIO_STREAM_CONT;
}

/* Flite's callback: size new samples of wave lie at start. */
static int on_audio(const cst_wave *wave, int start, int size, int last, cst_audio_streaming_info *info)
{
    struct stream *stream = info->userdata;

    (void)last;
    if (size <= 0)
        return CST_AUDIO_STREAM_CONT;
    if ((uint32_t)size > stream->request->samples_max - stream->samples) {
        stream->outcome = OUTCOME_FLOODED;
        return CST_AUDIO_STREAM_STOP;
    }
    stream->samples += (uint32_t)size;
    return send_piece(stream, wave->samples + start, (size_t)size);
}

/* Features of this utterance; the voice, which later ones share, stays as it is. */
static void set_features(cst_utterance *utterance, const cst_voice *voice, struct stream *stream)
{
    cst_audio_streaming_info *info = new_audio_streaming_info();
    /* The diphone voices have one of their own, 1.1, which an utterance's would replace. */
    double stretch = get_param_float(voice->features, "duration_stretch", 1);

    info->min_buffsize = STREAM_SAMPLES;
    info->asc = on_audio;
    info->userdata = stream;
    feat_set(utterance->features, "streaming_info", audio_streaming_info_val(info));
    feat_set_float(utterance->features, "duration_stretch", (float)(stretch / stream->request->speed));
}

/* Without a syllable there is nothing to say, and the diphone voices read before the start of an array. */
static bool has_sound(cst_utterance *utterance)
{
    return utt_relation_present(utterance, "Syllable") &&
           relation_head(utt_relation(utterance, "Syllable")) != NULL;
}

/* Calls make() so that flite may give up: NULL where it did.  Its memory is then in doubt, and the utterance
 * is lost. */
static cst_utterance *guarded(cst_utterance *(*make)(cst_voice *voice, struct stream *stream),
                              cst_voice *voice, struct stream *stream)
{
    cst_utterance *utterance;
    jmp_buf failed;

    /* cst_error() would end the process with exit() otherwise, from one of 58 places. */
    cst_errjmp = &failed;
    if (setjmp(failed) != 0) {
        cst_errjmp = NULL;
        return NULL;
    }
    utterance = make(voice, stream);
    cst_errjmp = NULL;
    return utterance;
}

static void apply(cst_utterance *utterance, const cst_synth_module *modules)
{
    if (apply_synth_method(utterance, modules) == NULL)
        cst_error();
}

static cst_utterance *make_speech(cst_voice *voice, struct stream *stream)
{
    cst_utterance *utterance = new_utterance();

    utt_set_input_text(utterance, stream->request->text);
    set_features(utterance, voice, stream);
    if (pitch_set(utterance, voice, stream->request->pitch, &stream->pitch) < 0)
        cst_error();
    utt_init(utterance, voice);
    srand(NOISE_SEED);
    apply(utterance, text_modules);
    if (has_sound(utterance))
        apply(utterance, audio_modules);
    else
        stream->outcome = OUTCOME_SILENT;
    return utterance;
}

static cst_utterance *make_phones(cst_voice *voice, struct stream *stream)
{
    cst_utterance *utterance = new_utterance();

    utt_set_input_text(utterance, stream->request->text);
    utt_init(utterance, voice);
    apply(utterance, text_modules);
    return utterance;
}

struct cst_utterance_struct *utterance_analyse(struct cst_voice_struct *voice, const char *text)
{
    return guarded(make_phones, voice, &(struct stream){.request = &(struct engine_request){.text = text}});
}

static int report(const struct stream *stream, struct error *err)
{
    switch (stream->outcome) {
    case OUTCOME_SPOKEN:
    case OUTCOME_SILENT:
        return 0;
    case OUTCOME_FLOODED:
        return error_set(err, FRAME_FLOODED, "%zu bytes of text make more than %u samples",
                         stream->request->text_bytes, stream->request->samples_max);
    case OUTCOME_SINK_FAILED:
        return error_set(err, stream->sink_result, "the audio could not be handed on");
    case OUTCOME_ENGINE_FAILED:
        break;
    }
    return error_set(err, FRAME_ENGINE_FAILED, "flite gave up on the text");
}

int utterance_speak(struct cst_voice_struct *voice, const struct engine_request *request,
                    struct engine_sink *sink, struct engine_result *ret_result, struct error *err)
{
    struct stream stream = {.request = request, .sink = sink, .outcome = OUTCOME_SPOKEN};
    cst_utterance *utterance = guarded(make_speech, voice, &stream);

    if (utterance == NULL)
        stream.outcome = OUTCOME_ENGINE_FAILED;
    if (stream.outcome == OUTCOME_SPOKEN || stream.outcome == OUTCOME_SILENT) {
        ret_result->samples = stream.samples;
        ret_result->word_count =
            utterance_words(utterance, request->text, ret_result->sample_rate, stream.samples,
                            ret_result->words, array_length(ret_result->words));
    }
    if (utterance != NULL)
        delete_utterance(utterance);
    pitch_free(stream.pitch);
    if (stream.samples > TRIM_SAMPLES)
        malloc_trim(0);
    return report(&stream, err);
}
