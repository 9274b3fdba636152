/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0};

    clock_gettime(id, &now); /* cannot fail for the two clocks below */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_BOOTTIME);
}

const struct clock clock_system = {
    .wall_us = system_wall_us,
    .monotonic_us = system_monotonic_us,
};

int64_t clock_wall_us(const struct clock *clock)
{
    return clock->wall_us(clock);
}

int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_us(clock) / 1000;
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
    return clock->monotonic_us(clock) / 1000;
}

int64_t clock_monotonic_us(const struct clock *clock)
{
    return clock->monotonic_us(clock);
}

void clock_deadline(int64_t in_ms, struct timespec *ret_deadline)
{
    int64_t us = read_us(CLOCK_MONOTONIC) + in_ms * 1000;

    *ret_deadline = (struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
}

/* 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for a year. */
#define LAST_MS 253402300799999

void clock_format_rfc3339(int64_t wall_ms, char ret_text[CLOCK_RFC3339_SIZE])
{
    time_t seconds;
    struct tm utc;
    size_t length;

    if (wall_ms < 0)
        wall_ms = 0;
    if (wall_ms > LAST_MS)
        wall_ms = LAST_MS;
    seconds = (time_t)(wall_ms / 1000);
    gmtime_r(&seconds, &utc);
    length = strftime(ret_text, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(ret_text + length, CLOCK_RFC3339_SIZE - length, ".%03uZ",
             (unsigned int)(wall_ms % 1000) % 1000u);
}

/* Two digits, or -1. */
static int two_digits(const char *text)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return -1;
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Reads ".123456" if it is there; *text moves behind it.  False where digits are missing. */
static bool parse_fraction(const char **text, int64_t *ret_ms)
{
    const char *at = *text;
    int64_t ms = 0;
    int digits = 0;

    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9'; at++, digits++)
            if (digits < 3)
                ms = ms * 10 + (*at - '0');
        if (digits == 0)
            return false;
        for (; digits < 3; digits++)
            ms *= 10;
    }
    *text = at;
    *ret_ms = ms;
    return true;
}

/* Reads "Z" or "+01:00" up to the end of the text. */
static bool parse_offset(const char *text, int64_t *ret_seconds)
{
    int hours, minutes;

    *ret_seconds = 0;
    if ((*text == 'Z' || *text == 'z') && text[1] == '\0')
        return true;
    if ((*text != '+' && *text != '-') || strlen(text) != 6 || text[3] != ':')
        return false;
    hours = two_digits(text + 1);
    minutes = two_digits(text + 4);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
        return false;
    *ret_seconds = (*text == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

bool clock_parse_rfc3339(const char *text, int64_t *ret_wall_ms)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    const char *rest = text + sizeof shape - 1;
    int64_t ms, offset, seconds;
    struct tm utc = {0};

    for (size_t i = 0; shape[i] != '\0'; i++) {
        char c = text[i] == 't' || text[i] == ' ' ? 'T' : text[i];

        if (shape[i] == 'd' ? c < '0' || c > '9' : c != shape[i])
            return false;
    }
    utc.tm_year = two_digits(text) * 100 + two_digits(text + 2) - 1900;
    utc.tm_mon = two_digits(text + 5) - 1;
    utc.tm_mday = two_digits(text + 8);
    utc.tm_hour = two_digits(text + 11);
    utc.tm_min = two_digits(text + 14);
    utc.tm_sec = two_digits(text + 17);
    if (utc.tm_mon < 0 || utc.tm_mon > 11 || utc.tm_mday < 1 ||
        utc.tm_mday > days_in_month(utc.tm_year + 1900, utc.tm_mon + 1) || utc.tm_hour > 23 ||
        utc.tm_min > 59 || utc.tm_sec > 60) /* a leap second */
        return false;
    if (!parse_fraction(&rest, &ms) || !parse_offset(rest, &offset))
        return false;
    seconds = (int64_t)timegm(&utc) - offset;
    if (seconds < 0)
        *ret_wall_ms = 0;
    else
        *ret_wall_ms = seconds > LAST_MS / 1000 ? LAST_MS : seconds * 1000 + ms;
    return true;
}
