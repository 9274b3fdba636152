/* SPDX-License-Identifier: Apache-2.0 */
/* What root does in a folder of another user, who puts links in its way. */
#include "base/folder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/file_copy.h"

#define NOBODY 65534

/* Two folders, and in the other one a file "kept". */
static char here[] = "/tmp/sayhook-here-XXXXXX", other[] = "/tmp/sayhook-other-XXXXXX", kept[64];
static int folder = -1;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(here));
    cr_assert_not_null(mkdtemp(other));
    snprintf(kept, sizeof kept, "%s/kept", other);
    cr_assert_eq(file_replace(kept, "x", 1, 0600, NULL), 0);
    cr_assert_eq(folder_open(here, &folder, NULL), 0);
}

static void tear_down(void)
{
    close(folder);
    folder_remove(AT_FDCWD, here, 2);
    folder_remove(AT_FDCWD, other, 2);
    cr_expect_neq(access(here, F_OK), 0, "something was left");
}

TestSuite(folder, .init = set_up, .fini = tear_down);

static int make(const char *name)
{
    cleanup(close_fd) int fd = -1;

    return folder_make_at(folder, name, 0700, &fd, NULL);
}

Test(folder, is_made_once_and_never_by_a_link)
{
    cr_expect_eq(make("a"), 0);
    cr_expect_eq(make("a"), 0, "one that is there");
    cr_assert_eq(symlinkat(other, folder, "link"), 0);
    cr_expect_lt(make("link"), 0);
    cr_assert_eq(symlinkat("nowhere", folder, "broken"), 0);
    cr_expect_lt(make("broken"), 0);
    if (geteuid() != 0)
        return;
    cr_assert_eq(fchownat(folder, "a", NOBODY, NOBODY, 0), 0);
    cr_expect_eq(make("a"), -EPERM, "another user's");
}

Test(folder, is_removed_without_what_links_in_it_lead_to)
{
    cr_assert_eq(make("a"), 0);
    cr_assert_eq(symlinkat(other, folder, "a/link"), 0);
    cr_assert_eq(mkdirat(folder, "a/b", 0700), 0);
    cr_assert_eq(symlinkat(other, folder, "a/b/link"), 0);
    folder_remove(folder, "a", 1);
    cr_expect_eq(faccessat(folder, "a", F_OK, 0), -1);
    cr_assert_eq(symlinkat(other, folder, "link"), 0);
    folder_remove(folder, "link", 1);
    cr_expect_eq(access(kept, F_OK), 0, "what a link led to was removed");
}

Test(folder, a_move_replaces_nothing_and_may_have_been_done)
{
    cleanup(close_fd) int to = -1;

    cr_assert_eq(folder_make_at(folder, "to", 0700, &to, NULL), 0);
    cr_expect_eq(folder_move(folder, to, "a", NULL), 0, "what is not there");
    cr_assert_eq(make("a"), 0);
    cr_expect_eq(folder_move(folder, to, "a", NULL), 0);
    cr_expect_eq(faccessat(to, "a", F_OK, 0), 0);
    cr_assert_eq(symlinkat("nowhere", folder, "a"), 0);
    cr_expect_eq(folder_move(folder, to, "a", NULL), -EEXIST);
}

Test(folder, a_copy_has_the_traits_that_it_is_given_and_replaces_no_link)
{
    const struct file_traits traits = {0640, NOBODY, NOBODY};
    struct file_copy copy;
    struct stat status;

    cr_assert_eq(file_copy(kept, folder, "copy", false, &traits, &copy, NULL), 0);
    cr_assert_eq(fstatat(folder, "copy", &status, 0), 0);
    cr_expect_eq(status.st_mode & 0777, 0640);
    cr_expect_eq(status.st_uid, geteuid() == 0 ? NOBODY : geteuid());
    cr_expect_eq(file_copy(kept, folder, "copy", false, NULL, &copy, NULL), -EEXIST);
    cr_assert_eq(symlinkat(kept, folder, "link"), 0);
    cr_expect_eq(file_copy(kept, folder, "link", false, NULL, &copy, NULL), -EEXIST);
}

Test(folder, what_is_to_have_another_owner_is_copied_and_not_linked)
{
    const struct file_traits own = {0, geteuid(), getegid()}, other_s = {0, NOBODY, NOBODY};
    struct file_copy copy;

    if (geteuid() != 0)
        cr_skip_test("only root can give files away");
    cr_assert_eq(file_copy(kept, folder, "linked", true, &own, &copy, NULL), 0);
    cr_expect(copy.linked);
    cr_assert_eq(file_copy(kept, folder, "copied", true, &other_s, &copy, NULL), 0);
    cr_expect(!copy.linked, "it has the owner that the other has");
}

Test(folder, a_pipe_that_is_to_be_copied_keeps_nobody_waiting)
{
    struct file_copy copy;
    char path[64];

    snprintf(path, sizeof path, "%s/pipe", here);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(file_copy(path, folder, "copy", false, NULL, &copy, NULL), -EINVAL);
}
