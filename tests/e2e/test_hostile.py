# SPDX-License-Identifier: Apache-2.0
"""Hostile requests, byte by byte through the real nginx: each gets its documented status as problem details, the
service goes on, and its memory stays where it was."""

import contextlib
import http.client
import json
import pathlib
import re
import socket
import threading

from product import PATIENCE, SENTENCE, Answer, Skip, check, contract, equal

CREATE = "POST /v1/tts/async HTTP/1.1"
MEBI = 1 << 20

# What the API and nginx may keep of any number of hostile requests: less than one body of the largest size (max_body_bytes),
# so that keeping a single one of them would show.
MEMORY_GROWTH_MAX = 12 * MEBI


def connect(client):
    host, _, port = client.address.partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def exchange(client, *parts):
    """Sends bytes as they are, and reads one answer; a server that has heard enough need not listen to the rest."""
    with connect(client) as link:

        def send():
            with contextlib.suppress(OSError):
                for part in parts:
                    link.sendall(part)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        response = http.client.HTTPResponse(link)
        response.begin()
        answer = Answer(response.status, response.headers, response.read())
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
        sender.join(PATIENCE)
    if contract:
        contract.check_raw(parts[0], answer)
    return answer


def head(client, line, *fields):
    """A request's head; one that is to create a job names its key and its type."""
    lines = [line, f"Host: {client.address}"]
    if line.startswith(CREATE):
        lines += [f"Authorization: Bearer {client.key}"]
        if not any(field.lower().startswith("content-type:") for field in fields):
            lines += ["Content-Type: application/json"]
    return "\r\n".join([*lines, *fields, "", ""]).encode("latin-1")


def create(client, body, *fields):
    return exchange(client, head(client, CREATE, f"Content-Length: {len(body)}", *fields), body)


def chunks(body, size):
    """The body in the chunked transfer coding (RFC 9112 section 7.1)."""
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def create_in_chunks(client, body, size):
    return exchange(client, head(client, CREATE, "Transfer-Encoding: chunked"), *chunks(body, size))


def get(client, target, *fields, version="HTTP/1.1"):
    return exchange(client, head(client, f"GET {target} {version}", f"Authorization: Bearer {client.key}", *fields))


def is_well(client):
    """The service speaks as ever."""
    equal(client.wait(client.create(text=SENTENCE)["job_id"])["status"], "completed", "status")


# --- bodies ---------------------------------------------------------------------------------------------------------


def test_bodies_that_are_no_request_get_their_status(client):
    million = b'{"text":"a",' + b",".join(b'"x%d":0' % i for i in range(10**6)) + b"}"
    digits = b"7" * 10_000
    cases = (
        (400, "invalid_json", b""),
        (400, "invalid_json", b"\0"),
        (400, "invalid_json", b"[" * 100_000),
        (400, "invalid_json", b'{"text":' * 100_000),
        (400, "invalid_json", b'{"text":' + b"[" * 17 + b"]" * 17 + b"}"),
        (400, "invalid_json", b"\xef\xbb\xbf{}"),
        (400, "invalid_json", '{"text":"a"}'.encode("utf-16")),
        (400, "invalid_json", b'{"text":"a","speed":0' + digits + b"}"),
        (400, "invalid_json", b'{"text":"' + b"\\u0041" * 100_000 + b'\\ud800"}'),
        (422, "invalid_request", b"[" + b"0," * 4_000_000 + b"0]"),
        (422, "invalid_request", million),
        (422, "invalid_request", b'{"text":"a","speed":' + digits + b"}"),
        (422, "invalid_request", b'{"text":"a","speed":-' + digits + b"." + digits + b"e-" + digits + b"}"),
        (422, "invalid_request", b'{"text":"a","speed":1e400}'),
        (422, "invalid_request", b'{"text":"a","' + b"n" * MEBI + b'":0}'),
        (422, "invalid_request", b'{"text":' + digits + b"}"),
    )
    for status, code, body in cases:
        answer = create(client, body)
        check(answer.status == status, f"{body[:40]!r} of {len(body)} bytes gives {answer.status}: {answer.body[:300]!r}")
        answer.expect_problem(status, code)
        check(len(answer.body) < 32_768, f"{len(body)} bytes are answered by {len(answer.body)}")
        if code == "invalid_json":
            check(re.search(r"byte \d+", answer.json["detail"]), answer.json["detail"])
        else:
            check(answer.json["errors"], answer.json)
    is_well(client)


def test_a_number_of_ten_thousand_digits_is_taken_by_its_value(client):
    job = create(client, b'{"text":"a","voice":"kal16","speed":1.' + b"0" * 10_000 + b"}").expect(202).json
    equal(job["speed"], 1.0, "speed")


def test_a_body_is_json_in_utf_8_without_a_coding(client):
    body = json.dumps({"text": SENTENCE, "voice": "kal16"}).encode()
    for fields in (
        ("Content-Type: text/plain",),
        ("Content-Type: application/x-www-form-urlencoded",),
        ("Content-Type: application/jsonp",),
        ("Content-Type: application/json; charset=utf-16",),
        ("Content-Type: application/json; v=1; charset=iso-8859-1",),
        ("Content-Type: application/json, text/plain",),
        ("Content-Type: ",),
        ("Content-Encoding: gzip",),
        ("Content-Encoding: br, gzip",),
    ):
        answer = create(client, body, *fields)
        check(answer.status == 415, f"{fields} gives {answer.status}")
        answer.expect_problem(415, "unsupported_media_type")
    # A call that takes none says so of the wrong ones too; one of no bytes is none, whatever its type.
    for line in (f"DELETE /v1/jobs/job_{'0' * 36} HTTP/1.1", f"POST /v1/jobs/job_{'0' * 36}/redeliver HTTP/1.1"):
        key = f"Authorization: Bearer {client.key}"
        for field in ("Content-Type: text/plain", "Content-Encoding: gzip"):
            begun = head(client, line, key, field, "Transfer-Encoding: chunked")
            exchange(client, begun, *chunks(body, 7)).expect_problem(415, "unsupported_media_type")
        exchange(client, head(client, line, key, "Content-Type: text/plain", "Content-Length: 0")).expect_problem(404)
        json_type = "Content-Type: application/json"
        exchange(client, head(client, line, key, json_type, "Content-Length: 2"), b"{}").expect_problem(404)
    for kind in ("application/json", "APPLICATION/JSON", 'application/json; charset="UTF-8"', "application/json;v=1"):
        create(client, body, f"Content-Type: {kind}").expect(202)


def test_a_body_of_a_hundred_megabytes_is_not_read(client):
    exchange(client, head(client, CREATE, f"Content-Length: {100 * MEBI}"), *[b" " * MEBI] * 100).expect_problem(413)
    exchange(client, head(client, CREATE, f"Content-Length: {100 * MEBI}")).expect_problem(413)
    exchange(client, head(client, CREATE, f"Content-Length: {10**18}")).expect_problem(413)
    create_in_chunks(client, b" " * (100 * MEBI), MEBI).expect_problem(413)
    is_well(client)


def test_a_body_that_a_file_does_not_take_is_measured_all_the_same(client):
    """What nginx serves itself hands another method on to the API: an error on that way comes in place of an error."""
    job = client.create(text=SENTENCE, timings=True)["job_id"]
    client.wait(job, "completed")
    for target in (f"/v1/download/{job}", f"/v1/download/{job}.json", f"//v1/download/{job}"):
        begun = head(client, f"POST {target} HTTP/1.1", "Transfer-Encoding: chunked")
        exchange(client, begun, *chunks(b" " * (17 * MEBI), MEBI)).expect_problem(413, "body_too_large")
        exchange(client, begun, b"xyz\r\n").expect_problem(400, "bad_request")
        exchange(client, begun, *chunks(b"{}", 1)).expect_problem(404 if target.startswith("//") else 405)


def test_a_chunked_body_is_a_body(client):
    body = json.dumps({"text": SENTENCE * 20, "voice": "kal16"}).encode()
    for size in (1, 7, 4096):
        equal(create_in_chunks(client, body, size).expect(202).json["characters"], 20 * len(SENTENCE), "characters")
    create_in_chunks(client, b"", 1).expect_problem(400, "invalid_json")
    create_in_chunks(client, body[:-1], 7).expect_problem(400, "invalid_json")


def test_framing_that_two_servers_could_read_differently_is_refused(client):
    body = b'{"text":"a"}'
    for fields, sent, statuses in (
        (("Content-Length: 12", "Transfer-Encoding: chunked"), b"c\r\n" + body + b"\r\n0\r\n\r\n", (400,)),
        (("Content-Length: 12", "Content-Length: 13"), body, (400,)),
        (("Content-Length: -1",), body, (400,)),
        (("Content-Length: 0x0c",), body, (400,)),
        (("Content-Length: 99999999999999999999",), body, (400, 413)),
        (("Transfer-Encoding: gzip, chunked",), body, (400, 501)),
        (("Transfer-Encoding: chunked",), b"xyz\r\n" + body, (400,)),
        (("Transfer-Encoding: chunked",), b"fffffffffffffffff\r\n" + body, (400,)),
    ):
        answer = exchange(client, head(client, CREATE, *fields), sent)
        check(answer.status in statuses, f"{fields} gives {answer.status}")
        answer.expect_problem(answer.status)
    is_well(client)


# --- paths and heads ------------------------------------------------------------------------------------------------


def test_paths_lead_nowhere_else(client):
    known = client.create(text=SENTENCE)["job_id"]
    for statuses, target in (
        ((400,), "/v1/../../etc/passwd"),
        ((400,), "/../etc/passwd"),
        ((400,), "/v1/jobs/%00"),
        ((400,), f"/v1/jobs/{known}%00"),
        ((400,), "/v1/%2e%2e/%2e%2e/etc/passwd"),
        ((400,), "/v1/jobs/%zz"),
        ((404,), f"/v1/tts/../jobs/{known}"),
        ((404,), f"/v1/jobs/..%2fjobs%2f{known}"),
        ((404,), "/v1/jobs/%252e%252e%252f%252e%252e%252fetc%252fpasswd"),
        ((404,), f"/v1/jobs/%6aob_{known[4:]}"),
        ((404,), f"//v1//jobs//{known}"),
        ((404,), f"/v1/jobs/{known}/"),
        ((404,), f"/v1/jobs/{known}.json"),
        ((404,), f"/v1/jobs/{known.upper()}"),
        ((404,), "/v1/jobs/job_" + "z" * 36),
        ((404,), "/v1/jobs/job_" + "0" * 4000),
        ((404,), "/v1/jobs/" + "é" * 100),
        ((404,), "/v1/jobs/;/bin/sh"),
        ((404,), "/v1/download/../../../../etc/passwd"),
        ((404,), "/v1/download/job_" + "0" * 36 + ".wav"),
        ((404,), "/v1/download/job_" + "0" * 36 + "%2f..%2f..%2fetc%2fpasswd"),
        ((404,), "/_problem"),
        ((404,), "/_problem_range"),
        ((404,), "/nginx.conf"),
        ((404,), "/.git/config"),
    ):
        # What climbs above the root is nginx's to refuse, wherever it stands.
        statuses = (400, 404) if ".." in target and 404 in statuses else statuses
        answer = get(client, target)
        check(answer.status in statuses, f"{target[:80]} gives {answer.status}, not {statuses}")
        answer.expect_problem(answer.status)
    equal(get(client, f"http://somewhere.else.example/v1/jobs/{known}").expect(200).json["job_id"], known, "job_id")


def test_what_is_too_long_is_told_so(client):
    for statuses, target, fields in (
        ((414,), "/v1/jobs/" + "a" * 9_000, ()),
        ((414,), "/v1/jobs?cursor=" + "a" * MEBI, ()),
        ((431,), "/v1/jobs", ("X-Long: " + "a" * 9_000,)),
        ((431,), "/v1/jobs", ("X-Long: " + "a" * MEBI,)),
        ((431,), "/v1/jobs", tuple(f"X-Field-{i}: {'a' * 50}" for i in range(1_000))),
        ((400,), "/v1/jobs?limit=" + "1" * 4_000, ()),
        ((400,), "/v1/jobs?" + "&".join("status=pending" for _ in range(100)), ()),
        ((401,), "/v1/jobs", ("Authorization: Bearer " + "a" * 4_000,)),
    ):
        if fields and fields[0].startswith("Authorization"):
            answer = exchange(client, head(client, f"GET {target} HTTP/1.1", *fields))
        else:
            answer = get(client, target, *fields)
        check(answer.status in statuses, f"{target[:40]} {str(fields)[:60]} gives {answer.status}, not {statuses}")
        answer.expect_problem(answer.status)
    get(client, "/v1/jobs", *(f"X-Field-{i}: a" for i in range(100))).expect(200)


def test_request_lines_that_are_none_are_told_so(client):
    host = f"Host: {client.address}\r\n\r\n"
    for status, line in (
        (505, f"GET /v1/jobs HTTP/2.0\r\n{host}"),
        (505, f"GET /v1/jobs HTTP/9.9\r\n{host}"),
        (400, f"GET /v1/jobs HTTP/x\r\n{host}"),
        (400, f"GET /v1/jobs SPDY/1.1\r\n{host}"),
        (400, f"GET v1/jobs HTTP/1.1\r\n{host}"),
        (400, f"get /v1/jobs HTTP/1.1\r\n{host}"),
        (400, f"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03{host}"),
        (400, f"GET /v1/jobs\0 HTTP/1.1\r\n{host}"),
        (400, "GET /v1/jobs HTTP/1.1\r\n\r\n"),
        (400, f"GET /v1/jobs HTTP/1.1\r\nHost: other.example\r\n{host}"),
        (400, f"GET /v1/jobs HTTP/1.1\r\nX-Nul: a\0b\r\n{host}"),
        (400, "GET /v1/jobs HTTP/1.1\r\nHost: a/../b\r\n\r\n"),
        (405, f"TRACE /v1/jobs HTTP/1.1\r\n{host}"),
    ):
        answer = exchange(client, line.encode("latin-1"))
        check(answer.status == status, f"{line[:40]!r} gives {answer.status}, not {status}")
        answer.expect_problem(status)


def test_queries_that_cannot_be_read_are_told_so(client):
    for query in ("limit=0", "limit=1e1", "limit=%31%30%00", "cursor=%ff", "a=%", "%c0%af=1", "created_after=9999", "x=1"):
        answer = get(client, f"/v1/jobs?{query}")
        check(answer.status == 400, f"{query} gives {answer.status}")
        answer.expect_problem(400, "invalid_parameter")


def test_a_request_id_that_is_none_is_replaced(client):
    for given in ("a" * 65, "a b", "é", '"a"', "a,b", "<script>", "a\tb"):
        answer = get(client, "/v1/jobs", f"X-Request-Id: {given}").expect(200)
        check(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", answer.headers["X-Request-Id"]), answer.headers["X-Request-Id"])
    equal(get(client, "/v1/jobs", "X-Request-Id: a.B_c-1").headers["X-Request-Id"], "a.B_c-1", "X-Request-Id")


# --- memory ---------------------------------------------------------------------------------------------------------


def memory_of(pids):
    """The processes' share of the machine's memory (PSS), in bytes."""
    texts = (pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids)
    return 1024 * sum(int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1]) for text in texts)


def test_hostile_requests_leave_no_memory_behind(product, client):
    if re.search(r"lib[at]san", pathlib.Path(f"/proc/{product.api_pid}/maps").read_text()):
        raise Skip("a sanitizer keeps what was freed")
    bodies = [
        b'{"text":"' + b"a " * (7 * MEBI) + b'"}',
        b'{"text":[' + b"0," * (7 * MEBI) + b"0]}",
        b'{"' + b"n" * (15 * MEBI) + b'":0}',
        b'{"text":"a","speed":' + b"7" * (15 * MEBI) + b"}",
        b"[" * (15 * MEBI),
        b'{"text":"' + b"\\u00e9" * (2 * MEBI) + b'"}',
    ]

    def attack():
        for body in bodies:
            answer = create(client, body)
            check(answer.status in (400, 422), f"{body[:20]!r} gives {answer.status}")
        create_in_chunks(client, b" " * (20 * MEBI), MEBI).expect_problem(413)
        long = ((404, "/v1/jobs/job_" + "0" * 8_000), (404, "/v1/jobs/" + "%25" * 2_000), (414, "/" + "a" * MEBI))
        for status, target in long:
            get(client, target).expect_problem(status)
        threads = [threading.Thread(target=create, args=(client, bodies[0])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    is_well(client)
    master = int((product.state / "run" / "nginx.pid").read_text())
    pids = [product.api_pid, *product.children(master)]
    before = memory_of(pids)
    for _ in range(3):
        attack()
    is_well(client)
    grown = memory_of(pids) - before
    check(grown <= MEMORY_GROWTH_MAX, f"{before} bytes before, {grown} more behind")


# --- slow clients ---------------------------------------------------------------------------------------------------


def slow_heads(client, number):
    """A request that a slow client never ends: in its line, in its header fields, in its body, in chunks of it."""
    line = f"GET /v1/jobs/job_{'0' * 36}?".encode()
    return (
        line,
        head(client, "GET /v1/jobs HTTP/1.1")[:-2] + b"X-Slow: ",
        head(client, CREATE, "Content-Length: 1000000") + b'{"text":"',
        head(client, CREATE, "Transfer-Encoding: chunked") + b'f4240\r\n{"text":"',
    )[number % 4]


def test_clients_that_trickle_do_not_hinder_one_that_works(client):
    slow = []
    try:
        for number in range(400):
            slow.append(connect(client))
            slow[-1].sendall(slow_heads(client, number))
        for _ in range(20):
            for link in slow:
                with contextlib.suppress(OSError):  # nginx may have waited long enough
                    link.send(b"a")
            job_id = client.create(text=SENTENCE)["job_id"]
            client.get(f"/v1/jobs/{job_id}").expect(200)
            client.get("/v1/jobs?limit=5").expect(200)
            client.get("/healthz").expect(200)
        is_well(client)
    finally:
        for link in slow:
            link.close()
    is_well(client)
