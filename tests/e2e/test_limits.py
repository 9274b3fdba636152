# SPDX-License-Identifier: Apache-2.0
"""Limits and quotas of keys, requests that are repeated, and a disk that is full."""

import os
import shutil
import signal
import tempfile
import threading
import time

from product import SENTENCE, check, equal, started, wait_for

GIB = 1 << 30
BODY = {"text": SENTENCE, "voice": "kal16"}
NARROW = ("rate_limit_requests=2", "rate_limit_burst=4")


def left(answer, name):
    """What RateLimit says of one limit."""
    for item in answer.headers["RateLimit"].split(", "):
        if item.startswith(f'"{name}";r='):
            return int(item.split(";")[1][2:])
    raise AssertionError(f"no {name} in {answer.headers['RateLimit']}")


def test_a_client_that_waits_as_it_is_told_gets_through():
    with started(*NARROW, keep_limits=True) as product:
        client = product.client
        statuses = []
        while 429 not in statuses and len(statuses) < 50:
            answer = client.post(BODY)
            statuses.append(answer.status)
        check(statuses.count(202) >= 4, f"a burst of 4 is allowed, but {statuses}")
        problem = answer.expect_problem(429, "rate_limited").json
        equal(problem["policy"], "burst", "policy")
        equal(left(answer, "burst"), 0, "what is left")
        check('"burst";q=4;w=2' in answer.headers["RateLimit-Policy"], answer.headers["RateLimit-Policy"])
        time.sleep(int(answer.headers["Retry-After"]))
        client.post(BODY).expect(202)
        client.get("/v1/jobs").expect(200)  # only creating takes tokens


def test_a_key_has_limits_of_its_own_until_it_gives_them_up(product):
    client = product.new_client("limited", "--max-chars-per-day", "100", "--rate-limit-burst", "1000000")
    client.create("x" * 60)
    answer = client.post({"text": "x" * 60})
    equal(answer.expect_problem(429, "quota_exceeded").json["policy"], "day_chars", "policy")
    check(0 < int(answer.headers["Retry-After"]) <= 86400, answer.headers["Retry-After"])
    usage = {limit["name"]: limit for limit in client.get("/v1/usage").expect(200).json["limits"]}
    equal(usage["day_chars"]["limit"], 100, "limit")
    equal(usage["day_chars"]["remaining"], 40, "remaining")
    keys = product.ctl("key", "list")["keys"]
    listed = next(key for key in keys if key["key_id"] == client.key_id)
    equal(listed["limits"]["day_chars"], {"limit": 100, "remaining": 40}, "what key list shows")
    product.ctl("key", "set", client.key_id, "--max-chars-per-day", "1K", "--name", "raised")
    wait_for("the key's new limit", lambda: client.post({"text": "x" * 60}).status == 202)
    product.new_client().create("x" * 200)  # another key is not concerned


def test_jobs_that_wait_are_counted_and_give_their_place_back():
    with started() as product:
        client = product.new_client("limited", "--max-pending-jobs", "3")
        product.freeze(product.worker_pid)
        try:
            jobs = [client.create() for _ in range(3)]
            answer = client.post({"text": SENTENCE})
            equal(answer.expect_problem(429, "quota_exceeded").json["policy"], "pending_jobs", "policy")
            client.cancel(jobs[0]["job_id"]).expect(200)
            jobs[0] = client.create()
        finally:
            os.kill(product.worker_pid, signal.SIGCONT)
        for job in jobs:
            client.wait(job["job_id"], "completed")
        equal(left(client.post({"text": SENTENCE, "voice": "kal16"}).expect(202), "pending_jobs"), 2, "left")


def test_a_request_that_is_sent_again_makes_one_job_even_if_the_api_dies_between():
    with started() as product:
        client = product.client
        first = client.post(BODY, headers={"Idempotency-Key": '"order 17"'}).expect(202)
        os.kill(product.api_pid, signal.SIGKILL)
        product.start()
        again = client.post(BODY, headers={"Idempotency-Key": '"order 17"'}).expect(202)
        equal(again.headers["Idempotent-Replayed"], "true", "Idempotent-Replayed")
        equal(again.body, first.body, "the answer")
        equal(again.headers["Location"], first.headers["Location"], "Location")
        client.post({"text": "Another."}, headers={"Idempotency-Key": '"order 17"'}).expect_problem(
            422, "idempotency_key_reused")
        client.post(BODY, headers={"Idempotency-Key": "x" * 256}).expect_problem(400, "invalid_header")
        equal(len(client.get("/v1/jobs").json["jobs"]), 1, "jobs")


def at_once(count, send):
    """The answers to so many requests, each sent by a thread of its own."""
    answers = []
    threads = [threading.Thread(target=lambda i=i: answers.append(send(i))) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_many_at_once_with_one_key_make_one_job(product):
    client = product.new_client()
    answers = at_once(24, lambda _: client.post({"text": SENTENCE}, headers={"Idempotency-Key": "all-at-once"}))
    check(all(answer.status in (202, 409) for answer in answers), [answer.status for answer in answers])
    for answer in answers:
        if answer.status == 409:
            answer.expect_problem(409, "idempotency_key_in_use")
    bodies = {answer.body for answer in answers if answer.status == 202}
    equal(len(bodies), 1, "answers that differ")
    firsts = [answer for answer in answers if answer.status == 202 and not answer.headers["Idempotent-Replayed"]]
    equal(len(firsts), 1, "first answers")
    equal(len(client.get("/v1/jobs").json["jobs"]), 1, "jobs")


def bytes_read_by(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as counters:
        return int(counters.readline().split()[1])


def test_several_apis_agree_on_what_a_key_may(receiver):
    with started() as product:
        second = product.start_api()
        apis = (product.api_pid, second.pid)
        before = [bytes_read_by(pid) for pid in apis]
        daily = product.new_client("daily", "--max-chars-per-day", str(10 * len(SENTENCE)))
        statuses = sorted(answer.status for answer in at_once(40, lambda _: daily.post(BODY)))
        equal(statuses, [202] * 10 + [429] * 30, "statuses of 40 texts, of which 10 are allowed a day")
        burst = product.new_client("bursts", "--rate-limit-burst", "10", "--rate-limit-requests", "1")
        start = time.monotonic()
        taken = [answer.status for answer in at_once(40, lambda _: burst.post(BODY))].count(202)
        check(10 <= taken <= 11 + time.monotonic() - start, f"{taken} jobs of a burst of 10")
        product.freeze(product.worker_pid)
        try:
            pending = product.new_client("pending", "--max-pending-jobs", "7")
            statuses = sorted(answer.status for answer in at_once(30, lambda _: pending.post(BODY)))
            equal(statuses, [202] * 7 + [429] * 23, "statuses of 30 jobs, of which 7 may wait")
        finally:
            os.kill(product.worker_pid, signal.SIGCONT)
        same = product.new_client("repeats")
        answers = at_once(30, lambda i: same.post(
            {**BODY, "webhook_url": receiver.url}, headers={"Idempotency-Key": f"order {i // 10}"}))
        check(all(answer.status in (202, 409) for answer in answers), [answer.status for answer in answers])
        jobs = {answer.json["job_id"] for answer in answers if answer.status == 202}
        equal(len(jobs), 3, "jobs of three requests, each of which was sent ten times")
        for job_id in jobs:
            receiver.wait(job_id)
        equal(len(same.get("/v1/jobs").expect(200).json["jobs"]), 3, "jobs")
        for pid, read in zip(apis, before):
            check(bytes_read_by(pid) - read > 4096, f"the API {pid} took no part")


def test_below_the_reserve_nothing_is_taken_and_all_else_works():
    free = shutil.disk_usage(tempfile.gettempdir()).free
    check(free > 4 * GIB, f"this test needs 4 GiB of disk, and {free} bytes are free")
    with started(f"disk_reserve={free - GIB}") as product:
        client = product.client
        done = client.wait(client.create()["job_id"], "completed")
        named = client.post(BODY, headers={"Idempotency-Key": "old"}).expect(202).json
        client.wait(named["job_id"], "completed")
        product.freeze(product.worker_pid)
        waiting = client.create()
        ballast = product.state / "ballast"
        try:
            with open(ballast, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, 2 * GIB)
            refused = wait_for("a refusal", lambda: (lambda a: a if a.status != 202 else None)(client.post(BODY)))
            refused.expect_problem(507, "storage_full")
            client.post(BODY, headers={"Idempotency-Key": "new"}).expect_problem(507, "storage_full")
            again = client.post(BODY, headers={"Idempotency-Key": "old"}).expect(202)
            equal((again.headers["Idempotent-Replayed"], again.json["job_id"]), ("true", named["job_id"]), "answer")
            client.call("POST", f"/v1/jobs/{done['job_id']}/redeliver").expect_problem(507, "storage_full")
            equal(client.job(done["job_id"])["status"], "completed", "status")
            check(len(client.get("/v1/jobs").expect(200).json["jobs"]) >= 2, "too few jobs")
            client.download(done)
            client.cancel(waiting["job_id"]).expect(200)
            client.get("/readyz", key="").expect_problem(503, "not_ready")
            ballast.unlink()
            wait_for("jobs to be taken again", lambda: client.post(BODY).status == 202)
        finally:
            os.kill(product.worker_pid, signal.SIGCONT)
