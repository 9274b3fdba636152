/* SPDX-License-Identifier: Apache-2.0 */
#include "net/cidr.h"

#include <criterion/criterion.h>

#include "base/cleanup.h"

static char loopback[] = "127.0.0.0/8", loopback6[] = "::1/128", office[] = "192.0.2.0/28",
            office6[] = "2001:db8::/32";
static char *const ranges[] = {loopback, loopback6, office, office6};

Test(cidr, a_list_holds_the_addresses_of_its_ranges)
{
    static const char *const held[] = {
        "127.0.0.1",        "127.255.255.255",  "::1", "192.0.2.0", "192.0.2.15", "2001:db8:1::2",
        "::ffff:127.0.0.1", "::ffff:192.0.2.7",
    };
    static const char *const others[] = {
        "192.0.2.16",        "128.0.0.1",          "::2",         "2001:db9::1",
        "::ffff:192.0.2.16", "64:ff9b::127.0.0.1", "::127.0.0.1",
    };

    for (size_t i = 0; i < array_length(held); i++)
        cr_assert(cidrs_hold_address(ranges, array_length(ranges), held[i]), "%s", held[i]);
    for (size_t i = 0; i < array_length(others); i++)
        cr_assert_not(cidrs_hold_address(ranges, array_length(ranges), others[i]), "%s", others[i]);
    cr_assert_not(cidrs_hold_address(ranges, 0, "127.0.0.1"), "an empty list holds nothing");
}

Test(cidr, what_is_no_address_is_in_no_range)
{
    static const char *const texts[] = {"",           "unix:",   "localhost", "127.1", "127.0.0.1/32",
                                        "127.0.0.1 ", "::ffff:", "0x7f.0.0.1"};
    static char all4[] = "0.0.0.0/0", all6[] = "::/0";
    static char *const all[] = {all4, all6};

    for (size_t i = 0; i < array_length(texts); i++)
        cr_assert_not(cidrs_hold_address(all, array_length(all), texts[i]), "%s", texts[i]);
}
