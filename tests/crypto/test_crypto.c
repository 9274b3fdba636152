/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of FIPS 180-4, RFC 4231 and RFC 4648. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/base64.h"
#include "crypto/equal.h"
#include "crypto/hmac.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

static void testcase_sha256(const char *text, const char *expected)
{
    unsigned char raw[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];

    sha256(text, strlen(text), raw);
    hex_encode(raw, sizeof raw, hex);
    cr_expect_str_eq(hex, expected);
}

Test(sha256, answers_the_published_vectors)
{
    testcase_sha256("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    testcase_sha256("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    testcase_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

Test(sha256, in_pieces_is_the_same_and_starts_anew_after_the_end)
{
    struct sha256 *hash = sha256_new();
    char piece[1000];
    char hex[SHA256_HEX_SIZE];

    cr_assert_not_null(hash);
    memset(piece, 'a', sizeof piece);
    for (int i = 0; i < 1000; i++)
        sha256_update(hash, piece, sizeof piece);
    sha256_final_hex(hash, hex);
    cr_expect_str_eq(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    sha256_update(hash, "a", 1);
    sha256_update(hash, "bc", 2);
    sha256_final_hex(hash, hex);
    cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash = sha256_free(hash);
    cr_expect_null(sha256_free(NULL));
}

struct bytes {
    unsigned char data[160];
    size_t size;
};

static struct bytes repeat(unsigned char byte, size_t size)
{
    struct bytes bytes = {.size = size};

    memset(bytes.data, byte, size);
    return bytes;
}

static struct bytes from_text(const char *text)
{
    struct bytes bytes = {.size = strlen(text)};

    memcpy(bytes.data, text, bytes.size);
    return bytes;
}

static void testcase_hmac(struct bytes key, struct bytes data, const char *expected)
{
    unsigned char mac[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];
    const struct hmac_part parts[] = {
        {data.data, 1},
        {data.data + 1, 0},
        {data.data + 1, data.size - 1},
    };

    hmac_sha256(key.data, key.size, data.data, data.size, mac);
    hex_encode(mac, sizeof mac, hex);
    cr_expect_str_eq(hex, expected);
    hmac_sha256_parts(key.data, key.size, parts, array_length(parts), mac);
    hex_encode(mac, sizeof mac, hex);
    cr_expect_str_eq(hex, expected, "in parts");
}

Test(hmac, answers_the_vectors_of_rfc_4231)
{
    struct bytes counted = {.size = 25};

    for (size_t i = 0; i < counted.size; i++)
        counted.data[i] = (unsigned char)(i + 1);
    testcase_hmac(repeat(0x0b, 20), from_text("Hi There"),
                  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    testcase_hmac(from_text("Jefe"), from_text("what do ya want for nothing?"),
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    testcase_hmac(repeat(0xaa, 20), repeat(0xdd, 50),
                  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    testcase_hmac(counted, repeat(0xcd, 50),
                  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    testcase_hmac(repeat(0xaa, 131), from_text("Test Using Larger Than Block-Size Key - Hash Key First"),
                  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    testcase_hmac(
        repeat(0xaa, 131),
        from_text("This is a test using a larger than block-size key and a larger than block-size data. "
                  "The key needs to be hashed before being used by the HMAC algorithm."),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

Test(hmac, takes_an_empty_key_and_an_empty_text)
{
    unsigned char mac[SHA256_SIZE];
    char hex[SHA256_HEX_SIZE];

    hmac_sha256(NULL, 0, NULL, 0, mac);
    hex_encode(mac, sizeof mac, hex);
    cr_expect_str_eq(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

Test(base64, answers_the_vectors_of_rfc_4648_both_ways)
{
    static const struct {
        const char *plain;
        const char *coded;
    } vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbe", "+/++"},
    };

    for (size_t i = 0; i < array_length(vectors); i++) {
        const char *plain = vectors[i].plain;
        char text[BASE64_SIZE(8)];
        char bytes[BASE64_DECODED_MAX(8)];
        size_t size = 99;

        base64_encode(plain, strlen(plain), text);
        cr_expect_str_eq(text, vectors[i].coded);
        cr_expect_eq(base64_decode(text, strlen(text), bytes, &size), 0);
        cr_assert_eq(size, strlen(plain));
        cr_expect_eq(memcmp(bytes, plain, size), 0);
    }
}

Test(base64, url_alphabet_has_no_padding)
{
    char text[BASE64_SIZE(5)];

    base64url_encode("\xfb\xff\xbe", 3, text);
    cr_expect_str_eq(text, "-_--");
    base64url_encode("f", 1, text);
    cr_expect_str_eq(text, "Zg");
    base64url_encode("fo", 2, text);
    cr_expect_str_eq(text, "Zm8");
}

Test(base64, decoding_refuses_all_but_the_one_spelling)
{
    static const char *const wrong[] = {
        "Z",      "Zg",   "Zg=",  "Zh==", "Zm9=", "Zg==Zg==", "Z===",       "====",
        "Zm9v\n", "Zm 9", "Zm9-", "Zm9_", "=Zg=", "Zg=A",     "\xc3\xa9==",
    };

    for (size_t i = 0; i < array_length(wrong); i++) {
        unsigned char bytes[16];
        size_t size = 99;

        cr_expect_eq(base64_decode(wrong[i], strlen(wrong[i]), bytes, &size), -EINVAL, "%s", wrong[i]);
        cr_expect_eq(size, 99);
    }
    cr_expect_eq(base64_decode("Zm9\0", 4, (char[4]){0}, &(size_t){0}), -EINVAL, "a NUL");
}

Test(random, fills_every_length_and_does_not_repeat)
{
    unsigned char a[1000] = {0};
    unsigned char b[1000] = {0};

    crypto_random(a, sizeof a);
    crypto_random(b, sizeof b - 1);
    cr_expect_neq(memcmp(a, b, sizeof a), 0);
    cr_expect_eq(b[sizeof b - 1], 0);
    crypto_random(NULL, 0);
}

Test(equal, tells_equal_from_different)
{
    cr_expect(crypto_equal("abc", "abc", 3));
    cr_expect(crypto_equal("abc", "abd", 2));
    cr_expect_not(crypto_equal("abc", "abd", 3));
    cr_expect(crypto_equal_str("", ""));
    cr_expect(crypto_equal_str("abc", "abc"));
    cr_expect_not(crypto_equal_str("abc", "ab"));
    cr_expect_not(crypto_equal_str("abc", "abd"));
}

Test(secret, webhook_secret_stands_for_32_bytes)
{
    char one[WEBHOOK_SECRET_SIZE];
    char two[WEBHOOK_SECRET_SIZE];
    unsigned char bytes[WEBHOOK_SECRET_BYTES_MAX];
    size_t size = 0;

    secret_make_webhook(one);
    secret_make_webhook(two);
    cr_expect_str_neq(one, two);
    cr_expect_eq(strncmp(one, "whsec_", 6), 0);
    cr_expect_eq(strlen(one), 6 + 44);
    cr_expect_eq(secret_webhook_key(one, bytes, &size), 0);
    cr_expect_eq(size, 32);
}

static int testcase_secret_of(size_t size)
{
    unsigned char bytes[80];
    char text[8 + BASE64_SIZE(sizeof bytes)] = "whsec_";
    unsigned char decoded[WEBHOOK_SECRET_BYTES_MAX];
    size_t decoded_size = 0;
    int r;

    memset(bytes, 0x5a, sizeof bytes);
    base64_encode(bytes, size, text + 6);
    r = secret_webhook_key(text, decoded, &decoded_size);
    if (r == 0) {
        cr_expect_eq(decoded_size, size);
        cr_expect_eq(memcmp(decoded, bytes, size), 0);
    }
    return r;
}

Test(secret, webhook_secret_is_24_to_64_bytes)
{
    static const char *const wrong[] = {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
                                        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
    unsigned char bytes[WEBHOOK_SECRET_BYTES_MAX];
    size_t size;

    for (size_t bytes_in = 0; bytes_in <= 80; bytes_in++)
        cr_expect_eq(testcase_secret_of(bytes_in), bytes_in >= 24 && bytes_in <= 64 ? 0 : -EINVAL, "%zu",
                     bytes_in);
    for (size_t i = 0; i < array_length(wrong); i++)
        cr_expect_eq(secret_webhook_key(wrong[i], bytes, &size), -EINVAL, "%s", wrong[i]);
    cr_expect_eq(secret_webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", bytes, &size), 0);
}

Test(secret, api_key_is_random_and_its_hash_is_of_its_text)
{
    char one[API_KEY_SIZE];
    char two[API_KEY_SIZE];
    unsigned char hash[SHA256_SIZE];
    unsigned char again[SHA256_SIZE];

    secret_make_api_key(one, hash);
    secret_hash_api_key(one, again);
    cr_expect_eq(memcmp(hash, again, sizeof hash), 0);
    sha256(one, strlen(one), again);
    cr_expect_eq(memcmp(hash, again, sizeof hash), 0);
    secret_make_api_key(two, hash);
    cr_expect_str_neq(one, two);
    cr_expect_eq(strlen(one), 53);
    cr_expect_eq(strncmp(one, "sk_", 3), 0);
    cr_expect_eq(strspn(one + 3, "0123456789abcdefghijklmnopqrstuvwxyz"), 50);
}
