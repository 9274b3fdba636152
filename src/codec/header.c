/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/header.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* RFC 9110 section 5.6.2. */
#define TOKEN_CHARACTERS ALPHANUMERIC "!#$%&'*+-.^_`|~"

/* A piece of a value; empty where it is not there. */
struct piece {
    const char *start;
    size_t length;
};

static bool is(struct piece piece, const char *name)
{
    return piece.length == strlen(name) && strncasecmp(piece.start, name, piece.length) == 0;
}

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t");
}

/* The bytes of the quoted-string in front with its quotes (RFC 9110 section 5.6.4), 0 where it does not end.
 */
static size_t quoted_length(const char *at)
{
    size_t length = 1;

    while (at[length] != '"') {
        if (at[length] == '\\')
            length++;
        if (at[length] == '\0')
            return 0;
        length++;
    }
    return length + 1;
}

/* Takes a token. */
static struct piece take_token(const char **at)
{
    struct piece token = {*at, strspn(*at, TOKEN_CHARACTERS)};

    *at += token.length;
    return token;
}

/* Takes a token, or a quoted-string without its quotes; escapes stay, as nothing that is looked for needs
 * any. */
static struct piece take_word(const char **at)
{
    struct piece word = {*at, 0};
    size_t length;

    if (**at != '"')
        return take_token(at);
    length = quoted_length(*at);
    if (length > 0)
        word = (struct piece){*at + 1, length - 2};
    *at += length;
    return word;
}

/* Takes "name", "name=word" or "name = word". */
static struct piece take_pair(const char **at, struct piece *ret_word)
{
    struct piece name = take_token(at);
    const char *behind = skip_space(*at);

    *ret_word = (struct piece){behind, 0};
    if (*behind == '=') {
        *at = skip_space(behind + 1);
        *ret_word = take_word(at);
    }
    return name;
}

/* Takes the next of the parameters (RFC 9110 section 5.6.6); false at their end, where *at stays. */
static bool take_parameter(const char **at, struct piece *ret_name, struct piece *ret_word)
{
    const char *next = skip_space(*at);

    if (*next != ';')
        return false;
    *at = skip_space(next + 1);
    *ret_name = take_pair(at, ret_word);
    return true;
}

/* To the next element of a list, past empty ones (RFC 9110 section 5.6.1.2); false at its end. */
static bool find_element(const char **at)
{
    *at += strspn(*at, " \t,");
    return **at != '\0';
}

/* Past what is left of an element; to the end where a quoted-string has none. */
static const char *skip_element(const char *at)
{
    while (*at != '\0' && *at != ',') {
        size_t length = *at == '"' ? quoted_length(at) : 1;

        at += length > 0 ? length : strlen(at);
    }
    return at;
}

/* ---- the fields ---- */

bool header_is_request_id(const char *value)
{
    size_t length = strspn(value, ALPHANUMERIC "._-");

    return length >= 1 && length <= HEADER_REQUEST_ID_MAX && value[length] == '\0';
}

bool header_idempotency_key(const char *value, char ret_key[HEADER_IDEMPOTENCY_KEY_SIZE])
{
    char key[HEADER_IDEMPOTENCY_KEY_SIZE];
    size_t length = 0;
    bool is_quoted = *value == '"';

    for (value += is_quoted; *value != '\0' && *value != '"'; value++) {
        if (is_quoted && *value == '\\') {
            value++;
            if (*value != '"' && *value != '\\')
                return false;
        }
        if (*value < ' ' || *value > '~' || length == HEADER_IDEMPOTENCY_KEY_MAX)
            return false;
        key[length++] = *value;
    }
    if (length == 0 || (is_quoted ? strcmp(value, "\"") : strcmp(value, "")) != 0)
        return false;
    memcpy(ret_key, key, length);
    ret_key[length] = '\0';
    return true;
}

static bool read_seconds(struct piece word, int *ret_seconds)
{
    int seconds = 0;

    if (word.length == 0 || strspn(word.start, "0123456789") < word.length)
        return false;
    for (size_t i = 0; i < word.length; i++)
        if (__builtin_mul_overflow(seconds, 10, &seconds) ||
            __builtin_add_overflow(seconds, word.start[i] - '0', &seconds)) {
            seconds = INT_MAX;
            break;
        }
    *ret_seconds = seconds;
    return true;
}

bool header_prefer_wait(const char *value, int *ret_seconds)
{
    for (const char *at = value; find_element(&at); at = skip_element(at)) {
        struct piece word;

        if (is(take_pair(&at, &word), "wait"))
            return read_seconds(word, ret_seconds);
    }
    return false;
}

/* Past "W/", which weak comparison does not look at. */
static const char *opaque_tag(const char *tag)
{
    return strncmp(tag, "W/", 2) == 0 ? tag + 2 : tag;
}

bool header_etag_matches(const char *value, const char *etag)
{
    const char *at = skip_space(value);

    etag = opaque_tag(etag);
    if (*at == '*')
        return *skip_space(at + 1) == '\0';
    while (find_element(&at)) {
        const char *end;

        at = opaque_tag(at);
        end = *at == '"' ? strchr(at + 1, '"') : NULL; /* an entity tag has no escapes */
        if (end == NULL)
            return false;
        end++;
        if ((size_t)(end - at) == strlen(etag) && strncmp(at, etag, strlen(etag)) == 0)
            return true;
        at = skip_space(end);
        if (*at != ',' && *at != '\0')
            return false;
    }
    return false;
}

/* How closely a media range names a type; the closest that fits decides. */
enum fit {
    FIT_NONE,
    FIT_ANY,     /* "*" alone is what some old clients write for it */
    FIT_TYPE,    /* type/ and a star */
    FIT_SUBTYPE, /* the very type */
};
#define FIT_COUNT (FIT_SUBTYPE + 1)

static enum fit fit_of(struct piece range, const char *media_type)
{
    size_t slash = strcspn(media_type, "/");

    if (is(range, "*/*") || is(range, "*"))
        return FIT_ANY;
    if (is(range, media_type))
        return FIT_SUBTYPE;
    if (range.length == slash + 2 && strncasecmp(range.start, media_type, slash + 1) == 0 &&
        range.start[slash + 1] == '*')
        return FIT_TYPE;
    return FIT_NONE;
}

/* RFC 9110 section 12.4.2: a weight that is nothing but zeros. */
static bool is_refused(const char *parameters)
{
    struct piece name, word;

    while (take_parameter(&parameters, &name, &word))
        if (is(name, "q"))
            return word.length > 0 && strspn(word.start, "0.") >= word.length;
    return false;
}

bool header_accepts(const char *value, const char *media_type)
{
    bool named[FIT_COUNT] = {false}, taken[FIT_COUNT] = {false};
    bool has_range = false;
    enum fit best = FIT_SUBTYPE;

    if (value == NULL)
        return true;
    for (const char *at = value; find_element(&at); at = skip_element(at)) {
        struct piece range = {at, strspn(at, TOKEN_CHARACTERS "/")};
        enum fit fit = fit_of(range, media_type);

        at += range.length;
        has_range = true;
        named[fit] = true;
        taken[fit] |= !is_refused(at);
    }
    while (best > FIT_NONE && !named[best])
        best--;
    return !has_range || (best > FIT_NONE && taken[best]);
}

bool header_is_json(const char *value)
{
    struct piece type = {value, strspn(value, TOKEN_CHARACTERS "/")};
    const char *at = value + type.length;
    struct piece name, word;

    if (!is(type, "application/json"))
        return false;
    while (take_parameter(&at, &name, &word))
        if (is(name, "charset") && !is(word, "utf-8"))
            return false;
    return *skip_space(at) == '\0';
}

const char *header_bearer(const char *value)
{
    static const char scheme[] = "Bearer "; /* in any case: RFC 9110 section 11.1 */
    size_t length;

    if (strncasecmp(value, scheme, sizeof scheme - 1) != 0)
        return NULL;
    value += sizeof scheme - 1;
    value += strspn(value, " ");
    length = strspn(value, ALPHANUMERIC "-._~+/");
    if (length == 0 || value[length + strspn(value + length, "=")] != '\0')
        return NULL;
    return value;
}
