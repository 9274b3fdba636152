/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/language.h"

#include "base/cleanup.h"

static const struct engine_language *const languages[] = {
    &engine_english,
    &engine_oromo,
};

const struct engine_language *const *engine_languages(size_t *ret_count)
{
    *ret_count = array_length(languages);
    return languages;
}
