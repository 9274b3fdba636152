# SPDX-License-Identifier: Apache-2.0
"""What the figures of bench/run share: texts, the product, a receiver of webhooks, the memory of processes."""

import calendar
import contextlib
import fcntl
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import typing
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parent.parent
WEBHOOK_WAIT_SECONDS = 30

# What would limit the load on purpose.
SETTINGS = {
    "rate_limit_requests": "1000000",
    "rate_limit_burst": "1000000",
    "max_pending_jobs": "10000000",
    "max_pending_chars": "10000000000",
    "max_chars_per_day": "10000000000",
    "max_text_chars": "10000000",
    "max_stored_bytes": "1024G",
    "log_level": "warning",
}


class BenchError(Exception):
    """A figure cannot be measured; the text says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- texts ----------------------------------------------------------------------------------------------------------

WORDS = (
    "the of a to in is that it was for on are with they be at one have this from by hot word but what some we can "
    "out other were all there when up use your how said an each she which do their time if will way about many then "
    "them write would like so these her long make thing see him two has look more day could go come did number sound "
    "no most people my over know water than call first who may down side been now find any new work part take get "
    "place made live where after back little only round man year came show every good me give our under name very "
    "through just form sentence great think say help low line differ turn cause much mean before move right boy old"
).split()


def sentence(rng, length=70):
    """A sentence of common words, about as long as asked."""
    words = [rng.choice(WORDS).capitalize()]
    while sum(len(word) + 1 for word in words) < length:
        words.append(rng.choice(WORDS))
    return " ".join(words) + "."


def sentences(characters, seed=1):
    """Sentences that make a text of so many characters, or a few less, when joined by spaces."""
    rng = random.Random(seed)
    result = []
    total = 0
    while total <= characters:
        result.append(sentence(rng, rng.randint(50, 90)))
        total += len(result[-1]) + 1
    return result[:-1]


# --- the product ----------------------------------------------------------------------------------------------------


class Product:
    """Sayhook as scripts/run starts it."""

    def __init__(self, state, port, settings=None):
        self.state = pathlib.Path(state)
        self.port = port
        self.settings = {**SETTINGS, **(settings or {})}
        self.env = {}

    def start(self):
        command = [str(TOP / "scripts" / "run"), "--detach", "--no-demo", "--state", str(self.state)]
        command += ["--port", str(self.port)]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if result.returncode != 0:
            raise BenchError("scripts/run failed:\n" + result.stdout.decode(errors="replace")[-4000:])
        self.read_env()
        return self

    def read_env(self):
        for line in (self.state / "env").read_text().splitlines():
            match = re.match(r"^(?:export )?(SAYHOOK_\w+)=(.*)$", line)
            if match:
                self.env[match[1]] = match[2].strip("\"'")
        self.url = self.env["SAYHOOK_URL"].rstrip("/")
        self.key = self.env["SAYHOOK_API_KEY"]
        self.api = int(self.env["SAYHOOK_API_PID"])
        self.worker = int(self.env["SAYHOOK_WORKER_PID"])

    def stop(self):
        subprocess.run(
            [str(TOP / "scripts" / "run"), "--stop", "--state", str(self.state)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def stop_worker(self):
        self.end_worker(signal.SIGTERM)

    def end_worker(self, number):
        os.kill(self.worker, number)
        wait_for(lambda: not is_running(self.worker), "the worker's end", seconds=30, pause=0.01)

    def start_worker(self):
        """In the place of one that has ended, as scripts/run does it, whose --stop finds this one too."""
        programs = pathlib.Path(self.env["SAYHOOK_BIN"])
        with open(self.state / "log" / "worker.log", "ab") as log:
            worker = subprocess.Popen(
                [programs / "sayhook-worker", "--config", self.env["SAYHOOK_CONFIG"], "--synth",
                 programs / "sayhook-synth"],
                cwd=self.state, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.worker = worker.pid
        (self.state / "run" / "worker.pid").write_text(f"{worker.pid}\n")

    @contextlib.contextmanager
    def turnstile(self):
        """The lock that every write holds, as src/db/turnstile.c takes it."""
        with open(self.state / "database" / "sayhook.db-turnstile", "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def turn_at_database(self):
        """A transaction, committed where nothing goes wrong."""
        with self.turnstile(), contextlib.closing(
                sqlite3.connect(self.state / "database" / "sayhook.db", timeout=30)) as database, database:
            yield database

    @contextlib.contextmanager
    def reading(self):
        """The database, to look at.  The API keeps it open, so that closing it here is no checkpoint."""
        path = self.state / "database" / "sayhook.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as database:
            database.row_factory = sqlite3.Row
            yield database

    @contextlib.contextmanager
    def worker_stopped(self):
        """With the worker stopped between two of its writes: in the middle of one it would keep all others waiting."""
        with self.turnstile():
            os.kill(self.worker, signal.SIGSTOP)
            time.sleep(0.05)  # not all threads stop at the same moment
        try:
            yield
        finally:
            os.kill(self.worker, signal.SIGCONT)

    def connect(self):
        address = urllib.parse.urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname, address.port, timeout=60)

    def new_key(self, name):
        output = subprocess.run(
            [pathlib.Path(self.env["SAYHOOK_BIN"]) / "sayhookctl", "--config", self.env["SAYHOOK_CONFIG"],
             "key", "create", "--name", name, "--json"], stdout=subprocess.PIPE, check=True).stdout
        return json.loads(output)["api_key"]

    def call(self, connection, method, path, body=None, key=None, again=None):
        """One request; returns status and document.  `again` is its Idempotency-Key."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        if again is not None:
            headers["Idempotency-Key"] = again
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
        response = connection.getresponse()
        content = response.read()
        return response.status, json.loads(content) if content else None

    def create(self, connection, key=None, again=None, **members):
        status, job = self.call(connection, "POST", "/v1/tts/async", members, key, again)
        if status != 202:
            raise BenchError(f"a create was answered with {status}: {job}")
        return job

    def wait(self, connection, job_id, poll=0.05, key=None):
        """Polls until the job has ended; returns it."""
        while True:
            status, job = self.call(connection, "GET", f"/v1/jobs/{job_id}", key=key)
            if status != 200:
                raise BenchError(f"a read was answered with {status}: {job}")
            if job["status"] not in ("pending", "processing"):
                break
            time.sleep(poll)
        if job["status"] != "completed":
            raise BenchError(f"a job ended as {job['status']}: {job['error']}")
        return job

    def wait_all(self, connection, ids):
        """Waits for jobs that were created in this order; it asks little while they are spoken."""
        self.wait(connection, ids[-1])
        return [self.wait(connection, job_id) for job_id in ids]


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def to_milliseconds(timestamp):
    """RFC 3339 in UTC with milliseconds, as the API writes it."""
    whole, fraction = timestamp.rstrip("Z").split(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 1000 + int(fraction)


# --- programs -------------------------------------------------------------------------------------------------------


def wait_for(condition, what, seconds=20, pause=0.05):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"waited {seconds} s in vain for {what}")
        time.sleep(pause)


def run_program(options, name, *arguments):
    result = subprocess.run(
        [options.programs / name, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if name == "bare_flite" else None, text=True, check=False)
    if result.returncode != 0:
        raise BenchError(f"{name} ended with status {result.returncode}")
    return result.stdout


# --- the webhook's receiver -----------------------------------------------------------------------------------------


class Receiver(http.server.ThreadingHTTPServer):
    """Notes when each job's webhook arrives, and how long after the job's end."""

    daemon_threads = True
    disable_nagle_algorithm = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.arrived = {}
        self.changed = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def wait(self, job_id):
        with self.changed:
            if not self.changed.wait_for(lambda: job_id in self.arrived, WEBHOOK_WAIT_SECONDS):
                raise BenchError(f"no webhook came for {job_id}")
            return self.arrived[job_id]


class Arrival(typing.NamedTuple):
    monotonic: float
    after_milliseconds: float  # since completed_at, which is cut to milliseconds; None where there is none


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        monotonic, wall = time.monotonic(), time.time()
        self.send_response(204)
        self.end_headers()
        event = json.loads(body)
        done = event.get("completed_at")
        arrival = Arrival(monotonic, wall * 1000 - to_milliseconds(done) if done else None)
        with self.server.changed:
            self.server.arrived[event["job_id"]] = arrival
            self.server.changed.notify_all()

    def log_message(self, *unused):
        pass


# --- what comes out -------------------------------------------------------------------------------------------------


class Figure:
    """One row of the table.  at_least tells the direction of the bar."""

    def __init__(self, name, what, unit, bar, at_least, value, details):
        self.name, self.what, self.unit, self.bar, self.at_least = name, what, unit, bar, at_least
        self.value, self.details = value, details
        self.met = value >= bar if at_least else value <= bar

    def as_json(self):
        return {"name": self.name, "what": self.what, "value": round(self.value, 4), "unit": self.unit,
                "bar": self.bar, "better": "higher" if self.at_least else "lower", "met": self.met,
                "details": self.details}


# --- memory ---------------------------------------------------------------------------------------------------------


class MemorySampler:
    """The peak of the PSS of a process and its descendants, sampled while it is open."""

    SECONDS_BETWEEN = 0.1

    def __init__(self, pid):
        self.pid = pid
        self.peak_bytes = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.sample)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.done.set()
        self.thread.join()

    def sample(self):
        while not self.done.wait(self.SECONDS_BETWEEN):
            self.peak_bytes = max(self.peak_bytes, sum(map(pss_bytes, descendants(self.pid))))


def descendants(pid):
    """The process and all below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in task.read_text().split():
                found += descendants(int(child))
        except OSError:
            pass
    return found


def pss_bytes(pid):
    try:
        match = re.search(r"^Pss:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except ProcessLookupError:
        return 0  # a synthesizer that was replaced just now
    except FileNotFoundError:
        return 0
    return int(match[1]) * 1024 if match else 0
