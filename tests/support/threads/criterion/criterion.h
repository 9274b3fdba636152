/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Criterion that our tests use, for builds with ThreadSanitizer: Criterion 2.4.1 places a memory
 * arena where that sanitizer keeps its shadow, and dies before the first test.  Each test runs in a child of
 * fork(), as there; the child's exit status is the result, so that a race that was reported fails its test.
 */
#ifndef SUPPORT_THREADS_CRITERION_H
#define SUPPORT_THREADS_CRITERION_H

#include <fnmatch.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Automake's status of a test that was skipped. */
#define SHIM_SKIPPED 77

struct shim_options {
    void (*init)(void);
    void (*fini)(void);
    double timeout; /* not kept: a build with this sanitizer may be as slow as it likes */
};

struct shim_test {
    const char *suite;
    const char *name; /* NULL: the options of the suite itself */
    void (*run)(void);
    struct shim_options options;
    struct shim_test *next;
};

/* Weak, since a test program may have several files. */
__attribute__((weak)) struct shim_test *shim_tests;
__attribute__((weak)) bool shim_failed;

#define SHIM_REGISTER(suite_name, test_name, function, id, ...)                                              \
    __attribute__((constructor)) static void shim_register_##id(void)                                        \
    {                                                                                                        \
        static struct shim_test test = {suite_name, test_name, function, {__VA_ARGS__}, NULL};               \
        test.next = shim_tests;                                                                              \
        shim_tests = &test;                                                                                  \
    }

#define Test(suite, name, ...)                                                                               \
    static void suite##_##name##_shim(void);                                                                 \
    SHIM_REGISTER(#suite, #name, suite##_##name##_shim, suite##_##name, __VA_ARGS__)                         \
    static void suite##_##name##_shim(void)

#define TestSuite(suite, ...) SHIM_REGISTER(#suite, NULL, NULL, suite##_suite, __VA_ARGS__)

static inline struct shim_options shim_suite_options(const char *suite)
{
    for (const struct shim_test *test = shim_tests; test != NULL; test = test->next)
        if (test->name == NULL && strcmp(test->suite, suite) == 0)
            return test->options;
    return (struct shim_options){0};
}

static inline void shim_run(const struct shim_test *test)
{
    struct shim_options suite = shim_suite_options(test->suite);
    void (*init)(void) = test->options.init != NULL ? test->options.init : suite.init;
    void (*fini)(void) = test->options.fini != NULL ? test->options.fini : suite.fini;

    if (init != NULL)
        init();
    test->run();
    if (fini != NULL)
        fini();
    exit(shim_failed ? 1 : 0);
}

/* Takes Criterion's --filter 'suite/name'. */
__attribute__((weak)) int main(int argc, char **argv)
{
    const char *filter = argc == 3 && strcmp(argv[1], "--filter") == 0 ? argv[2] : "*";
    int count = 0, failures = 0;

    for (const struct shim_test *test = shim_tests; test != NULL; test = test->next) {
        char full[512];
        int status = -1;
        pid_t child;

        snprintf(full, sizeof full, "%s/%s", test->suite, test->name != NULL ? test->name : "");
        if (test->name == NULL || fnmatch(filter, full, 0) != 0)
            continue;
        fflush(stdout);
        child = fork();
        if (child == 0)
            shim_run(test);
        waitpid(child, &status, 0);
        count++;
        if (WIFEXITED(status) && WEXITSTATUS(status) == SHIM_SKIPPED) {
            printf("ok %d - %s # SKIP\n", count, full);
        } else if (status == 0) {
            printf("ok %d - %s\n", count, full);
        } else {
            failures++;
            printf("not ok %d - %s (wait status %d)\n", count, full, status);
        }
    }
    printf("1..%d\n", count);
    return failures != 0;
}

#define SHIM_CHECK(condition, fatal)                                                                         \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);                                         \
            shim_failed = true;                                                                              \
            if (fatal)                                                                                       \
                exit(1);                                                                                     \
        }                                                                                                    \
    } while (0)

/* The message that may follow is Criterion's to print; here the condition must do. */
#define cr_assert(condition, ...)               SHIM_CHECK(condition, true)
#define cr_assert_not(condition, ...)           SHIM_CHECK(!(condition), true)
#define cr_assert_eq(left, right, ...)          SHIM_CHECK((left) == (right), true)
#define cr_assert_neq(left, right, ...)         SHIM_CHECK((left) != (right), true)
#define cr_assert_lt(left, right, ...)          SHIM_CHECK((left) < (right), true)
#define cr_assert_gt(left, right, ...)          SHIM_CHECK((left) > (right), true)
#define cr_assert_leq(left, right, ...)         SHIM_CHECK((left) <= (right), true)
#define cr_assert_geq(left, right, ...)         SHIM_CHECK((left) >= (right), true)
#define cr_assert_null(pointer, ...)            SHIM_CHECK((pointer) == NULL, true)
#define cr_assert_not_null(pointer, ...)        SHIM_CHECK((pointer) != NULL, true)
#define cr_assert_str_eq(left, right, ...)      SHIM_CHECK(strcmp(left, right) == 0, true)
#define cr_assert_str_neq(left, right, ...)     SHIM_CHECK(strcmp(left, right) != 0, true)
#define cr_assert_arr_eq(left, right, n, ...)   SHIM_CHECK(memcmp(left, right, n) == 0, true)
#define cr_assert_float_eq(left, right, e, ...) SHIM_CHECK(fabs((left) - (right)) <= (e), true)
#define cr_assert_fail(...)                     SHIM_CHECK(false, true)
#define cr_expect(condition, ...)               SHIM_CHECK(condition, false)
#define cr_expect_not(condition, ...)           SHIM_CHECK(!(condition), false)
#define cr_expect_eq(left, right, ...)          SHIM_CHECK((left) == (right), false)
#define cr_expect_neq(left, right, ...)         SHIM_CHECK((left) != (right), false)
#define cr_expect_lt(left, right, ...)          SHIM_CHECK((left) < (right), false)
#define cr_expect_gt(left, right, ...)          SHIM_CHECK((left) > (right), false)
#define cr_expect_leq(left, right, ...)         SHIM_CHECK((left) <= (right), false)
#define cr_expect_geq(left, right, ...)         SHIM_CHECK((left) >= (right), false)
#define cr_expect_null(pointer, ...)            SHIM_CHECK((pointer) == NULL, false)
#define cr_expect_not_null(pointer, ...)        SHIM_CHECK((pointer) != NULL, false)
#define cr_expect_str_eq(left, right, ...)      SHIM_CHECK(strcmp(left, right) == 0, false)
#define cr_expect_str_neq(left, right, ...)     SHIM_CHECK(strcmp(left, right) != 0, false)
#define cr_expect_arr_eq(left, right, n, ...)   SHIM_CHECK(memcmp(left, right, n) == 0, false)
#define cr_expect_float_eq(left, right, e, ...) SHIM_CHECK(fabs((left) - (right)) <= (e), false)
#define cr_skip_test(...)                       exit(SHIM_SKIPPED)

#endif
