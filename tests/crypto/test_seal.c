/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/seal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/random.h"
#include "crypto/sha256.h"

#define TEXT  "whsec_secret"
#define SIZE  (sizeof TEXT - 1)
#define PLACE "place 1"

/* Of the bytes 0, 1, 2, … */
static struct sealer sealer;

static void set_up(void)
{
    unsigned char key[SEAL_KEY_SIZE];

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (unsigned char)i;
    sealer_init(&sealer, key);
}

TestSuite(seal, .init = set_up);

static void testcase_refused(int expected, const char *hint, const struct sealer *with, const char *place,
                             const unsigned char *sealed, size_t size)
{
    char text[SIZE] = "untouched!!";
    struct error err = {""};

    cr_expect_eq(sealer_open(with, place, sealed, size, text, &err), expected, "%s", err.text);
    cr_expect(strstr(err.text, hint) != NULL, "%s lacks %s", err.text, hint);
    cr_expect_eq(memcmp(text, "untouched!!", sizeof text), 0);
}

Test(seal, what_is_sealed_opens_again)
{
    unsigned char sealed[SIZE + SEAL_OVERHEAD];
    char text[SIZE + 1] = "";
    struct error err = {""};

    sealer_seal(&sealer, PLACE, TEXT, SIZE, sealed);
    cr_assert_eq(sealer_open(&sealer, PLACE, sealed, sizeof sealed, text, &err), 0, "%s", err.text);
    cr_expect_str_eq(text, TEXT);
}

Test(seal, nothing_is_sealed_too)
{
    unsigned char sealed[SEAL_OVERHEAD];
    char text = 'x';

    sealer_seal(&sealer, PLACE, "", 0, sealed);
    cr_expect_eq(sealer_open(&sealer, PLACE, sealed, sizeof sealed, &text, NULL), 0);
    cr_expect_eq(text, 'x');
}

/* Made by another implementation; what was sealed once must open for ever. */
Test(seal, the_form_is_as_it_ever_was)
{
    static const char hex[] =
        "01051e1b4fa0a1a2a3a4a5a6a7a8a9aaab91700f48269471da0117e2a701e1a0fc5155c12d2f7613d6454967fa";
    unsigned char sealed[SIZE + SEAL_OVERHEAD];
    char text[SIZE + 1] = "";
    struct error err = {""};

    cr_assert_eq(strlen(hex), 2 * sizeof sealed);
    for (size_t i = 0; i < sizeof sealed; i++)
        sscanf(hex + 2 * i, "%2hhx", &sealed[i]);
    cr_assert_eq(sealer_open(&sealer, PLACE, sealed, sizeof sealed, text, &err), 0, "%s", err.text);
    cr_expect_str_eq(text, TEXT);
}

Test(seal, the_same_text_is_never_sealed_to_the_same_bytes)
{
    unsigned char one[SIZE + SEAL_OVERHEAD], other[SIZE + SEAL_OVERHEAD];
    const size_t nonce = 1 + SEAL_KEY_ID_SIZE;

    sealer_seal(&sealer, PLACE, TEXT, SIZE, one);
    sealer_seal(&sealer, PLACE, TEXT, SIZE, other);
    cr_expect_neq(memcmp(one + nonce, other + nonce, SEAL_NONCE_SIZE), 0);
    cr_expect_neq(memcmp(one + nonce + SEAL_NONCE_SIZE, other + nonce + SEAL_NONCE_SIZE, SIZE), 0);
}

Test(seal, another_key_is_told_from_damage)
{
    unsigned char sealed[SIZE + SEAL_OVERHEAD], key[SEAL_KEY_SIZE] = {0};
    struct sealer other;

    sealer_seal(&sealer, PLACE, TEXT, SIZE, sealed);
    sealer_init(&other, key);
    testcase_refused(-EPROTO, "under the key with the id ", &other, PLACE, sealed, sizeof sealed);
    /* An id that fits by chance opens nothing. */
    memcpy(sealed + 1, other.key_id, SEAL_KEY_ID_SIZE);
    testcase_refused(-EUCLEAN, "was changed", &other, PLACE, sealed, sizeof sealed);
}

Test(seal, it_opens_in_its_place_only)
{
    unsigned char sealed[SIZE + SEAL_OVERHEAD];

    sealer_seal(&sealer, PLACE, TEXT, SIZE, sealed);
    testcase_refused(-EUCLEAN, "belongs elsewhere", &sealer, "place 2", sealed, sizeof sealed);
    testcase_refused(-EUCLEAN, "belongs elsewhere", &sealer, "", sealed, sizeof sealed);
}

Test(seal, any_bit_that_is_changed_is_noticed)
{
    unsigned char sealed[SIZE + SEAL_OVERHEAD];
    char text[SIZE];

    sealer_seal(&sealer, PLACE, TEXT, SIZE, sealed);
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        cr_expect_lt(sealer_open(&sealer, PLACE, sealed, sizeof sealed, text, NULL), 0, "bit %zu", bit);
        sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

Test(seal, what_is_too_short_is_nothing_sealed)
{
    unsigned char sealed[SIZE + SEAL_OVERHEAD];

    sealer_seal(&sealer, PLACE, TEXT, SIZE, sealed);
    for (size_t size = 0; size < sizeof sealed; size++)
        testcase_refused(-EUCLEAN, size < SEAL_OVERHEAD ? "too few" : "was changed", &sealer, PLACE, sealed,
                         size);
}

Test(seal, a_form_of_the_future_is_named)
{
    unsigned char sealed[SIZE + SEAL_OVERHEAD];

    sealer_seal(&sealer, PLACE, TEXT, SIZE, sealed);
    sealed[0]++;
    testcase_refused(-EPROTO, "number 2", &sealer, PLACE, sealed, sizeof sealed);
}

Test(seal, a_released_key_is_gone_from_memory)
{
    const struct sealer nothing = {0};

    sealer_release(&sealer);
    cr_expect_eq(memcmp(&sealer, &nothing, sizeof sealer), 0);
}
