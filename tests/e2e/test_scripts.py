# SPDX-License-Identifier: Apache-2.0
"""scripts/run, and what the README shows."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from product import BUILD, PATIENCE, RUN, TOP, Product, check, equal, free_port, hear_signals, read_wav, started, wait_for

ENV_NAMES = (
    "SAYHOOK_URL SAYHOOK_API_KEY SAYHOOK_WEBHOOK_SECRET SAYHOOK_CONFIG SAYHOOK_API_PID SAYHOOK_WORKER_PID SAYHOOK_BIN"
).split()
KEPT = ("SAYHOOK_URL", "SAYHOOK_API_KEY", "SAYHOOK_WEBHOOK_SECRET")


def command_line(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def listeners(port):
    """The local addresses that listen on a port, as /proc/net writes them."""
    found = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in pathlib.Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            address, _, number = fields[1].partition(":")
            if fields[3] == "0A" and int(number, 16) == port:
                found.append(address)
    return found


def test_the_env_file_tells_everything(product):
    product.read_env()
    equal(sorted(product.env), sorted(ENV_NAMES), "names")
    check(b"sayhook-api" in command_line(product.api_pid), "SAYHOOK_API_PID is not the API's")
    check(b"sayhook-worker" in command_line(product.worker_pid), "SAYHOOK_WORKER_PID is not the worker's")
    equal(pathlib.Path(product.env["SAYHOOK_BIN"]), BUILD, "SAYHOOK_BIN")
    check(os.access(os.path.join(product.env["SAYHOOK_BIN"], "sayhookctl"), os.X_OK), "no sayhookctl in SAYHOOK_BIN")
    equal(os.stat(product.state / "env").st_mode & 0o077, 0, "what others may do with the file that holds the key")
    shown = subprocess.run(
        ["sh", "-c", f". '{product.state}/env' && echo $SAYHOOK_URL"], stdout=subprocess.PIPE, check=True
    ).stdout
    equal(shown.decode().strip(), product.env["SAYHOOK_URL"], "SAYHOOK_URL as a shell reads it")


def test_it_listens_on_loopback_only(product):
    equal(listeners(product.port), ["0100007F"], "addresses")


def test_a_state_that_is_up_is_left_alone(product):
    before = dict(product.env)
    product.run("--detach", "--no-demo")
    product.read_env()
    equal(product.env, before, "env")


def test_what_died_is_started_again_and_the_rest_left_alone():
    with started() as product:
        before = dict(product.env)
        for name, other in (("SAYHOOK_API_PID", "SAYHOOK_WORKER_PID"), ("SAYHOOK_WORKER_PID", "SAYHOOK_API_PID")):
            kept = product.env[other]
            os.kill(int(product.env[name]), signal.SIGKILL)
            dead = product.env[name]
            product.run("--detach", "--no-demo")
            product.read_env()
            check(product.env[name] != dead, f"{name} is still that of the dead one")
            equal(product.env[other], kept, other)
        os.kill(int((product.state / "run" / "nginx.pid").read_text()), signal.SIGKILL)
        product.run("--detach", "--no-demo")
        equal([product.env[name] for name in KEPT], [before[name] for name in KEPT], "what is kept")
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_stopped_state_goes_on_where_it_was():
    with started("max_text_chars=60") as product:
        before = dict(product.env)
        job_id = product.client.create()["job_id"]
        product.client.wait(job_id)
        product.stop()
        check(not command_line(product.api_pid) and not command_line(product.worker_pid), "something still runs")
        equal(listeners(product.port), [], "listeners")
        product.run("--stop")
        product.run("--detach", "--no-demo")
        product.read_env()
        equal([product.env[name] for name in KEPT], [before[name] for name in KEPT], "what is kept")
        product.client.download(product.client.job(job_id))
        product.client.post({"text": "a" * 61}).expect_problem(422)


def test_a_wrong_setting_starts_nothing():
    product = Product()
    for setting, words in (("max_text_charz=1", "max_text_chars"), ("poll_interval=yes", "poll_interval")):
        result = product.run("--detach", "--no-demo", "--port", str(product.port), "--set", setting, check_status=False)
        check(result.returncode != 0, f"{setting} is taken")
        check(words in result.stdout.decode(), f"the message does not name {words}: {result.stdout.decode()}")
        equal(listeners(product.port), [], "listeners")
    shutil.rmtree(product.state)


def test_a_disk_below_the_reserve_is_named():
    product = Product()
    free = shutil.disk_usage(product.state).free
    reserve = f"disk_reserve={(free >> 30) + 100}G"
    result = product.run("--detach", "--no-demo", "--port", str(product.port), "--set", reserve, check_status=False)
    said = result.stdout.decode()
    equal(result.returncode, 69, f"status, after {said}")
    check("--set disk_reserve=" in said and reserve.partition("=")[2] in said, f"it is not told: {said}")
    equal(listeners(product.port), [], "listeners")
    shutil.rmtree(product.state)


def test_wrong_options_are_refused():
    product = Product()
    for options in (["--no-such-thing"], ["--port"], ["--port", "0"], ["--port", "70000"], ["--set", "x"],
                    ["/no/such/text"], ["--state", ""]):
        result = product.run(*options, check_status=False)
        check(result.returncode in (64, 66), f"{options} exits with {result.returncode}: {result.stdout.decode()}")
    shutil.rmtree(product.state)


def test_a_taken_port_is_named():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        product = Product()
        product.port = holder.getsockname()[1]
        result = product.run("--detach", "--no-demo", "--port", str(product.port), check_status=False)
        check(result.returncode != 0 and str(product.port) in result.stdout.decode(), result.stdout.decode())
        product.run("--stop")
        shutil.rmtree(product.state)


def test_a_taken_port_is_not_remembered():
    with started() as product, socket.socket() as holder:
        product.stop()
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = str(holder.getsockname()[1])
        before = (product.state / "sayhook.conf").read_text()
        check(product.run("--detach", "--no-demo", "--port", taken, check_status=False).returncode == 69, "it started")
        equal((product.state / "sayhook.conf").read_text(), before, "the configuration")
        product.run("--detach", "--no-demo")
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_port_stays_while_anything_runs_that_names_it():
    with started() as product:
        os.kill(int((product.state / "run" / "nginx.pid").read_text()), signal.SIGKILL)
        said = product.run("--detach", "--no-demo", "--port", str(free_port())).stdout.decode()
        check("stays there" in said, f"it is not told: {said}")
        before = dict(product.env)
        product.read_env()
        equal(product.env, before, "env")
        product.client.download(product.client.wait(product.client.create()["job_id"], "completed"))


def test_stopping_changes_nothing_in_env_but_the_processes():
    with started() as product:
        before = dict(product.env)
        result = subprocess.run([RUN, "--state", str(product.state), "--port", "1", "--stop"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                env={name: value for name, value in os.environ.items() if name != "SAYHOOK_BUILD"} |
                                {"SAYHOOK_BUILD_ROOT": str(product.state / "elsewhere")})
        equal(result.returncode, 0, f"status, after {result.stdout}")
        product.read_env()
        equal(product.env, before | {"SAYHOOK_API_PID": "", "SAYHOOK_WORKER_PID": ""}, "env")


def test_the_demonstration_speaks_a_text_of_ones_own():
    product = Product()
    text = product.state / "my text.txt"
    text.write_text("This is a text of my own. It has two sentences.\n")
    try:
        # The pipe ends only when nothing that was left running holds it.
        shown = product.run("--detach", "--port", str(product.port), str(text)).stdout.decode()
        check("webhook verified" in shown, f"no webhook was shown as verified:\n{shown}")
        audio = re.search(r"The audio: (.*\.wav)", shown)
        check(audio, f"the audio is not named:\n{shown}")
        read_wav(pathlib.Path(audio[1]).read_bytes())
        check(f"127.0.0.1:{product.port}" in shown, "the address is not shown")
    finally:
        product.run("--stop")
        shutil.rmtree(product.state)


def test_a_text_that_takes_long_is_seen_to_go_on():
    with started() as product:
        text = product.state / "text.txt"
        text.write_text("This takes as long as the test wants.\n")
        product.freeze(product.worker_pid)
        run = subprocess.Popen(
            [RUN, "--state", str(product.state), "--detach", str(text)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SAYHOOK_BUILD": str(BUILD)},
        )
        try:
            check(any(line.startswith(b"pending ") for line in run.stdout), "there was no progress to be seen")
        finally:
            os.kill(product.worker_pid, signal.SIGCONT)
        said = run.communicate(timeout=PATIENCE)[0].decode()
        equal(run.returncode, 0, f"status, after {said}")
        check("webhook verified" in said, f"no webhook was shown as verified:\n{said}")


def in_foreground(product):
    """scripts/run without --detach, once it says that it stays up."""
    run = subprocess.Popen(
        [RUN, "--state", str(product.state), "--port", str(product.port), "--no-demo"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "SAYHOOK_BUILD": str(BUILD)},
        start_new_session=True,
        preexec_fn=hear_signals,
    )
    for line in run.stdout:
        if b"Ctrl-C" in line:
            break
    product.read_env()
    return run


def test_ctrl_c_ends_what_runs_in_the_foreground_however_often_it_comes():
    product = Product()
    try:
        run, another = in_foreground(product), in_foreground(product)
        for _ in range(3):
            time.sleep(0.15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(another.pid, signal.SIGINT)
        another.communicate(timeout=60)
        equal(another.returncode, 0, "exit status")
        said = run.communicate(timeout=60)[0].decode()
        equal(run.returncode, 0, f"exit status of the run that was there before, after {said}")
        check("stopped by another" in said and "ended; see" not in said, f"it is not told: {said}")
        wait_for("the end of all", lambda: not command_line(product.api_pid) and not command_line(product.worker_pid))
        equal(listeners(product.port), [], "listeners")
    finally:
        product.run("--stop")
        shutil.rmtree(product.state)


def test_what_is_stopped_elsewhere_ends_in_the_foreground_and_leaves_the_next_alone():
    product = Product()
    try:
        run = in_foreground(product)
        product.run("--stop")
        product.run("--detach", "--no-demo")
        said = run.communicate(timeout=60)[0].decode()
        equal(run.returncode, 0, f"exit status, after {said}")
        check("stopped by another" in said, f"it is not told: {said}")
        check("ended; see" not in said, f"what was stopped is told as a fault: {said}")
        product.read_env()
        product.client.wait(product.client.create()["job_id"], "completed")
    finally:
        product.run("--stop")
        shutil.rmtree(product.state)


def text_that_no_voice_speaks(product):
    text = product.state / "dots.txt"
    text.write_text("...\n")
    return str(text)


def test_a_demonstration_that_fails_leaves_alone_what_ran_before():
    with started() as product:
        before = dict(product.env)
        result = product.run(text_that_no_voice_speaks(product), check_status=False)
        check(result.returncode != 0 and b"422" in result.stdout, f"the text is spoken: {result.stdout.decode()}")
        product.read_env()
        equal(product.env, before, "env")
        check(not (product.state / "run" / "listen.pid").exists(), "the receiver was left behind")
        product.client.wait(product.client.create()["job_id"], "completed")


def test_a_demonstration_that_fails_ends_what_was_started_for_it():
    with started() as product:
        before = dict(product.env)
        product.stop()
        result = product.run(text_that_no_voice_speaks(product), check_status=False)
        check(result.returncode != 0 and b"422" in result.stdout, f"the text is spoken: {result.stdout.decode()}")
        equal(listeners(product.port), [], "listeners")
        product.read_env()
        equal(product.env, before | {"SAYHOOK_API_PID": "", "SAYHOOK_WORKER_PID": ""}, "env")


def test_a_start_that_fails_leaves_alone_what_ran_before():
    with started() as product:
        build = product.state / "build"
        build.mkdir()
        for program in ("sayhook-worker", "sayhook-synth", "sayhookctl"):
            (build / program).symlink_to(BUILD / program)
        (build / "sayhook-api").write_text('#!/bin/sh\ncase "$*" in *--check-config*) exit 0 ;; esac\nexit 1\n')
        (build / "sayhook-api").chmod(0o755)
        os.kill(product.api_pid, signal.SIGKILL)
        wait_for("the end of the API", lambda: not product.is_running(product.api_pid))
        result = product.run("--no-demo", check_status=False, build=build)
        equal(result.returncode, 69, f"status, after {result.stdout.decode()}")
        check(product.is_running(product.worker_pid), "the worker was stopped")
        equal(listeners(product.port), ["0100007F"], "nginx's addresses")


def test_the_readmes_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (TOP / "README.md").read_text()):
        check((TOP / target).exists(), f"there is no {target}")
