/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine speaks, and which requests it takes; utterance.c does the speaking. */
#include "engine/engine.h"

#include <errno.h>
#include <flite/flite.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/language.h"
#include "engine/lookup.h"
#include "engine/utterance.h"

struct loaded_voice {
    const struct engine_language *language;
    const struct engine_voice *voice;
    cst_voice *flite;
};

struct engine {
    size_t count;
    struct loaded_voice voices[FRAME_VOICES_MAX];
};

static int load(struct engine *engine, const struct engine_language *language,
                const struct engine_voice *voice, struct error *err)
{
    cst_voice *flite = voice->load();

    if (flite == NULL || engine->count == array_length(engine->voices))
        return error_set(err, -ENOMEM, "cannot load the voice %s", voice->id);
    lookup_sort(flite);
    engine->voices[engine->count++] = (struct loaded_voice){language, voice, flite};
    return 0;
}

int engine_new(struct engine **ret_engine, struct error *err)
{
    struct engine *engine = calloc(1, sizeof *engine);
    size_t count;
    const struct engine_language *const *languages = engine_languages(&count);

    if (engine == NULL)
        return error_set(err, -ENOMEM, "no memory for the engine");
    flite_init();
    for (size_t i = 0; i < count; i++)
        for (size_t v = 0; v < languages[i]->voice_count; v++) {
            int r = load(engine, languages[i], &languages[i]->voices[v], err);

            if (r < 0) {
                engine_free(engine);
                return r;
            }
        }
    *ret_engine = engine;
    return 0;
}

struct engine *engine_free(struct engine *engine)
{
    if (engine == NULL)
        return NULL;
    for (size_t i = 0; i < engine->count; i++)
        engine->voices[i].voice->unload(engine->voices[i].flite);
    free(engine);
    return NULL;
}

void engine_describe(struct frame_ready *ret_ready)
{
    size_t count;
    const struct engine_language *const *languages = engine_languages(&count);

    *ret_ready = (struct frame_ready){.protocol = FRAME_PROTOCOL, .engine = ENGINE_NAME};
    for (size_t i = 0; i < count; i++)
        for (size_t v = 0; v < languages[i]->voice_count && ret_ready->voice_count < FRAME_VOICES_MAX; v++)
            ret_ready->voices[ret_ready->voice_count++] = (struct frame_voice){
                .language = languages[i]->name,
                .id = languages[i]->voices[v].id,
                .sample_rate = languages[i]->voices[v].sample_rate,
            };
}

static const struct loaded_voice *find_voice(const struct engine *engine, const char *language,
                                             const char *voice)
{
    for (size_t i = 0; i < engine->count; i++)
        if (strcmp(engine->voices[i].language->name, language) == 0 &&
            strcmp(engine->voices[i].voice->id, voice) == 0)
            return &engine->voices[i];
    return NULL;
}

uint32_t engine_sample_rate(const struct engine *engine, const char *language, const char *voice)
{
    const struct loaded_voice *found = find_voice(engine, language, voice);

    return found != NULL ? found->voice->sample_rate : 0;
}

static int check_text(const struct engine_request *request, struct error *err)
{
    size_t token = 0;

    if (request->text_bytes == 0 || request->text_bytes > ENGINE_TEXT_MAX)
        return error_set(err, FRAME_BAD_TEXT, "a text of %zu bytes; 1 to %d can be spoken at once",
                         request->text_bytes, ENGINE_TEXT_MAX);
    for (size_t i = 0; i < request->text_bytes; i++) {
        unsigned char byte = (unsigned char)request->text[i];
        bool blank = byte == ' ' || byte == '\n' || byte == '\t';

        if (!blank && (byte < ' ' || byte > '~'))
            return error_set(err, FRAME_BAD_TEXT, "byte 0x%02x at %zu; the text must be printable ASCII",
                             byte, i);
        token = blank ? 0 : token + 1;
        if (token > ENGINE_TOKEN_MAX)
            return error_set(err, FRAME_BAD_TEXT, "more than %d bytes without a blank up to %zu",
                             ENGINE_TOKEN_MAX, i);
    }
    return 0;
}

/* Written so that NaN is refused, too. */
static bool in_range(double factor)
{
    return factor >= FRAME_FACTOR_MIN && factor <= FRAME_FACTOR_MAX;
}

int engine_speak(struct engine *engine, const struct engine_request *request, struct engine_sink *sink,
                 struct engine_result *ret_result, struct error *err)
{
    const struct loaded_voice *voice = find_voice(engine, request->language, request->voice);
    int r = check_text(request, err);

    if (voice == NULL)
        return error_set(err, FRAME_UNKNOWN_VOICE, "there is no voice %s for %s", request->voice,
                         request->language);
    if (!in_range(request->speed) || !in_range(request->pitch))
        return error_set(err, FRAME_BAD_VALUE, "speed %g, pitch %g; each must be %g to %g", request->speed,
                         request->pitch, FRAME_FACTOR_MIN, FRAME_FACTOR_MAX);
    if (r != 0)
        return r;
    ret_result->sample_rate = voice->voice->sample_rate;
    return utterance_speak(voice->flite, request, sink, ret_result, err);
}
