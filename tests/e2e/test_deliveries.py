# SPDX-License-Identifier: Apache-2.0
"""sayhookctl delivery and webhook check: what an administrator sees of webhooks, and mends."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading

from product import BUILD, PATIENCE, Skip, check, equal, free_port, started, verify, wait_for

NOT_THERE = "msg_" + "0" * 25
SOON = "10m"


class Told:
    def __init__(self, code, stdout, stderr):
        self.code, self.text, self.stderr = code, stdout.decode(), stderr.decode()

    @property
    def json(self):
        return json.loads(self.text)


def command(product, *arguments):
    return [str(BUILD / "sayhookctl"), "--config", product.env["SAYHOOK_CONFIG"], *arguments]


def tell(product, *arguments):
    """What sayhookctl says, and how it ends."""
    result = subprocess.run(
        command(product, *arguments), stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
    )
    return Told(result.returncode, result.stdout, result.stderr)


def fails(product, code, hint, *arguments):
    told = tell(product, *arguments)
    equal(told.code, code, f"exit code of {arguments} ({told.stderr})")
    check(hint in told.stderr, f"{told.stderr!r} lacks {hint!r}")
    equal(told.text, "", "stdout")


def ended(client, job_id, status):
    def probe():
        webhook = client.job(job_id)["webhook"]
        return webhook if webhook["status"] == status else None

    return wait_for(f"the webhook of {job_id} to be {status}", probe)


def fail_some(client, receiver, count, path="/down"):
    """Jobs whose webhooks nobody has taken."""
    receiver.answers[path] = [500]
    jobs = [client.create(webhook_url=receiver.url + path)["job_id"] for _ in range(count)]
    for job_id in jobs:
        ended(client, job_id, "failed")
    return jobs


def ids_of(listing):
    return [webhook["job_id"] for webhook in listing["webhooks"]]


# --- list and show --------------------------------------------------------------------------------------------------


def test_webhooks_are_listed_newest_first_by_key_status_and_receiver(product, client, receiver):
    failed = fail_some(client, receiver, 1)[0]
    good = client.create(webhook_url=receiver.url)["job_id"]
    ended(client, good, "delivered")
    of_key = ("delivery", "list", "--key", client.key_id)
    equal(ids_of(product.ctl(*of_key)), [good, failed], "jobs of the key")
    equal(ids_of(product.ctl(*of_key, "--limit", "1")), [good], "the newest")
    equal(ids_of(product.ctl(*of_key, "--status", "failed")), [failed], "failed ones")
    equal(ids_of(product.ctl(*of_key, "--receiver", receiver.url + "/any")), [good, failed], "of the receiver")
    equal(ids_of(product.ctl(*of_key, "--receiver", "https://example.org")), [], "of another receiver")
    equal(ids_of(product.ctl(*of_key, "--since", "2099-01-01T00:00:00Z")), [], "of the future")
    row = product.ctl(*of_key, "--since", SOON)["webhooks"][1]
    equal((row["webhook_id"], row["event"]), (receiver.of(failed)[0].id, "job.completed"), "id and event")
    equal((row["status"], row["last_status_code"], row["last_error"]), ("failed", 500, "http_status"), "outcome")
    equal((row["receiver"], row["key_id"], row["attempts"]), (receiver.url, client.key_id, 5), "whose it is")
    equal((row["next_attempt_at"], row["body_kept"]), (None, True), "what is left")
    text = tell(product, *of_key).text.splitlines()
    equal(len(text), 3, "lines: a head and two webhooks")
    check(row["webhook_id"] in text[2] and "500 http_status" in text[2] and row["settled_at"] in text[2], text[2])


def test_a_webhook_is_shown_with_each_attempt(product, client, receiver):
    receiver.answers["/flaky"] = [500, 204]
    job_id = client.create(webhook_url=receiver.url + "/flaky")["job_id"]
    ended(client, job_id, "delivered")
    webhook_id = receiver.of(job_id)[0].id
    shown = product.ctl("delivery", "show", job_id)
    equal(shown, product.ctl("delivery", "show", webhook_id), "what both ids show")
    equal(shown["webhook"]["url"], receiver.url + "/flaky", "url")
    equal([attempt["status_code"] for attempt in shown["attempts"]], [500, 204], "status codes")
    first, second = shown["attempts"]
    equal((first["error"]["code"], second["error"]), ("http_status", None), "errors")
    equal((first["peer"], first["sends"]), (receiver.url.removeprefix("http://"), 1), "peer and sends")
    check(0 <= first["connect_us"] <= first["total_us"], f"times are {first}")
    text = tell(product, "delivery", "show", webhook_id).text
    for words in (job_id, "http_status", "the receiver answered 500", first["peer"], "first byte"):
        check(words in text, f"{words!r} is not in {text}")


def test_a_receiver_that_asked_for_a_pause_is_shown_as_paused(product, client, receiver):
    receiver.answers["/busy"] = [(503, {"Retry-After": "3600"})]
    job_id = client.create(webhook_url=receiver.url + "/busy")["job_id"]
    wait_for("the attempt", lambda: client.job(job_id)["webhook"]["last_status_code"] == 503)
    shown = product.ctl("delivery", "show", job_id)
    equal(shown["webhook"]["status"], "pending", "status")
    check(shown["webhook"]["receiver_paused_until"], f"no pause in {shown['webhook']}")
    text = tell(product, "delivery", "show", job_id).text
    check("to which nothing goes until" in text, "the text does not say so")
    until = shown["webhook"]["receiver_paused_until"]
    listed = tell(product, "delivery", "list", "--key", client.key_id).text
    check(f"next attempt    {until}" in text and until in listed, f"the next attempt is at {until}: {text} {listed}")


def test_an_administrator_ends_a_pause_and_a_client_does_not(product, client, receiver):
    receiver.answers["/hour"] = [(410, {"Retry-After": "3600"}), 204]
    job_id = client.create(webhook_url=receiver.url + "/hour")["job_id"]
    ended(client, job_id, "failed")
    client.call("POST", f"/v1/jobs/{job_id}/redeliver").expect(202)
    shown = product.ctl("delivery", "show", job_id)["webhook"]
    equal((shown["status"], shown["receiver_paused_until"] is None), ("pending", False), "status, no pause")
    text = tell(product, "delivery", "redeliver", job_id).text
    check("is ended" in text, f"the text is {text}")
    ended(client, job_id, "delivered")
    equal(len(receiver.of(job_id)), 2, "requests")


def test_what_a_receiver_sends_cannot_move_a_terminal(product, client):
    with hostile_receiver("a\x1b[2Jb\u202e\x9bc") as url:
        told = tell(product, "webhook", "check", url, "--key", client.key_id)
        job_id = client.create(webhook_url=url)["job_id"]
        ended(client, job_id, "delivered")
        told.text += tell(product, "delivery", "show", job_id).text
    for character in "\x1b\u202e\x9b":
        check(character not in told.text, f"{character!r} reaches the terminal")
    check("[2Jb\\u202e" in told.text, f"the rest is gone: {told.text}")


def test_ids_and_words_that_are_none_are_named(product, client):
    silent = client.wait(client.create()["job_id"])["job_id"]
    for verb in ("show", "redeliver"):
        fails(product, 66, NOT_THERE, "delivery", verb, NOT_THERE)
        fails(product, 66, "job_x", "delivery", verb, "job_x")
        fails(product, 65, "has no webhook", "delivery", verb, silent)
    fails(product, 67, "key_x", "delivery", "list", "--key", "key_x")
    fails(product, 64, "--status takes", "delivery", "list", "--status", "none")
    fails(product, 64, "--since takes", "delivery", "list", "--since", "yesterday")
    fails(product, 64, "--limit", "delivery", "list", "--limit", "0")
    fails(product, 64, "--since", "delivery", "redeliver", "--failed")
    fails(product, 64, "--failed", "delivery", "redeliver")
    fails(product, 64, "no id", "delivery", "redeliver", "--failed", "--since", "1h", NOT_THERE)
    fails(product, 64, "--receiver", "delivery", "redeliver", "--waiting")
    fails(product, 64, "no --waiting", "delivery", "redeliver", "--failed", "--since", "1h", "--waiting")
    fails(product, 64, "--rate takes", "delivery", "redeliver", "--failed", "--since", "1h", "--rate", "0/s")


# --- redeliver ------------------------------------------------------------------------------------------------------


def test_one_webhook_is_sent_again(product, client, receiver):
    job_id = fail_some(client, receiver, 1)[0]
    etag = client.get(f"/v1/jobs/{job_id}").headers["ETag"]
    receiver.answers["/down"] = [204]
    told = product.ctl("delivery", "redeliver", receiver.of(job_id)[0].id)
    equal(told, {"webhook_id": receiver.of(job_id)[0].id, "job_id": job_id, "status": "pending"}, "answer")
    ended(client, job_id, "delivered")
    webhooks = receiver.of(job_id)
    equal(len({(webhook.id, webhook.body) for webhook in webhooks}), 1, "different webhooks")
    verify(webhooks[-1], client.secret)
    check(client.get(f"/v1/jobs/{job_id}").headers["ETag"] != etag, "the job has the ETag from before")
    equal(product.ctl("delivery", "redeliver", job_id)["job_id"], job_id, "one that was delivered, by its job")
    receiver.wait(job_id, 7)


def test_all_that_failed_are_sent_again_and_nothing_else(product, client, receiver):
    other = product.new_client()
    delivered = client.create(webhook_url=receiver.url + "/up")["job_id"]
    ended(client, delivered, "delivered")
    failed, foreign = fail_some(client, receiver, 3), fail_some(other, receiver, 1)
    receiver.answers["/down"] = [204]
    words = ("delivery", "redeliver", "--failed", "--key", client.key_id, "--receiver", receiver.url, "--since")
    told = product.ctl(*words, SOON, "--dry-run")
    expected = {"dry_run": True, "interrupted": False, "failed": 3, "redelivered": 0, "removed": 0,
                "removed_webhooks": []}
    equal(told, expected, "answer of the dry run")
    equal(client.job(failed[0])["webhook"]["status"], "failed", "status after the dry run")
    equal(product.ctl(*words, "2099-01-01T00:00:00Z")["failed"], 0, "failed in the future")
    told = product.ctl(*words, SOON, "--rate", "1000/s")
    equal(told, {**expected, "dry_run": False, "redelivered": 3}, "answer")
    for job_id in failed:
        ended(client, job_id, "delivered")
        verify(receiver.of(job_id)[-1], client.secret)
    equal(len(receiver.of(delivered)), 1, "webhooks of the one that was delivered")
    equal(other.job(foreign[0])["webhook"]["status"], "failed", "status of another key's")
    check("0 of 0 failed" in tell(product, *words, SOON).text, "a second time finds some")


def test_what_waits_for_a_later_attempt_is_sent_now(receiver):
    with started("webhook_retry_schedule=0s 1h") as product:
        client = product.client
        receiver.answers["/down"] = [500]
        jobs = [client.create(webhook_url=receiver.url + "/down")["job_id"] for _ in range(3)]
        for job_id in jobs:
            wait_for("the attempt", lambda job_id=job_id: client.job(job_id)["webhook"]["last_status_code"] == 500)
        receiver.answers["/down"] = [204]
        check("waits no longer" in tell(product, "delivery", "redeliver", jobs[0]).text, "the text does not say so")
        ended(client, jobs[0], "delivered")
        words = ("delivery", "redeliver", "--waiting", "--receiver", receiver.url)
        equal(product.ctl(*words, "--dry-run")["waiting"], 2, "waiting")
        equal([len(receiver.of(job_id)) for job_id in jobs], [2, 1, 1], "requests after the dry run")
        told = product.ctl(*words)
        equal((told["waiting"], told["redelivered"]), (2, 2), "waiting, redelivered")
        for job_id in jobs:
            ended(client, job_id, "delivered")
            equal(len(receiver.of(job_id)), 2, "requests")
        check("0 of 0 waiting" in tell(product, *words).text, "a second time finds some")


def test_what_is_overdue_says_what_it_waits_for(receiver):
    with started("webhook_retry_schedule=0s 1h") as product:
        receiver.answers["/down"] = [500]
        job_id = product.client.create(webhook_url=receiver.url + "/down")["job_id"]
        wait_for("the attempt", lambda: product.client.job(job_id)["webhook"]["last_status_code"] == 500)
        os.kill(product.worker_pid, signal.SIGKILL)
        product.ctl("delivery", "redeliver", job_id)
        shown = wait_for(
            "its next attempt to be overdue",
            lambda: (text := tell(product, "delivery", "show", job_id).text) and "behind others" in text and text,
        )
        check("unless no worker runs" in shown, f"the text is {shown}")


def test_what_retention_removed_is_counted_and_named():
    with started("retention_deliveries=1s", "webhook_retry_schedule=0s") as product:
        client = product.client
        job_id = client.create(webhook_url=f"http://127.0.0.1:{free_port()}/")["job_id"]
        ended(client, job_id, "failed")
        gone = wait_for(
            "the removal of the body",
            lambda: [w for w in product.ctl("delivery", "list")["webhooks"] if not w["body_kept"]],
        )[0]["webhook_id"]
        told = product.ctl("delivery", "redeliver", "--failed", "--since", SOON)
        equal((told["failed"], told["redelivered"], told["removed"]), (1, 0, 1), "failed, redelivered, removed")
        equal(told["removed_webhooks"], [gone], "removed_webhooks")
        check(gone in tell(product, "delivery", "redeliver", "--failed", "--since", SOON).text, "it is not named")
        fails(product, 65, "retention has removed", "delivery", "redeliver", gone)


def test_an_interrupted_redelivery_tells_what_was_done_and_goes_on(product, client, receiver):
    failed = fail_some(client, receiver, 3)
    receiver.answers["/down"] = [204]
    words = ("delivery", "redeliver", "--failed", "--key", client.key_id, "--since", SOON, "--json")
    slow = subprocess.Popen(command(product, *words, "--rate", "1/s"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for("the first", lambda: any(client.job(job)["webhook"]["status"] != "failed" for job in failed))
    slow.send_signal(signal.SIGINT)
    stdout, stderr = slow.communicate(timeout=PATIENCE)
    first = json.loads(stdout)
    if slow.returncode == 0:  # a machine so busy that all were done
        equal(first["redelivered"], 3, "redelivered")
        return
    equal((slow.returncode, first["interrupted"]), (75, True), "exit code, interrupted")
    check(b"interrupted" in stderr, f"stderr is {stderr}")
    check(1 <= first["redelivered"] < 3, f"redelivered is {first['redelivered']}")
    equal(product.ctl(*words[:-1])["redelivered"], 3 - first["redelivered"], "what was left")
    for job_id in failed:
        ended(client, job_id, "delivered")


# --- webhook check --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def hostile_receiver(answer, context=None):
    """A receiver that answers 200 with a text; with a context, over TLS.  Yields its URL, to which it posts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def rows_of(product):
    """All that a check could have written."""
    return [product.ctl("delivery", "list")["webhooks"][:1], product.client.get("/v1/jobs?limit=1").json["jobs"][:1]]


def test_a_good_receiver_gets_a_ping_that_verifies(product, client, receiver):
    before = rows_of(product)
    told = tell(product, "webhook", "check", receiver.url + "/hook", "--key", client.key_id, "--json")
    equal(told.code, 0, f"exit code ({told.stderr})")
    ping = receiver.webhooks[-1]
    verify(ping, client.secret)
    equal((ping.path, ping.json["type"], ping.json["job_id"]), ("/hook", "ping", None), "the ping")
    report = told.json
    equal((report["delivered"], report["status_code"], report["error"]), (True, 204, None), "outcome")
    equal((report["webhook_id"], report["key_id"]), (ping.id, client.key_id), "ids")
    equal(report["addresses"], [{"address": "127.0.0.1", "allowed": True, "reason": None}], "addresses")
    equal(report["peer"], receiver.url.removeprefix("http://"), "peer")
    body = ping.body.decode()
    signed = {
        "webhook_signature": f"{ping.id}.{ping.headers['webhook-timestamp']}.{body}",
        "x_webhook_signature": body,
    }
    equal(report["signed"], signed, "what was signed")
    for name, value in report["headers"].items():
        equal(ping.headers[name], value, name)
    check(0 < report["first_byte_us"] <= report["total_us"], f"times of {report}")
    equal(report["tls"], None, "tls")
    equal(rows_of(product), before, "what the database shows")
    text = tell(product, "webhook", "check", receiver.url, "--key", client.key_id)
    for secret in (client.secret, client.secret[len("whsec_") :], client.key):
        check(secret not in told.text + told.stderr + text.text + text.stderr, "a secret is shown")
    for words in ("127.0.0.1, allowed", "webhook-signature: v1,", "delivered", "first byte"):
        check(words in text.text, f"{words!r} is not in {text.text}")


def test_listen_verifies_and_shows_a_ping(product, client):
    port = free_port()
    listener = subprocess.Popen(
        command(product, "listen", "--port", str(port), "--count", "1"), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "SAYHOOK_WEBHOOK_SECRET": client.secret},
    )
    listener.stderr.readline()  # it listens
    told = tell(product, "webhook", "check", f"http://127.0.0.1:{port}/", "--key", client.key_id)
    shown = listener.communicate(timeout=PATIENCE)[0].decode()
    equal((told.code, listener.returncode), (0, 0), f"exit codes ({told.text})")
    for words in ("webhook verified", "ping", "msg_"):
        check(words in shown, f"{words!r} is not in {shown}")
    check("none" not in shown, f"something is missing: {shown}")


def refused(product, client, url, code, hint):
    """The report of a check that fails with that code."""
    told = tell(product, "webhook", "check", url, "--key", client.key_id, "--json")
    equal(told.code, 1, f"exit code ({told.stderr})")
    report = told.json
    equal((report["delivered"], report["error"]["code"]), (False, code), f"outcome ({report})")
    check(hint in report["error"]["message"], f"{report['error']} lacks {hint!r}")
    text = tell(product, "webhook", "check", url, "--key", client.key_id)
    equal(text.code, 1, "exit code without --json")
    check(f"{code}: " in text.text, f"{code} is not in {text.text}")
    return report


def test_a_check_says_why_a_webhook_would_fail(product, client, receiver):
    refused(product, client, f"http://127.0.0.1:{free_port()}/", "connection_refused", "")
    receiver.answers["/broken"] = [500]
    equal(refused(product, client, receiver.url + "/broken", "http_status", "500")["status_code"], 500, "status_code")
    receiver.answers["/moved"] = [(307, {"Location": receiver.url + "/trap"})]
    refused(product, client, receiver.url + "/moved", "http_status", "redirects are not followed")
    receiver.answers["/busy"] = [(429, {"Retry-After": "120"})] * 2
    equal(refused(product, client, receiver.url + "/busy", "http_status", "429")["retry_after_s"], 120, "retry_after_s")
    check(all(webhook.path != "/trap" for webhook in receiver.webhooks), "the redirect was followed")
    report = refused(product, client, "http://no-such-host.invalid/", "name_not_resolved", "")
    equal(report["addresses"], [], "addresses")


def test_a_url_that_can_never_be_allowed_is_refused_in_the_words_of_the_api(product, client):
    for url, code in (("http://10.0.0.1/", "blocked_address"), ("http://[fe80::1]/", "blocked_address")):
        problem = client.post({"text": "a", "webhook_url": url}).expect_problem(422).json
        report = refused(product, client, url, code, problem["errors"][0]["detail"])
        equal((report["receiver"], report["addresses"]), (None, []), "what was looked at")
    problem = client.post({"text": "a", "webhook_url": "http://user@x/"}).expect_problem(422).json
    fails(product, 65, problem["errors"][0]["detail"], "webhook", "check", "http://user@x/", "--key", client.key_id)


def test_a_check_names_the_setting_that_could_allow_what_was_blocked(product, client):
    strict = product.state / "strict.conf"
    for setting, url in (
        ("webhook_allow_http", "http://example.org/"),
        ("webhook_ports", "https://example.org:8443/"),
        ("webhook_allow_cidrs", "https://10.0.0.1/"),
    ):
        lines = pathlib.Path(product.env["SAYHOOK_CONFIG"]).read_text().splitlines(keepends=True)
        strict.write_text("".join(line for line in lines if not line.startswith("webhook_")))
        told = tell(product, "webhook", "check", url, "--key", client.key_id, "--config", str(strict))
        check(f"setting     {setting} " in told.text, f"{setting} is not named: {told.text}")


def test_each_address_of_a_name_is_judged(product, client):
    hosts = product.state / "hosts"
    hosts.write_text("10.0.0.1 inside.test\nfd00::1 inside.test\n")
    # A namespace of its own, so that a name can be made to lead anywhere.
    within = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
    if subprocess.run([*within, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("no namespace in which /etc/hosts could be another")
    words = command(product, "webhook", "check", "http://inside.test/", "--key", client.key_id, "--json")
    told = subprocess.run([*within, *words], stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    report = json.loads(told.stdout)
    equal((told.returncode, report["error"]["code"]), (1, "blocked_address"), "outcome")
    equal({address["address"] for address in report["addresses"]}, {"10.0.0.1", "fd00::1"}, "addresses")
    for address in report["addresses"]:
        equal(address["allowed"], False, "allowed")
        check("a private network" in address["reason"], f"reason is {address['reason']}")


def test_a_certificate_that_is_not_trusted_is_shown_all_the_same(product, client):
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    folder = tempfile.mkdtemp(prefix="sayhook-e2e-")
    try:
        key, certificate = os.path.join(folder, "key"), os.path.join(folder, "certificate")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=receiver.example", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
             certificate],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with hostile_receiver("never seen", context) as url:
            report = refused(product, client, url, "tls_failed", "certificate")
        check(report["tls"]["version"].startswith("TLSv1."), f"tls is {report['tls']}")
        equal(report["tls"]["subject"], "CN=receiver.example", "subject")
        equal(report["tls"]["issuer"], "CN=receiver.example", "issuer")
        check(report["tls"]["days_left"] in (29, 30), f"days_left is {report['tls']['days_left']}")
        equal(report["tls_error"], None, "tls_error")
        with hostile_receiver("plain") as url:
            report = refused(product, client, url.replace("http:", "https:"), "tls_failed", "does not speak TLS")
        check(report["tls"] is None and report["tls_error"], f"tls of plain HTTP: {report}")
    finally:
        shutil.rmtree(folder)


def test_the_only_key_signs_and_of_several_one_is_to_be_named(receiver):
    with started() as product:
        told = product.ctl("webhook", "check", receiver.url)
        verify(receiver.webhooks[-1], product.secret)
        second = product.new_client("a\u202esecond")
        fails(product, 64, "a\\u202esecond", "webhook", "check", receiver.url)
        check("a\\u202esecond" in tell(product, "key", "list").text, "a name can move the terminal of the list")
        fails(product, 64, second.key_id, "webhook", "check", receiver.url)
        fails(product, 64, told["key_id"], "webhook", "check", receiver.url)
        product.ctl("key", "revoke", told["key_id"])
        equal(product.ctl("webhook", "check", receiver.url)["key_id"], second.key_id, "the key that is left")


def test_a_check_needs_no_worker(receiver):
    with started() as product:
        os.kill(product.worker_pid, signal.SIGTERM)
        wait_for("the worker to end", lambda: not product.is_running(product.worker_pid))
        equal(product.ctl("webhook", "check", receiver.url)["delivered"], True, "delivered")
        equal([webhook.json["type"] for webhook in receiver.webhooks], ["ping"], "what the receiver got")
