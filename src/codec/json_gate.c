/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_gate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

/* A name has a value: twice as many as names are noted, so that a probe stays short. */
#define SEEN_SLOTS (2 * JSON_GATE_VALUES_MAX)

/* FNV-1a, 64 bits. */
#define HASH_START UINT64_C(14695981039346656037)
#define HASH_PRIME UINT64_C(1099511628211)

struct scanner {
    const unsigned char *bytes;
    size_t size;
    size_t at;
    int depth;
    uint64_t objects; /* seen so far: the number of the one that is read */
    size_t values;
    size_t names;
    uint64_t *seen; /* a hash table of names and their objects; made when the first few are passed */
    uint64_t few[16];
    bool in_name;
    struct json_facts facts;
    struct json_fault fault;
};

static bool refuse_at(struct scanner *s, size_t offset, const char *reason)
{
    s->fault = (struct json_fault){offset, reason};
    return false;
}

static bool refuse(struct scanner *s, const char *reason)
{
    return refuse_at(s, s->at, s->at < s->size ? reason : "the document ends too early");
}

/* The byte in front, or -1 at the end. */
static int peek(const struct scanner *s)
{
    return s->at < s->size ? s->bytes[s->at] : -1;
}

static void skip_space(struct scanner *s)
{
    while (s->at < s->size) {
        unsigned char c = s->bytes[s->at];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        s->at++;
    }
}

/* ---- names ---- */

static bool insert_hash(uint64_t *slots, uint64_t hash)
{
    size_t slot = hash % SEEN_SLOTS;

    while (slots[slot] != 0) {
        if (slots[slot] == hash)
            return false;
        slot = (slot + 1) % SEEN_SLOTS;
    }
    slots[slot] = hash;
    return true;
}

static bool is_one_of_few(const struct scanner *s, uint64_t hash)
{
    for (size_t i = 0; i < s->names; i++)
        if (s->few[i] == hash)
            return true;
    return false;
}

/*
 * Notes a name by its hash, in which its object's number is mixed.  Two names of the same 64 bits are taken
 * for one: by accident that happens once in 2^64, and on purpose a client refuses but its own request.
 */
static bool note_name(struct scanner *s, uint64_t hash, size_t offset)
{
    static const size_t few = sizeof s->few / sizeof s->few[0];
    static const char *const twice = "a name stands twice in this object";

    hash += hash == 0; /* 0 is the empty slot */
    if (s->facts.is_crowded)
        return true;
    if (s->names < few) {
        if (is_one_of_few(s, hash))
            return refuse_at(s, offset, twice);
        s->few[s->names++] = hash;
        return true;
    }
    if (s->seen == NULL) {
        s->seen = calloc(SEEN_SLOTS, sizeof *s->seen);
        if (s->seen == NULL)
            return refuse_at(s, offset, "out of memory");
        for (size_t i = 0; i < few; i++)
            insert_hash(s->seen, s->few[i]);
    }
    if (!insert_hash(s->seen, hash))
        return refuse_at(s, offset, twice);
    s->names++;
    return true;
}

/* ---- strings ---- */

static void hash_byte(uint64_t *hash, unsigned int byte)
{
    *hash = (*hash ^ (byte & 0xFF)) * HASH_PRIME;
}

/* As UTF-8, so that a name hashes alike whether it is escaped or not. */
static void hash_code_point(uint64_t *hash, uint32_t c)
{
    if (c < 0x80) {
        hash_byte(hash, c);
    } else if (c < 0x800) {
        hash_byte(hash, 0xC0 | c >> 6);
        hash_byte(hash, 0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        hash_byte(hash, 0xE0 | c >> 12);
        hash_byte(hash, 0x80 | (c >> 6 & 0x3F));
        hash_byte(hash, 0x80 | (c & 0x3F));
    } else {
        hash_byte(hash, 0xF0 | c >> 18);
        hash_byte(hash, 0x80 | (c >> 12 & 0x3F));
        hash_byte(hash, 0x80 | (c >> 6 & 0x3F));
        hash_byte(hash, 0x80 | (c & 0x3F));
    }
}

static bool read_hex4(struct scanner *s, uint32_t *ret_unit)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++, s->at++) {
        int c = peek(s);

        if (c >= '0' && c <= '9')
            unit = unit << 4 | (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            unit = unit << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return refuse(s, "\\u needs four hexadecimal digits");
    }
    *ret_unit = unit;
    return true;
}

static void note_nul(struct scanner *s, size_t offset)
{
    if (!s->facts.nul_inside)
        s->facts.nul_offset = offset;
    s->facts.nul_inside = true;
    s->facts.nul_in_name |= s->in_name;
}

/* Behind "\u": one code unit, or the two of a surrogate pair. */
static bool read_unicode_escape(struct scanner *s, size_t start, uint32_t *ret_code_point)
{
    static const char *const lone = "half of a surrogate pair stands alone";
    uint32_t high, low;

    if (!read_hex4(s, &high))
        return false;
    if (high >= 0xDC00 && high <= 0xDFFF)
        return refuse_at(s, start, lone);
    if (high < 0xD800 || high > 0xDBFF) {
        if (high == 0)
            note_nul(s, start);
        *ret_code_point = high;
        return true;
    }
    if (s->size - s->at < 2 || s->bytes[s->at] != '\\' || s->bytes[s->at + 1] != 'u')
        return refuse_at(s, start, lone);
    s->at += 2;
    if (!read_hex4(s, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return refuse_at(s, start, lone);
    *ret_code_point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool read_escape(struct scanner *s, uint32_t *ret_code_point)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    size_t start = s->at++;
    int c = peek(s);
    const char *letter = c > 0 ? memchr(letters, c, sizeof letters - 1) : NULL;

    if (letter != NULL) {
        s->at++;
        *ret_code_point = (unsigned char)meanings[letter - letters];
        return true;
    }
    if (c != 'u')
        return refuse(s, "no such escape; RFC 8259 has \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u");
    s->at++;
    return read_unicode_escape(s, start, ret_code_point);
}

static bool read_character(struct scanner *s, uint32_t *ret_code_point)
{
    unsigned char c = s->bytes[s->at];
    size_t length;

    if (c == '\\')
        return read_escape(s, ret_code_point);
    if (c < 0x20)
        return refuse(s, "a control character in a string must be escaped");
    if (c < 0x80) {
        s->at++;
        *ret_code_point = c;
        return true;
    }
    length = utf8_decode((const char *)s->bytes + s->at, s->size - s->at, ret_code_point);
    if (length == 0)
        return refuse(s, "these bytes are not UTF-8");
    s->at += length;
    return true;
}

/* The opening quote is in front.  hash NULL: a value, whose plain bytes are passed over quickly. */
static bool read_string(struct scanner *s, uint64_t *hash)
{
    s->at++;
    while (s->at < s->size) {
        unsigned char c = s->bytes[s->at];
        uint32_t code_point;

        if (c == '"') {
            s->at++;
            return true;
        }
        if (hash == NULL && c >= 0x20 && c < 0x80 && c != '\\') {
            s->at++;
            continue;
        }
        if (!read_character(s, &code_point))
            return false;
        if (hash != NULL)
            hash_code_point(hash, code_point);
    }
    return refuse(s, "");
}

/* ---- numbers and words ---- */

static bool read_digits(struct scanner *s)
{
    size_t start = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at > start ? true : refuse(s, "a digit is missing");
}

static bool read_number(struct scanner *s)
{
    if (peek(s) == '-')
        s->at++;
    if (peek(s) == '0') {
        s->at++;
        if (peek(s) >= '0' && peek(s) <= '9')
            return refuse(s, "a number has no zero in front");
    } else if (!read_digits(s)) {
        return false;
    }
    if (peek(s) == '.') {
        s->at++;
        if (!read_digits(s))
            return false;
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        s->at++;
        if (peek(s) == '+' || peek(s) == '-')
            s->at++;
        return read_digits(s);
    }
    return true;
}

static bool read_word(struct scanner *s, const char *word)
{
    size_t length = strlen(word);

    if (s->size - s->at < length || memcmp(s->bytes + s->at, word, length) != 0)
        return refuse(s, "a value is true, false, null, a number, a string, an object or an array");
    s->at += length;
    return true;
}

/* ---- objects and arrays ---- */

static bool read_value(struct scanner *s);

static bool read_member(struct scanner *s, uint64_t object)
{
    uint64_t hash = HASH_START;
    size_t offset = s->at;

    if (peek(s) != '"')
        return refuse(s, "a name in double quotes belongs here");
    for (unsigned int shift = 0; shift < 32; shift += 8)
        hash_byte(&hash, (unsigned int)(object >> shift));
    s->in_name = true;
    if (!read_string(s, &hash) || !note_name(s, hash, offset))
        return false;
    s->in_name = false;
    skip_space(s);
    if (peek(s) != ':')
        return refuse(s, "a colon belongs here");
    s->at++;
    return read_value(s);
}

/* The opening bracket is in front; the members are read until the closing one. */
static bool read_container(struct scanner *s)
{
    bool is_object = s->bytes[s->at] == '{';
    int end = is_object ? '}' : ']';
    uint64_t object = is_object ? ++s->objects : 0;

    if (s->depth >= JSON_GATE_DEPTH_MAX)
        return refuse(s, "objects and arrays are nested more than 16 deep");
    s->depth++;
    s->at++;
    skip_space(s);
    if (peek(s) != end) {
        for (;;) {
            if (!(is_object ? read_member(s, object) : read_value(s)))
                return false;
            if (peek(s) != ',')
                break;
            s->at++;
            skip_space(s);
        }
        if (peek(s) != end)
            return refuse(s, is_object ? "a comma or } belongs here" : "a comma or ] belongs here");
    }
    s->at++;
    s->depth--;
    return true;
}

static bool read_any(struct scanner *s)
{
    int c = peek(s);

    switch (c) {
    case '{':
    case '[':
        return read_container(s);
    case '"':
        return read_string(s, NULL);
    case 't':
        return read_word(s, "true");
    case 'f':
        return read_word(s, "false");
    case 'n':
        return read_word(s, "null");
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return read_number(s);
        return refuse(s, "a value is true, false, null, a number, a string, an object or an array");
    }
}

/* A value and the white space around it. */
static bool read_value(struct scanner *s)
{
    s->facts.is_crowded |= ++s->values > JSON_GATE_VALUES_MAX;
    skip_space(s);
    if (!read_any(s))
        return false;
    skip_space(s);
    return true;
}

static bool starts_with_mark(const struct scanner *s)
{
    return s->size >= 3 && memcmp(s->bytes, "\xef\xbb\xbf", 3) == 0;
}

bool json_gate(const char *bytes, size_t size, struct json_facts *ret_facts, struct json_fault *ret_fault)
{
    struct scanner s = {.bytes = (const unsigned char *)bytes, .size = size};
    bool is_json;

    skip_space(&s);
    s.facts.is_object = peek(&s) == '{';
    is_json = starts_with_mark(&s)
                  ? refuse(&s, "the document starts with a byte order mark (RFC 8259, section 8.1)")
                  : read_value(&s);
    if (is_json && s.at < s.size)
        is_json = refuse(&s, "something stands behind the end of the document");
    free(s.seen);
    if (is_json)
        *ret_facts = s.facts;
    else
        *ret_fault = s.fault;
    return is_json;
}
