# SPDX-License-Identifier: Apache-2.0
"""What an administrator steers and looks at, with the real product."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time

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


def on_a_terminal(product, *arguments, seconds=1.5):
    """What a command shows on a terminal of 30 rows until Ctrl-C; the exit code, and the bytes."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 60, 0, 0))
    command = [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments]
    program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([master], [], [], 0.1)[0]:
            shown += os.read(master, 1 << 16)
    program.send_signal(signal.SIGINT)
    code = program.wait(PATIENCE)
    os.close(master)
    return code, shown.decode()


def test_status_counts_jobs_as_soon_as_they_are_accepted_and_done(receiver):
    with started() as product:
        client = product.client
        product.ctl("worker", "pause")
        jobs = [client.create(webhook_url=receiver.url)["job_id"] for _ in range(3)]
        status = product.ctl("status")
        equal(status["jobs"]["pending"], 3, "pending")
        equal(status["jobs"]["created_in_a_minute"], 3, "created")
        check(status["jobs"]["oldest_pending_at"], "nothing is the oldest")
        check(status["paused_since"], "it does not tell of the pause")
        equal(status["workers"]["alive"], 1, "workers")
        check(status["api"]["listens"], "the API does not listen")
        product.ctl("worker", "resume")
        for job_id in jobs:
            receiver.wait(job_id)
        wait_for("the deliveries", lambda: product.ctl("status")["webhooks"]["attempts_delivered_ever"] == 3)
        status = product.ctl("status")
        equal([status["jobs"][name] for name in ("pending", "processing", "completed_ever")], [0, 0, 3], "jobs")
        equal(status["webhooks"]["planned"], 0, "webhooks")
        equal(status["keys"], {"live": 1, "revoked": 0}, "keys")


def test_a_watch_redraws_a_terminal_in_place_and_ends_with_ctrl_c(product):
    code, shown = on_a_terminal(product, "status", "--watch", "--interval", "200ms")
    equal(code, 0, "exit code")
    frames = shown.split("\033[H")[1:]
    check(len(frames) >= 2, f"{len(frames)} frames")
    equal(shown.count("\033[2J"), 1, "times that the screen was erased as a whole")
    for frame in frames[:-1]:
        lines = frame.removesuffix("\033[J").split("\r\n")
        check(len(lines) <= 30, "more lines than the terminal has")
        check(all(len(line.removesuffix("\033[K")) <= 60 for line in lines), "a line is wider than the terminal")
        check("workers    1 alive" in frame, frame)


def test_a_worker_that_dies_is_seen_at_once():
    with started() as product:
        os.kill(product.worker_pid, signal.SIGKILL)
        wait_for("the worker to end", lambda: not product.is_running(product.worker_pid))
        workers = product.ctl("status")["workers"]
        equal(workers["alive"], 0, "workers that live")
        equal([worker["state"] for worker in workers["list"]], ["ended"], "what became of it")
        check("NONE IS ALIVE" in run_ctl(product, "status").stdout, "people are not told")


def examine(product, code=0):
    """What the doctor says of each check: its verdict, and all that it found."""
    nginx = str(product.state / "nginx" / "nginx.conf")
    report = run_json(product, "doctor", "--synth", str(BUILD / "sayhook-synth"), "--nginx", nginx, code=code)
    return {
        check["name"]: (check["verdict"], "; ".join(f"{note['found']} > {note['advice']}" for note in check["notes"]))
        for check in report["checks"]
    }


def finds(product, name, *parts, verdict="fault"):
    """That a check finds something that names these parts, and that nothing else but those named with it is a fault."""
    said = examine(product, code=1 if verdict == "fault" else 0)[name]
    equal(said[0], verdict, f"{name}: {said[1]}")
    for part in parts:
        check(part in said[1], f"{name} does not name {part}: {said[1]}")


@contextlib.contextmanager
def moded(path, mode):
    before = os.stat(path).st_mode & 0o7777
    os.chmod(path, mode)
    yield
    os.chmod(path, before)


def test_a_doctor_finds_no_fault_in_what_is_well():
    with started() as product:
        client = product.client
        client.wait(client.create()["job_id"])
        checks = examine(product)
        faults = {name: said for name, said in checks.items() if said[0] == "fault"}
        equal(faults, {}, "faults")
        well = "configuration", "state's owners", "nginx's site", "database", "secrets", "voices", "formats", "workers"
        for name in well:
            equal(checks[name][0], "ok", f"{name}: {checks[name][1]}")
        text = run_ctl(product, "doctor").stdout
        check("checks: " in text and "\033" not in text, text)


def test_a_doctor_names_each_thing_that_is_broken_and_how_to_mend_it():
    with started() as product:
        downloads, configuration = product.setting("downloads_dir"), product.env["SAYHOOK_CONFIG"]
        with moded(downloads, 0o777):
            finds(product, "state's owners", f"chmod go-w '{downloads}'")
        with moded(configuration, 0o666):
            finds(product, "its owner", f"chmod go-w '{configuration}'")
        with moded(product.state / "secret_key", 0o644):
            finds(product, "secret key", "its mode is 0644", f"chmod 0400 '{product.state}/secret_key'")
        os.rename(product.state / "secret_key", product.state / "secret_key.away")
        finds(product, "secret key", "install -m 0400 COPY ")
        os.rename(product.state / "secret_key.away", product.state / "secret_key")
        if os.geteuid() == 0:
            os.chown(product.setting("database"), 65534, -1)
            finds(product, "state's owners", f"'{product.setting('database')}'*; systemctl restart sayhook-api")
            os.chown(product.setting("database"), 0, -1)
        os.rename(downloads, downloads + ".away")
        finds(product, "state's owners", downloads, "install -d -o ")
        os.rename(downloads + ".away", downloads)
        text = (product.state / "nginx" / "locations.conf").read_text()
        size = re.search("client_max_body_size [^;]*;", text)[0]
        (product.state / "nginx" / "locations.conf").write_text(text.replace(size, "client_max_body_size 1m;", 1))
        finds(product, "nginx's site", "nginx takes bodies of 1048576 bytes", "client_max_body_size 16777216;")
        (product.state / "nginx" / "locations.conf").write_text(text)
        product.ctl("worker", "pause")
        finds(product, "queue", "sayhookctl worker resume", verdict="warning")
        product.ctl("worker", "resume")
        os.kill(product.worker_pid, signal.SIGKILL)
        wait_for("the worker to end", lambda: not product.is_running(product.worker_pid))
        finds(product, "workers", "no worker is alive", "systemctl start sayhook-worker")
        os.kill(product.api_pid, signal.SIGKILL)
        wait_for("the API to end", lambda: not product.is_running(product.api_pid))
        finds(product, "API", "nobody listens", "systemctl start sayhook-api")


def test_a_doctor_advises_a_backup_for_a_database_that_is_damaged():
    with started() as product:
        product.client.wait(product.client.create()["job_id"])
        product.stop()
        path = product.setting("database")
        with contextlib.closing(sqlite3.connect(path)) as database:
            page = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'webhook_secrets'").fetchone()[0]
            size = database.execute("PRAGMA page_size").fetchone()[0]
        with open(path, "r+b") as database:
            database.seek((page - 1) * size)
            database.write(b"\xff" * size)
        finds(product, "secrets", "malformed", "sayhookctl db restore DIR")
        with open(path, "r+b") as database:
            database.write(b"\xff" * size)
        finds(product, "database", "not a database", "sayhookctl db restore DIR")


def test_a_doctor_sees_another_program_at_the_database():
    with started() as product:
        with open(product.setting("database"), "rb"):
            finds(product, "SQLite", f"process {os.getpid()} (", "has the database open", verdict="warning")
