# SPDX-License-Identifier: Apache-2.0
"""
Mixed load at half of what the machine can do, while every process is killed again and again.

Clients create texts of several lengths, languages, voices and formats under an Idempotency-Key, look at jobs, list
them, wait for them and cancel some; a receiver verifies each webhook, and the audio is downloaded and held against
the hash of its job.  Every few seconds one of nginx, the API, the worker and a synthesizer is ended with SIGKILL and
what is missing is started again.

No accepted job may be lost; and the files that are open, the WAL and, in a run of ten minutes and more, the memory must
be as they were after five minutes (or a quarter of a shorter run).
"""

import collections
import hashlib
import http.client
import json
import os
import pathlib
import queue
import random
import signal
import statistics
import threading
import time
import urllib.parse

from product import Failure, Receiver, check, started, verify

# `make soak` takes longer.
SECONDS = 60
CLIENTS = 6
VERIFIERS = 3
# Half of what a run of this many seconds without a pause gets through is the load.
CALIBRATION = 12
KILL_EVERY = (5, 15)
SAMPLE_EVERY = 1
SAY_EVERY = 30
# The memory and what else must not grow is held against what it was here, and over so long.
SETTLED, WINDOW = 300, 120
MEMORY_GROWTH = 1.05
JUDGE_MEMORY_FROM = 600
WAL_MAX = 64 << 20
# A client asks again for so long where it gets no answer.
PATIENCE = 120
# What was promised must have come after the load has ended.
END_PATIENCE = 300

SENTENCE = "The boats came home with little fish that evening, and the old man was content."
LONG = (SENTENCE + " ") * 25
OROMO = "Akkam jirtu? Guyyaa har'aa barattoonni kudha shan mana barumsaa dhufan."

# Of a hundred jobs, so many are of each kind.
KINDS = [
    (50, {"text": SENTENCE, "voice": "kal16"}),
    (15, {"text": SENTENCE, "voice": "slt", "format": "opus"}),
    (10, {"text": SENTENCE, "voice": "rms", "format": "mp3", "speed": 1.3}),
    (10, {"text": OROMO, "language": "oromo", "timings": True}),
    (5, {"text": LONG, "voice": "kal16", "format": "flac"}),
    (5, {"text": LONG, "voice": "kal16", "format": "opus", "timings": True}),
    (5, {"text": SENTENCE, "voice": "awb", "format": "vorbis"}),
]

# Retention is at work, too, behind whoever verifies.
SETTINGS = ("retention_audio=3m", "retention_jobs=5m", "retention_deliveries=4m", "max_pending_jobs=100000",
            "webhook_retry_schedule=0s 1s 1s 2s 2s 5s 5s 10s 10s 30s 30s 60s", "log_level=warning")


class Jobs:
    """What was accepted, and what has come of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.open = {}  # job_id: whether it was cancelled
        self.counts = collections.Counter()
        self.early = {}  # webhooks that were faster than the answer

    def accepted(self, job_id):
        with self.lock:
            self.counts["accepted"] += 1
            if self.early.pop(job_id, None) is None:
                self.open[job_id] = False

    def ended(self, job_id, how):
        with self.lock:
            self.counts[how] += 1
            if self.open.pop(job_id, None) is None:
                self.early[job_id] = how

    def left(self):
        with self.lock:
            return list(self.open)


class Soak:
    def __init__(self, product, receiver, seed, say):
        self.product, self.receiver, self.say = product, receiver, say
        self.client, self.secret = product.client, product.secret
        self.seed = seed
        self.jobs = Jobs()
        self.rate = 0.0  # jobs a second in all; 0: as fast as the clients are
        self.ending = threading.Event()
        self.seen = set()  # webhook-ids
        self.hooks = queue.Queue()
        self.faults = []
        receiver.take = self.take

    # --- the receiver ---

    def take(self, webhook):
        verify(webhook, self.secret)
        with self.jobs.lock:
            again = webhook.id in self.seen
            self.seen.add(webhook.id)
            self.jobs.counts["webhooks again"] += again
        if not again:
            self.hooks.put(webhook.json)
        return 204, {}

    def verifier(self):
        while True:
            event = self.hooks.get()
            if event is None:
                return
            try:
                self.verify(event)
            except Exception as fault:
                self.faults.append(f"{event.get('job_id')}: {fault!r}")

    def verify(self, event):
        how = event["status"]
        check(how in ("completed", "cancelled"), f"a job ended as {json.dumps(event)[:300]}")
        if how == "completed":
            job = self.ask("GET", f"/v1/jobs/{event['job_id']}").json
            audio = self.ask("GET", urllib.parse.urlsplit(event["audio_url"]).path)
            check(hashlib.sha256(audio.body).hexdigest() == job["audio"]["sha256"], "the audio is another")
        self.jobs.ended(event["job_id"], how)

    # --- the clients ---

    def ask(self, method, path, body=None, headers=None, wanted=(200,)):
        """Asks until there is an answer: while something is dead there is none, or nginx says so."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self.client.call(method, path, body=body, headers=headers, timeout=30)
                if answer.status in wanted:
                    return answer
                if answer.status < 500 and answer.status != 429:
                    raise Failure(f"{method} {path}: {answer.status} {answer.body[:200]}")
                reason = answer.status
            except (OSError, http.client.HTTPException) as fault:
                reason = repr(fault)
            self.jobs.counts["asked again"] += 1
            if time.monotonic() > until:
                raise Failure(f"{method} {path}: no answer in {PATIENCE} s, the last: {reason}")
            time.sleep(0.2)

    def one_job(self, rng, number):
        body = dict(rng.choices([kind for _, kind in KINDS], [share for share, _ in KINDS])[0])
        body["webhook_url"] = self.receiver.url + "/hook"
        name = {"Idempotency-Key": f"{self.seed}-{number}"}
        job_id = self.ask("POST", "/v1/tts/async", body, name, wanted=(202,)).json["job_id"]
        self.jobs.accepted(job_id)
        what = rng.random()
        if what < 0.05:
            self.ask("DELETE", f"/v1/jobs/{job_id}", wanted=(200, 202, 409))
        elif what < 0.5:
            self.ask("GET", f"/v1/jobs/{job_id}")
        elif what < 0.6:
            self.ask("GET", "/v1/jobs?status=completed&limit=20")
        elif what < 0.7:
            self.ask("GET", f"/v1/jobs/{job_id}", headers={"Prefer": "wait=2"})

    def run_client(self, number):
        rng = random.Random(f"{self.seed}-{number}")
        due = time.monotonic() + rng.random()
        count = 0
        while not self.ending.is_set():
            try:
                self.one_job(rng, f"{number}-{count}")
            except Exception as fault:
                self.faults.append(repr(fault))
            count += 1
            if self.rate:
                due = max(due + CLIENTS / self.rate * rng.uniform(0.5, 1.5), time.monotonic() - 1)
                self.ending.wait(max(0.0, due - time.monotonic()))

    # --- what is looked at ---

    def processes(self):
        product = self.product
        synthesizers = product.children(product.worker_pid)
        return [product.api_pid, product.worker_pid, *synthesizers]

    def sample(self):
        memory = files = 0
        for pid in self.processes():
            try:
                rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                memory += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
                files += len(os.listdir(f"/proc/{pid}/fd"))
            except OSError:
                return None  # one is dead just now
        wal = pathlib.Path(self.product.setting("database") + "-wal")
        return time.monotonic(), memory, files, wal.stat().st_size if wal.exists() else 0

    def kill_one(self, rng):
        product = self.product
        nginx = int((product.state / "run" / "nginx.pid").read_text())
        synthesizers = product.children(product.worker_pid)
        name, pid = rng.choice([("nginx", nginx), ("the API", product.api_pid), ("the worker", product.worker_pid),
                                ("a synthesizer", rng.choice(synthesizers) if synthesizers else 0)])
        if pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.jobs.counts[f"killed {name}"] += 1
            if name != "a synthesizer":
                product.start()

    # --- the run ---

    def calibrate(self):
        begun = time.monotonic()
        done = self.jobs.counts["completed"]
        time.sleep(CALIBRATION)
        self.rate = (self.jobs.counts["completed"] - done) / (time.monotonic() - begun) / 2
        self.say(f"half of what this machine does is {self.rate:.1f} jobs a second")
        check(self.rate > 0, f"nothing is completed: {self.faults[:3]}")

    def watch(self, seconds):
        rng = random.Random(f"{self.seed}-kills")
        begun = time.monotonic()
        next_kill, next_word = begun + rng.uniform(*KILL_EVERY), begun + SAY_EVERY
        samples = []
        while (now := time.monotonic()) < begun + seconds:
            sample = self.sample()
            if sample:
                samples.append((sample[0] - begun, *sample[1:]))
            if now >= next_kill:
                self.kill_one(rng)
                next_kill = time.monotonic() + rng.uniform(*KILL_EVERY)
            if now >= next_word and samples:
                _, memory, files, wal = samples[-1]
                self.say(f"{dict(self.jobs.counts)}; open {len(self.jobs.left())}; {memory / 1e6:.1f} MB, {files} files, "
                    f"WAL {wal / 1e6:.1f} MB")
                next_word = now + SAY_EVERY
            check(not self.faults, f"{len(self.faults)} faults, the first: {self.faults[:3]}")
            time.sleep(SAMPLE_EVERY)
        return samples

    def drain(self):
        until = time.monotonic() + END_PATIENCE
        while self.jobs.left() and time.monotonic() < until:
            time.sleep(0.5)
        return self.jobs.left()

    def run(self, seconds):
        threads = [threading.Thread(target=self.run_client, args=(i,), daemon=True) for i in range(CLIENTS)]
        verifiers = [threading.Thread(target=self.verifier, daemon=True) for _ in range(VERIFIERS)]
        for thread in threads + verifiers:
            thread.start()
        try:
            self.calibrate()
            samples = self.watch(seconds)
        finally:
            self.ending.set()
        for thread in threads:
            thread.join(PATIENCE)
        lost = self.drain()
        for _ in verifiers:
            self.hooks.put(None)
        for thread in verifiers:
            thread.join(PATIENCE)
        return self.judge(samples, seconds, lost)

    def judge(self, samples, seconds, lost):
        settled, window = min(SETTLED, seconds / 4), min(WINDOW, seconds / 4)
        early = [sample for sample in samples if settled <= sample[0] < settled + window]
        late = [sample for sample in samples if sample[0] >= seconds - window]
        check(early and late, "nothing was sampled")

        def medians(part):
            return [statistics.median(sample[i] for sample in part) for i in (1, 2)]

        (memory_before, files_before), (memory, files) = medians(early), medians(late)
        wal = max(sample[3] for sample in samples)
        self.say(f"{seconds} s: {dict(self.jobs.counts)}; lost {len(lost)}; memory {memory_before / 1e6:.2f} -> "
            f"{memory / 1e6:.2f} MB ({memory / memory_before:.3f}); files {files_before:g} -> {files:g}; "
            f"WAL at most {wal / 1e6:.1f} MB")
        check(not self.faults, f"{len(self.faults)} faults: {self.faults[:5]}")
        check(not lost, f"{len(lost)} accepted jobs were lost: {lost[:5]}")
        check(wal <= WAL_MAX, "the WAL grew too large")
        most = max(sample[2] for sample in early)
        check(files <= most, f"files that are open: {files}, and {most} at most before")
        if seconds >= JUDGE_MEMORY_FROM:
            check(memory <= memory_before * MEMORY_GROWTH, "the memory grew")


def test_mixed_load_loses_no_job_while_every_process_is_killed_again_and_again():
    receiver = Receiver()
    try:
        with started(*SETTINGS) as product:
            Soak(product, receiver, "a test", lambda text: print("#", text)).run(SECONDS)
    finally:
        receiver.close()
