/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most voices heed the feature f0_shift.  Those whose data has a SPAM model of intonation (rms) do not: flite
 * 2.2 replaces the pitch that it shifted by the model's (cst_spamf0).  That model works with the logarithm of
 * the pitch, and adds a peak to it from a table, one row an accent: for these an utterance gets a copy of the
 * table with all the peaks raised.
 */
#include "engine/pitch.h"

#include <errno.h>
#include <flite/flite.h>
/* After flite.h, which it needs. */
#include <flite/cst_cg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The column of a row of spamf0_accent_vectors that cst_spamf0() takes for the peak. */
#define PEAK 0

struct pitch {
    cst_cg_db data; /* as the voice's, but for the table */
    const float **rows;
    float *cells;
};

/* A table of count rows and columns, as the voice has it. */
static struct pitch *copy_table(const cst_cg_db *data, size_t count, size_t columns)
{
    struct pitch *pitch = calloc(1, sizeof *pitch);

    if (pitch == NULL)
        return NULL;
    pitch->rows = calloc(count, sizeof *pitch->rows);
    pitch->cells = calloc(count * columns, sizeof *pitch->cells);
    if (pitch->rows == NULL || pitch->cells == NULL)
        return pitch_free(pitch);
    for (size_t i = 0; i < count; i++) {
        memcpy(pitch->cells + i * columns, data->spamf0_accent_vectors[i], columns * sizeof *pitch->cells);
        pitch->rows[i] = pitch->cells + i * columns;
    }
    pitch->data = *data;
    pitch->data.spamf0_accent_vectors = pitch->rows;
    pitch->data.freeable = 0; /* flite leaves it to us */
    return pitch;
}

int pitch_set(struct cst_utterance_struct *utterance, const struct cst_voice_struct *voice, double factor,
              struct pitch **ret_pitch)
{
    const cst_val *value = feat_present(voice->features, "cg_db") ? feat_val(voice->features, "cg_db") : NULL;
    const cst_cg_db *data = value != NULL ? val_cg_db(value) : NULL;
    struct pitch *pitch = NULL;

    feat_set_float(utterance->features, "f0_shift", (float)factor);
    if (data != NULL && data->spamf0 && factor != 1) {
        size_t count = (size_t)data->num_frames_spamf0_accent;
        size_t columns = (size_t)data->num_channels_spamf0_accent;

        pitch = copy_table(data, count, columns);
        if (pitch == NULL)
            return -ENOMEM;
        for (size_t i = 0; i < count; i++)
            pitch->cells[i * columns + PEAK] += (float)log(factor);
        feat_set(utterance->features, "cg_db", cg_db_val(&pitch->data));
    }
    *ret_pitch = pitch;
    return 0;
}

struct pitch *pitch_free(struct pitch *pitch)
{
    if (pitch == NULL)
        return NULL;
    free(pitch->rows);
    free(pitch->cells);
    free(pitch);
    return NULL;
}
