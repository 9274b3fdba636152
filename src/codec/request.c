/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/request.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/nearest.h"
#include "text/utf8.h"

/* Deeper than the gate lets through: json-c's own count starts at the document. */
#define PARSER_DEPTH (JSON_GATE_DEPTH_MAX + 8)

/* Names of a list, for a detail: "slt, rms, awb". */
#define LIST_SIZE 160

/* One parse under way. */
struct parse {
    const struct request_limits *limits;
    struct create_request *request;
    struct faults *faults;
    const char *voice; /* as the client named it; judged when the language is known */
    bool language_faulty;
    bool text_seen;
    bool out_of_memory;
};

static const char *type_name(struct json_object *value)
{
    static const char *const names[] = {
        [json_type_null] = "null",       [json_type_boolean] = "a boolean", [json_type_double] = "a number",
        [json_type_int] = "a number",    [json_type_object] = "an object",  [json_type_array] = "an array",
        [json_type_string] = "a string",
    };

    return names[json_object_get_type(value)];
}

static void add_wrong_type(struct parse *parse, const char *pointer, const char *wanted,
                           struct json_object *value)
{
    fault_add(parse->faults, "wrong_type", pointer, "must be %s, not %s", wanted, type_name(value));
}

/* A string that holds no NUL, or NULL with a fault. */
static const char *take_string(struct parse *parse, const char *pointer, struct json_object *value,
                               size_t *ret_length)
{
    const char *text;

    if (!json_object_is_type(value, json_type_string)) {
        add_wrong_type(parse, pointer, "a string", value);
        return NULL;
    }
    text = json_object_get_string(value);
    *ret_length = (size_t)json_object_get_string_len(value);
    if (strlen(text) != *ret_length) {
        fault_add(parse->faults, "nul_character", pointer, "must not hold the character NUL (\\u0000)");
        return NULL;
    }
    return text;
}

/* ---- the members ---- */

static void take_text(struct parse *parse, const char *pointer, struct json_object *value)
{
    size_t length;
    const char *text = take_string(parse, pointer, value, &length);
    int64_t characters;

    parse->text_seen = true;
    if (text == NULL)
        return;
    characters = utf8_count(text, length);
    if (characters > parse->limits->max_text_chars)
        fault_add(parse->faults, "out_of_range", pointer,
                  "has %lld characters; at most %lld are taken at once: split the text",
                  (long long)characters, (long long)parse->limits->max_text_chars);
    else if (!text_is_speakable(text, length))
        fault_add(parse->faults, "nothing_to_speak", pointer,
                  "holds nothing that can be spoken; it needs a letter, a digit or a symbol that has a name");
    parse->request->text = text;
    parse->request->text_bytes = length;
    parse->request->characters = characters;
}

static void list_languages(char ret_list[LIST_SIZE])
{
    size_t count;
    const struct language *languages = catalogue_languages(&count);
    struct buf list = BUF_INIT(LIST_SIZE - 1);

    for (size_t i = 0; i < count; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", languages[i].name);
    memcpy(ret_list, buf_str(&list), list.length + 1);
    buf_release(&list);
}

static void list_voices(const struct language *language, char ret_list[LIST_SIZE])
{
    size_t count;
    const struct voice *voices = catalogue_voices(&count);
    struct buf list = BUF_INIT(LIST_SIZE - 1);

    for (size_t i = 0; i < count; i++)
        if (strcmp(voices[i].language, language->name) == 0)
            buf_printf(&list, "%s%s", list.length > 0 ? ", " : "", voices[i].id);
    memcpy(ret_list, buf_str(&list), list.length + 1);
    buf_release(&list);
}

static void take_language(struct parse *parse, const char *pointer, struct json_object *value)
{
    size_t length;
    const char *name = take_string(parse, pointer, value, &length);
    char known[LIST_SIZE];
    char quoted[64];

    parse->request->language = name != NULL ? catalogue_find_language(name) : NULL;
    parse->language_faulty = parse->request->language == NULL;
    if (name == NULL || !parse->language_faulty)
        return;
    list_languages(known);
    fault_quote(name, quoted, sizeof quoted);
    fault_add(parse->faults, "unknown_language", pointer,
              "\"%s\" is not a language that this server speaks; it speaks: %s", quoted, known);
}

static void take_voice(struct parse *parse, const char *pointer, struct json_object *value)
{
    size_t length;

    parse->voice = take_string(parse, pointer, value, &length);
}

/* Once all members were seen: which voices there are depends on the language. */
static void judge_voice(struct parse *parse)
{
    const struct language *language = parse->request->language;
    char known[LIST_SIZE];
    char quoted[64];

    if (parse->language_faulty)
        return;
    parse->request->voice = catalogue_find_voice(language, parse->voice);
    if (parse->request->voice != NULL || parse->voice == NULL)
        return;
    list_voices(language, known);
    fault_quote(parse->voice, quoted, sizeof quoted);
    fault_add(parse->faults, "unknown_voice", "/voice", "\"%s\" is not a voice of %s; its voices are: %s",
              quoted, language->name, known);
}

static void take_format(struct parse *parse, const char *pointer, struct json_object *value)
{
    size_t length;
    const char *name = take_string(parse, pointer, value, &length);
    const char *known[AUDIO_FORMAT_COUNT];
    size_t count = 0;
    struct buf list = BUF_INIT(LIST_SIZE);
    char quoted[64];
    bool exists;

    if (name == NULL)
        return;
    exists = audio_format_parse(name, &parse->request->format);
    if (exists && (parse->limits->formats & 1u << parse->request->format) != 0)
        return;
    for (unsigned int i = 0; i < AUDIO_FORMAT_COUNT; i++)
        if ((parse->limits->formats & 1u << i) != 0)
            known[count++] = audio_format_name((enum audio_format)i);
    for (size_t i = 0; i < count; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", known[i]);
    fault_quote(name, quoted, sizeof quoted);
    fault_add(parse->faults, exists ? "not_available" : "unknown_format", pointer,
              exists ? "\"%s\" is not available on this server yet; it makes: %s"
                     : "\"%s\" is not an audio format that this server knows; it makes: %s",
              quoted, buf_str(&list));
    buf_release(&list);
}

static void take_factor(struct parse *parse, const char *pointer, struct json_object *value,
                        double *ret_factor)
{
    double factor;

    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double)) {
        add_wrong_type(parse, pointer, "a number", value);
        return;
    }
    factor = json_object_get_double(value);
    /* Written so that what is no number fails, too. */
    if (!(factor >= REQUEST_FACTOR_MIN && factor <= REQUEST_FACTOR_MAX)) {
        fault_add(parse->faults, "out_of_range", pointer, "must be from %.1f to %.1f", REQUEST_FACTOR_MIN,
                  REQUEST_FACTOR_MAX);
        return;
    }
    *ret_factor = factor;
}

static void take_speed(struct parse *parse, const char *pointer, struct json_object *value)
{
    take_factor(parse, pointer, value, &parse->request->speed);
}

static void take_pitch(struct parse *parse, const char *pointer, struct json_object *value)
{
    take_factor(parse, pointer, value, &parse->request->pitch);
}

static void take_timings(struct parse *parse, const char *pointer, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_boolean)) {
        add_wrong_type(parse, pointer, "true or false", value);
        return;
    }
    parse->request->timings = json_object_get_boolean(value) != 0;
}

static void take_webhook_url(struct parse *parse, const char *pointer, struct json_object *value)
{
    size_t length;
    const char *text = take_string(parse, pointer, value, &length);
    struct error reason = {""};
    struct url url;
    int r;

    if (text == NULL)
        return;
    r = guard_judge_url(parse->limits->guard, text, &url, &reason);
    if (r != 0) {
        fault_add(parse->faults, r < 0 ? "invalid_url" : "forbidden_url", pointer, "%s", reason.text);
        return;
    }
    parse->request->webhook_url = text;
    memcpy(parse->request->receiver, url.receiver, sizeof url.receiver);
}

static void take_metadata_member(struct parse *parse, const char *name, struct json_object *value,
                                 size_t *bytes)
{
    char pointer[FAULT_POINTER_SIZE] = "/metadata";
    size_t length;

    fault_pointer_append(pointer, name);
    *bytes += strlen(name);
    if (take_string(parse, pointer, value, &length) != NULL)
        *bytes += length;
}

static void take_metadata(struct parse *parse, const char *pointer, struct json_object *value)
{
    size_t bytes = 0;
    const char *json;

    if (!json_object_is_type(value, json_type_object)) {
        add_wrong_type(parse, pointer, "an object", value);
        return;
    }
    json_object_object_foreach(value, name, member)
    {
        take_metadata_member(parse, name, member, &bytes);
    }
    if (json_object_object_length(value) > JOB_METADATA_MEMBERS_MAX)
        fault_add(parse->faults, "out_of_range", pointer, "has %d members; at most %d are taken",
                  json_object_object_length(value), JOB_METADATA_MEMBERS_MAX);
    if (bytes > JOB_METADATA_BYTES_MAX)
        fault_add(parse->faults, "out_of_range", pointer,
                  "its names and values have %zu bytes together; at most %d are taken", bytes,
                  JOB_METADATA_BYTES_MAX);
    json = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    free(parse->request->metadata);
    parse->request->metadata = json != NULL ? strdup(json) : NULL;
    parse->out_of_memory |= parse->request->metadata == NULL;
}

static const struct {
    const char *name;
    void (*take)(struct parse *parse, const char *pointer, struct json_object *value);
} members[] = {
    {"text", take_text},         {"language", take_language},
    {"voice", take_voice},       {"format", take_format},
    {"speed", take_speed},       {"pitch", take_pitch},
    {"timings", take_timings},   {"webhook_url", take_webhook_url},
    {"metadata", take_metadata},
};

static void refuse_member(struct parse *parse, const char *pointer, const char *name)
{
    const char *names[array_length(members)];
    const char *nearest;
    char quoted[NEAREST_NAME_MAX];

    for (size_t i = 0; i < array_length(members); i++)
        names[i] = members[i].name;
    nearest = nearest_name(name, names, array_length(names));
    fault_quote(name, quoted, sizeof quoted);
    if (nearest != NULL)
        fault_add(parse->faults, "unknown_member", pointer, "\"%s\" is unknown; did you mean \"%s\"?", quoted,
                  nearest);
    else
        fault_add(parse->faults, "unknown_member", pointer,
                  "\"%s\" is unknown; the members are: text, language, voice, format, speed, pitch, timings, "
                  "webhook_url, metadata",
                  quoted);
}

static void take_member(struct parse *parse, const char *name, struct json_object *value)
{
    char pointer[FAULT_POINTER_SIZE] = "";

    fault_pointer_append(pointer, name);
    for (size_t i = 0; i < array_length(members); i++)
        if (strcmp(members[i].name, name) == 0) {
            members[i].take(parse, pointer, value);
            return;
        }
    refuse_member(parse, pointer, name);
}

/* ---- the whole ---- */

void create_request_release(struct create_request *request)
{
    json_object_put(request->document);
    free(request->metadata);
    *request = (struct create_request){0};
}

static void take_members(struct parse *parse)
{
    json_object_object_foreach(parse->request->document, name, value)
    {
        take_member(parse, name, value);
    }
    if (!parse->text_seen)
        fault_add(parse->faults, "missing_member", "/text", "is required: the text that is to be spoken");
    judge_voice(parse);
}

/*
 * The gate has judged the syntax, so json-c's own strict modes stay off: that of version 0.18 refuses every
 * byte past ASCII where char is signed.
 */
static struct json_object *parse_document(const char *body, size_t size)
{
    struct json_tokener *tokener = json_tokener_new_ex(PARSER_DEPTH);
    struct json_object *document;

    if (tokener == NULL)
        return NULL;
    document = json_tokener_parse_ex(tokener, body, (int)size);
    json_tokener_free(tokener);
    return document;
}

int create_request_parse(const char *body, size_t size, const struct request_limits *limits,
                         struct create_request *ret_request, struct json_fault *ret_fault,
                         struct faults *faults, struct error *err)
{
    cleanup(create_request_release) struct create_request request = {
        .language = catalogue_find_language("english"),
        .format = AUDIO_WAV,
        .speed = 1.0,
        .pitch = 1.0,
    };
    struct parse parse = {.limits = limits, .request = &request, .faults = faults};
    struct json_facts facts;

    if (size > INT32_MAX)
        return error_set(err, -EFBIG, "a body of %zu bytes is too large", size);
    if (!json_gate(body, size, &facts, ret_fault))
        return REQUEST_NOT_JSON;
    if (!facts.is_object) {
        fault_add(faults, "wrong_type", "", "the body must be an object, such as {\"text\": \"Hello.\"}");
        return REQUEST_FAULTY;
    }
    if (facts.is_crowded) {
        fault_add(faults, "out_of_range", "",
                  "the body has more than %d members and items; no request needs as many",
                  JSON_GATE_VALUES_MAX);
        return REQUEST_FAULTY;
    }
    request.document = parse_document(body, size);
    if (request.document == NULL)
        return error_set(err, -ENOMEM, "out of memory for a document of %zu bytes", size);
    take_members(&parse);
    if (parse.out_of_memory)
        return error_set(err, -ENOMEM, "out of memory");
    /* json-c ends a name at its NUL, so that one in a name went unseen. */
    if (facts.nul_in_name)
        fault_add(faults, "nul_character", "",
                  "no name may hold the character NUL (\\u0000); the body's first stands at byte %zu",
                  facts.nul_offset);
    if (faults->total > 0)
        return REQUEST_FAULTY;
    *ret_request = request;
    request = (struct create_request){0};
    return 0;
}
