/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/repeat.h"
#include "base/wake.h"

Test(buf, an_append_past_the_maximum_fails_and_sticks)
{
    struct buf buf = BUF_INIT(8);

    buf_append_str(&buf, "12345678");
    cr_assert(buf_ok(&buf));
    buf_append_str(&buf, "9");
    cr_assert_not(buf_ok(&buf));
    buf_append_str(&buf, "");
    cr_assert_not(buf_ok(&buf));
    cr_assert_str_eq(buf_str(&buf), "12345678", "what was there stays");
    cr_assert_null(buf_steal(&buf));
    buf_release(&buf);
}

Test(buf, printed_and_consumed_bytes_keep_their_order)
{
    struct buf buf = BUF_INIT(4096);
    char *text;

    for (int i = 0; i < 100; i++)
        buf_printf(&buf, "%02d", i);
    buf_consume(&buf, 190);
    text = buf_steal(&buf);
    cr_assert_str_eq(text, "9596979899");
    free(text);
    cr_assert_str_eq(buf_str(&buf), "");
}

Test(id, numbers_sort_as_text_and_parse_back)
{
    static const uint64_t numbers[] = {0, 35, 36, 1795507200000000, UINT64_MAX};
    char before[ID_NUMBER_CHARS + 1] = "";

    for (size_t i = 0; i < array_length(numbers); i++) {
        char text[ID_NUMBER_CHARS + 1];
        uint64_t number;

        id_format_number(numbers[i], text, ID_NUMBER_CHARS);
        cr_assert(id_parse_number(text, ID_NUMBER_CHARS, &number));
        cr_assert_eq(number, numbers[i]);
        cr_assert(strcmp(before, text) < 0);
        strncpy(before, text, sizeof before);
    }
}

Test(id, a_number_past_64_bits_is_refused)
{
    uint64_t number;

    cr_assert_not(id_parse_number("zzzzzzzzzzzzz", 13, &number));
    cr_assert_not(id_parse_number("00000000000-0", 13, &number));
}

Test(clock, times_are_rfc_3339_with_milliseconds)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1795507200123, "2026-11-24T08:00:00.123Z"},
        {-5, "1970-01-01T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    char text[CLOCK_RFC3339_SIZE];

    for (size_t i = 0; i < array_length(cases); i++) {
        clock_format_rfc3339(cases[i].ms, text);
        cr_assert_str_eq(text, cases[i].text);
    }
}

Test(clock, times_of_rfc_3339_are_read_with_any_offset_and_fraction)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-11-24T08:00:00Z", 1795507200000},
        {"2026-11-24t08:00:00.1239z", 1795507200123},
        {"2026-11-24T11:00:00+03:00", 1795507200000},
        {"2026-11-24 00:30:00.5-07:30", 1795507200500},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999Z", 0},
        {"0000-01-01T00:00:00+23:59", 0},
        {"9999-12-31T23:59:60Z", 253402300799999},
        {"9999-12-31T23:59:59-23:59", 253402300799999},
    };
    static const char *const wrong[] = {
        "",
        "2026-11-24",
        "2026-11-24T08:00:00",
        "2026-13-24T08:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T08:00:00.Z",
        "2026-11-24T08:00:00+0300",
        "2026-11-24T08:00:00Z ",
        "2026-11-24T08:00:00+24:00",
    };

    for (size_t i = 0; i < array_length(cases); i++) {
        int64_t ms = -1;

        cr_assert(clock_parse_rfc3339(cases[i].text, &ms), "%s", cases[i].text);
        cr_assert_eq(ms, cases[i].ms, "%s: %lld", cases[i].text, (long long)ms);
    }
    for (size_t i = 0; i < array_length(wrong); i++) {
        int64_t ms = -1;

        cr_assert_not(clock_parse_rfc3339(wrong[i], &ms), "took %s", wrong[i]);
        cr_assert_eq(ms, -1);
    }
}

Test(error, a_prefix_goes_before_the_cause)
{
    struct error err;

    cr_assert_eq(error_system(&err, ENOENT, "cannot open %s", "x"), -ENOENT);
    cr_assert_eq(error_prefix(&err, -ENOENT, "line %d", 3), -ENOENT);
    cr_assert_str_eq(err.text, "line 3: cannot open x: No such file or directory");
}

Test(file, a_replaced_file_holds_the_new_bytes_and_leaves_no_other)
{
    char folder[] = "/tmp/test_base.XXXXXX";
    char path[64];
    struct buf buf = BUF_INIT(64);
    struct error err = {""};

    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/f", folder);
    cr_assert_eq(file_replace(path, "one", 3, 0600, &err), 0, "%s", err.text);
    cr_assert_eq(file_replace(path, "two", 3, 0600, &err), 0, "%s", err.text);
    cr_assert_eq(file_read(path, &buf, &err), 0);
    cr_assert_str_eq(buf_str(&buf), "two");
    buf_release(&buf);
    unlink(path);
    cr_assert_eq(rmdir(folder), 0, "only the file itself was in the folder");
}

Test(file, a_file_larger_than_the_buffer_is_an_error)
{
    struct buf buf = BUF_INIT(4);
    struct error err;

    cr_assert_eq(file_read("/proc/self/status", &buf, &err), -EFBIG);
    buf_release(&buf);
}

Test(file, a_lock_is_held_until_its_descriptor_closes)
{
    char path[] = "/tmp/test_base_lock.XXXXXX";
    int first, second = -1;
    struct error err;

    close(mkstemp(path));
    cr_assert_eq(file_lock(path, false, &first, &err), 0);
    cr_assert_eq(file_lock(path, false, &second, &err), FILE_LOCK_HELD);
    cr_assert_eq(second, -1);
    close(first);
    cr_assert_eq(file_lock(path, false, &second, &err), 0);
    close(second);
    unlink(path);
}

Test(wake, a_hint_reaches_the_one_who_listens_and_harms_nobody_else)
{
    char folder[] = "/tmp/test_base.XXXXXX";
    char database[64], socket_path[80];
    int listener = -1, sender = wake_sender();
    char byte;

    cr_assert_not_null(mkdtemp(folder));
    snprintf(database, sizeof database, "%s/db", folder);
    snprintf(socket_path, sizeof socket_path, "%s-wake", database);
    wake_send(sender, database);
    cr_assert_eq(wake_open(database, &listener, NULL), 0);
    for (int i = 0; i < 10000; i++) /* far more than the socket holds: it must not block */
        wake_send(sender, database);
    cr_assert_eq(recv(listener, &byte, 1, 0), 1);
    wake_drain(listener);
    cr_assert_eq(recv(listener, &byte, 1, 0), -1);
    close(listener);
    close(sender);
    unlink(socket_path);
    rmdir(folder);
}

Test(wake, a_path_too_long_for_a_socket_means_no_hints)
{
    char database[200];
    int fd = 7;

    memset(database, 'a', sizeof database - 1);
    database[sizeof database - 1] = '\0';
    cr_assert_eq(wake_open(database, &fd, NULL), 0);
    cr_assert_eq(fd, -1);
}

Test(repeat, what_goes_wrong_each_second_is_said_once_a_minute_and_at_its_end)
{
    struct repeat repeat = {0};
    int said = 0;

    cr_expect_not(repeat_is_over(&repeat), "nothing was");
    for (int64_t now = 5000; now < 5000 + 3 * REPEAT_PAUSE_MS; now += 1000)
        said += repeat_is_news(&repeat, now);
    cr_expect_eq(said, 3);
    cr_expect(repeat_is_over(&repeat));
    cr_expect_not(repeat_is_over(&repeat), "once");
    cr_expect(repeat_is_news(&repeat, 5000 + 3 * REPEAT_PAUSE_MS), "it is another time");
}
