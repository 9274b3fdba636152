/* SPDX-License-Identifier: Apache-2.0 */
#include "config/secret_key.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/sayhook-key-XXXXXX";
static char path[64];

static const char right[SECRET_KEY_SIZE + 1] = "any 32 bytes will do, raw: \n\0\xff\x01!";

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/" SECRET_KEY_CREDENTIAL, folder);
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void tear_down(void)
{
    remove(path);
    cr_assert_eq(rmdir(folder), 0);
}

TestSuite(secret_key, .init = set_up, .fini = tear_down);

static void write_key(const char *bytes, size_t size, mode_t mode)
{
    remove(path);
    cr_assert_eq(file_replace(path, bytes, size, mode, NULL), 0);
    cr_assert_eq(chmod(path, mode), 0);
}

static void testcase_read(const char *setting)
{
    struct secret_key key = {0};
    struct error err = {""};

    cr_assert_eq(secret_key_read(setting, &key, &err), 0, "%s", err.text);
    cr_expect(key.given);
    cr_expect_eq(memcmp(key.bytes, right, SECRET_KEY_SIZE), 0);
}

static void testcase_refused(const char *setting, const char *hint)
{
    struct secret_key key = {0};
    struct error err = {""};

    cr_expect_eq(secret_key_read(setting, &key, &err), -EINVAL);
    cr_expect_not(key.given);
    cr_expect_not_null(strstr(err.text, hint), "%s lacks %s", err.text, hint);
    cr_expect_not_null(strstr(err.text, path), "%s does not name the file", err.text);
    cr_expect_null(strstr(err.text, "any 32"), "%s tells the key", err.text);
}

Test(secret_key, a_file_of_32_bytes_is_read_where_its_owner_alone_may)
{
    static const mode_t modes[] = {0400, 0600, 0700};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_key(right, SECRET_KEY_SIZE, modes[i]);
        testcase_read(path);
    }
}

Test(secret_key, a_file_that_others_may_use_is_refused)
{
    static const mode_t modes[] = {0440, 0604, 0620, 0602, 0410, 0401};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        write_key(right, SECRET_KEY_SIZE, modes[i]);
        testcase_refused(path, "chmod go=");
    }
}

Test(secret_key, a_file_of_another_length_is_refused)
{
    static const struct {
        size_t size;
        const char *hint;
    } sizes[] = {
        {0, "holds 0 bytes"}, {31, "holds 31 bytes"}, {33, "holds 33 bytes"}, {65, "holds 65 bytes"}};
    char bytes[65] = {0};

    memcpy(bytes, right, SECRET_KEY_SIZE);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        write_key(bytes, sizes[i].size, 0600);
        testcase_refused(path, sizes[i].hint);
        testcase_refused(path, "32 raw ones are right");
    }
}

Test(secret_key, a_file_of_another_owner_is_refused)
{
    if (geteuid() != 0)
        cr_skip_test("only root can be another user");
    cr_assert_eq(chmod(folder, 0755), 0);
    write_key(right, SECRET_KEY_SIZE, 0400);
    cr_assert_eq(seteuid(65534), 0);
    testcase_refused(path, "mend it with: chown ");
    cr_assert_eq(seteuid(0), 0);
}

Test(secret_key, what_is_no_file_is_refused)
{
    testcase_refused(path, "No such file");
    cr_assert_eq(mkdir(path, 0700), 0);
    testcase_refused(path, "not a regular file");
    remove(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    testcase_refused(path, "not a regular file");
}

Test(secret_key, without_a_setting_the_credential_is_read)
{
    struct secret_key key = {0};

    cr_expect_eq(secret_key_read("", &key, NULL), 0);
    cr_expect_not(key.given, "a key out of nothing");
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    cr_expect_eq(secret_key_read("", &key, NULL), 0);
    cr_expect_not(key.given, "a key out of other credentials");
    write_key(right, SECRET_KEY_SIZE, 0400);
    testcase_read("");
    /* As systemd leaves it where it lets the service in by an access list. */
    write_key(right, SECRET_KEY_SIZE, 0440);
    testcase_read("");
    write_key(right, 5, 0400);
    testcase_refused("", "holds 5 bytes");
}

Test(secret_key, the_setting_goes_before_the_credential)
{
    setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
    write_key(right, SECRET_KEY_SIZE, 0400);
    testcase_read(path);
}
