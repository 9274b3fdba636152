/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"

#define BOOT  "00000000-0000-0000-0000-000000000001"
#define OTHER "00000000-0000-0000-0000-000000000002"

static char folder[] = "/tmp/sayhook-test.XXXXXX";
static char path[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/marks", folder);
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(checkpoint, .init = setup, .fini = teardown);

static struct checkpoint_mark mark(int64_t number)
{
    return (struct checkpoint_mark){
        .source_end = number, .source_bytes = number, .samples = 100 * number, .sample_rate = 16000};
}

/* Marks 1 to count; those up to durable are so. */
static void testcase_write(int64_t count, int64_t durable)
{
    struct checkpoint *checkpoint;
    struct error err = {""};

    cr_assert_eq(checkpoint_create(path, BOOT, &checkpoint, &err), 0, "%s", err.text);
    for (int64_t i = 1; i <= count; i++) {
        const struct checkpoint_mark next = mark(i);

        cr_assert_eq(checkpoint_add(checkpoint, &next, i == durable, &err), 0, "%s", err.text);
    }
    checkpoint_close(checkpoint);
}

/* The last mark that is trusted; 0 where none is. */
static int64_t testcase_last(const char *boot_id)
{
    struct checkpoint *checkpoint;
    struct checkpoint_mark last;
    struct error err = {""};
    int r = checkpoint_reopen(path, boot_id, &checkpoint, &last, &err);

    cr_assert_geq(r, 0, "%s", err.text);
    if (r == CHECKPOINT_NONE)
        return 0;
    checkpoint_close(checkpoint);
    cr_assert_eq(last.samples, 100 * last.source_end);
    return last.source_end;
}

Test(checkpoint, the_last_mark_counts)
{
    cr_assert_eq(testcase_last(BOOT), 0, "there is no file");
    testcase_write(0, 0);
    cr_assert_eq(testcase_last(BOOT), 0, "there is no mark");
    unlink(path);
    testcase_write(5, 0);
    cr_assert_eq(testcase_last(BOOT), 5);
}

Test(checkpoint, after_a_crash_of_the_machine_only_durable_marks_count)
{
    testcase_write(5, 3);
    cr_assert_eq(testcase_last(OTHER), 3);
    cr_assert_eq(testcase_last(OTHER), 3, "those behind it are gone for good");
    unlink(path);
    testcase_write(5, 0);
    cr_assert_eq(testcase_last(OTHER), 0);
}

Test(checkpoint, what_was_synced_meanwhile_counts_once_a_mark_tells_of_it)
{
    const struct checkpoint_mark sixth = mark(6), seventh = mark(7);
    struct checkpoint *checkpoint;
    struct checkpoint_mark last;

    testcase_write(5, 0);
    cr_assert_eq(checkpoint_reopen(path, BOOT, &checkpoint, &last, NULL), 0);
    cr_assert_eq(checkpoint_count(checkpoint), 5);
    cr_assert_eq(checkpoint_add(checkpoint, &sixth, false, NULL), 0);
    checkpoint_vouch(checkpoint, 5); /* which a sync was begun with */
    checkpoint_vouch(checkpoint, 2);
    cr_assert_eq(checkpoint_add(checkpoint, &seventh, false, NULL), 0);
    checkpoint_close(checkpoint);
    cr_assert_eq(testcase_last(OTHER), 5);
    cr_assert_eq(testcase_last(BOOT), 5, "it is durable in any case");
}

Test(checkpoint, a_torn_or_damaged_mark_is_passed_over)
{
    struct stat status;
    FILE *file;

    testcase_write(5, 0);
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(truncate(path, status.st_size - 7), 0);
    cr_assert_eq(testcase_last(BOOT), 4);
    file = fopen(path, "r+e");
    cr_assert_not_null(file);
    fseek(file, -20, SEEK_END);
    fputc(0x5a, file);
    fclose(file);
    cr_assert_eq(testcase_last(BOOT), 3);
}

Test(checkpoint, marks_are_added_behind_the_one_that_was_trusted)
{
    const struct checkpoint_mark next = mark(9);
    struct checkpoint_mark last;
    struct checkpoint *checkpoint;

    testcase_write(5, 2);
    cr_assert_eq(checkpoint_reopen(path, OTHER, &checkpoint, &last, NULL), 0);
    cr_assert_eq(checkpoint_add(checkpoint, &next, false, NULL), 0);
    checkpoint_close(checkpoint);
    cr_assert_eq(testcase_last(OTHER), 9);
}

Test(checkpoint, a_file_of_something_else_is_none)
{
    FILE *file = fopen(path, "we");

    for (int i = 0; i < 1000; i++)
        fputc('x', file);
    fclose(file);
    cr_assert_eq(testcase_last(BOOT), 0);
}
