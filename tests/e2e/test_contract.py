# SPDX-License-Identifier: Apache-2.0
"""Every path, method and status of docs/openapi.yaml, as far as each can be had; the client judges each answer by the
document (contract.py).  Three tables say how a status comes about; UNREACHED holds the rest, each with its reason.
"""

import concurrent.futures
import contextlib
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import sqlite3
import time
import urllib.parse

from product import SENTENCE, Answer, Skip, check, contract, equal, started, wait_for

# (method, path, status), with "*" for all but those in a table: why it cannot be had in a test.
UNREACHED = {
    ("*", "*", 503): "a call that writes nothing waits for nobody; it takes a server without memory",
    ("DELETE", "/v1/jobs/{job_id}", 507): "it writes next to nothing: it takes a disk that is full to the last page",
    ("GET", "/healthz", 500): "it does nothing that could fail",
    ("GET", "/readyz", 500): "what fails there is a 503",
    ("GET", "/openapi.json", 500): "nginx cannot fail to read a file that it has opened",
    ("GET", "/openapi.yaml", 500): "the same",
    ("GET", "/docs/", 500): "the same",
    ("GET", "/docs/problems/{code}", 500): "the same",
}


# --- requests that no library would send ----------------------------------------------------------------------------


def raw_open(client, begun):
    """A connection on which these bytes were sent."""
    host, port = client.address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall(begun)
    return connection


def raw(client, method, target, *lines, version="HTTP/1.1"):
    """Sends these bytes and no others; the answer is judged like any."""
    host, port = client.address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        head = "\r\n".join([f"{method} {target} {version}", *lines]).encode() + b"\r\n\r\n"
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before it was sent
            connection.sendall(head)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        answer = Answer(response.status, response.headers, response.read())
    contract.check_raw(head, answer)
    return answer


# What nginx refuses by itself, whatever the path: status → how.
REFUSED = {
    400: lambda client, method, target: raw(client, method, target),
    413: lambda client, method, target: raw(client, method, target, "Host: a", "Content-Length: 1000000000"),
    414: lambda client, method, target: raw(client, method, target + "?" + "a" * 9000, "Host: a"),
    431: lambda client, method, target: raw(client, method, target, "Host: a", "X-Long: " + "a" * 9000),
    501: lambda client, method, target: raw(client, method, target, "Host: a", "Transfer-Encoding: gzip"),
    505: lambda client, method, target: raw(client, method, target, "Host: a", version="HTTP/3.0"),
}


def needs_contract():
    if not contract:
        raise Skip("python3-jsonschema or python3-yaml is not installed")


def operations(status):
    """(method, path) of each operation that documents a status, but for those that cannot be had."""
    needs_contract()
    for method, path, operation in contract.document.operations():
        if str(status) in operation["responses"] and not reason_of(method, path, status):
            yield method, path


def reason_of(method, path, status):
    return UNREACHED.get((method, path, status)) or UNREACHED.get(("*", "*", status))


def target_of(path, job_id="job_" + "0" * 36):
    return path.replace("{job_id}", job_id).replace("{code}", "invalid_json")


def test_what_nginx_refuses_is_as_documented_on_every_path(client):
    for status, send in REFUSED.items():
        for method, path in operations(status):
            equal(send(client, method, target_of(path)).status, status, f"status of {method} {path}")


# --- one case for each of the rest ----------------------------------------------------------------------------------

LONG = "A long story of many words. " * 4000


def job_that_is(client, status):
    """The id of a job of the client's own in that state."""
    if status == "completed":
        return client.wait(client.create(timings=True)["job_id"], "completed")["job_id"]
    job = client.create(text=LONG, voice="slt")["job_id"]
    if status == "cancelled":
        client.cancel(job)
    return client.wait(job, status)["job_id"]


def etag_of(client, target, key=None):
    return client.get(target, key=key).expect(200).headers["ETag"]


def on_job(status, method="GET", suffix="", **rest):
    """The path of a job in that state; headers may be a function of the client and the target."""

    def send(client):
        target = f"/v1/jobs/{job_that_is(client, status)}{suffix}"
        return client.call(method, target, **rest)

    return send


def on_file(status, suffix="", **headers):
    return lambda client: client.get(f"/v1/download/{job_that_is(client, status)}{suffix}", key="", headers=headers)


def again(target, key=None):
    """With If-None-Match, once the tag is known."""

    def send(client):
        where = target(client) if callable(target) else target
        return client.get(where, key=key, headers={"If-None-Match": etag_of(client, where, key)})

    return send


def plain(method, target, **rest):
    return lambda client: client.call(method, target, **rest)


OLD = {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}

TEXT_PLAIN = {"Content-Type": "text/plain"}

# (method, path, status) → how to get it from a server that is well.
CASES = {
    ("POST", "/v1/tts/async", 202): lambda client: client.post({"text": SENTENCE, "voice": "kal16"}),
    ("POST", "/v1/tts/async", 415): plain("POST", "/v1/tts/async", body=b"a", headers=TEXT_PLAIN),
    ("DELETE", "/v1/jobs/{job_id}", 415): plain("DELETE", target_of("/v1/jobs/{job_id}"), body=b"a", headers=TEXT_PLAIN),
    ("POST", "/v1/jobs/{job_id}/redeliver", 415):
        plain("POST", target_of("/v1/jobs/{job_id}/redeliver"), body=b"a", headers=TEXT_PLAIN),
    ("POST", "/v1/tts/async", 422): plain("POST", "/v1/tts/async", body={"text": "", "vioce": "slt"}),
    ("GET", "/v1/jobs", 200): plain("GET", "/v1/jobs"),
    ("GET", "/v1/jobs", 304): again("/v1/jobs?created_before=2020-01-01T00:00:00Z"),
    ("GET", "/v1/jobs/{job_id}", 200): on_job("completed"),
    ("GET", "/v1/jobs/{job_id}", 304): again(lambda client: f"/v1/jobs/{job_that_is(client, 'completed')}"),
    ("DELETE", "/v1/jobs/{job_id}", 200): on_job("cancelled", "DELETE"),
    ("DELETE", "/v1/jobs/{job_id}", 202): on_job("processing", "DELETE"),
    ("DELETE", "/v1/jobs/{job_id}", 409): on_job("completed", "DELETE"),
    ("POST", "/v1/jobs/{job_id}/redeliver", 409): on_job("completed", "POST", "/redeliver"),
    ("GET", "/v1/jobs/{job_id}/deliveries", 200): on_job("completed", suffix="/deliveries"),
    ("GET", "/v1/voices", 200): plain("GET", "/v1/voices"),
    ("GET", "/v1/usage", 200): plain("GET", "/v1/usage"),
    ("GET", "/healthz", 200): plain("GET", "/healthz", key=""),
    ("GET", "/readyz", 200): plain("GET", "/readyz", key=""),
    ("GET", "/metrics", 200): plain("GET", "/metrics", key=""),
}
def again_file(suffix):
    return again(lambda client: f"/v1/download/{job_that_is(client, 'completed')}{suffix}", key="")


for _suffix in ("", ".json", ".srt", ".vtt"):
    _path = f"/v1/download/{{job_id}}{_suffix}"
    CASES["GET", _path, 200] = on_file("completed", _suffix)
    CASES["GET", _path, 206] = on_file("completed", _suffix, Range="bytes=0-9")
    CASES["GET", _path, 304] = again_file(_suffix)
    CASES["GET", _path, 412] = on_file("completed", _suffix, **OLD)
    CASES["GET", _path, 416] = on_file("completed", _suffix, Range="bytes=999999999-")
    CASES["GET", _path, 404] = plain("GET", target_of(_path), key="")
    CASES["GET", _path, 409] = on_file("processing", _suffix)
    CASES["GET", _path, 410] = on_file("cancelled", _suffix)
for _path in ("/openapi.json", "/openapi.yaml", "/docs/", "/docs/problems/{code}"):
    CASES["GET", _path, 200] = plain("GET", target_of(_path), key="")
    CASES["GET", _path, 304] = again(target_of(_path), key="")
    CASES["GET", _path, 412] = plain("GET", target_of(_path), key="", headers=OLD)
CASES["GET", "/docs/problems/{code}", 404] = plain("GET", "/docs/problems/no_such_problem", key="")


def test_every_status_of_a_server_that_is_well(client):
    needs_contract()
    for (method, path, status), send in CASES.items():
        answer = send(client)
        check(answer.status == status, f"{method} {path}: expected {status}, got {answer.status}: {answer.body[:300]!r}")


def test_every_call_with_a_key_refuses_to_answer_without_one(client):
    for method, path in operations(401):
        for key in ("sk_nobody", " "):
            client.call(method, target_of(path), key=key).expect_problem(401, "unauthorized")


def test_every_call_that_answers_json_refuses_clients_that_do_not_take_it(client):
    for method, path in operations(406):
        client.call(method, target_of(path), headers={"Accept": "text/html"}).expect_problem(406, "not_acceptable")


def test_what_never_was_is_not_found_on_every_call(client):
    for method, path in operations(404):
        if "{job_id}" in path:
            client.call(method, target_of(path)).expect_problem(404, "not_found")


# --- outages --------------------------------------------------------------------------------------------------------


def drive(client, status, body=None):
    """Every operation that documents the status answers with it."""
    for method, path in operations(status):
        rest = {"body": body} if method == "POST" and body else {}
        answer = client.call(method, target_of(path), **rest)
        equal(answer.status, status, f"status of {method} {path}")
        answer.expect_problem(status)


TEXT = {"text": SENTENCE}


def test_a_client_address_that_asks_too_often_is_told_so_on_every_path():
    with started("address_rate=1") as product:
        for method, path in operations(429):
            rest = {"body": TEXT} if method == "POST" else {}

            def refused():
                answer = product.client.call(method, target_of(path), **rest)
                return answer if answer.status == 429 else None

            equal(wait_for("a 429", refused, pause=0).json["policy"], "address_rate", "policy")


def test_a_client_address_that_asks_too_much_at_once_is_told_so():
    begun = b"POST /v1/tts/async HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
    with started("address_connections=1") as product:

        def refused():
            # Opened anew each time: it may be the one that is refused.
            with raw_open(product.client, begun):
                answer = product.client.get("/healthz", key="")
            return answer if answer.status == 429 else None

        equal(wait_for("a 429", refused).json["policy"], "address_connections", "policy")
        wait_for("room", lambda: product.client.get("/healthz", key="").status == 200)


def test_without_the_api_nginx_says_so_on_every_path_of_it():
    with started() as product:
        os.kill(product.api_pid, signal.SIGKILL)
        wait_for("the API to be gone", lambda: not product.is_running(product.api_pid))
        drive(product.client, 502, TEXT)
        product.client.get("/docs/", key="").expect(200)


def test_an_api_that_hangs_is_told_from_one_that_is_not_there():
    with started() as product:
        # Nobody wants to wait for as long as nginx does.
        product.change_nginx("fastcgi_read_timeout 60s;", "fastcgi_read_timeout 500ms;")
        product.freeze(product.api_pid)
        try:
            drive(product.client, 504, TEXT)
        finally:
            os.kill(product.api_pid, signal.SIGCONT)


def test_a_database_that_is_broken_is_no_fault_of_the_client():
    with started() as product:
        path = product.setting("database")
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("ALTER TABLE api_keys RENAME TO gone")
            database.execute("ALTER TABLE jobs RENAME TO gone_too")
            database.execute("ALTER TABLE metrics RENAME TO gone_as_well")
            database.commit()
        drive(product.client, 500, TEXT)


def test_without_a_worker_it_is_not_ready():
    with started() as product:
        os.kill(product.worker_pid, signal.SIGKILL)
        wait_for("readiness to end", lambda: product.client.get("/readyz", key="").status == 503)


def shut_turnstile(product):
    """While the file is open, no process writes to the database."""
    turnstile = open(product.setting("database") + "-turnstile", "r+b")
    fcntl.flock(turnstile, fcntl.LOCK_EX)
    return turnstile


def test_writes_that_wait_too_long_are_told_to_come_again():
    with started() as product, concurrent.futures.ThreadPoolExecutor(4) as pool:
        client = product.client
        job = job_that_is(client, "completed")
        with shut_turnstile(product):
            again = f"/v1/jobs/{job}/redeliver"
            late = [pool.submit(*what) for what in ((client.post, TEXT), (client.cancel, job), (client.call, "POST", again))]
            for answer in late:
                answer.result().expect_problem(503, "unavailable")


# More than the API lets wait at once (WRITES_MAX and a group that is being committed).
MANY_WRITES = 700


def test_writes_that_wait_leave_room_for_those_that_read():
    """Past so many the next is refused at once; none waits for longer than the first; reads go on meanwhile."""
    with started() as product, contextlib.ExitStack() as opened:
        client = product.client
        job = job_that_is(client, "completed")
        body = json.dumps(TEXT).encode()
        head = (f"POST /v1/tts/async HTTP/1.1\r\nHost: {client.address}\r\nAuthorization: Bearer {client.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        with shut_turnstile(product):
            waiting = []
            for _ in range(MANY_WRITES):
                waiting.append(opened.enter_context(raw_open(client, head + body)))
            refused = select.select(waiting, [], [], 60)[0]
            check(0 < len(refused) < MANY_WRITES, f"{len(refused)} of {MANY_WRITES} writes were answered at first")
            equal(client.job(job)["status"], "completed", "status")
            for connection in waiting:
                response = http.client.HTTPResponse(connection, method="POST")
                response.begin()
                equal(response.status, 503, "status")
                check(response.headers["Retry-After"], "a refusal says when to come again")
                response.read()
        client.post(TEXT).expect(202)


def test_a_repetition_that_comes_too_early_is_told_so():
    """Two that are written in one transaction: the second finds the first in flight."""
    with started() as product, concurrent.futures.ThreadPoolExecutor(4) as pool:

        def send_twice():
            with shut_turnstile(product):
                pool.submit(product.client.post, TEXT)  # a transaction that waits, and behind which they gather
                time.sleep(0.2)
                key = {"Idempotency-Key": os.urandom(16).hex()}
                twice = [pool.submit(product.client.post, TEXT, headers=key) for _ in range(2)]
                time.sleep(0.2)
            answers = [answer.result() for answer in twice]
            return [answer for answer in answers if answer.status == 409]

        # Whether they come in time for the same transaction is the machine's to say, and so it is tried again.
        wait_for("a repetition in flight", send_twice)[0].expect_problem(409, "idempotency_key_in_use")


# --- the whole ------------------------------------------------------------------------------------------------------

# Statuses that a whole test is about; those that a case gets are in CASES.
BY_TESTS = {*REFUSED, 401, 404, 406, 429, 500, 502, 504}
# The rest, each in a test of its own: 507s in test_limits.py, 202 and 410 of a redelivery in test_webhooks.py, 403 in
# test_metrics.py.
ALONE = {
    ("GET", "/metrics", 403),
    ("GET", "/readyz", 503),
    ("POST", "/v1/tts/async", 409),
    ("POST", "/v1/tts/async", 503),
    ("POST", "/v1/tts/async", 507),
    ("DELETE", "/v1/jobs/{job_id}", 503),
    ("POST", "/v1/jobs/{job_id}/redeliver", 202),
    ("POST", "/v1/jobs/{job_id}/redeliver", 410),
    ("POST", "/v1/jobs/{job_id}/redeliver", 503),
    ("POST", "/v1/jobs/{job_id}/redeliver", 507),
}


def test_every_documented_status_has_its_test_or_its_reason():
    needs_contract()
    documented = {
        (method, path, int(status))
        for method, path, operation in contract.document.operations()
        for status in operation["responses"]
    }
    tested = set(CASES) | ALONE | {case for case in documented if case[2] in BY_TESTS}
    equal({case for case in documented - tested if not reason_of(*case)}, set(), "statuses that no test gets")
    equal(tested - documented, set(), "cases that are not documented")
    equal({case for case in UNREACHED if "*" not in case} - documented, set(), "reasons for what is not documented")
    equal(set(UNREACHED) & (set(CASES) | ALONE), set(), "reasons for what is tested")


def test_every_example_of_a_request_is_taken(client):
    needs_contract()
    document = contract.document
    for method, path, operation in document.operations():
        content = document.resolve(operation.get("requestBody", {})).get("content", {})
        for name, example in content.get("application/json", {}).get("examples", {}).items():
            value = document.resolve(example)["value"]
            wrong = document.faults(content["application/json"]["schema"], value)
            equal(wrong, [], f"faults of the example {name}")
            answer = client.call(method, target_of(path), body=value)
            # A language that this server does not speak yet is a clear 422.
            if answer.status == 422:
                codes = {fault["code"] for fault in answer.json["errors"]}
                equal(codes, {"not_available"}, f"faults of the example {name}")
            else:
                answer.expect(202)


def test_every_example_of_an_answer_is_as_its_schema_says():
    needs_contract()
    document = contract.document
    for place, media in media_types(document.raw):
        values = {name: document.resolve(example)["value"] for name, example in media.get("examples", {}).items()}
        values |= {"": media["example"]} if "example" in media else {}
        for name, value in values.items():
            equal(document.faults(media["schema"], value), [], f"faults of {place}'s example {name}")


def test_the_pattern_of_an_idempotency_key_is_what_the_server_takes(client):
    needs_contract()
    schema = contract.document.raw["components"]["parameters"]["IdempotencyKey"]["schema"]
    for length in (255, 256):
        for pattern in ("%s", '"%s"'):
            value = pattern % ("k" * length)
            expected = 202 if length == 255 else 400
            client.post(TEXT, headers={"Idempotency-Key": value}).expect(expected)
    for value in ("a b", "a\\b", '"a\\"b"', '"a\\\\"', "'", '"', '""', 'a"b', '"a', '"a\\b"', '"a"b', '"a", "b"'):
        taken = client.post(TEXT, headers={"Idempotency-Key": value}).status == 202
        equal(not contract.document.faults(schema, value), taken, f"what the document says of {value}")


def media_types(part, place=""):
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "content":
                yield from ((f"{place}/{kind}", media) for kind, media in value.items() if kind.endswith("json"))
            else:
                yield from media_types(value, f"{place}/{name}")


def test_every_parameter_of_a_list_is_taken_as_in_its_example(client):
    needs_contract()
    document = contract.document
    for method, path, operation in document.operations():
        for parameter in map(document.resolve, operation.get("parameters", [])):
            if parameter["in"] == "query" and "example" in parameter:
                query = urllib.parse.urlencode({parameter["name"]: parameter["example"]}, doseq=True)
                client.call(method, f"{target_of(path)}?{query}").expect(200)


# --- methods that the document tells of once, for every path ----------------------------------------------------------


def test_every_path_answers_options_and_refuses_what_it_does_not_take(client):
    needs_contract()
    for path in contract.document.raw["paths"]:
        allowed = contract.document.allowed(path)
        client.call("OPTIONS", target_of(path)).expect(204)
        for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "BREW"} - allowed:
            client.call(method, target_of(path)).expect_problem(405, "method_not_allowed")


def test_head_answers_as_get_without_the_body(client):
    needs_contract()
    job = job_that_is(client, "completed")
    for method, path, _ in contract.document.operations():
        if method != "GET":
            continue
        got, head = (client.call(how, target_of(path, job)) for how in ("GET", "HEAD"))
        equal(head.status, got.status, f"status of HEAD {path}")
        for name in ("Content-Type", "ETag", "Allow"):
            equal(head.headers.get(name), got.headers.get(name), f"{name} of HEAD {path}")


def test_the_type_of_an_error_leads_to_its_page(client):
    for answer in (client.get("/v1/nothing"), client.post(b"{"), client.get("/v1/jobs", key="sk_nobody")):
        problem = answer.json
        page = client.get(urllib.parse.urlsplit(problem["type"]).path, key="").expect(200)
        equal(page.headers.get_content_type(), "text/html", "Content-Type")
        check(problem["code"] in page.body.decode(), "the page does not name the code")


def test_the_document_is_served_as_yaml_and_as_json(client):
    needs_contract()
    equal(client.get("/openapi.yaml", key="").expect(200).body, contract.DOCUMENT.read_bytes(), "the YAML")
    equal(json.loads(client.get("/openapi.json", key="").expect(200).body), contract.document.raw, "the JSON")
