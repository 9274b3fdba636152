/* SPDX-License-Identifier: Apache-2.0 */
/* What Afaan Oromoo makes of tokens: words of letters, then sounds. */
#include "base/buf.h"
#include "engine/engine.h"
#include "engine/oromo/syllables.h"
#include "engine/oromo/tokens.h"
#include "engine/oromo/values.h"
#include "fuzz/fuzz.h"

#define TOKENS 4

/* Cuts the data at its first blanks into tokens of printable ASCII, as long as an engine takes. */
static void to_tokens(const uint8_t *data, size_t size, char tokens[TOKENS][ENGINE_TOKEN_MAX + 1])
{
    size_t token = 0, length = 0;

    for (size_t i = 0; i < size && token < TOKENS; i++) {
        char c = (char)(data[i] & 0x7F);

        if (c == ' ' || length == ENGINE_TOKEN_MAX) {
            token++;
            length = 0;
        } else if (c > ' ' && c <= '~') {
            tokens[token][length++] = c;
        }
    }
}

static void check_sounds(const char *word)
{
    static struct word_sounds sounds;
    size_t stressed = 0;

    word_read(word, &sounds);
    check(sounds.count > 0 && sounds.count <= WORD_PHONEMES_MAX);
    for (size_t i = 0; i < sounds.count; i++) {
        stressed += sounds.sounds[i].stressed;
        check(!sounds.sounds[i].stressed || phoneme_is_vowel(sounds.sounds[i].phoneme->name));
        check(!sounds.sounds[i].geminate || sounds.sounds[i].phoneme->geminate != NULL);
    }
    check(stressed <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char tokens[TOKENS][ENGINE_TOKEN_MAX + 1] = {{0}};
    struct buf words = BUF_INIT(TOKEN_WORDS_MAX);
    const char *texts[TOKENS];
    size_t count = 0, telephone;
    char *rest = NULL;

    to_tokens(data, size, tokens);
    while (count < TOKENS && tokens[count][0] != '\0') {
        texts[count] = tokens[count];
        count++;
    }
    telephone = count > 1 ? value_telephone_groups(texts, count) : 0;
    check(telephone <= count);
    for (size_t i = 0; i < count; i++) {
        const struct token token = {
            .text = tokens[i],
            .before = i > 1 ? tokens[i - 2] : NULL,
            .previous = i > 0 ? tokens[i - 1] : NULL,
            .next = i + 1 < count ? tokens[i + 1] : NULL,
            .after = i + 2 < count ? tokens[i + 2] : NULL,
            .in_telephone = telephone > 1 && i < telephone,
        };

        token_words(&token, &words);
        check(buf_ok(&words));
        check(strstr(buf_str(&words), "  ") == NULL);
        check(strspn(buf_str(&words), "abcdefghijklmnopqrstuvwxyz', ") == words.length);
        if (words.length == 0)
            continue;
        for (char *word = strtok_r(words.data, " ,", &rest); word != NULL; word = strtok_r(NULL, " ,", &rest))
            check_sounds(word);
    }
    buf_release(&words);
    return 0;
}
