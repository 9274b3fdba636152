/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_read.h"

#include <errno.h>
#include <locale.h>
#include <stdint.h>

#include <json-c/json.h>
#include <json-c/json_pointer.h>

#include "codec/json_gate.h"

/* json-c's object under a name of its own: no such struct exists. */
static struct json_object *object(const struct json_document *document)
{
    return (struct json_object *)(uintptr_t)document;
}

/*
 * json-c copies the thread's locale for each document, under a lock that all threads share, unless it is that
 * of C itself, which costs nothing.
 */
static struct json_object *parse(struct json_tokener *tokener, const char *bytes, size_t size)
{
    locale_t before = uselocale(newlocale(LC_ALL_MASK, "C", (locale_t)0));
    struct json_object *parsed = json_tokener_parse_ex(tokener, bytes, (int)size);

    uselocale(before);
    return parsed;
}

int json_read(const char *bytes, size_t size, struct json_document **ret_document, struct error *err)
{
    struct json_fault fault;
    struct json_facts facts;
    struct json_tokener *tokener;
    struct json_object *parsed;

    if (!json_gate(bytes, size, &facts, &fault))
        return error_set(err, -EINVAL, "no JSON: at byte %zu %s", fault.offset, fault.reason);
    if (!facts.is_object)
        return error_set(err, -EINVAL, "the JSON is no object");
    if (facts.is_crowded)
        return error_set(err, -EINVAL, "the JSON has more than %d values", JSON_GATE_VALUES_MAX);
    if (size > INT32_MAX)
        return error_set(err, -EFBIG, "a JSON of %zu bytes is too large", size);
    tokener = json_tokener_new();
    if (tokener == NULL)
        return error_set(err, -ENOMEM, "out of memory");
    parsed = parse(tokener, bytes, size);
    json_tokener_free(tokener);
    if (parsed == NULL)
        return error_set(err, -EINVAL, "no JSON object");
    *ret_document = (struct json_document *)(void *)parsed;
    return 0;
}

struct json_document *json_read_free(struct json_document *document)
{
    json_object_put(object(document));
    return NULL;
}

static struct json_object *find(const struct json_document *document, const char *pointer)
{
    struct json_object *found = NULL;

    return json_pointer_get(object(document), pointer, &found) == 0 ? found : NULL;
}

const char *json_read_string(const struct json_document *document, const char *pointer)
{
    struct json_object *found = find(document, pointer);

    return json_object_is_type(found, json_type_string) ? json_object_get_string(found) : NULL;
}

double json_read_number(const struct json_document *document, const char *pointer, double otherwise)
{
    struct json_object *found = find(document, pointer);

    return json_object_is_type(found, json_type_int) || json_object_is_type(found, json_type_double)
               ? json_object_get_double(found)
               : otherwise;
}
