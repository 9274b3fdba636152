# SPDX-License-Identifier: Apache-2.0
"""What /metrics says of what has happened, and to whom."""

import os
import re
import shutil
import signal
import subprocess

from product import SENTENCE, Skip, check, equal, started, wait_for

LINE = re.compile(r'([a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) ([-+.0-9e]+|\+Inf|NaN)')

# What changes with every request, every commit and with time.
RESTLESS = ("sayhook_http_", "sayhook_commit_", "sayhook_worker", "sayhook_database_", "sayhook_wal_", "sayhook_disk_")


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
    """What is more or less than before, of what has its reason in the test alone."""
    equal(before.keys(), after.keys(), "series")
    return {name: after[name] - before[name] for name in after
            if after[name] != before[name] and not name.startswith(RESTLESS)}


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
        change.pop("sayhook_job_wait_seconds_sum", None)
        check(change.pop("sayhook_webhook_delay_seconds_sum") > 0, "seconds to the delivery")
        equal(change.pop("sayhook_audio_seconds_total"), client.job(job["job_id"])["audio"]["duration_seconds"], "audio")
        change.pop("readiness_check_total", None)
        equal({name: value for name, value in change.items() if name not in buckets}, {
            entered("pending"): 1,
            entered("processing"): 1,
            entered("completed"): 1,
            "job_processing_duration_seconds_count": 1,
            "sayhook_job_wait_seconds_count": 1,
            "sayhook_webhook_delay_seconds_count": 1,
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
        check(after['sayhook_leases_lost_total{cause="process_ended"}'] == 1, "the worker's lease was not lost")


def served(client, route, status):
    return metrics(client)[f'sayhook_http_requests_total{{route="{route}",status="{status}"}}']


def test_requests_of_several_processes_and_restarts_add_up():
    with started() as product:
        client = product.client
        product.start_api()
        for _ in range(20):
            client.get("/v1/voices").expect(200)
        wait_for("both to tell of all", lambda: served(client, "GET /v1/voices", 200) == 20)
        numbers = [served(client, "GET /v1/voices", 200) for _ in range(4)]
        equal(numbers, [20] * 4, "whichever answers")
        client.get("/v1/nothing").expect(404)
        product.stop()
        client = product.start().client
        equal(served(client, "GET /v1/voices", 200), 20, "after a clean stop")
        equal(served(client, "other", 404), 1, "after a clean stop")
        client.get("/v1/voices").expect(200)
        metrics(client)
        os.kill(product.api_pid, signal.SIGKILL)
        wait_for("its end", lambda: not product.is_running(product.api_pid))
        equal(served(product.start().client, "GET /v1/voices", 200), 21, "what was told before a crash stays")


def test_requests_that_only_read_cost_no_commit():
    with started("lease_timeout=1d", "poll_interval=1m") as product:
        client = product.client
        client.wait(client.create()["job_id"], "completed")
        commits = 'sayhook_commit_duration_seconds_count{program="sayhook-api"}'
        before = metrics(client)
        for _ in range(5):
            client.get("/healthz").expect(200)
            after = metrics(client)
        equal(after[commits], before[commits], "commits")


def test_a_synthesizer_that_dies_is_counted():
    with started("synthesizers=1") as product:
        restarts = "sayhook_synthesizer_restarts_total"
        equal(metrics(product.client)[restarts], 0, "restarts at first")
        (synthesizer,) = wait_for("the synthesizer", lambda: product.children(product.worker_pid))
        os.kill(synthesizer, signal.SIGKILL)
        wait_for("it to be counted", lambda: metrics(product.client)[restarts] == 1)


def test_workers_are_seen_to_come_and_go():
    with started() as product:
        client = product.client
        equal(metrics(client)["sayhook_workers"], 1, "workers")
        check(metrics(client)["sayhook_worker_heartbeat_age_seconds"] < 60, "the heartbeat is old")
        second = product.start_worker()
        wait_for("the second", lambda: metrics(client)["sayhook_workers"] == 2)
        for pid in (second.pid, product.worker_pid):
            os.kill(pid, signal.SIGTERM)
        wait_for("both to leave", lambda: metrics(client)["sayhook_workers"] == 0)
        equal(metrics(client)["sayhook_worker_heartbeat_age_seconds"], float("inf"), "the age of no worker's heartbeat")
        client.create()
        wait_for("the job to grow old", lambda: metrics(client)["sayhook_job_oldest_pending_age_seconds"] > 0)


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
