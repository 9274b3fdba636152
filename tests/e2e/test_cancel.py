# SPDX-License-Identifier: Apache-2.0
"""DELETE /v1/jobs/{job_id}."""

import time

from product import check, equal, verify

LONG = "This story is long, and nobody will hear its end. " * 8000


def test_a_running_job_ends_within_a_second(product, client, receiver):
    job_id = client.create(text=LONG, voice="slt", webhook_url=receiver.url)["job_id"]
    client.wait(job_id, "processing")
    answer = client.cancel(job_id)
    check(answer.status in (200, 202), f"DELETE answers {answer.status}")
    equal(answer.json["cancel_requested"], True, "cancel_requested")
    begun = time.monotonic()
    job = client.wait(job_id, "cancelled")
    print(f"# cancelled after {time.monotonic() - begun:.2f} s")
    equal(job["audio_url"], None, "audio_url")
    webhook = receiver.wait(job_id)[0]
    verify(webhook, client.secret)
    equal(webhook.json["type"], "job.cancelled", "type")
    left = [path for path in product.state.glob("*/**/*") if job_id in path.name]
    equal(left, [], "files of a cancelled job")
    client.cancel(job_id).expect(200)


def test_a_pending_job_ends_at_once(product, client, receiver):
    blockers = [client.create(text=LONG, voice="slt")["job_id"] for _ in range(4)]
    try:
        job_id = client.create(text=LONG, voice="slt", webhook_url=receiver.url)["job_id"]
        answer = client.cancel(job_id)
        check(answer.status in (200, 202), f"DELETE answers {answer.status}")
        if answer.status == 200:
            equal(answer.json["status"], "cancelled", "status")
        client.wait(job_id, "cancelled")
        equal(receiver.wait(job_id)[0].json["type"], "job.cancelled", "type")
    finally:
        for blocker in blockers:
            client.cancel(blocker)
    for blocker in blockers:
        client.wait(blocker, "cancelled")


def test_a_completed_job_cannot_be_cancelled(client):
    job_id = client.create()["job_id"]
    client.wait(job_id)
    client.cancel(job_id).expect_problem(409, "job_not_cancellable")
    equal(client.job(job_id)["status"], "completed", "status")
