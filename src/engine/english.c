/* SPDX-License-Identifier: Apache-2.0 */
/* English as flite brings it: three statistical voices and the diphone voice KAL at two rates. */
#include <flite/flite.h>

#include "base/cleanup.h"
#include "engine/language.h"

/* Flite's headers declare none of its voices.  The argument is a folder that no linked voice reads. */
#define FLITE_VOICE(id)                                                                                      \
    cst_voice *register_cmu_us_##id(const char *folder);                                                     \
    void unregister_cmu_us_##id(cst_voice *voice);                                                           \
    static cst_voice *load_##id(void)                                                                        \
    {                                                                                                        \
        return register_cmu_us_##id(NULL);                                                                   \
    }

FLITE_VOICE(slt)
FLITE_VOICE(rms)
FLITE_VOICE(awb)
FLITE_VOICE(kal16)
FLITE_VOICE(kal)

#define VOICE(id, rate)                                                                                      \
    {                                                                                                        \
#id, rate, load_##id, unregister_cmu_us_##id                                                         \
    }

static const struct engine_voice voices[] = {
    VOICE(slt, 16000), VOICE(rms, 16000), VOICE(awb, 16000), VOICE(kal16, 16000), VOICE(kal, 8000),
};

const struct engine_language engine_english = {
    .name = "english",
    .voices = voices,
    .voice_count = array_length(voices),
};
