/* SPDX-License-Identifier: Apache-2.0 */
#include "webhook/signature.h"

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

/* The example that the libraries of Standard Webhooks are tested with. */
static char example_secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char example_id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
static const char example_body[] = "{\"test\": 2432232314}";
#define EXAMPLE_TIME 1614265330

static char other_secret[] = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDc=";

static struct signature sign(char *const *secrets, size_t count)
{
    struct signature signature = {""};
    struct error err = {""};

    cr_assert_eq(signature_make(example_id, EXAMPLE_TIME, example_body, strlen(example_body), secrets, count,
                                &signature, &err),
                 0, "%s", err.text);
    return signature;
}

Test(signature, answers_the_published_example)
{
    char *const secrets[] = {example_secret};
    struct signature signature = sign(secrets, 1);

    cr_expect_str_eq(signature.standard, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    cr_expect_str_eq(signature.timestamp, "1614265330");
}

/* Computed with: printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac
 * whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw */
Test(signature, plain_form_is_keyed_with_the_secrets_whole_text)
{
    char *const secrets[] = {example_secret};
    struct signature signature = sign(secrets, 1);

    cr_expect_str_eq(signature.plain,
                     "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c");
}

/* The second item likewise by openssl dgst, with the decoded secret as -macopt hexkey. */
Test(signature, each_live_secret_signs_and_the_newest_comes_first)
{
    char *const secrets[] = {other_secret, example_secret};
    char *const four[] = {other_secret, example_secret, other_secret, example_secret};
    struct signature signature = sign(secrets, 2);

    cr_expect_str_eq(signature.standard, "v1,nTsbpCrcfIeEdLi83i1nDkjBnOqmOrf+RlK2sxiEW2U= "
                                         "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    cr_expect_str_eq(signature.plain,
                     "sha256=fa18086171e460cd6919d7d877bebdb00eb458cb47297f8150f045ef5ec0c828");
    cr_expect_eq(strlen(sign(four, 4).standard), 4 * 47 + 3);
}

Test(signature, is_refused_without_a_proper_secret)
{
    static char wrong[] = "whsec_short";
    char *const secrets[] = {example_secret, wrong};
    struct signature signature = {"untouched"};
    struct error err = {""};

    cr_expect_eq(signature_make("msg_1", 1, "", 0, secrets, 2, &signature, &err), -EINVAL);
    cr_expect_null(strstr(err.text, wrong), "%s", err.text);
    cr_expect_eq(signature_make("msg_1", 1, "", 0, secrets, 0, &signature, &err), -EINVAL);
    cr_expect_str_eq(signature.plain, "untouched");
}

static struct signature_claim claim_of(const struct signature *signature)
{
    return (struct signature_claim){signature->plain, signature->timestamp, example_id, signature->timestamp,
                                    signature->standard};
}

static struct signature_verdict verify(const struct signature_claim *claim, const char *body,
                                       const char *secret, int64_t now)
{
    struct signature_verdict verdict = {false, false, false};

    cr_assert_eq(signature_verify(claim, body, strlen(body), secret, now, &verdict, NULL), 0);
    return verdict;
}

static void testcase_verdict(struct signature_verdict verdict, bool plain, bool standard, bool fresh)
{
    cr_expect_eq(verdict.plain_valid, plain);
    cr_expect_eq(verdict.standard_valid, standard);
    cr_expect_eq(verdict.timestamp_fresh, fresh);
}

Test(signature, verifies_with_either_secret_while_they_rotate)
{
    char *const secrets[] = {other_secret, example_secret};
    struct signature signature = sign(secrets, 2);
    struct signature_claim claim = claim_of(&signature);

    testcase_verdict(verify(&claim, example_body, other_secret, EXAMPLE_TIME), true, true, true);
    testcase_verdict(verify(&claim, example_body, example_secret, EXAMPLE_TIME), false, true, true);
}

Test(signature, any_change_is_noticed)
{
    char *const secrets[] = {example_secret};
    struct signature signature = sign(secrets, 1);
    struct signature_claim claim = claim_of(&signature);

    testcase_verdict(verify(&claim, "{\"test\": 2432232315}", example_secret, EXAMPLE_TIME), false, false,
                     true);
    testcase_verdict(verify(&claim, example_body, other_secret, EXAMPLE_TIME), false, false, true);
    claim.webhook_id = "msg_other";
    testcase_verdict(verify(&claim, example_body, example_secret, EXAMPLE_TIME), true, false, true);
    claim = claim_of(&signature);
    claim.timestamp = "1614265331";
    testcase_verdict(verify(&claim, example_body, example_secret, EXAMPLE_TIME), true, false, false);
    claim = claim_of(&signature);
    claim.standard = "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    testcase_verdict(verify(&claim, example_body, example_secret, EXAMPLE_TIME), true, false, true);
    claim = (struct signature_claim){NULL, NULL, NULL, NULL, NULL};
    testcase_verdict(verify(&claim, example_body, example_secret, EXAMPLE_TIME), false, false, false);
    cr_expect_eq(signature_verify(&claim, "", 0, "whsec_", 0, &(struct signature_verdict){false}, NULL),
                 -EINVAL);
}

Test(signature, a_timestamp_is_fresh_for_five_minutes_either_way)
{
    char *const secrets[] = {example_secret};
    struct signature signature = sign(secrets, 1);
    struct signature_claim claim = claim_of(&signature);

    cr_expect(verify(&claim, example_body, example_secret, EXAMPLE_TIME + 300).timestamp_fresh);
    cr_expect(verify(&claim, example_body, example_secret, EXAMPLE_TIME - 300).timestamp_fresh);
    cr_expect_not(verify(&claim, example_body, example_secret, EXAMPLE_TIME + 301).timestamp_fresh);
    cr_expect_not(verify(&claim, example_body, example_secret, EXAMPLE_TIME - 301).timestamp_fresh);
    claim.timestamp = claim.plain_timestamp = "1614265330x";
    cr_expect_not(verify(&claim, example_body, example_secret, EXAMPLE_TIME).timestamp_fresh);
    claim.timestamp = claim.plain_timestamp = "99999999999999999999";
    cr_expect_not(verify(&claim, example_body, example_secret, EXAMPLE_TIME).timestamp_fresh);
}
