# SPDX-License-Identifier: Apache-2.0
"""What sayhookctl prints with --json is what docs/JSON.md says, of every command."""

import json
import os
import re
import subprocess

import ctl_contract
from product import BUILD, PATIENCE, check, equal, free_port, started, wait_for

# No voice has letters for it, so that the engine finds nothing to speak.
UNSPEAKABLE = "漢字かな交じり文"


def ask(product, *arguments, codes=(0,)):
    """The document of a command, which is looked at."""
    command = [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments, "--json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False)
    check(done.returncode in codes, f"{arguments}: {done.returncode}: {done.stderr.decode()}")
    document = json.loads(done.stdout)
    ctl_contract.check_document(arguments, document)
    return document


def keys(product):
    made = ask(product, "key", "create", "--name", "made")
    ask(product, "key", "set", made["key_id"], "--weight", "2")
    ask(product, "secret", "rotate", made["key_id"])
    ask(product, "key", "revoke", made["key_id"])
    ask(product, "key", "list")


def jobs(product, receiver):
    client = product.client
    failed = client.create(UNSPEAKABLE, webhook_url=f"{receiver.url}/failed")["job_id"]
    equal(client.wait(failed)["status"], "failed", "status")
    wait_for("the delivery", lambda: client.job(failed)["webhook"]["status"] == "delivered")
    ask(product, "job", "show", failed)
    ask(product, "delivery", "show", failed)
    ask(product, "delivery", "redeliver", failed)
    wait_for("the delivery", lambda: client.job(failed)["webhook"]["status"] == "delivered")
    ask(product, "job", "retry", failed)
    equal(client.wait(failed)["status"], "failed", "status")
    for paused in ("pause", "drain"):
        ask(product, "worker", paused)
    ask(product, "job", "cancel", client.create()["job_id"])
    ask(product, "job", "list")
    ask(product, "worker", "resume")
    ask(product, "job", "retry", "--failed", "--since", "1h", "--dry-run")
    wait_for("the delivery", lambda: client.job(failed)["webhook"]["status"] == "delivered")
    ask(product, "job", "purge", failed, "--yes")
    ask(product, "job", "purge", "--before", "0s", "--dry-run")


def webhooks(product, receiver):
    receiver.answers["/down"] = [500]
    job_id = product.client.create(webhook_url=f"{receiver.url}/down")["job_id"]
    wait_for("the webhook to fail", lambda: product.client.job(job_id)["webhook"]["status"] == "failed")
    ask(product, "delivery", "list")
    ask(product, "delivery", "show", job_id)
    for chosen in ("--failed", "--waiting"):
        ask(product, "delivery", "redeliver", chosen, "--receiver", receiver.url, "--dry-run",
            *(["--since", "1h"] if chosen == "--failed" else []))
    key_id = ask(product, "key", "list")["keys"][0]["key_id"]
    ask(product, "webhook", "check", f"{receiver.url}/down", "--key", key_id, codes=(1,))


def listened(product):
    port = free_port()
    words = ("listen", "--port", str(port), "--count", "1", "--json")
    listener = subprocess.Popen(
        [str(BUILD / "sayhookctl"), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "SAYHOOK_WEBHOOK_SECRET": product.secret},
    )
    listener.stderr.readline()  # it listens
    key_id = ask(product, "key", "list")["keys"][0]["key_id"]
    ask(product, "webhook", "check", f"http://127.0.0.1:{port}/", "--key", key_id)
    ctl_contract.check_document(words, json.loads(listener.communicate(timeout=PATIENCE)[0]))


def speech(product):
    text = product.state / "text"
    text.write_text("Good morning.")
    ask(product, "speak", str(text), "--url", product.env["SAYHOOK_URL"], "--key", product.client.key,
        "--output", str(product.state / "out.wav"))


def service(product):
    ask(product, "status")
    for one in ask(product, "doctor", codes=(0, 1))["checks"]:
        for note in one["notes"]:
            check(note["verdict"] in ("ok", "skipped") or note["advice"], f"no advice on {one['name']}: {note['found']}")
    ask(product, "config", "show")
    ask(product, "config", "check", codes=(0, 78))


def database(product):
    folder = str(product.state / "backup")
    ask(product, "db", "backup", folder)
    for command in (("db", "check"), ("db", "migrate"), ("migrate",), ("db", "shell", "SELECT 1 AS one")):
        ask(product, *command)
    product.stop()
    ask(product, "db", "vacuum")
    ask(product, "db", "restore", folder)


def commands():
    """Those that its help lists."""
    listed = subprocess.run([str(BUILD / "sayhookctl"), "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return set(re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", listed.partition("\nCommands")[2], re.MULTILINE))


def test_every_command_prints_what_is_documented(receiver):
    with started("webhook_retry_schedule=0s 100ms") as product:
        keys(product)
        jobs(product, receiver)
        webhooks(product, receiver)
        listened(product)
        speech(product)
        service(product)
        database(product)
    documented = {name for name in ctl_contract.SHAPES if name[0].islower()}
    equal(documented - ctl_contract.seen, set(), "what is documented and was not looked at")
    known = {re.sub(r" (ID|--.*)$", "", name) for name in documented} | {"db shell"}
    equal(commands(), known, "commands, and what docs/JSON.md has")
