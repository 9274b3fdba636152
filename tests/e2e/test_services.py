# SPDX-License-Identifier: Apache-2.0
"""The daemons as systemd runs them: a socket that is handed over, and what the service manager is told."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import threading

from product import BUILD, PATIENCE, check, equal, started, wait_for

# sd_listen_fds(3): the first descriptor, and whom they are meant for.
LISTEN = 'exec 3<&"$0"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'

# sd_watchdog_enabled(3): so short that nobody waits long for a sign of life.
WATCHDOG_USEC = "400000"


@contextlib.contextmanager
def service_manager(product):
    """The socket to which daemons tell their state."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(product.state / "run" / "notify.sock"))
        notices.settimeout(PATIENCE)
        yield notices


@contextlib.contextmanager
def daemon(product, name, *arguments, listener=None, notices=None):
    command = [str(BUILD / name), "--config", product.env["SAYHOOK_CONFIG"], *arguments]
    environment = dict(os.environ)
    if listener is not None:
        command = ["bash", "-c", LISTEN, str(listener.fileno()), *command]  # dash knows no descriptor above 9
    if notices is not None:
        environment["NOTIFY_SOCKET"] = notices.getsockname()
        environment["WATCHDOG_USEC"] = WATCHDOG_USEC
    with open(product.state / "log" / f"{name}-again.log", "ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            pass_fds=[] if listener is None else [listener.fileno()],
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


def hear_until_end(process, notices):
    """What the process says, a line each, until it has ended; descriptors that come along are dropped, which is all
    that a barrier waits for."""
    said = []
    notices.settimeout(0.05)

    def ended():
        with contextlib.suppress(TimeoutError):
            said.extend(notices.recv(4096).decode().splitlines())
            return False
        return process.poll() is not None

    wait_for("the daemon to end", ended, pause=0)
    return said


def test_a_restart_of_the_api_behind_a_socket_that_systemd_holds_loses_no_request():
    with started() as product, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        os.kill(product.api_pid, signal.SIGTERM)
        wait_for("the API to end", lambda: not product.is_running(product.api_pid))
        path = product.setting("api_socket")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        listener.bind(path)
        os.chmod(path, 0o666)
        listener.listen(128)
        with daemon(product, "sayhook-api", listener=listener):
            before = product.client.create()["job_id"]
        answers = []
        between = threading.Thread(target=lambda: answers.append(product.client.get(f"/v1/jobs/{before}")))
        between.start()
        between.join(0.5)
        equal(answers, [], "answers while no API runs")
        with daemon(product, "sayhook-api", listener=listener):
            between.join(PATIENCE)
            equal([answer.status for answer in answers], [200], "the answer to what was asked in between")
            product.client.wait(product.client.create()["job_id"], "completed")


def test_daemons_tell_systemd_when_they_are_ready_and_when_they_stop():
    worker = ("sayhook-worker", "--synth", str(BUILD / "sayhook-synth"))
    with started() as product, service_manager(product) as notices:
        os.kill(product.api_pid, signal.SIGTERM)
        wait_for("the API to end", lambda: not product.is_running(product.api_pid))
        for program in (("sayhook-api",), worker):
            notices.settimeout(PATIENCE)
            with daemon(product, *program, notices=notices) as process:
                check("READY=1" in notices.recv(4096).decode().splitlines(), f"{program[0]} is not ready first")
                if program[0] == "sayhook-api":
                    product.client.create()  # it said so no sooner than it was true
                process.terminate()
                check("STOPPING=1" in hear_until_end(process, notices), f"{program[0]} does not say that it stops")
                equal(process.wait(PATIENCE), 0, f"the exit code of {program[0]}")


def hear_status(notices, wanted):
    """Waits for a sign of life with a status of these words."""

    def heard():
        with contextlib.suppress(TimeoutError):
            said = notices.recv(4096).decode().splitlines()
            return "WATCHDOG=1" in said and any(line.startswith("STATUS=") and wanted in line for line in said)
        return False

    notices.settimeout(0.05)
    wait_for(f"a status with {wanted!r}", heard, pause=0)


def test_signs_of_life_come_with_a_status_of_what_goes_on():
    with started() as product, service_manager(product) as notices:
        for pid in (product.api_pid, product.worker_pid):
            os.kill(pid, signal.SIGTERM)
            wait_for("a daemon to end", lambda pid=pid: not product.is_running(pid))
        with daemon(product, "sayhook-api", notices=notices):
            hear_status(notices, "taking requests: 0 in the last")
            job_id = product.client.create(text="A long story, told once more. " * 20000)["job_id"]
            hear_status(notices, "taking requests: 1 in the last")
        with daemon(product, "sayhook-worker", "--synth", str(BUILD / "sayhook-synth"), notices=notices):
            hear_status(notices, "speaking 1 job; sends webhooks")
            product.ctl("job", "cancel", job_id)
            hear_status(notices, "waiting for jobs; sends webhooks")


def test_a_database_that_a_newer_sayhook_made_stops_the_daemons_for_good():
    with started() as product:
        for pid in (product.api_pid, product.worker_pid):
            os.kill(pid, signal.SIGTERM)
            wait_for("a daemon to end", lambda pid=pid: not product.is_running(pid))
        with contextlib.closing(sqlite3.connect(product.setting("database"))) as database, database:
            database.execute("PRAGMA user_version = 9999")
        for name in ("sayhook-api", "sayhook-worker"):
            with daemon(product, name) as process:
                equal(process.wait(PATIENCE), os.EX_CONFIG, f"the exit code of {name}")
            check("newer" in product.log(f"{name}-again"), f"{name} does not say why")
