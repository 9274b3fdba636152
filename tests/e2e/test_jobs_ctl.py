# SPDX-License-Identifier: Apache-2.0
"""Jobs as an administrator sees and mends them: sayhookctl job list, show, cancel, retry and purge."""

import json
import os
import pathlib
import signal
import sqlite3
import subprocess

from product import BUILD, PATIENCE, check, equal, started, verify, wait_for

# No voice has letters for it, so that the engine finds nothing to speak.
UNSPEAKABLE = "漢字かな交じり文"


def run_ctl(product, *arguments):
    command = [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)


def refused(product, code, hint, *arguments):
    result = run_ctl(product, *arguments)
    equal(result.returncode, code, f"exit code of {arguments}: {result.stderr.decode()}")
    check(hint in result.stderr.decode(), f"{hint!r} is not in {result.stderr.decode()}")


def ids(listing):
    return [job["job_id"] for job in listing["jobs"]]


def job_metrics(client):
    lines = client.get("/metrics", key="").expect(200).body.decode().splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if line.startswith("job_")}


def files_of(product, job_id):
    return sorted((product.state / "downloads").rglob(f"{job_id}*"))


def test_jobs_of_every_key_are_listed_newest_first():
    with started() as product:
        client, other = product.client, product.new_client()
        first = client.wait(client.create()["job_id"])["job_id"]
        second = other.wait(other.create()["job_id"])["job_id"]
        third = client.wait(client.create(UNSPEAKABLE)["job_id"])["job_id"]
        equal(ids(product.ctl("job", "list")), [third, second, first], "all jobs")
        equal(ids(product.ctl("job", "list", "--key", other.key_id)), [second], "of a key")
        equal(ids(product.ctl("job", "list", "--status", "failed")), [third], "failed ones")
        equal(ids(product.ctl("job", "list", "--status", "failed,completed")), [third, second, first], "two states")
        equal(ids(product.ctl("job", "list", "--limit", "2")), [third, second], "two of them")
        equal(ids(product.ctl("job", "list", "--since", "2099-01-01T00:00:00Z")), [], "of the future")
        equal(ids(product.ctl("job", "list", "--until", "1h")), [], "of an hour ago")
        equal(ids(product.ctl("job", "list", "--since", "1h")), [third, second, first], "of this hour")
        text = run_ctl(product, "job", "list").stdout.decode()
        check(all(job_id in text for job_id in (first, second, third)), text)
        refused(product, 64, "--status takes", "job", "list", "--status", "done")
        refused(product, 67, "there is no key", "job", "list", "--key", "key_none")


def test_a_job_is_shown_with_all_but_its_text(receiver):
    with started() as product:
        client = product.client
        text = "A secret sentence that nobody reads here."
        job_id = client.create(text, webhook_url=receiver.url, metadata={"ticket": "17"})["job_id"]
        receiver.wait(job_id)
        shown = wait_for("the attempt", lambda: product.ctl("job", "show", job_id)
                         if client.job(job_id)["webhook"]["status"] == "delivered" else None)
        equal(shown["job"], client.job(job_id), "the job")
        equal(shown["text_bytes"], None, "the text of a completed job")
        equal([attempt["status_code"] for attempt in shown["attempts"]], [204], "attempts")
        plain = run_ctl(product, "job", "show", job_id).stdout.decode()
        check("delivered 204" in plain and "ticket" in plain, plain)
        check(text not in plain + json.dumps(shown), "the text is shown")
        refused(product, 66, "there is no job", "job", "show", "job_none")


def test_a_job_is_cancelled_and_its_webhook_says_so(receiver):
    with started() as product:
        client = product.client
        product.freeze(product.worker_pid)
        job_id = client.create(webhook_url=receiver.url)["job_id"]
        equal(product.ctl("job", "cancel", job_id)["status"], "cancelled", "status")
        os.kill(product.worker_pid, signal.SIGCONT)
        (webhook,) = receiver.wait(job_id)
        equal(webhook.json["type"], "job.cancelled", "event")
        verify(webhook, product.secret)
        done = client.wait(client.create()["job_id"])["job_id"]
        refused(product, 65, "it is completed", "job", "cancel", done)


def fail_jobs(product, receiver, count):
    """Jobs that fail, and whose receiver was told."""
    client = product.client
    made = [client.create(UNSPEAKABLE, webhook_url=receiver.url, timings=True)["job_id"] for _ in range(count)]
    for job_id in made:
        equal(client.wait(job_id)["status"], "failed", "status")
        receiver.wait(job_id)
    wait_for("deliveries", lambda: all(client.job(job_id)["webhook"]["status"] == "delivered" for job_id in made))
    return made


def mend_texts(product, job_ids):
    """What was wrong is mended: here it was the text."""
    with sqlite3.connect(product.setting("database"), timeout=30) as database:
        for job_id in job_ids:
            database.execute(
                "UPDATE job_texts SET text = ? WHERE id = (SELECT id FROM jobs WHERE job_id = ?)",
                (b"Now it can be said.", job_id),
            )


def test_a_failed_job_is_tried_again_and_its_new_end_is_told(receiver):
    with started() as product:
        client = product.client
        (job_id,) = fail_jobs(product, receiver, 1)
        before = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
        counts = job_metrics(client)
        product.stop()
        mend_texts(product, [job_id])
        product.start()
        client = product.client
        equal(product.ctl("job", "retry", job_id)["status"], "pending", "status")
        job = client.wait(job_id)
        equal(job["status"], "completed", "status")
        client.download(job)
        first, second = receiver.wait(job_id, 2)
        equal((first.json["type"], second.json["type"]), ("job.failed", "job.completed"), "events in their order")
        check(first.id != second.id, "both webhooks have one webhook-id")
        verify(second, product.secret)
        check(client.get(f"/v1/jobs/{job_id}").headers["ETag"] != before, "the ETag is the one of before")
        after = job_metrics(client)
        for status, more in (("pending", 1), ("processing", 1), ("completed", 1), ("failed", 0)):
            name = f'job_status_total{{status="{status}"}}'
            equal(after[name] - counts[name], more, name)
        equal(after["job_queue_length"], 0, "job_queue_length")
        refused(product, 65, "it is completed", "job", "retry", job_id)
        equal(run_ctl(product, "db", "check").returncode, 0, "exit code of db check")


def test_a_job_whose_text_is_gone_or_whose_webhook_is_owed_is_not_tried_again(receiver):
    with started("webhook_retry_schedule=0s 1h") as product:
        client = product.client
        receiver.answers["/"] = [500]
        receiver.answers[""] = [500]
        job_id = client.create(UNSPEAKABLE, webhook_url=receiver.url + "/")["job_id"]
        equal(client.wait(job_id)["status"], "failed", "status")
        wait_for("the first attempt to end", lambda: client.job(job_id)["webhook"]["next_attempt_at"]
                 and client.job(job_id)["webhook"]["attempts"] == 1)
        refused(product, 75, "--drop-webhook", "job", "retry", job_id)
        equal(client.job(job_id)["status"], "failed", "status")
        product.ctl("job", "retry", job_id, "--drop-webhook")
        receiver.wait(job_id, 2)
        equal(client.wait(job_id)["status"], "failed", "status of the second try")
        ids_told = {webhook.id for webhook in receiver.of(job_id)}
        equal(len(ids_told), 2, "events")
        silent = client.wait(client.create(UNSPEAKABLE)["job_id"])["job_id"]
        product.stop()
        with sqlite3.connect(product.setting("database")) as database:
            database.execute("DELETE FROM job_texts")
        product.start()
        refused(product, 65, "its text is gone", "job", "retry", silent)


def test_all_that_failed_is_tried_again_at_a_pace(receiver):
    with started() as product:
        made = fail_jobs(product, receiver, 12)
        product.stop()
        mend_texts(product, made)
        product.start()
        client = product.client
        words = ("job", "retry", "--failed", "--since", "1h")
        equal(product.ctl(*words, "--dry-run")["failed"], 12, "failed ones")
        equal(product.ctl(*words, "--error", "synthesis_crashed")["retried"], 0, "with another error")
        told = product.ctl(*words, "--error", "nothing_to_speak", "--rate", "50/s")
        equal((told["failed"], told["retried"], told["without_text"], told["webhook_owed"]), (12, 12, 0, 0), "counts")
        for job_id in made:
            equal(client.wait(job_id)["status"], "completed", "status")
            receiver.wait(job_id, 2)
        equal(product.ctl(*words)["failed"], 0, "failed ones that are left")
        refused(product, 64, "--since", "job", "retry", "--failed")


def test_what_has_ended_is_purged_with_its_files(receiver):
    with started() as product:
        client = product.client
        job_id = client.create(webhook_url=receiver.url, timings=True)["job_id"]
        job = client.wait(job_id)
        receiver.wait(job_id)
        wait_for("the delivery", lambda: client.job(job_id)["webhook"]["status"] == "delivered")
        equal(len(files_of(product, job_id)), 4, "files")
        refused(product, 64, "--yes", "job", "purge", job_id)
        equal(client.job(job_id)["status"], "completed", "status")
        equal(product.ctl("job", "purge", job_id, "--yes")["purged"], True, "purged")
        client.get(f"/v1/jobs/{job_id}").expect_problem(404)
        client.get(job["audio_url"].removeprefix(client.url), key="").expect_problem(404)
        equal(files_of(product, job_id), [], "files")

        product.freeze(product.worker_pid)
        waiting = client.create()["job_id"]
        refused(product, 65, "'job cancel' ends it first", "job", "purge", waiting, "--yes")
        os.kill(product.worker_pid, signal.SIGCONT)
        client.wait(waiting)


def test_many_are_purged_by_their_end_and_what_is_owed_stays(receiver):
    with started("webhook_retry_schedule=0s 1h") as product:
        client, other = product.client, product.new_client()
        receiver.answers["/refused"] = [500]
        owed = client.create(webhook_url=receiver.url + "/refused")["job_id"]
        client.wait(owed)
        wait_for("the refusal", lambda: client.job(owed)["webhook"]["next_attempt_at"]
                 and client.job(owed)["webhook"]["last_status_code"] == 500)
        done = [client.wait(client.create()["job_id"])["job_id"] for _ in range(5)]
        failed = client.wait(client.create(UNSPEAKABLE)["job_id"])["job_id"]
        foreign = other.wait(other.create()["job_id"])["job_id"]
        key = product.ctl("job", "show", owed)["key_id"]
        words = ("job", "purge", "--before", "0s", "--yes")
        equal(product.ctl("job", "purge", "--before", "1h", "--yes")["ended"], 0, "of an hour ago")
        equal(product.ctl(*words, "--dry-run")["ended"], 8, "ended ones")
        told = product.ctl(*words, "--key", key, "--status", "completed")
        equal((told["ended"], told["purged"], told["webhook_owed"]), (6, 5, 1), "counts")
        for job_id in done:
            client.get(f"/v1/jobs/{job_id}").expect_problem(404)
        for asker, job_id in ((client, owed), (client, failed), (other, foreign)):
            asker.get(f"/v1/jobs/{job_id}").expect(200)
        equal(product.ctl(*words, "--drop-webhook")["purged"], 3, "the rest")
        equal(product.ctl("job", "list")["jobs"], [], "jobs")
        equal([path for path in pathlib.Path(product.state / "downloads").rglob("job_*")], [], "files")
        equal(run_ctl(product, "db", "check").returncode, 0, "exit code of db check")
        equal(client.wait(client.create()["job_id"])["status"], "completed", "a new job")
