/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Criterion that our tests use, for builds with ThreadSanitizer: Criterion 2.4.1 places a memory
 * arena where that sanitizer keeps its shadow, and dies before the first test.  Each test runs in a child of
 * fork(), as there; the child's exit status is the result, so that a race that was reported fails its test.
 */
#ifndef SUPPORT_THREADS_CRITERION_H
#define SUPPORT_THREADS_CRITERION_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct suite_options {
    void (*init)(void); /* before and after each test, in its process */
    void (*fini)(void);
    double timeout; /* seconds */
};

struct suite_entry {
    const char *suite;
    struct suite_options options;
    struct suite_entry *next;
};

struct test_entry {
    const char *suite;
    const char *name;
    void (*run)(void);
    struct test_entry *next;
};

/* Called before main(), which runner.c has; the entries are static. */
void test_register(struct test_entry *entry);
void suite_register(struct suite_entry *entry);

/* Says what does not hold; fatal ends the test. */
void test_failed(const char *file, int line, const char *what, bool fatal);
void test_skipped(void) __attribute__((noreturn));

#define Test(suite_name, test_name, ...)                                                                     \
    static void suite_name##_##test_name(void);                                                              \
    __attribute__((constructor)) static void suite_name##_##test_name##_register(void)                       \
    {                                                                                                        \
        static struct test_entry entry = {#suite_name, #test_name, suite_name##_##test_name, NULL};          \
                                                                                                             \
        test_register(&entry);                                                                               \
    }                                                                                                        \
    static void suite_name##_##test_name(void)

#define TestSuite(suite_name, ...)                                                                           \
    __attribute__((constructor)) static void suite_name##_suite_register(void)                               \
    {                                                                                                        \
        static struct suite_entry entry = {#suite_name, {__VA_ARGS__}, NULL};                                \
                                                                                                             \
        suite_register(&entry);                                                                              \
    }                                                                                                        \
    extern const char suite_name##_suite_takes_a_semicolon

#define SHIM_CHECK(condition, fatal)                                                                         \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            test_failed(__FILE__, __LINE__, #condition, fatal);                                              \
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
#define cr_skip_test(...)                       test_skipped()

#endif
