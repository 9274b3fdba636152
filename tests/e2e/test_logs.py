# SPDX-License-Identifier: Apache-2.0
"""What is written down: lines of text or JSON, or entries of the journal with fields; and what never is."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading

from product import BUILD, PATIENCE, Skip, check, equal, free_port, started, wait_for

# Words that stand in no program.
MARK = "zanzibarian quinquereme"
TEXT = f"The {MARK} sails at dawn. " * 40
WORDS = MARK.split()

# The journal as a socket in a name space of its own, where no other program writes to it.
IN_JOURNAL = 'mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal && exec "$@"'


def logs(product):
    return {path: path.read_text(errors="replace") for folder in ("log", "nginx")
            for path in (product.state / folder).glob("*.log")}


def spoken_and_delivered(product, receiver, client):
    path = f"/hook?token={WORDS[0]}"
    receiver.answers[path] = [500, 204]
    job_id = client.create(text=TEXT, webhook_url=receiver.url + path, metadata={WORDS[0]: MARK},
                           timings=True, format="opus")["job_id"]
    client.wait(job_id, "completed")
    receiver.wait(job_id, 2)


def refused(client):
    """Whatever is wrong with a request, its words are the client's."""
    for wrong in ({"text": TEXT, "voice": WORDS[0]}, {"text": TEXT, WORDS[1]: MARK}, {"text": ""},
                  {"text": TEXT, "webhook_url": f"ftp://{WORDS[0]}/"}):
        check(client.post(wrong).status in (400, 422), f"{wrong} was taken")
    client.post(('{"text": "' + TEXT).encode()).expect(400)
    client.get("/v1/jobs", key=client.key + "x").expect(401)


def cut_short(product, client):
    """A synthesizer that dies at a text, and a webhook that reaches nobody."""
    job_id = client.create(text=TEXT * 40, webhook_url=f"http://127.0.0.1:{free_port()}/{WORDS[0]}")["job_id"]
    wait_for("the job to be spoken", lambda: client.job(job_id)["status"] == "processing")
    for pid in product.children(product.worker_pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)  # a fault would have a sanitizer write to the log
    client.wait(job_id, "completed")
    failed = wait_for("the webhook to fail", lambda: product.ctl("delivery", "list", "--status", "failed")["webhooks"])
    product.ctl("delivery", "redeliver", failed[0]["webhook_id"])


def check_secrecy(product, client):
    rotated = product.ctl("secret", "rotate", client.key_id)["webhook_secret"]
    key = product.setting("secret_key_file")
    with open(key, "rb") as file:
        bytes_of_key = file.read()
    hidden = [*WORDS, client.key, client.key[3:], client.secret, client.secret[6:], rotated[6:],
              product.client.key, product.secret, bytes_of_key.hex(), base64.b64encode(bytes_of_key).decode()]
    for path, text in logs(product).items():
        for word in hidden:
            check(word not in text, f"{path.name} tells {word!r}")


def check_lines(product, client, name):
    """Each line is an object; those of a job, a request or a webhook can be found by it."""
    fields = set()
    for line in product.log(name).splitlines():
        entry = json.loads(line)
        fields |= entry.keys()
        equal(sorted(entry.keys() - {"job_id", "request_id", "webhook_id"}), ["level", "message", "program", "time"], "members")
        check(entry["level"] in ("error", "warning", "info", "debug"), f"level in {line}")
        equal(entry["program"], f"sayhook-{name}", "program")
    return fields


def test_no_log_holds_a_text_a_key_or_a_secret(receiver):
    for log_format in ("json", "text"):
        with started("log_level=debug", f"log_format={log_format}", "webhook_retry_schedule=0s 100ms") as product:
            client = product.new_client("told")
            spoken_and_delivered(product, receiver, client)
            refused(client)
            cut_short(product, client)
            wait_for("nginx to write", lambda: "/v1/tts/async" in (product.state / "nginx" / "nginx-access.log").read_text())
            check_secrecy(product, client)
            if log_format == "json":
                check("request_id" in check_lines(product, client, "api"), "the API names no request")
                check(check_lines(product, client, "worker") >= {"job_id", "request_id", "webhook_id"}, "the worker's fields")


# --- the journal --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def journal(product):
    """Entries as journald has them from a worker, each a dictionary."""
    folder, entries = product.state / "journal", []
    folder.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(folder / "socket"))
        inside = ["unshare", "--mount", "--propagation", "private", "sh", "-c", IN_JOURNAL, str(folder)]
        done = subprocess.run([*inside, "true"], capture_output=True, check=False)
        if done.returncode != 0:
            raise Skip(f"no name space can be made here: {done.stderr.decode().strip()}")

        def listen():
            while entry := heard.recv(1 << 16):
                entries.append(dict(line.split("=", 1) for line in entry.decode().splitlines()))

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield inside, entries
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                end.sendto(b"", str(folder / "socket"))
            listener.join(PATIENCE)


def test_the_journal_has_a_field_for_each_id(receiver):
    with started("webhook_retry_schedule=0s 100ms") as product, journal(product) as (inside, entries):
        os.kill(product.worker_pid, signal.SIGTERM)
        wait_for("the worker to end", lambda: not product.is_running(product.worker_pid))
        configuration = product.state / "journal.conf"
        configuration.write_text((product.state / "sayhook.conf").read_text() + "log_format = journal\n")
        configuration.chmod(0o600)
        worker = subprocess.Popen(
            [*inside, BUILD / "sayhook-worker", "--config", configuration, "--synth", BUILD / "sayhook-synth"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            receiver.answers["/hook"] = [500, 204]
            answer = product.client.post({"text": TEXT, "webhook_url": f"{receiver.url}/hook"}, headers={"X-Request-Id": "Order-8"})
            job_id = answer.expect(202).json["job_id"]
            webhook_id = receiver.wait(job_id, 2)[0].headers["webhook-id"]
            wait_for("the webhook's entry", lambda: [entry for entry in entries if entry.get("SAYHOOK_WEBHOOK_ID") == webhook_id])
        finally:
            worker.terminate()
            equal(worker.wait(PATIENCE), 0, "the worker's exit code")
        ended = [entry for entry in entries if entry.get("SAYHOOK_JOB_ID") == job_id and "job completed" in entry["MESSAGE"]]
        equal([entry["SAYHOOK_REQUEST_ID"] for entry in ended], ["Order-8"], "the request of the job's end")
        for entry in entries:
            equal(entry["SYSLOG_IDENTIFIER"], "sayhook-worker", "SYSLOG_IDENTIFIER")
            check(entry["PRIORITY"] in ("3", "4", "6"), f"PRIORITY of {entry}")
            for word in (*WORDS, product.client.key, product.secret):
                check(word not in str(entry), f"{entry} tells {word!r}")
