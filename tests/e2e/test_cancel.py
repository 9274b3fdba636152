# SPDX-License-Identifier: Apache-2.0
"""DELETE /v1/jobs/{job_id}."""

import os
import signal
import time

from product import check, equal, started, verify, wait_for

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


def test_a_pending_job_ends_at_once(receiver):
    with started() as product:
        client = product.client
        os.kill(product.worker_pid, signal.SIGTERM)  # nobody claims it
        wait_for("the worker's end", lambda: not product.is_running(product.worker_pid))
        job_id = client.create(webhook_url=receiver.url)["job_id"]
        answer = client.cancel(job_id)
        equal(answer.status, 200, "status of the answer")
        equal(answer.json["status"], "cancelled", "status")
        equal(client.cancel(job_id).status, 200, "status of the second answer")
        client.get(f"/v1/download/{job_id}", key="").expect_problem(410, "job_cancelled")
        product.start()
        equal(receiver.wait(job_id)[0].json["type"], "job.cancelled", "type")


def test_a_promised_cancellation_outlives_its_worker():
    with started() as product:
        client = product.client
        job_id = client.create(text=LONG, voice="slt")["job_id"]
        client.wait(job_id, "processing")
        wait_for("some progress", lambda: client.job(job_id)["progress"] > 0)
        product.freeze(product.worker_pid)
        client.cancel(job_id).expect(202)
        os.kill(product.worker_pid, signal.SIGKILL)
        product.start()
        equal(client.wait(job_id)["status"], "cancelled", "status")
        client.get(f"/v1/download/{job_id}", key="").expect_problem(410, "job_cancelled")
        wait_for("its partial audio to go", lambda: not list(product.state.glob("downloads/*/*")))


def test_a_completed_job_cannot_be_cancelled(client):
    job_id = client.create()["job_id"]
    client.wait(job_id)
    client.cancel(job_id).expect_problem(409, "job_not_cancellable")
    equal(client.job(job_id)["status"], "completed", "status")
