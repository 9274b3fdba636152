# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random points: a 202 is a promise.

Clients go on posting while API and worker are killed in turn and started again.  Afterwards every job that a client saw
a 202 for is completed, its audio matches its hash, and its webhook came.
"""

import http.client
import os
import random
import signal
import subprocess
import threading
import time

from product import BUILD, check, equal, read_wav, started, verify, wait_for

KILLS = int(os.environ.get("SAYHOOK_KILLS", "200"))
CLIENTS = 3
# The longest pause before a kill, so that some come in the middle of starting and others in the middle of work.
PAUSE_MAX = 0.4
# Clients hold back while more jobs than this wait, so that the end does not take for ever.
OPEN_MAX = 150


class Daemon:
    """A program of the product, started on the product's configuration as often as it is killed."""

    def __init__(self, product, name, *options):
        self.log = open(product.state / "log" / f"{name}.log", "ab")
        self.command = [str(BUILD / f"sayhook-{name}"), "--config", product.env["SAYHOOK_CONFIG"], *options]
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def kill(self):
        check(self.process.poll() is None, f"{self.command[0]} ended by itself: {self.process.returncode}")
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.log.close()


class Load(threading.Thread):
    """Posts jobs, and remembers those that it saw a 202 for."""

    def __init__(self, client, receiver, number):
        super().__init__(daemon=True)
        self.client, self.receiver, self.number = client, receiver, number
        self.random = random.Random(number)
        self.promised, self.stopping, self.fault = [], False, None

    def text(self, i):
        sentences = self.random.choice((1, 1, 1, 3, 10))
        return f"Job {i} of client {self.number}. " + "It has a sentence more. " * (sentences - 1)

    def run(self):
        i = 0
        try:
            while not self.stopping:
                told = {webhook.json["job_id"] for webhook in list(self.receiver.webhooks)}
                if len(set(self.promised) - told) >= OPEN_MAX:
                    time.sleep(0.05)
                    continue
                i += 1
                self.post(i)
                time.sleep(self.random.uniform(0, 0.3))
        except Exception as fault:  # pylint: disable=broad-except
            self.fault = fault

    def post(self, i):
        voice = self.random.choice(("kal16", "slt"))
        try:
            answer = self.client.post({"text": self.text(i), "voice": voice, "webhook_url": self.receiver.url})
        except (OSError, http.client.HTTPException):
            return
        if answer.status == 202:
            self.promised.append(answer.json["job_id"])
        else:
            # nginx has no API to ask while that is dead; its answer must say so, and no other may come.
            check(answer.status in (502, 503, 504), f"POST answers {answer.status}: {answer.body[:300]!r}")


def test_every_promise_outlives_two_hundred_kills(receiver):
    seed = int(os.environ.get("SAYHOOK_SEED", time.time_ns() % 1_000_000))
    print(f"# SAYHOOK_SEED={seed} SAYHOOK_KILLS={KILLS}", flush=True)
    chance = random.Random(seed)
    # An attempt that a crash cuts off counts, so there must be enough of them.
    schedule = "webhook_retry_schedule=0s" + " 200ms" * 60
    with started(schedule) as product:
        daemons = [Daemon(product, "api"), Daemon(product, "worker", "--synth", str(BUILD / "sayhook-synth"))]
        for pid in (product.api_pid, product.worker_pid):
            os.kill(pid, signal.SIGKILL)
        for daemon in daemons:
            daemon.start()
        load = [Load(product.client, receiver, number) for number in range(CLIENTS)]
        try:
            for thread in load:
                thread.start()
            for i in range(KILLS):
                time.sleep(chance.uniform(0, PAUSE_MAX))
                victims = chance.choice((daemons[:1], daemons[1:], daemons[1:], daemons))
                for daemon in victims:
                    daemon.kill()
                for daemon in victims:
                    daemon.start()
                if i % 50 == 49:
                    print(f"# {i + 1} kills, {sum(len(t.promised) for t in load)} promises", flush=True)
            for thread in load:
                thread.stopping = True
            for thread in load:
                thread.join(120)
                check(thread.fault is None, f"a client: {thread.fault}")
            judge(product, receiver, [job_id for thread in load for job_id in thread.promised])
        finally:
            for thread in load:
                thread.stopping = True
            for daemon in daemons:
                daemon.end()


def judge(product, receiver, promised):
    check(len(promised) >= KILLS / 2, f"only {len(promised)} jobs were created: the test tests nothing")
    wait_for("the API", lambda: product.client.get("/readyz").status == 200)
    ids = set()
    for job_id in promised:
        job = product.client.wait(job_id)
        equal((job_id, job["status"], job["error"]), (job_id, "completed", None), "job")
        read_wav(product.client.download(job).body)
        webhooks = receiver.wait(job_id)
        equal(len({webhook.id for webhook in webhooks}), 1, f"webhook-ids of {job_id}")
        equal(webhooks[0].json["type"], "job.completed", "type")
        verify(webhooks[0], product.secret)
        ids.add(webhooks[0].id)
    equal(len(ids), len(promised), "webhook-ids in all")
    wait_for("what dead workers left to go", lambda: not list(product.state.glob("downloads/*/*.part")))
    repeated = len(receiver.webhooks) - len({webhook.id for webhook in receiver.webhooks})
    print(f"# {len(promised)} promises kept; {repeated} webhooks came again under the same id", flush=True)
