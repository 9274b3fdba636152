# SPDX-License-Identifier: Apache-2.0
"""The figures of webhooks; bench/run says what each means.

Webhooks that wait are made by the product itself: a job that is cancelled while it is pending owes one, and no speech.
"""

import concurrent.futures
import contextlib
import http.client
import math
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time

from parts import TOP, BenchError, Figure, MemorySampler, cpu_seconds, is_running, run_program, sentence, wait_for
from storm import audit, read_log

# What one client and the next leave between two jobs at least: enough for a job and its webhook.
HOOK_PACE_SECONDS = 0.08
HOOK_WARM_UP = 10
# Clients that create and cancel: a group commit takes what comes at once.
OWING_CLIENTS = 8

HANGING_RECEIVERS = 20
HANGING_PATIENCE_SECONDS = 180

WAITING_RECEIVERS = 100
WAITING_SECONDS = 30
IDLE_SECONDS = 5

# Of the attempts, 5 % meet each of six faults where 5 % of the webhooks go to receivers that nobody trusts, 15 % to
# such as are away a third of the time, and the rest to such as fail in four ways in a quarter of the requests.
STORM_SHARES = {"mixed": 16, "flapping": 3, "untrusted": 1}
STORM_SECONDS_BETWEEN_KILLS = 1
STORM_PATIENCE_SECONDS = 900
# Attempts are further apart than a second, so that webhook-timestamp tells whose request it was; an attempt that times
# out does so before the worker is killed.
STORM_SCHEDULE_SECONDS = (0, 3, 3, 3, 3, 4, 4, 5)
STORM_SETTINGS = {
    "webhook_retry_schedule": " ".join(f"{seconds}s" for seconds in STORM_SCHEDULE_SECONDS),
    "webhook_timeout": "400ms",
    "webhook_connect_timeout": "300ms",
}


def owe(product, urls):
    """Makes the product owe a webhook to each of the URLs.  Its worker must not run."""

    def client(share):
        connection = product.connect()
        for url in share:
            job = product.create(connection, text="Hi.", voice="kal16", webhook_url=url)
            status, answer = product.call(connection, "DELETE", f"/v1/jobs/{job['job_id']}")
            if status != 200:
                raise BenchError(f"a cancellation was answered with {status}: {answer}")
        connection.close()

    with concurrent.futures.ThreadPoolExecutor(OWING_CLIENTS) as pool:
        list(pool.map(client, [urls[number::OWING_CLIENTS] for number in range(OWING_CLIENTS)]))


def is_settled(product):
    """Whether nothing is owed any more.  Both questions have an index that holds no others."""
    with product.reading() as database:
        return not database.execute(
            "SELECT EXISTS (SELECT 1 FROM webhooks WHERE next_attempt_at IS NOT NULL)"
            " OR EXISTS (SELECT 1 FROM deliveries WHERE duration_ms IS NULL)").fetchone()[0]


def count_pending(product):
    """Of those that owe() made."""
    with product.reading() as database:
        return database.execute(
            "SELECT count(*) FROM webhooks WHERE status = 'pending' AND event = 'job.cancelled'").fetchone()[0]


def default_of(product, setting):
    """A number that the programs have without configuration."""
    program = f"{product.env['SAYHOOK_BIN']}/sayhook-worker"
    text = subprocess.run([program, "--help-settings"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return int(re.search(rf"^#{setting} = (\d+)$", text, re.MULTILINE)[1])


def worst_percent(times):
    """The 99th percentile."""
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]


def steady_rate(times_ms):
    """Events a second, without the first and the last tenth."""
    steady = sorted(times_ms)[len(times_ms) // 10:len(times_ms) - len(times_ms) // 10]
    return 1000 * (len(steady) - 1) / max(1, steady[-1] - steady[0])


class FastReceiver:
    """An nginx that answers 204 to all, and counts."""

    def __init__(self, folder, port):
        folder.mkdir()
        self.port = port
        self.url = f"http://127.0.0.1:{port}/hook"
        temporary = "".join(f"{name}_temp_path {folder}/{name}; "
                            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        # Connections stay for ever: neither side's requests meet one that closes.
        (folder / "nginx.conf").write_text(
            f"{'user root root; ' if os.geteuid() == 0 else ''}worker_processes 1; pid {folder}/nginx.pid;\n"
            "events { worker_connections 8192; }\n"
            f"http {{ access_log off; {temporary}keepalive_requests 1000000000; keepalive_timeout 1h;\n"
            f"server {{ listen 127.0.0.1:{port} backlog=4096;\n"
            "location / { return 204; } location = /count { stub_status; } } }\n")
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"])

    def __enter__(self):
        try:
            wait_for(self.answers, "nginx as a receiver")
        except BenchError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.process.terminate()
        self.process.wait()

    def answers(self):
        with contextlib.suppress(OSError):
            return self.count() > 0

    def count(self):
        """Requests so far, this one among them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("GET", "/count")
        text = connection.getresponse().read().decode()
        connection.close()
        return int(text.splitlines()[2].split()[2])


class HarmfulReceivers:
    """bench/receivers, while it is open."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([TOP / "bench" / "receivers", *map(str, arguments)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        if self.process.stdout.readline().strip() != "ready":
            self.__exit__()
            raise BenchError("the receivers that do harm do not start")
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class WebhookFigures:
    """A part of class Bench, which has options, folder, product(), end() and hooks()."""

    def hook_latency(self):
        product, receiver = self.product("idle"), self.hooks()
        times = self.hook_times(product, receiver)
        details = {"samples": len(times), "p90_ms": round(sorted(times)[len(times) * 9 // 10], 2),
                   "most_ms": round(max(times), 2)}
        yield Figure("hook_latency", "job done → webhook received, idle, median", "ms", 15, False,
                     statistics.median(times), details)
        yield Figure("hook_latency_p99", "job done → webhook received, idle, 99th percentile", "ms", 50, False,
                     worst_percent(times), details)

    def hook_times(self, product, receiver):
        """
        Milliseconds from each job's end to its webhook's arrival.  The jobs come at a pace of their own, so that a slow
        webhook puts off no other sample.
        """
        connection = product.connect()
        ids = []
        due = time.monotonic()
        for number in range(self.options.hook_samples + HOOK_WARM_UP):
            time.sleep(max(0, due - time.monotonic()))
            ids.append(product.create(connection, text=sentence(random.Random(number)), voice="kal16",
                                      webhook_url=receiver.url())["job_id"])
            due += HOOK_PACE_SECONDS + random.random() / 50  # in step with nothing
        return [receiver.wait(job_id).after_milliseconds for job_id in ids][HOOK_WARM_UP:]

    def deliveries(self):
        product = self.product("deliveries")
        product.stop_worker()
        in_flight = min(default_of(product, "webhook_max_per_receiver"), default_of(product, "webhook_max_in_flight"))
        ours, bare, cpu = [], [], []
        with FastReceiver(self.folder / "fast", self.options.port + 11) as receiver:
            for _ in range(self.options.rounds):
                owe(product, [receiver.url] * self.options.hooks)
                bare.append(self.bare_requests(product, receiver, in_flight))
                rate, seconds = self.deliver_all(product, receiver)
                ours.append(rate)
                cpu.append(seconds * 1e6 / self.options.hooks)
        ours, bare = statistics.median(ours), statistics.median(bare)
        yield Figure("deliveries", f"{self.options.hooks:,} recorded deliveries ÷ bare libcurl", "ratio", 0.5, True,
                     ours / bare,
                     {"deliveries_per_second": round(ours), "bare_curl_per_second": round(bare),
                      "in_flight": in_flight, "cpu_us_per_delivery": round(statistics.median(cpu))})
        self.end(product)

    def bare_requests(self, product, receiver, in_flight):
        """Requests a second."""
        with product.reading() as database:
            body = database.execute("SELECT body FROM webhooks ORDER BY webhook DESC LIMIT 1").fetchone()[0]
        return float(run_program(self.options, "bare_curl", receiver.url, self.options.hooks, in_flight, body))

    def deliver_all(self, product, receiver):
        """Lets a worker deliver what is owed: deliveries a second, and the seconds of CPU that the worker took."""
        with product.reading() as database:
            last = database.execute("SELECT max(webhook) FROM webhooks").fetchone()[0] - self.options.hooks
        before = receiver.count()
        product.start_worker()
        wait_for(lambda: is_settled(product), "the last delivery", seconds=600, pause=0.5)
        cpu = cpu_seconds(product.worker)
        requests = receiver.count() - before - 1
        product.stop_worker()
        with product.reading() as database:
            settled = [row[0] for row in database.execute(
                "SELECT settled_at FROM webhooks WHERE webhook > ? AND status = 'delivered'", (last,))]
        if len(settled) < self.options.hooks or requests < self.options.hooks:
            raise BenchError(f"{len(settled):,} deliveries and {requests:,} requests for {self.options.hooks:,}")
        return steady_rate(settled), cpu

    def isolation(self):
        product, receiver = self.product("isolation"), self.hooks()
        first = self.options.port + 20
        alone = self.hook_times(product, receiver)
        with HarmfulReceivers("hang", first, HANGING_RECEIVERS):
            urls = [f"http://127.0.0.1:{first + number}/hook" for number in range(HANGING_RECEIVERS)]
            with product.worker_stopped():
                owe(product, [urls[number % len(urls)] for number in range(self.options.hanging)])
            wait_for(lambda: self.count_timed_out(product) == HANGING_RECEIVERS, "a time-out of each that hangs",
                     seconds=HANGING_PATIENCE_SECONDS, pause=0.5)
            beside = self.hook_times(product, receiver)
            waiting = count_pending(product)
        if waiting == 0:
            raise BenchError("what hangs was given up before the other receiver's webhooks were measured")
        yield Figure("isolation", f"done → received, p99 beside {HANGING_RECEIVERS} that hang ÷ alone", "ratio", 2,
                     False, worst_percent(beside) / worst_percent(alone),
                     {"p99_ms": round(worst_percent(beside), 2), "p99_ms_alone": round(worst_percent(alone), 2),
                      "median_ms": round(statistics.median(beside), 2),
                      "median_ms_alone": round(statistics.median(alone), 2), "samples": len(beside),
                      "hanging": self.options.hanging, "still_waiting": waiting})
        self.end(product)

    def count_timed_out(self, product):
        """Receivers that have had a time-out."""
        with product.reading() as database:
            return database.execute(
                "SELECT count(DISTINCT w.receiver) FROM deliveries AS d JOIN webhooks AS w ON w.webhook = d.webhook"
                " WHERE d.error_code = 'timeout'").fetchone()[0]

    def storm(self):
        product = self.product("storm", STORM_SETTINGS)
        product.stop_worker()
        first, log = self.options.port + 20, self.folder / "storm.log"
        with HarmfulReceivers("storm", first, *STORM_SHARES.values(), log, self.make_certificate()):
            urls = [f"http{'s' if number >= sum(STORM_SHARES.values()) - STORM_SHARES['untrusted'] else ''}"
                    f"://127.0.0.1:{first + number}/hook" for number in range(sum(STORM_SHARES.values()))]
            owe(product, [urls[number % len(urls)] for number in range(self.options.hooks)])
            began = time.monotonic()
            kills = self.kill_until_settled(product)
            seconds = time.monotonic() - began
        with product.reading() as database:
            counts = audit(database, read_log(log), self.options.hooks, [1000 * s for s in STORM_SCHEDULE_SECONDS])
        wrong = counts["lost"] + counts["off_schedule"] + counts["unexplained"]
        names = ("delivered", "exhausted", "lost", "off_schedule", "duplicates", "unexplained", "requests", "attempts",
                 "failed_attempts", "interrupted")
        yield Figure("storm", "lost, early or unexplained under faults and kill -9", "webhooks", 0, False, wrong,
                     {"webhooks": self.options.hooks, **{name: counts[name] for name in names}, "kills": kills,
                      "seconds": round(seconds)})
        self.end(product)

    def make_certificate(self):
        """A file with a key and a certificate that nobody has signed."""
        path = self.folder / "untrusted.pem"
        if not shutil.which("openssl"):
            raise BenchError("openssl is missing; install it with: apt-get install openssl")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
             "/CN=127.0.0.1", "-days", "2", "-keyout", path, "-out", f"{path}.cert"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        with open(path, "a", encoding="ascii") as file, open(f"{path}.cert", encoding="ascii") as certificate:
            file.write(certificate.read())
        return path

    def kill_until_settled(self, product):
        """Kills the worker every second until nothing is owed, or until patience ends; returns how often."""
        kills = 0
        began = time.monotonic()
        while True:
            product.start_worker()
            time.sleep(max(0, began + (kills + 1) * STORM_SECONDS_BETWEEN_KILLS - time.monotonic()))
            if not is_running(product.worker):
                raise BenchError(f"the worker ended by itself; see {product.state}/log/worker.log")
            product.end_worker(signal.SIGKILL)
            kills += 1
            if is_settled(product) or time.monotonic() - began > STORM_PATIENCE_SECONDS:
                return kills

    def waiting(self):
        product = self.product("waiting")
        product.stop_worker()
        idle = self.peak_of_worker(product, IDLE_SECONDS)
        with socket.socket() as nobody:
            nobody.bind(("0.0.0.0", 0))  # and does not listen: connections to its port are refused
            port = nobody.getsockname()[1]
            urls = [f"http://127.0.1.{number + 1}:{port}/hook" for number in range(WAITING_RECEIVERS)]
            owe(product, [urls[number % len(urls)] for number in range(self.options.waiting)])
            peak = self.peak_of_worker(product, WAITING_SECONDS)
        waiting = count_pending(product)
        if waiting < self.options.waiting:
            raise BenchError(f"only {waiting:,} deliveries waited to the end")
        with product.reading() as database:
            attempts = database.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        yield Figure("waiting", f"peak with {self.options.waiting:,} deliveries waiting, over idle", "MB", 64, False,
                     peak - idle, {"peak_mb": round(peak, 1), "idle_mb": round(idle, 1), "attempts": attempts})
        self.end(product)

    def peak_of_worker(self, product, seconds):
        """The most megabytes of a worker and its synthesizers in its first seconds."""
        product.start_worker()
        with MemorySampler(product.worker) as sampler:
            time.sleep(seconds)
        product.stop_worker()
        return sampler.peak_bytes / 1e6
