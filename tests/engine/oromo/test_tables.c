/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine makes of Afaan Oromoo, held against tables that were written from the language's rules. */
#include "engine/phones.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

enum {
    LINE_MAX_BYTES = 4096, /* the longest row of the tables has less than 1,000 */
};

/* The phones of a text's tokens on one line, words separated by " | "; the caller frees it. */
static char *testcase_phones(const char *text)
{
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "re"), *out;
    struct error err = {.text = ""};
    char *lines = NULL, *rest, *joined;
    size_t length;

    out = open_memstream(&lines, &length);
    cr_assert(in != NULL && out != NULL);
    cr_assert_eq(phones_print("oromo", in, out, &err), 0, "%s: %s", text, err.text);
    fclose(in);
    fclose(out);

    joined = calloc(1, 2 * length + 1); /* " | " for a line break, and a token has one byte at least */
    cr_assert_not_null(joined);
    rest = lines;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        const char *phones = strchr(line, '\t');

        if (phones == NULL || phones[1] == '\0')
            continue; /* the end, or a token that is silent */
        if (joined[0] != '\0')
            strcat(joined, " | ");
        strcat(joined, phones + 1);
    }
    free(lines);
    return joined;
}

typedef void row_check(const char *where, const char *written, const char *expected);

/* Calls check for every row of a table; returns how many there are. */
static int testcase_rows(const char *name, row_check *check)
{
    const char *top = getenv("top_srcdir");
    char path[4096], line[LINE_MAX_BYTES];
    int rows = 0, number = 0;
    FILE *table;

    snprintf(path, sizeof path, "%s/tests/engine/oromo/%s", top != NULL ? top : ".", name);
    table = fopen(path, "re");
    cr_assert_not_null(table, "%s", path);
    while (fgets(line, sizeof line, table) != NULL) {
        char where[64], *expected = line, *written;

        number++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        written = strsep(&expected, "\t");
        snprintf(where, sizeof where, "%s:%d", name, number);
        cr_assert_not_null(expected, "%s has no tab", where);
        check(where, written, expected);
        rows++;
    }
    fclose(table);
    return rows;
}

static void check_phones(const char *where, const char *written, const char *expected)
{
    char *phones = testcase_phones(written);

    cr_expect_str_eq(phones, expected, "%s: %s is [%s], not [%s]", where, written, phones, expected);
    free(phones);
}

static void check_words(const char *where, const char *written, const char *expected)
{
    char *phones = testcase_phones(written), *spelled_out = testcase_phones(expected);

    cr_expect_str_eq(phones, spelled_out, "%s: %s is [%s], not [%s], which is [%s]", where, written, phones,
                     expected, spelled_out);
    free(spelled_out);
    free(phones);
}

Test(oromo_tables, words_are_said_as_qubee_spells_them)
{
    cr_expect_geq(testcase_rows("words.tsv", check_phones), 300);
}

Test(oromo_tables, numbers_are_said_in_words)
{
    cr_expect_geq(testcase_rows("numbers.tsv", check_words), 150);
}
