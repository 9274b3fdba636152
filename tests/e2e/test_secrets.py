# SPDX-License-Identifier: Apache-2.0
"""Webhook secrets: how they rotate, and how they lie in the database."""

import base64
import contextlib
import hashlib
import hmac
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

from product import BUILD, PATIENCE, check, equal, started, verify, wait_for

CONFIGURATION = 78


def signatures(webhook):
    return webhook.headers["webhook-signature"].split(" ")


def standard(webhook, secret):
    """The item of webhook-signature that is a secret's, from the contract's words alone."""
    signed = f"{webhook.headers['webhook-id']}.{webhook.headers['webhook-timestamp']}.".encode() + webhook.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhook_of(client, receiver):
    return receiver.wait(client.create(webhook_url=receiver.url)["job_id"])[0]


def expect_signed(webhook, *secrets):
    """By these and no others, newest first."""
    verify(webhook, secrets[0])
    equal(signatures(webhook), [standard(webhook, secret) for secret in secrets], "webhook-signature")


def test_old_and_new_secret_sign_during_the_overlap_and_the_new_one_alone_after_it(product, client, receiver):
    first = client.secret
    expect_signed(webhook_of(client, receiver), first)
    second = product.ctl("secret", "rotate", client.key_id)["webhook_secret"]
    check(second != first, "it is the same")
    expect_signed(webhook_of(client, receiver), second, first)
    third = product.ctl("secret", "rotate", client.key_id, "--overlap", "1h")["webhook_secret"]
    expect_signed(webhook_of(client, receiver), third, second, first)
    begun = time.time()
    fourth = product.ctl("secret", "rotate", client.key_id, "--overlap", "1s")["webhook_secret"]
    wait_for("the end of the overlap", lambda: time.time() > begun + 3)
    expect_signed(webhook_of(client, receiver), fourth)
    fifth = product.ctl("secret", "rotate", client.key_id, "--overlap", "0s")["webhook_secret"]
    expect_signed(webhook_of(client, receiver), fifth)


def test_a_retry_is_signed_with_the_secrets_of_its_time(product, client, receiver):
    receiver.answers["/flaky"] = [(503, {"Retry-After": "2"}), 204]
    job_id = client.create(webhook_url=receiver.url + "/flaky")["job_id"]
    expect_signed(receiver.wait(job_id)[0], client.secret)
    new = product.ctl("secret", "rotate", client.key_id, "--overlap", "0s")["webhook_secret"]
    expect_signed(receiver.wait(job_id, 2)[1], new)


def files_with(folder, secret):
    """Names of the files that hold a secret's text."""
    return [path.name for path in folder.iterdir() if path.is_file() and secret.encode() in path.read_bytes()]


def test_by_default_secrets_are_encrypted_under_a_key_that_lies_elsewhere(product, client):
    key = pathlib.Path(product.setting("secret_key_file"))
    equal((key.stat().st_size, key.stat().st_mode & 0o777), (32, 0o600), "size and mode of the key")
    check(key.parent != pathlib.Path(product.setting("database")).parent, "the key lies beside the database")
    new = product.ctl("secret", "rotate", client.key_id)["webhook_secret"]
    for secret in (product.secret, client.secret, new):
        equal(files_with(product.state / "database", secret), [], "files of the database with a secret")
        equal(files_with(product.state / "log", secret), [], "logs with a secret")


def restart(product, *settings):
    product.stop()
    product.settings = list(settings)
    product.start()


def test_a_database_in_plain_text_is_encrypted_once_there_is_a_key(receiver):
    with started("secret_key_file=") as product:
        clients = [product.client] + [product.new_client(f"number {i}") for i in range(20)]
        clients[0].secret = product.secret
        check("in plain text" in product.log("worker"), "the worker does not warn")
        check(files_with(product.state / "database", clients[7].secret), "the secret is not where it should be")
        restart(product, f"secret_key_file={product.state}/secret_key")
        check("encrypted now: 21" in product.log("worker"), "it is not told")
        for client in clients:
            equal(files_with(product.state / "database", client.secret), [], "files of the database with a secret")
            equal(files_with(product.state / "log", client.secret), [], "logs with a secret")
            expect_signed(webhook_of(client, receiver), client.secret)


def forget_setting(path, name):
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(name)))


def test_a_state_of_before_goes_on_and_is_encrypted_at_its_next_start(receiver):
    with started("secret_key_file=") as product:
        # As scripts/run left it when it knew no key.
        forget_setting(product.state / "settings", "secret_key_file")
        forget_setting(product.state / "sayhook.conf", "secret_key_file")
        (product.state / "secret_key").unlink()
        product.run("--detach", "--no-demo")
        another = product.new_client()
        expect_signed(webhook_of(another, receiver), another.secret)
        check(files_with(product.state / "database", another.secret), "the secret is not where it should be")
        product.stop()
        product.run("--detach", "--no-demo")
        product.read_env()
        equal(files_with(product.state / "database", another.secret), [], "files of the database with the secret")
        for client, secret in ((another, another.secret), (product.client, product.secret)):
            expect_signed(webhook_of(client, receiver), secret)


class Variant:
    """The product's configuration with another key, or with none."""

    def __init__(self, product, key_file):
        self.path = product.state / "variant.conf"
        self.path.write_text((product.state / "sayhook.conf").read_text())
        forget_setting(self.path, "secret_key_file")
        with open(self.path, "a", encoding="ascii") as config:
            config.write(f"secret_key_file = '{key_file}'\n")

    def run(self, program, *arguments):
        """Exit code, and all that it wrote."""
        command = [BUILD / program, "--config", self.path, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, check=False)
        return done.returncode, done.stdout.decode()

    def expect_refused(self, words, *commands):
        for command in commands:
            code, said = self.run(*command)
            equal(code, CONFIGURATION, f"exit code of {command}, which said {said!r}")
            check(words in said, f"{command} does not say {words!r}: {said}")
            check("whsec_" not in said, f"{command} tells a secret")


def test_a_secret_that_cannot_be_read_holds_up_no_other_keys_webhooks(receiver):
    with started() as product:
        damaged, sound = product.new_client(), product.new_client()
        with contextlib.closing(sqlite3.connect(product.setting("database"))) as database, database:
            database.execute(
                "UPDATE webhook_secrets SET sealed = zeroblob(length(sealed))"
                " WHERE key = (SELECT key FROM api_keys WHERE key_id = ?)", (damaged.key_id,),
            )
        job_id = damaged.create(webhook_url=receiver.url)["job_id"]
        wait_for("the log to say so", lambda: "cannot be sent: a webhook secret" in product.log("worker"))
        for _ in range(3):
            expect_signed(webhook_of(sound, receiver), sound.secret)
        webhook = damaged.job(job_id)["webhook"]
        equal((webhook["status"], webhook["attempts"]), ("pending", 0), "what the fault has used up")


def test_without_its_key_or_under_another_the_secrets_are_refused():
    with started() as product:
        product.stop()
        other = product.state / "other_key"
        other.write_bytes(os.urandom(32))
        other.chmod(0o600)
        users = (["sayhook-worker"], ["sayhookctl", "key", "create", "--name", "x"], ["sayhookctl", "migrate"])
        Variant(product, "").expect_refused("no key is configured", *users)
        Variant(product, other).expect_refused("under the key with the id", *users)
        code, said = Variant(product, other).run("sayhookctl", "key", "list")
        equal(code, 0, f"exit code of what needs no secret, which said {said!r}")


def test_a_key_file_that_is_wrong_is_refused_before_anything_starts():
    with started() as product:
        product.stop()
        users = (["sayhook-worker"], ["sayhookctl", "key", "list"], ["sayhook-api", "--check-config"],
                 ["sayhook-worker", "--check-config"])
        key = product.state / "wrong_key"
        Variant(product, key).expect_refused("No such file", *users)
        key.write_bytes(os.urandom(32))
        for mode in (0o640, 0o604):
            key.chmod(mode)
            Variant(product, key).expect_refused(f"chmod go= '{key}'", *users)
        key.chmod(0o600)
        key.write_bytes(b"0" * 64)
        Variant(product, key).expect_refused("32 raw ones are right", *users)
        key.unlink()
        key.mkdir()
        Variant(product, key).expect_refused("not a regular file", *users)


def test_the_key_may_come_as_a_credential_of_the_service(receiver):
    with started() as product:
        os.kill(product.worker_pid, signal.SIGTERM)
        wait_for("the worker to end", lambda: not product.is_running(product.worker_pid))
        credentials = product.state / "credentials"
        credentials.mkdir()
        (product.state / "secret_key").rename(credentials / "secret_key")
        variant = Variant(product, "")
        with open(product.state / "log" / "worker-again.log", "ab") as log:
            worker = subprocess.Popen(
                [BUILD / "sayhook-worker", "--config", variant.path, "--synth", BUILD / "sayhook-synth"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)},
            )
        product.extra.append(worker)
        expect_signed(webhook_of(product.client, receiver), product.secret)
