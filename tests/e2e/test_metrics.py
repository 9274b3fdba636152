# SPDX-License-Identifier: Apache-2.0
"""What /metrics says of what has happened, and to whom."""

import os
import re
import shutil
import signal
import subprocess

from product import SENTENCE, Skip, check, equal, started, wait_for

LINE = re.compile(r'([a-z_]+(?:\{[a-z]+="[^"]*"\})?) ([-+.0-9e]+)')


def metrics(client):
    """Every series by its name with its label."""
    answer = client.get("/metrics", key="").expect(200)
    equal(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8", "Content-Type")
    found = {}
    for line in answer.body.decode().splitlines():
        if not line.startswith("#"):
            series, value = LINE.fullmatch(line).groups()
            check(series not in found, f"{series} is there twice")
            found[series] = float(value)
    return found


def grown(before, after):
    """What is more or less than before."""
    equal(before.keys(), after.keys(), "series")
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def entered(status):
    return f'job_status_total{{status="{status}"}}'


def test_they_tell_of_a_job_and_its_webhook(receiver):
    with started() as product:
        client = product.client
        receiver.answers["/hook"] = [500, 204]
        before = metrics(client)
        check(all(value == 0 for name, value in before.items() if name.startswith(("job_", "webhook_", "engine_"))),
              f"a new server counts from 0: {before}")
        job = client.create(webhook_url=receiver.url + "/hook")
        client.wait(job["job_id"], "completed")
        receiver.wait(job["job_id"], 2)
        success = 'webhook_delivery_total{result="success"}'
        wait_for("the end of the second attempt", lambda: metrics(client)[success] == 1)
        change = grown(before, metrics(client))
        buckets = {name: value for name, value in change.items() if "_bucket{" in name}
        equal(buckets['job_processing_duration_seconds_bucket{le="+Inf"}'], 1, "jobs in the last bucket")
        check(0 < change.pop("job_processing_duration_seconds_sum") < 60, "seconds")
        change.pop("readiness_check_total", None)
        equal({name: value for name, value in change.items() if name not in buckets}, {
            entered("pending"): 1,
            entered("processing"): 1,
            entered("completed"): 1,
            "job_processing_duration_seconds_count": 1,
            "engine_characters_total": len(SENTENCE),
            success: 1,
            'webhook_delivery_total{result="failure"}': 1,
            "webhook_retry_total": 1,
        }, "what has grown")


def test_they_go_on_where_they_were_after_a_crash_of_everything():
    with started() as product:
        client = product.client
        client.wait(client.create()["job_id"], "completed")
        job = client.create(text="A long story of many words. " * 4000, voice="slt")["job_id"]
        client.wait(job, "processing")
        before = metrics(client)
        for pid in (product.worker_pid, product.api_pid):
            os.kill(pid, signal.SIGKILL)
            wait_for("its end", lambda: not product.is_running(pid))
        product.start()
        client = product.client
        wait_for("the job to be taken back", lambda: metrics(client)["job_taken_back_total"])
        again = metrics(client)[entered("pending")]
        equal(again, before[entered("pending")] + 1, "entries into pending")
        client.cancel(job)
        client.wait(job, "cancelled")
        after = metrics(client)
        equal(after[entered("cancelled")], 1, "cancelled jobs")
        equal(after[entered("completed")], 1, "completed jobs")
        equal(after["job_queue_length"], 0, "jobs that wait")
        check(after["engine_characters_total"] >= before["engine_characters_total"], "a counter went down")


def test_an_address_that_is_not_named_is_refused():
    with started("metrics_allow_cidrs=192.0.2.0/24") as product:
        for headers in ({}, {"X-Forwarded-For": "192.0.2.1"}, {"X-Real-IP": "192.0.2.1"}):
            product.client.get("/metrics", headers=headers).expect_problem(403, "forbidden")


def test_promtool_finds_nothing_wrong(client):
    promtool = shutil.which("promtool")
    if not promtool:
        raise Skip("promtool (package prometheus) is not installed")
    client.wait(client.create()["job_id"], "completed")
    text = client.get("/metrics", key="").expect(200).body
    result = subprocess.run([promtool, "check", "metrics"], input=text, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    equal((result.returncode, result.stdout.decode()), (0, ""), "what promtool says")
