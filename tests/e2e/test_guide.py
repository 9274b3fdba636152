# SPDX-License-Identifier: Apache-2.0
"""docs/WEBHOOKS_GUIDE.md: its functions judge real webhooks as it says, and what it shows is what comes."""

import base64
import contextlib
import email
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from product import PATIENCE, TOP, Skip, check, contract, equal, free_port, verify, wait_for

GUIDE = TOP / "docs" / "WEBHOOKS_GUIDE.md"
JUDGES = TOP / "tests" / "support" / "guide"

# The guide's tolerance is 300 s: well within it, and well past it.
FRESH, STALE = 100, 1000

ACCEPT, REFUSE = {"true"}, {"false"}
# A secret that is none: a function may stop, too.
NEVER = {"false", "error"}


def blocks(path, info):
    return re.findall(rf"^```{re.escape(info)}\n(.*?)^```$", path.read_text(), re.DOTALL | re.MULTILINE)


def block(path, info):
    found = blocks(path, info)
    equal(len(found), 1, f"blocks of {info} in {path.name}")
    return found[0]


# --- what the functions are asked -----------------------------------------------------------------------------------


def plain(secret, body):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def standard(key, webhook_id, timestamp, body):
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_by(key, secret, webhook_id, timestamp, body):
    """The headers of a webhook with that key; where it is not the secret's, the secret is not one."""
    return {
        "X-Webhook-Signature": plain(secret, body),
        "X-Webhook-Timestamp": str(timestamp),
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": standard(key, webhook_id, timestamp, body),
    }


def changed_byte(body):
    return body[:-2] + bytes([body[-2] ^ 1]) + body[-1:]


def questions(webhook, secret):
    """What it is, secret, body, headers, and what verify and verify_plain must say: from a true delivery."""
    headers, body = {name: value for name, value in webhook.headers.items() if "webhook" in name.lower()}, webhook.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    other = "whsec_" + base64.b64encode(hashlib.sha256(key).digest()).decode()
    right, now = headers["webhook-signature"], int(time.time())
    wrong = standard(b"another key", webhook.id, headers["webhook-timestamp"], body)

    def signed(timestamp, content=body):
        return signed_by(key, secret, webhook.id, timestamp, content)

    yield "the true delivery", secret, body, headers, ACCEPT, ACCEPT
    yield "a changed byte", secret, changed_byte(body), headers, REFUSE, REFUSE
    yield "one more byte", secret, body + b"\n", headers, REFUSE, REFUSE
    yield "another secret", other, body, headers, REFUSE, REFUSE
    yield "another id", secret, body, {**headers, "webhook-id": "msg_other"}, REFUSE, ACCEPT
    yield "a time within the tolerance", secret, body, signed(now - FRESH), ACCEPT, ACCEPT
    yield "a clock ahead within it", secret, body, signed(now + FRESH), ACCEPT, ACCEPT
    yield "a stale time", secret, body, signed(now - STALE), REFUSE, REFUSE
    yield "a time to come", secret, body, signed(now + STALE), REFUSE, REFUSE
    for timestamp in ("", "now", "-1", "9" * 5000, f"{now}x", f"{now}.0", "é"):
        yield f"the time {timestamp[:20]!r}", secret, body, signed(timestamp), REFUSE, REFUSE
    for name in headers:
        rest = {other_name: value for other_name, value in headers.items() if other_name != name}
        is_plain = name.startswith("X-")
        yield f"no {name}", secret, body, rest, ACCEPT if is_plain else REFUSE, REFUSE if is_plain else ACCEPT
    yield "no header", secret, body, {}, REFUSE, REFUSE
    for signatures in (f"{wrong} {right}", f"{right} {wrong}", f"v1,!!! v2,x {right}"):
        yield f"signatures {signatures}", secret, body, {**headers, "webhook-signature": signatures}, ACCEPT, ACCEPT
    for signature in ("", "v1,", "v1", "v1,%%%", "v1,AAA", right[:-1], right[3:], "v2" + right[2:], f"{wrong} {wrong}", "v1,é*"):
        yield f"the signature {signature!r}", secret, body, {**headers, "webhook-signature": signature}, REFUSE, ACCEPT
    for signature in ("", "sha256=", "sha256=zz", headers["X-Webhook-Signature"][:-1], headers["X-Webhook-Signature"][7:], "é"):
        asked = {**headers, "X-Webhook-Signature": signature}
        yield f"the plain signature {signature!r}", secret, body, asked, ACCEPT, REFUSE
    for content in (b"", b"\0\xff\xfe\r\n\n", "é".encode(), b"x" * 70000 + b"\n"):
        yield f"a body like {content[:9]!r}", secret, content, signed(now, content), ACCEPT, ACCEPT
    for none in ("", "whsec", "sk_not a secret"):
        yield f"the secret {none!r}", none, body, signed_by(b"", none, webhook.id, now, body), NEVER, NEVER
    for none in ("whsec_", "whsec_AAAA", "whsec_%%%%"):
        for leftover in (b"", b"\0\0\0"):
            asked = signed_by(leftover, none, webhook.id, now, body)
            yield f"the secret {none!r}", none, body, {**asked, "X-Webhook-Signature": ""}, NEVER, NEVER


def question_line(secret, body, headers):
    fields = [secret.encode(), body]
    for name, value in headers.items():
        fields += [name.encode(), value.encode("latin-1")]
    return "|".join(base64.b64encode(field).decode() for field in fields)


# --- the languages --------------------------------------------------------------------------------------------------


def run(command, folder, text="", **environment):
    result = subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, timeout=PATIENCE, check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
    )
    check(result.returncode == 0, f"{command}: {result.returncode}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.stdout


@contextlib.contextmanager
def judge(language, suffix, programs, *commands, snippet=None):
    """A function that asks the guide's functions of a language; the last command runs them, those before it build."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Skip(f"{' and '.join(missing)} not installed")
    with tempfile.TemporaryDirectory(prefix="sayhook-guide-") as name:
        folder = pathlib.Path(name)
        (folder / (snippet or f"verify.{suffix}")).write_text(block(GUIDE, f"{language} verify"))
        for harness in JUDGES.glob(f"[jJ]udge.{suffix}"):
            shutil.copy(harness, folder)
        cache = {"HOME": name, "GOCACHE": f"{name}/cache", "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
        for command in commands[:-1]:
            run(command, folder, **cache)
        yield lambda lines, **environment: run(commands[-1], folder, lines, **{**cache, **environment}).splitlines()


def delivered(client, receiver):
    return receiver.wait(client.create(webhook_url=receiver.url)["job_id"])[0]


def ask(judged, client, receiver):
    webhook = delivered(client, receiver)
    verify(webhook, client.secret)
    asked = list(questions(webhook, client.secret))
    answers = judged("".join(question_line(*question[1:4]) + "\n" for question in asked))
    equal(len(answers), len(asked), "answers")
    for (what, _, _, _, *expected), answer in zip(asked, answers):
        for name, said, right in zip(("verify", "verify_plain"), answer.split(), expected):
            check(said in right, f"{what}: {name} says {said}, expected {' or '.join(right)}")


def test_the_guides_python_tells_true_webhooks_from_others(client, receiver):
    with judge("python", "py", [sys.executable], [sys.executable, "-B", "judge.py"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_javascript_tells_true_webhooks_from_others(client, receiver):
    with judge("javascript", "js", ["node"], ["node", "judge.js"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_php_tells_true_webhooks_from_others(client, receiver):
    with judge("php", "php", ["php"], ["php", "judge.php"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_go_tells_true_webhooks_from_others(client, receiver):
    build = ["go", "build", "-o", "judge", "judge.go", "verify.go"]
    with judge("go", "go", ["go"], build, ["go", "vet", "judge.go", "verify.go"], ["./judge"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_ruby_tells_true_webhooks_from_others(client, receiver):
    with judge("ruby", "rb", ["ruby"], ["ruby", "-w", "judge.rb"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_java_tells_true_webhooks_from_others(client, receiver):
    build = ["javac", "-Xlint:all", "-Werror", "Webhook.java", "Judge.java"]
    start = ["java", "-XX:TieredStopAtLevel=1", "-cp", ".", "Judge"]
    with judge("java", "java", ["javac", "java"], build, start, snippet="Webhook.java") as judged:
        ask(judged, client, receiver)


def test_the_guides_csharp_tells_true_webhooks_from_others(client, receiver):
    build = ["mcs", "-warnaserror", "-out:judge.exe", "judge.cs", "verify.cs"]
    with judge("csharp", "cs", ["mcs", "mono"], build, ["mono", "judge.exe"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_shell_tells_true_webhooks_from_others(client, receiver):
    with judge("bash", "sh", ["bash", "openssl"], ["bash", "judge.sh"]) as judged:
        ask(judged, client, receiver)


def test_the_guides_shell_takes_nothing_where_openssl_is_missing_or_fails(client, receiver):
    with judge("bash", "sh", ["bash", "openssl"], ["bash", "judge.sh"]) as judged:
        webhook = delivered(client, receiver)
        # What an openssl that says nothing would make of any webhook.
        headers = {**webhook.headers, "webhook-signature": "v1,", "X-Webhook-Signature": "sha256="}
        line = question_line(client.secret, webhook.body, headers) + "\n"
        with tempfile.TemporaryDirectory() as programs:
            for program in ("bash", "base64", "cat", "od", "tr"):
                os.symlink(shutil.which(program), f"{programs}/{program}")
            openssl = pathlib.Path(programs, "openssl")
            true_one = shutil.which("openssl")
            kinds = ["", "exit 1"] + [f'[[ $1 {sign} dgst ]] && exec {true_one} "$@"; exit 1' for sign in ("==", "!=")]
            for kind in kinds:
                if kind:
                    openssl.write_text(f"#!{shutil.which('bash')}\n{kind}\n")
                    openssl.chmod(0o755)
                answer = judged(line, PATH=programs)
                check(len(answer) == 1 and "true" not in answer[0], f"{answer} with the openssl {kind!r}")


def test_the_guides_functions_go_on_while_secrets_rotate(product, client, receiver):
    new = product.ctl("secret", "rotate", client.key_id, "--overlap", "1h")["webhook_secret"]
    webhook = delivered(client, receiver)
    lines = "".join(question_line(secret, webhook.body, webhook.headers) + "\n" for secret in (client.secret, new))
    with judge("python", "py", [sys.executable], [sys.executable, "-B", "judge.py"]) as judged:
        equal(judged(lines), ["true false", "true true"], "verdicts by the old and by the new secret")


def test_every_function_of_the_guide_is_run():
    tested = {"python", "javascript", "php", "go", "ruby", "java", "csharp", "bash"}
    equal(set(re.findall(r"^```(\w+) verify$", GUIDE.read_text(), re.MULTILINE)), tested, "languages of the guide")


# --- the rest of it -------------------------------------------------------------------------------------------------


def example():
    """The guide's delivery: headers and body."""
    head, _, body = block(GUIDE, "http delivery").partition("\n\n")
    return email.message_from_string(head.partition("\n")[2]), body.rstrip("\n").encode()


def test_the_guides_example_is_signed_with_the_secret_beside_it():
    headers, body = example()
    secret = re.search(r"Its secret was `(whsec_[^`]+)`", GUIDE.read_text()).group(1)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    timestamp = headers["webhook-timestamp"]
    equal(headers["X-Webhook-Signature"], plain(secret, body), "X-Webhook-Signature")
    equal(headers["webhook-signature"], standard(key, headers["webhook-id"], timestamp, body), "webhook-signature")
    equal(int(headers["Content-Length"]), len(body), "Content-Length")


def test_the_guides_examples_are_what_comes(product, client, receiver):
    headers, completed = example()
    sent = delivered(client, receiver)
    equal(headers.keys(), sent.headers.keys(), "headers")
    events = [json.loads(text) for text in (completed, *blocks(GUIDE, "json event"))]
    kinds = ["job.completed", "job.failed", "job.cancelled", "ping"]
    equal([event["type"] for event in events], kinds, "types of the examples")
    for event in events:
        equal(list(event), list(sent.json), f"members of {event['type']}")
    product.ctl("webhook", "check", receiver.url, "--key", client.key_id)
    ping = receiver.webhooks[-1].json
    equal({**events[-1], "timestamp": ping["timestamp"]}, ping, "the ping")
    if contract:
        contract.check_webhook(headers, completed)
        for event in events[1:]:
            contract.check_webhook(headers, json.dumps(event).encode())


def test_the_readme_verifies_as_the_guide_does():
    for language in ("python", "javascript"):
        equal(block(TOP / "README.md", language), block(GUIDE, f"{language} verify"), f"the {language} of the README")


def test_the_guides_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", GUIDE.read_text()):
        check((GUIDE.parent / target).exists(), f"there is no {target}")


@contextlib.contextmanager
def running_receiver(folder, secret):
    """The guide's receiver; its URL, and the lines that it has printed so far."""
    program, port, said = folder / "receiver.py", free_port(), folder / "said"
    program.write_text(block(GUIDE, "python verify") + "\n" + block(GUIDE, "python receiver"))
    with open(said, "wb") as output, open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, program.name, str(port)], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=log,
            env={**os.environ, "SAYHOOK_WEBHOOK_SECRET": secret},
        )
    try:
        yield f"http://127.0.0.1:{port}/", lambda: said.read_text().splitlines()
    finally:
        process.terminate()
        process.wait(PATIENCE)


def webhook_when(client, job_id, status, attempts):
    def probe():
        told = client.job(job_id)["webhook"]
        return told if told["status"] == status and told["attempts"] >= attempts else None

    return wait_for(f"the webhook of {job_id} to be {status}", probe)


def test_the_guides_receiver_takes_an_event_once_and_nobody_elses(product, client):
    stranger = product.new_client("stranger")
    with tempfile.TemporaryDirectory(prefix="sayhook-guide-") as name:
        with running_receiver(pathlib.Path(name), client.secret) as (url, lines):
            job = client.create(webhook_url=url)
            told = webhook_when(client, job["job_id"], "delivered", 1)
            client.call("POST", f"/v1/jobs/{job['job_id']}/redeliver").expect(202)
            webhook_when(client, job["job_id"], "delivered", told["attempts"] + 1)
            foreign = stranger.create(webhook_url=url)["job_id"]
            equal(webhook_when(stranger, foreign, "failed", 1)["last_status_code"], 401, "answer to another's webhook")
            audio = client.job(job["job_id"])["audio_url"]
            equal(lines(), [f"job.completed {job['job_id']} {audio}"], "what the receiver took")


def listens(port):
    with socket.socket() as peer:
        return peer.connect_ex(("127.0.0.1", port)) == 0


def test_the_guides_receiver_refuses_lengths_that_are_none(client):
    with tempfile.TemporaryDirectory(prefix="sayhook-guide-") as name:
        with running_receiver(pathlib.Path(name), client.secret) as (url, _):
            port = int(url.rstrip("/").rpartition(":")[2])
            wait_for("the receiver", lambda: listens(port))
            for length in ("abc", "-1", "", "9" * 6000, "65537"):
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as peer:
                    peer.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
                    answer = peer.makefile("rb").readline()
                check(b" 401 " in answer, f"{length[:10]!r} is answered with {answer}")
            equal((pathlib.Path(name) / "log").read_text().count("Traceback"), 0, "tracebacks")
