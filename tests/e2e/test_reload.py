# SPDX-License-Identifier: Apache-2.0
"""A daemon that begins anew, or is restarted, while clients are at it: no request fails, and no speech is lost."""

import array
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading

from product import BUILD, PATIENCE, check, equal, started, wait_for
from test_resume import long_text, spoken_characters

RELOADS = 8
CLIENTS = 6

# sd_listen_fds(3): the descriptors from 3 on are meant for this process.
LISTEN = """
i=3
for fd in $SOCKETS; do eval "exec $i<&$fd"; i=$((i + 1)); done
LISTEN_FDS=$((i - 3)) LISTEN_PID=$$ exec "$@"
"""


class Load:
    """Clients that create and read jobs until the end; what each answer was."""

    def __init__(self, client):
        self.client, self.ending = client, threading.Event()
        self.statuses, self.faults = {}, []
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]

    def run(self):
        while not self.ending.is_set():
            try:
                answer = self.client.post({"text": "Hello.", "voice": "kal16"})
                self.note(answer.status, 202, answer)
                answer = self.client.get(f"/v1/jobs/{answer.json['job_id']}")
                self.note(answer.status, 200, answer)
            except Exception as fault:  # whatever a client may see
                self.faults.append(repr(fault))

    def note(self, status, wanted, answer):
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status != wanted:
            self.faults.append(f"{status} {answer.body[:200]}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join(PATIENCE)


def configure(product, **settings):
    """Adds settings to the configuration, in place of those that are there."""
    path = product.state / "sayhook.conf"
    lines = [line for line in path.read_text().splitlines() if line.split(" = ")[0] not in settings]
    path.write_text("\n".join(lines + [f"{name} = {value}" for name, value in settings.items()]) + "\n")


def starts(product, name):
    return product.log(name).count("started")


def reload(product, name, pid):
    """Has a daemon begin anew, and waits until it has."""
    before = starts(product, name)
    os.kill(pid, signal.SIGHUP)
    wait_for(f"the {name} to begin anew", lambda: starts(product, name) > before)


def test_reloads_of_the_api_under_load_fail_no_request():
    with started() as product:
        with Load(product.client) as load:
            for i in range(RELOADS):
                answered = sum(load.statuses.values())
                wait_for("some requests", lambda: sum(load.statuses.values()) > answered + 50)
                reload(product, "api", product.api_pid)
        equal(load.faults, [], "requests that failed")
        check(load.statuses[202] > RELOADS, f"only {load.statuses}")
        check(product.is_running(product.api_pid), "the API has another process id")


def test_a_reload_with_hardly_a_descriptor_to_spare_ends_nothing():
    with started() as product, contextlib.ExitStack() as held:
        folder = pathlib.Path(f"/proc/{product.api_pid}/fd")
        free = 1024 - len(list(folder.iterdir()))
        for _ in range(free - 8):
            connection = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            connection.connect(product.setting("api_socket"))
        wait_for("the connections", lambda: len(list(folder.iterdir())) >= 1024 - 8)
        reload(product, "api", product.api_pid)
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_reload_without_its_program_goes_on_with_the_one_that_runs():
    with started() as product:
        os.kill(product.api_pid, signal.SIGTERM)
        wait_for("the API to end", lambda: not product.is_running(product.api_pid))
        program = product.state / "sayhook-api"
        shutil.copy(BUILD / "sayhook-api", program)
        path = product.state / "log" / "api-again.log"
        with open(path, "ab") as log:
            process = subprocess.Popen([str(program), "--config", product.env["SAYHOOK_CONFIG"]], stderr=log)
        try:
            wait_for("the API to start", lambda: path.read_text().count("started") == 1)
            program.unlink()
            process.send_signal(signal.SIGHUP)
            wait_for("the API to begin anew", lambda: path.read_text().count("started") == 2)
            equal(pathlib.Path(f"/proc/{process.pid}/comm").read_text(), "sayhook-api\n", "the name of the process")
            product.client.wait(product.client.create()["job_id"], "completed")
        finally:
            process.terminate()
            process.wait(PATIENCE)


def test_a_reload_takes_in_every_setting():
    with started() as product:
        product.client.post({"text": "Twelve bytes"}).expect(202)
        configure(product, max_text_chars=10, api_threads=2)
        reload(product, "api", product.api_pid)
        product.client.post({"text": "Twelve bytes"}).expect_problem(422)
        product.client.post({"text": "Ten bytes."}).expect(202)
        threads = len(list(pathlib.Path(f"/proc/{product.api_pid}/task").iterdir()))
        check(threads < 6, f"{threads} threads of an API that is to have 2 for requests")


def test_a_wrong_configuration_is_not_loaded_and_nothing_ends():
    with started() as product:
        right = (product.state / "sayhook.conf").read_text()
        configure(product, max_text_char=10)
        for name, pid in (("api", product.api_pid), ("worker", product.worker_pid)):
            os.kill(pid, signal.SIGHUP)
            wait_for(f"the {name} to refuse", lambda name=name: "not reloaded" in product.log(name))
            check("did you mean" in product.log(name) or "max_text_chars" in product.log(name),
                  f"the {name} does not name the setting that was meant: {product.log(name)[-500:]}")
            equal(starts(product, name), 1, f"starts of the {name}")
        product.client.wait(product.client.create()["job_id"], "completed")
        (product.state / "sayhook.conf").write_text(right)
        reload(product, "api", product.api_pid)
        reload(product, "worker", product.worker_pid)
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_configuration_whose_folders_are_missing_is_not_loaded_and_nothing_ends():
    with started() as product:
        for setting in ("downloads_dir", "spool_dir", "database"):
            right = (product.state / "sayhook.conf").read_text()
            configure(product, **{setting: f"{product.state}/nowhere/{setting}"})
            for name, pid in (("api", product.api_pid), ("worker", product.worker_pid)):
                before = product.log(name).count("not reloaded")
                os.kill(pid, signal.SIGHUP)
                wait_for(f"the {name} to refuse", lambda name=name: product.log(name).count("not reloaded") > before)
                last = product.log(name).rsplit("not reloaded", 1)[1]
                check("nowhere" in last and "sayhookctl config check" in last, f"the {name} names no folder and no command: {last}")
                equal(starts(product, name), 1, f"starts of the {name}")
            (product.state / "sayhook.conf").write_text(right)
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_reload_while_the_database_is_held_for_long_comes_to_its_end():
    """As by a shell that writes, or a vacuum: a start waits ten seconds for its turn, and then once more."""
    with started() as product:
        with open(product.setting("database") + "-turnstile", "r+b") as turnstile:
            fcntl.flock(turnstile, fcntl.LOCK_EX)
            os.kill(product.api_pid, signal.SIGHUP)
            wait_for("a start in vain", lambda: "trying again" in product.log("api"))
            answers = []
            meanwhile = threading.Thread(target=lambda: answers.append(product.client.get("/v1/jobs").status))
            meanwhile.start()
        meanwhile.join(PATIENCE)
        equal(answers, [200], "answers to what was asked meanwhile")
        check(product.is_running(product.api_pid), "the API has another process id")
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_reload_of_the_worker_keeps_what_is_spoken():
    text = long_text(9000)
    with started() as product:
        client = product.client
        whole = client.wait(client.create(text, voice="slt")["job_id"], "completed")
        before = spoken_characters(product)
        job_id = client.create(text, voice="slt")["job_id"]
        wait_for("half of the job", lambda: client.job(job_id)["progress"] >= 0.5)
        configure(product, synthesizers=1)
        reload(product, "worker", product.worker_pid)
        wait_for("the synthesizers of the new configuration", lambda: len(product.children(product.worker_pid)) == 1)
        job = client.wait(job_id, "completed")
        equal(job["audio"], whole["audio"], "the audio of a job during which the worker began anew")
        again = (spoken_characters(product) - before) / len(text) - 1
        check(again <= 0.1, f"{again:.1%} of the text was spoken again")


# --- restarts by a service manager ----------------------------------------------------------------------------------


class ServiceManager:
    """Holds the listener, hears what the API says, and stores the descriptors that it leaves."""

    def __init__(self, product):
        self.product, self.stored, self.states = product, [], []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path = product.setting("api_socket")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(128)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(str(product.state / "run" / "notify.sock"))
        self.hearing = threading.Thread(target=self.hear, daemon=True)
        self.hearing.start()

    def hear(self):
        while True:
            message, control, _, _ = self.notices.recvmsg(4096, socket.CMSG_SPACE(253 * 4))
            passed = array.array("i")
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    passed.frombytes(data[: len(data) - len(data) % passed.itemsize])
            lines = message.decode().splitlines()
            if "FDSTORE=1" in lines:
                self.stored += list(passed)
            else:
                for fd in passed:  # of a barrier: its end is what is waited for
                    os.close(fd)
            self.states += lines

    def start(self):
        sockets = [self.listener.fileno(), *self.stored]
        with open(self.product.state / "log" / "api-again.log", "ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", LISTEN, "bash", str(BUILD / "sayhook-api"), "--config", self.product.env["SAYHOOK_CONFIG"]],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=sockets,
                env={**os.environ, "NOTIFY_SOCKET": self.notices.getsockname(), "WATCHDOG_USEC": "1000000",
                     "SOCKETS": " ".join(map(str, sockets))},
            )
        for fd in self.stored:
            os.close(fd)
        self.stored = []
        return process


def test_restarts_under_a_service_manager_fail_no_request():
    """The connections that nginx keeps wait with the service manager from one API to the next."""
    with started() as product:
        os.kill(product.api_pid, signal.SIGTERM)
        wait_for("the API to end", lambda: not product.is_running(product.api_pid))
        manager = ServiceManager(product)
        process = manager.start()
        kept = 0
        try:
            with Load(product.client) as load:
                for _ in range(RELOADS):
                    answered = sum(load.statuses.values())
                    wait_for("some requests", lambda: sum(load.statuses.values()) > answered + 50)
                    process.terminate()
                    equal(process.wait(PATIENCE), 0, "the exit code of the API")
                    kept += len(manager.stored)
                    process = manager.start()
            wait_for("the watchdog to be fed", lambda: "WATCHDOG=1" in manager.states)
        finally:
            process.terminate()
            process.wait(PATIENCE)
        equal(load.faults, [], "requests that failed")
        check(kept > 0, "no connection was kept")
        check("FDSTOREREMOVE=1" in manager.states, "the service manager was left with copies of the connections")
        check(any(line.startswith("STATUS=taking requests") for line in manager.states), "no status line")
