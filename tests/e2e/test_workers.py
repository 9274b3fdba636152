# SPDX-License-Identifier: Apache-2.0
"""Several workers, and synthesizers that die."""

import collections
import os
import random
import signal

from product import check, equal, read_wav, started, verify, wait_for


def test_two_workers_share_the_jobs_and_speak_none_twice(receiver):
    with started() as product:
        product.start_worker()
        client = product.client
        jobs = [client.create(text=f"Number {i}. " * 20, webhook_url=receiver.url)["job_id"] for i in range(120)]
        for job_id in jobs:
            verify(receiver.wait(job_id)[0], product.secret)
        for job_id in jobs:
            job = client.wait(job_id)
            equal(job["status"], "completed", "status")
            client.download(job)
        seen = collections.Counter(webhook.id for webhook in receiver.webhooks)
        equal(len(seen), len(jobs), "webhook-ids")
        equal(max(seen.values()), 1, "webhooks of one id, none of which was refused")


def test_a_worker_that_is_killed_leaves_its_jobs_to_the_other(receiver):
    with started() as product:
        client = product.client
        jobs = [client.create(text="A story that takes a while. " * 200, voice="slt")["job_id"] for _ in range(4)]
        jobs += [client.create(webhook_url=receiver.url)["job_id"] for _ in range(4)]
        client.wait(jobs[0], "processing")
        product.start_worker()
        os.kill(product.worker_pid, signal.SIGKILL)
        for job_id in jobs:
            job = client.wait(job_id)
            equal(job["status"], "completed", "status")
            read_wav(client.download(job).body)
        for job_id in jobs[4:]:
            receiver.wait(job_id)


def kill_a_synthesizer(product):
    children = product.children(product.worker_pid)
    check(children, "the worker has no synthesizer")
    try:
        os.kill(random.choice(children), signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_a_killed_synthesizer_is_replaced_and_the_job_completes(product, client):
    text = "".join(f"This is sentence number {i} of a story that goes on. " for i in range(400))
    undisturbed = client.wait(client.create(text=text, voice="slt")["job_id"])
    job_id = client.create(text=text, voice="slt")["job_id"]
    client.wait(job_id, "processing")
    for _ in range(3):
        # Far enough apart that no segment is hit twice, which would rightly fail the job.
        before = client.job(job_id)["progress"]
        wait_for("progress", lambda: client.job(job_id)["progress"] > before + 0.1
                 or client.job(job_id)["status"] != "processing")
        if client.job(job_id)["status"] == "processing":
            kill_a_synthesizer(product)
    job = client.wait(job_id)
    equal(job["status"], "completed", f"status ({job['error']})")
    equal(job["audio"]["sha256"], undisturbed["audio"]["sha256"], "sha256, beside that of an undisturbed job")


def test_no_synthesizer_outlives_its_worker():
    with started() as product:
        children = wait_for("synthesizers", lambda: product.children(product.worker_pid))
        os.kill(product.worker_pid, signal.SIGKILL)
        wait_for("the synthesizers' end", lambda: not any(is_running(child) for child in children))


def is_running(pid):
    """False for a zombie, too, whose command line is empty."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"sayhook" in file.read()
    except OSError:
        return False


def test_a_worker_that_is_told_to_stop_gives_its_jobs_back():
    with started() as product:
        job_id = product.client.create(text="A story that takes a while. " * 600, voice="slt")["job_id"]
        product.client.wait(job_id, "processing")
        os.kill(product.worker_pid, signal.SIGTERM)
        wait_for("the worker's end", lambda: not is_running(product.worker_pid))
        product.start()
        job = product.client.wait(job_id)
        equal(job["status"], "completed", "status")
        read_wav(product.client.download(job).body)


def test_a_worker_that_hung_loses_its_jobs_once_and_goes_on():
    """Its lease runs out while it is stopped; afterwards it registers anew, and neither takes the other for dead."""
    with started("lease_timeout=1s") as product:
        client = product.client
        text = "A story that takes a while. " * 300
        jobs = [client.create(text=text, voice="slt")["job_id"] for _ in range(2)]
        client.wait(jobs[0], "processing")
        product.start_worker()
        product.freeze(product.worker_pid)
        try:
            wait_for("the other to take over", lambda: "its lease ran out" in product.log("second-worker"))
        finally:
            os.kill(product.worker_pid, signal.SIGCONT)
        wait_for("the first to notice", lambda: "the lease was lost" in product.log("worker"))
        jobs += [client.create(text=text, voice="slt")["job_id"] for _ in range(4)]
        for job_id in jobs:
            job = client.wait(job_id)
            equal(job["status"], "completed", "status")
            client.download(job)
        equal(product.log("worker").count("the lease was lost"), 1, "leases lost by the one that hung")
        equal(product.log("second-worker").count("took back the jobs"), 1, "burials by the other")
        equal(list(product.state.glob("downloads/*/*.part")), [], "files under construction")
