/* SPDX-License-Identifier: Apache-2.0 */
/* The main() of tests in builds with ThreadSanitizer: see criterion/criterion.h beside it. */
#include <criterion/criterion.h>

#include <sys/wait.h>
#include <unistd.h>

/* What a test's process tells by its exit status. */
#define EXIT_FAILED  1
#define EXIT_SKIPPED 77

static struct test_entry *tests;
static struct suite_entry *suites;
static bool failed;

void test_register(struct test_entry *entry)
{
    entry->next = tests;
    tests = entry;
}

void suite_register(struct suite_entry *entry)
{
    entry->next = suites;
    suites = entry;
}

static void leave(int status)
{
    fflush(NULL);
    _exit(status);
}

void test_failed(const char *file, int line, const char *what, bool fatal)
{
    printf("# %s:%d: %s\n", file, line, what);
    __atomic_store_n(&failed, true, __ATOMIC_RELAXED); /* any thread of the test may find it */
    if (fatal)
        leave(EXIT_FAILED);
}

void test_skipped(void)
{
    leave(EXIT_SKIPPED);
    abort();
}

static const struct suite_options *options_of(const struct test_entry *test)
{
    static const struct suite_options none;

    for (const struct suite_entry *suite = suites; suite != NULL; suite = suite->next)
        if (strcmp(suite->suite, test->suite) == 0)
            return &suite->options;
    return &none;
}

/* In the child. */
static void run_here(const struct test_entry *test)
{
    const struct suite_options *options = options_of(test);

    if (options->timeout > 0)
        alarm((unsigned int)options->timeout);
    if (options->init != NULL)
        options->init();
    test->run();
    if (options->fini != NULL)
        options->fini();
    leave(failed ? EXIT_FAILED : 0);
}

static void run(const struct test_entry *test, int number)
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        run_here(test);
    if (pid > 0)
        waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("# ended by signal %d\n", WTERMSIG(status));
    printf("%s %d - %s::%s%s\n",
           status == 0 || (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED) ? "ok" : "not ok",
           number, test->suite, test->name,
           WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SKIPPED ? " # SKIP" : "");
}

int main(void)
{
    int count = 0;

    for (const struct test_entry *test = tests; test != NULL; test = test->next)
        run(test, ++count);
    printf("1..%d\n", count);
    return 0;
}
