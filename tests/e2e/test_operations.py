# SPDX-License-Identifier: Apache-2.0
"""What an administrator steers and looks at, with the real product."""

import json
import os
import signal
import subprocess

from product import BUILD, PATIENCE, check, equal, started, wait_for


def run_ctl(product, *arguments):
    """sayhookctl as a person calls it."""
    return subprocess.run(
        [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run_json(product, *arguments, code=0):
    """The same with --json, where it may have something to complain about."""
    result = run_ctl(product, *arguments, "--json")
    equal(result.returncode, code, f"exit code of {arguments}: {result.stdout}{result.stderr}")
    return json.loads(result.stdout)


def test_while_the_workers_are_paused_jobs_wait_and_all_else_goes_on(receiver):
    with started() as product:
        client = product.client
        running = client.create(text="A story that takes a while. " * 300, voice="slt", webhook_url=receiver.url)
        client.wait(running["job_id"], "processing")
        check(product.ctl("worker", "pause")["changed"], "it was paused before")
        waiting = client.create(webhook_url=receiver.url)
        equal(client.wait(running["job_id"])["status"], "completed", "what was running")
        receiver.wait(running["job_id"])
        equal(client.job(waiting["job_id"])["status"], "pending", "what came later")
        client.get("/readyz", key="").expect(200)
        product.ctl("worker", "resume")
        equal(client.wait(waiting["job_id"])["status"], "completed", "after the pause")
        receiver.wait(waiting["job_id"])


def test_a_drained_worker_has_nothing_to_lose_and_the_next_one_stays_paused():
    with started() as product:
        client = product.client
        running = client.create(text="A story that takes a while. " * 100, voice="slt")
        client.wait(running["job_id"], "processing")
        drained = product.ctl("worker", "drain")
        equal(drained["processing_jobs"], 0, "jobs that are left")
        equal(client.job(running["job_id"])["status"], "completed", "what was running")
        waiting = client.create()
        product.start_worker()
        os.kill(product.worker_pid, signal.SIGTERM)
        wait_for("the first worker to end", lambda: not product.is_running(product.worker_pid))
        wait_for("the second worker alone", lambda: client.get("/readyz", key="").status == 200)
        equal(client.job(waiting["job_id"])["status"], "pending", "with another worker")
        product.ctl("worker", "resume")
        equal(client.wait(waiting["job_id"])["status"], "completed", "after the pause")
