# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the product as scripts/run starts it, a client, a receiver of webhooks.

The signatures are verified here from the contract's words alone, with nothing of the product's own code.
"""

import base64
import contextlib
import fcntl
import hashlib
import hmac
import http.client
import http.server
import io
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.parse
import wave

import ctl_contract

try:
    import contract
except ImportError as error:  # python3-jsonschema or python3-yaml is missing
    contract, no_contract = None, str(error)

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SAYHOOK_BUILD", TOP / "build" / "release")).resolve()
RUN = str(TOP / "scripts" / "run")

# A sanitized build on a busy machine is slow; nothing passes or fails by being faster than this.
PATIENCE = 120
SENTENCE = "Good morning, this is a sentence of a test."


class Failure(AssertionError):
    """Something is not as the contract says."""


class Skip(Exception):
    """A test that cannot run here, and why."""


def check(condition, message):
    if not condition:
        raise Failure(message)


def equal(actual, expected, what="value"):
    check(actual == expected, f"{what}: expected {expected!r}, got {actual!r}")


def wait_for(what, probe, patience=PATIENCE, pause=0.02):
    """Calls probe until it returns something true, which is returned."""
    end = time.monotonic() + patience
    while True:
        result = probe()
        if result:
            return result
        check(time.monotonic() < end, f"waited {patience} s in vain for {what}")
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def hear_signals():
    """For a process that is about to be started: a shell cannot trap what is ignored then, and nothing else ends by it:
    SIGHUP where the tests run under nohup, SIGINT in the background of a script."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


# --- the client -----------------------------------------------------------------------------------------------------


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def expect(self, status):
        check(self.status == status, f"expected {status}, got {self.status}: {self.body[:400]!r}")
        return self

    def expect_problem(self, status, code=None):
        """Problem details as RFC 9457 and the contract want them."""
        self.expect(status)
        equal(self.headers.get_content_type(), "application/problem+json", "Content-Type")
        problem = self.json
        equal(problem["status"], status, "status in the body")
        for member in ("type", "title", "detail", "code", "request_id"):
            check(isinstance(problem.get(member), str) and problem[member], f"no {member} in {problem}")
        check(problem["type"].startswith("http"), f"type is no absolute URI: {problem['type']}")
        equal(problem["request_id"], self.headers["X-Request-Id"], "request_id")
        if code:
            equal(problem["code"], code, "code")
        return self


class Client:
    def __init__(self, url, key):
        self.url, self.key = url, key
        self.address = urllib.parse.urlsplit(url).netloc

    def call(self, method, path, body=None, headers=None, key=None, timeout=PATIENCE):
        """One request on a connection of its own; a dict becomes JSON, bytes go as they are."""
        return self.call_on(http.client.HTTPConnection(self.address, timeout=timeout), method, path, body, headers, key)

    def call_on(self, connection, method, path, body, headers, key):
        headers = dict(headers or {})
        key = self.key if key is None else key
        if key:
            headers.setdefault("Authorization", f"Bearer {key}")
        if isinstance(body, (dict, list)):
            body = json.dumps(body, ensure_ascii=False).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
            if contract:
                contract.check_answer(method, path, headers, answer)
            return answer
        finally:
            connection.close()

    def get(self, path, **rest):
        return self.call("GET", path, **rest)

    def post(self, body, **rest):
        return self.call("POST", "/v1/tts/async", body=body, **rest)

    def create(self, text=SENTENCE, voice="kal16", **members):
        return self.post({"text": text, "voice": voice, **members}).expect(202).json

    def job(self, job_id):
        return self.get(f"/v1/jobs/{job_id}").expect(200).json

    def cancel(self, job_id):
        return self.call("DELETE", f"/v1/jobs/{job_id}")

    def wait(self, job_id, *statuses):
        """Waits until the job has one of the states, by default any that is an end."""
        statuses = statuses or ("completed", "failed", "cancelled")

        def probe():
            job = self.job(job_id)
            return job if job["status"] in statuses else None

        return wait_for(f"{job_id} to be {' or '.join(statuses)}", probe)

    def download(self, job):
        """The audio of a completed job, checked against what the job says of it."""
        parts = urllib.parse.urlsplit(job["audio_url"])
        equal(f"{parts.scheme}://{parts.netloc}", self.url, "audio_url's origin")
        answer = self.get(parts.path, key="").expect(200)
        equal(answer.headers["Content-Type"], job["audio"]["content_type"], "Content-Type")
        equal(len(answer.body), job["audio"]["bytes"], "bytes")
        equal(hashlib.sha256(answer.body).hexdigest(), job["audio"]["sha256"], "sha256")
        return answer


def wav_tag(data):
    """What the WAV says of its samples: 1 is plain PCM, 0xfffe is in the long form that some readers do not know."""
    return struct.unpack_from("<H", data, data.index(b"fmt ") + 8)[0]


def read_wav(data):
    """Frames a second and seconds of a WAV, which must hold what its header says."""
    with wave.open(io.BytesIO(data)) as audio:
        equal(audio.getnchannels(), 1, "channels")
        equal(audio.getsampwidth(), 2, "bytes a sample")
        frames = audio.readframes(audio.getnframes())
        equal(len(frames), 2 * audio.getnframes(), "bytes of samples")
        check(any(frames), "the audio is silence")
        return audio.getframerate(), audio.getnframes() / audio.getframerate()


# --- the receiver ---------------------------------------------------------------------------------------------------


class Webhook:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body, self.at = path, headers, body, time.time()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]


class Receiver:
    """Records what is posted to it.  answers[path] lists what to answer in turn, the last one for ever; each is a
    status, or a pair of status and headers."""

    def __init__(self):
        self.webhooks = []
        self.answers = {}
        self.lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = receiver.take(Webhook(self.path, self.headers, body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, *_):
                pass  # a sender that was killed

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, webhook):
        if contract and "webhook-id" in webhook.headers:
            contract.check_webhook(webhook.headers, webhook.body)
        with self.lock:
            self.webhooks.append(webhook)
            answers = self.answers.get(webhook.path, [204])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer if isinstance(answer, tuple) else (answer, {})

    def of(self, job_id):
        with self.lock:
            return [webhook for webhook in self.webhooks if webhook.json.get("job_id") == job_id]

    def wait(self, job_id, count=1, patience=PATIENCE):
        """The webhooks of a job once so many have come."""

        def probe():
            found = self.of(job_id)
            return found if len(found) >= count else None

        return wait_for(f"{count} webhooks of {job_id}", probe, patience)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def verify(webhook, secret):
    """Both signatures and both timestamps, as the contract's table of headers says."""
    headers, body = webhook.headers, webhook.body
    plain = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    equal(headers["X-Webhook-Signature"], "sha256=" + plain, "X-Webhook-Signature")
    equal(headers["webhook-timestamp"], headers["X-Webhook-Timestamp"], "webhook-timestamp")
    check(abs(webhook.at - int(headers["webhook-timestamp"])) < 60, "the timestamp is not of this attempt")
    check(headers["webhook-id"].startswith("msg_"), f"webhook-id is {headers['webhook-id']}")
    check(secret.startswith("whsec_"), "the secret has no prefix")
    key = base64.b64decode(secret[len("whsec_") :], validate=True)
    check(24 <= len(key) <= 64, f"the secret has {len(key)} bytes")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    standard = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    check(standard in headers["webhook-signature"].split(" "), "webhook-signature is wrong")
    equal(headers["Content-Type"], "application/json", "Content-Type")
    check(headers["User-Agent"].startswith("Sayhook/"), f"User-Agent is {headers['User-Agent']}")
    check(b"\n" not in body.rstrip(b"\n"), "the body is more than one line")


# --- the product ----------------------------------------------------------------------------------------------------


class Product:
    """Sayhook as scripts/run starts it, in a state folder of its own; disk, as 64m: on a file system of that size."""

    def __init__(self, *settings, keep_limits=False, disk=None):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="sayhook-e2e-"))
        self.mounted = False
        if disk:
            self.mount(disk)
        self.port = free_port()
        self.settings = list(settings)
        if not keep_limits:
            self.settings = ["rate_limit_requests=1000000", "rate_limit_burst=1000000"] + self.settings
        self.extra = []
        self.env = {}

    def run(self, *arguments, check_status=True, build=BUILD):
        result = subprocess.run(
            [RUN, "--state", str(self.state), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SAYHOOK_BUILD": str(build)},
            timeout=PATIENCE,
            check=False,
        )
        if check_status:
            check(result.returncode == 0, f"scripts/run {arguments}: {result.returncode}\n{result.stdout.decode()}")
        return result

    def mount(self, size):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", self.state],
                              capture_output=True, check=False)
        if done.returncode != 0:
            self.state.rmdir()
            raise Skip(f"a file system cannot be mounted here: {done.stderr.decode().strip()}")
        self.mounted = True

    def start(self):
        """Starts what does not run."""
        arguments = ["--detach", "--no-demo", "--port", str(self.port)]
        for setting in self.settings:
            arguments += ["--set", setting]
        self.run(*arguments)
        self.read_env()
        return self

    def read_env(self):
        for line in (self.state / "env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.env[name] = value.strip("'")
        self.client = Client(self.env["SAYHOOK_URL"], self.env["SAYHOOK_API_KEY"])
        self.secret = self.env["SAYHOOK_WEBHOOK_SECRET"]
        self.api_pid = int(self.env["SAYHOOK_API_PID"] or 0)
        self.worker_pid = int(self.env["SAYHOOK_WORKER_PID"] or 0)

    def ctl(self, *arguments):
        """sayhookctl's JSON."""
        command = [str(BUILD / "sayhookctl"), "--config", self.env["SAYHOOK_CONFIG"], *arguments, "--json"]
        document = json.loads(subprocess.run(command, stdout=subprocess.PIPE, timeout=PATIENCE, check=True).stdout)
        ctl_contract.check_document(arguments, document)
        return document

    def setting(self, name):
        """What the configuration that scripts/run wrote says."""
        for line in (self.state / "sayhook.conf").read_text().splitlines():
            if line.startswith(name + " = "):
                return line.partition(" = ")[2].strip("'")
        raise KeyError(name)

    def new_client(self, name="another", *options):
        """A client with a key of its own; .secret and .key_id are the key's."""
        made = self.ctl("key", "create", "--name", name, *options)
        client = Client(self.env["SAYHOOK_URL"], made["api_key"])
        client.secret, client.key_id = made["webhook_secret"], made["key_id"]
        return client

    def start_worker(self):
        """One more worker on the same database."""
        with open(self.state / "log" / "second-worker.log", "ab") as log:
            worker = subprocess.Popen(
                [BUILD / "sayhook-worker", "--config", self.env["SAYHOOK_CONFIG"], "--synth", BUILD / "sayhook-synth"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.extra.append(worker)
        return worker

    def log(self, name):
        """What a part has logged so far."""
        return (self.state / "log" / f"{name}.log").read_text(errors="replace")

    @staticmethod
    def is_running(pid):
        """False for a zombie, too, whose command line is empty."""
        with contextlib.suppress(OSError):
            return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() != b""
        return False

    def freeze(self, pid):
        """Stops a process at a moment when it does not write to the database, where all others would wait for it;
        SIGCONT lets it go on."""

        def stopped():
            tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
            return all((task / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T" for task in tasks)

        def frozen():
            os.kill(pid, signal.SIGSTOP)
            wait_for(f"each thread of {pid} to stop", stopped)
            with open(self.setting("database") + "-turnstile", "r+b") as turnstile:
                try:
                    fcntl.flock(turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.kill(pid, signal.SIGCONT)
                    return False
            return True

        wait_for(f"process {pid} to stop", frozen)

    def children(self, pid):
        """The children of a process, such as the synthesizers of a worker."""
        with contextlib.suppress(OSError):
            found = []
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
            return found
        return []

    def start_api(self):
        """One more API on the same database; nginx takes them in turn from then on."""
        configuration, path = self.state / "second-api.conf", self.setting("api_socket")
        configuration.write_text((self.state / "sayhook.conf").read_text().replace(path, path + "2"))
        with open(self.state / "log" / "second-api.log", "ab") as log:
            api = subprocess.Popen(
                [BUILD / "sayhook-api", "--config", configuration], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.extra.append(api)
        wait_for("the second API to listen", lambda: os.path.exists(path + "2"))
        self.change_nginx(f"server unix:{path};", f"server unix:{path}; server unix:{path}2;", "upstream.conf")
        return api

    def change_nginx(self, old, new, name="locations.conf"):
        """Writes other words into nginx's configuration, and waits until its workers know no others."""
        path = self.state / "nginx" / name
        text = path.read_text()
        check(old in text, f"{old!r} is not in {path.name}")
        path.write_text(text.replace(old, new))
        master = int((self.state / "run" / "nginx.pid").read_text())
        workers = self.children(master)
        os.kill(master, signal.SIGHUP)
        wait_for("the workers of before to end", lambda: not any(map(self.is_running, workers)))

    def logs(self, lines=15):
        for path in sorted((self.state / "log").glob("*.log")):
            text = path.read_text(errors="replace").splitlines()[-lines:]
            if text:
                yield f"--- the end of {path.name}"
                yield from text

    def stop(self):
        for process in self.extra:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        self.extra = []
        self.run("--stop")

    def remove(self):
        self.stop()
        if self.mounted:
            subprocess.run(["umount", self.state], check=True)
        shutil.rmtree(self.state, ignore_errors=True)


_open_products = []
_last_words = []  # of products that are gone, for the report of the test that failed
_shared = None


@contextlib.contextmanager
def started(*settings, **rest):
    """A product of the test's own."""
    product = Product(*settings, **rest)
    _open_products.append(product)
    try:
        yield product.start()
    except BaseException:
        _last_words.extend(product.logs())
        raise
    finally:
        product.remove()
        _open_products.remove(product)


def shared():
    """The product that most tests share; webhooks are tried again within a second."""
    global _shared
    if _shared is None:
        _shared = Product("webhook_retry_schedule=0s 100ms 200ms 300ms 400ms")
        _open_products.append(_shared)
        _shared.start()
    return _shared


def open_logs():
    yield from _last_words
    _last_words.clear()
    for product in _open_products:
        yield from product.logs()


def take_violations():
    """What was not as the OpenAPI document says since the last call."""
    found = list(contract.violations) if contract else []
    if contract:
        contract.violations.clear()
    return found


def close_all():
    for product in list(_open_products):
        with contextlib.suppress(Exception):
            product.remove()
