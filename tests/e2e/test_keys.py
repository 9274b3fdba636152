# SPDX-License-Identifier: Apache-2.0
"""Who may do what."""

import time

from product import check, equal


def without_ids(answer):
    problem = answer.json
    del problem["request_id"]
    return problem


def test_a_missing_or_wrong_key_is_unauthorized(client):
    for key, headers in (
        ("", {}),
        ("sk_" + "a" * 50, {}),
        (client.key + "x", {}),
        ("", {"Authorization": "Basic YTpi"}),
        ("", {"Authorization": client.key}),
        ("", {"Authorization": "Bearer"}),
    ):
        for call in (
            lambda: client.get("/v1/jobs", key=key, headers=headers),
            lambda: client.post({"text": "a"}, key=key, headers=headers),
        ):
            answer = call()
            check(answer.status == 401, f"{key!r} {headers} gives {answer.status}")
            answer.expect_problem(401)
            check(answer.headers["WWW-Authenticate"].startswith("Bearer"), "no WWW-Authenticate: Bearer")


def test_a_foreign_job_is_as_if_it_never_was(product, client):
    foreign = product.new_client().create()["job_id"]
    never = "job_" + "0" * (len(foreign) - 4)
    for method in ("GET", "DELETE"):
        answers = [client.call(method, f"/v1/jobs/{job_id}").expect_problem(404) for job_id in (foreign, never)]
        equal(without_ids(answers[0]), without_ids(answers[1]), f"{method} of a foreign and of an unknown job")
        equal(
            {name for name in answers[0].headers}, {name for name in answers[1].headers}, "header fields of the two"
        )


def test_a_revoked_key_ends_within_a_second_and_its_jobs_go_on(product, receiver):
    client = product.new_client()
    jobs = [client.create(webhook_url=receiver.url)["job_id"] for _ in range(3)]
    product.ctl("key", "revoke", client.key_id)
    time.sleep(1)  # the contract: revoked in under a second
    client.get("/v1/jobs").expect_problem(401)
    client.post({"text": "a"}).expect_problem(401)
    for job_id in jobs:
        equal(receiver.wait(job_id)[0].json["type"], "job.completed", "type")


def test_the_list_of_keys_holds_no_secret(product, client):
    listing = product.ctl("key", "list")
    lists = [value for value in listing.values() if isinstance(value, list)]
    equal(len(lists), 1, "lists in the document")
    check(client.key_id in [key["key_id"] for key in lists[0]], "the key is not listed")
    check(client.key not in str(listing) and client.secret not in str(listing), "the list shows a secret")


def test_the_database_holds_no_key(product, client):
    client.wait(client.create()["job_id"])
    for path in (product.state / "database").iterdir():
        if path.is_file():
            check(client.key.encode() not in path.read_bytes(), f"{path.name} holds the key")
