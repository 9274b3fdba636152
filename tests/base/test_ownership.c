/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ownership.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A user that nothing belongs to. */
#define NOBODY 65534

static struct stat of(mode_t mode, uid_t owner)
{
    return (struct stat){.st_mode = mode, .st_uid = owner};
}

static void testcase_passes(struct stat status, enum owner owner, mode_t forbidden)
{
    struct error err = {""};

    cr_expect_eq(ownership_check("/x", &status, owner, forbidden, &err), 0, "%s", err.text);
}

static void testcase_refused(struct stat status, enum owner owner, mode_t forbidden, const char *command)
{
    struct error err = {""};

    cr_expect_eq(ownership_check("/x", &status, owner, forbidden, &err), -EPERM);
    cr_expect_not_null(strstr(err.text, command), "%s lacks %s", err.text, command);
}

Test(ownership, what_others_may_change_is_refused_with_the_command_that_mends_it)
{
    uid_t self = geteuid();

    testcase_passes(of(S_IFREG | 0644, self), OWNER_SELF_OR_ROOT, OTHERS_MAY_CHANGE);
    testcase_passes(of(S_IFDIR | 02750, self), OWNER_SELF, OTHERS_MAY_CHANGE);
    testcase_passes(of(S_IFIFO | 0666, self), OWNER_SELF, OTHERS_MAY_CHANGE); /* --config <(echo ...) */
    testcase_refused(of(S_IFREG | 0664, self), OWNER_SELF_OR_ROOT, OTHERS_MAY_CHANGE, "chmod go-w '/x'");
    testcase_refused(of(S_IFDIR | 01777, self), OWNER_SELF, OTHERS_MAY_CHANGE, "chmod go-w '/x'");
    testcase_refused(of(S_IFREG | 0440, self), OWNER_SELF_OR_ROOT, OTHERS_MAY_ANY, "chmod go= '/x'");
}

Test(ownership, what_is_not_there_passes)
{
    cr_expect_eq(ownership_check_path("/nonexistent/x", OWNER_SELF, OTHERS_MAY_CHANGE, NULL), 0);
}

Test(ownership, another_user_s_is_refused)
{
    if (geteuid() == 0)
        cr_assert_eq(seteuid(NOBODY), 0);
    testcase_refused(of(S_IFREG | 0600, 12345), OWNER_SELF_OR_ROOT, 0, "chown");
    testcase_passes(of(S_IFREG | 0600, 0), OWNER_SELF_OR_ROOT, 0);
    testcase_refused(of(S_IFDIR | 0700, 0), OWNER_SELF, 0, "belongs to root");
}

static void testcase_unreadable(const char *path, mode_t mode, uid_t owner, bool is_secret, const char *said)
{
    struct error err = {""};

    cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chown(path, owner, 0), 0);
    cr_assert_eq(chmod(path, mode), 0);
    cr_assert_eq(seteuid(NOBODY), 0);
    cr_expect_eq(ownership_refuse_reading(path, is_secret, &err), -EACCES);
    cr_expect_not_null(strstr(err.text, said), "%s lacks %s", err.text, said);
}

Test(ownership, what_may_not_be_read_is_refused_with_the_command_that_mends_it)
{
    char folder[] = "/tmp/sayhook-owner-XXXXXX", path[64];
    struct error err = {""};
    FILE *file;

    if (geteuid() != 0)
        cr_skip_test("only root can give files away");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chmod(folder, 0755), 0);
    snprintf(path, sizeof path, "%s/x", folder);
    cr_assert_not_null(file = fopen(path, "w"));
    fclose(file);
    testcase_unreadable(path, 0600, 0, false, "chmod a+r '/tmp/");
    testcase_unreadable(path, 0400, 0, true, "it is root's to read");
    testcase_unreadable(path, 0400, 0, true, "chown nobody '/tmp/");
    testcase_unreadable(path, 0200, NOBODY, true, "chmod u+r '/tmp/");
    cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(folder, 0700), 0);
    cr_assert_eq(seteuid(NOBODY), 0);
    cr_expect_eq(ownership_check_path(path, OWNER_SELF_OR_ROOT, 0, &err), -EACCES);
    cr_expect_not_null(strstr(err.text, "namei -l '/tmp/"), "%s", err.text);
    cr_assert_eq(seteuid(0), 0);
    unlink(path);
    rmdir(folder);
}

Test(ownership, what_root_makes_in_a_folder_of_another_is_the_other_s)
{
    char folder[] = "/tmp/sayhook-owner-XXXXXX", path[64];
    struct stat status;
    int fd;

    if (geteuid() != 0)
        cr_skip_test("only root can give files away");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chown(folder, NOBODY, NOBODY), 0);
    snprintf(path, sizeof path, "%s/x", folder);
    fd = ownership_open(path, 0, 0640);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fstat(fd, &status), 0);
    cr_expect_eq(status.st_uid, NOBODY);
    cr_expect_eq(status.st_mode & 0777, 0640);
    close(fd);
    unlink(path);
    rmdir(folder);
}

/* A further name of root's file, in the folder of another user. */
static void testcase_not_given_away(int (*put)(const char *from, const char *to), int expected)
{
    char folder[] = "/tmp/sayhook-owner-XXXXXX", target[] = "/tmp/sayhook-root-XXXXXX", path[64];
    struct stat status;
    int fd = mkstemp(target);

    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chown(folder, NOBODY, NOBODY), 0);
    snprintf(path, sizeof path, "%s/x", folder);
    cr_assert_eq(put(target, path), 0);
    cr_expect_eq(ownership_open(path, 0, 0640), expected);
    cr_assert_eq(stat(target, &status), 0);
    cr_expect_eq(status.st_uid, 0, "root's file was given away");
    unlink(path);
    unlink(target);
    rmdir(folder);
}

Test(ownership, root_s_file_is_not_given_away_by_another_name_for_it)
{
    if (geteuid() != 0)
        cr_skip_test("only root can give files away");
    testcase_not_given_away(symlink, -ELOOP);
    testcase_not_given_away(link, -EPERM);
}
