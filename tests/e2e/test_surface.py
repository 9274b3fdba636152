# SPDX-License-Identifier: Apache-2.0
"""The surface of the HTTP API as nginx and the API make it together: methods, errors, CORS, ids, waits, limits."""

import contextlib
import http.client
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import time

from product import SENTENCE, TOP, Answer, check, equal, free_port, started, wait_for

FRIEND = "https://app.example.org"
STRANGER = "https://app.example.org.evil.example"
NEVER = "job_" + "0" * 36

# Every route with the methods that it takes; OPTIONS and, beside GET, HEAD go without saying.
ROUTES = (
    ("/v1/tts/async", "POST"),
    ("/v1/jobs", "GET"),
    (f"/v1/jobs/{NEVER}", "GET DELETE"),
    (f"/v1/jobs/{NEVER}/deliveries", "GET"),
    (f"/v1/jobs/{NEVER}/redeliver", "POST"),
    (f"/v1/download/{NEVER}", "GET"),
    (f"/v1/download/{NEVER}.json", "GET"),
    ("/v1/voices", "GET"),
    ("/v1/usage", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/openapi.json", "GET"),
    ("/openapi.yaml", "GET"),
    ("/docs/", "GET"),
)


def exchange(product, request):
    """Sends bytes as they are, says that no more will come, and reads the answer."""
    with socket.create_connection(("127.0.0.1", product.port), timeout=60) as connection:
        # The end in one packet with the rest: what nginx has seen of it when it answers is no matter of chance.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.headers, response.read())


def methods_of(takes):
    return takes.replace("GET", "GET, HEAD").replace("HEAD ", "HEAD, ") + ", OPTIONS"


# --- methods, addresses and what nginx refuses ------------------------------------------------------------------------


def test_every_route_names_its_methods(client):
    for path, takes in ROUTES:
        answer = client.call("OPTIONS", path, key="").expect(204)
        equal(answer.headers["Allow"], methods_of(takes), f"Allow of {path}")
        equal(answer.body, b"", "body")
        for method in ("PUT", "PATCH", "BREW", "TRACE"):
            answer = client.call(method, path).expect_problem(405, "method_not_allowed")
            equal(answer.headers["Allow"], methods_of(takes), f"Allow of {method} {path}")


def test_a_head_is_a_get_without_its_body(client):
    job_id = client.create()["job_id"]
    client.wait(job_id)
    for path in (f"/v1/jobs/{job_id}", "/v1/jobs", f"/v1/download/{job_id}", "/v1/voices", "/healthz", "/nothing"):
        get, head = (client.call(method, path) for method in ("GET", "HEAD"))
        equal(head.status, get.status, f"status of HEAD {path}")
        equal(head.body, b"", "body")
        for name in ("Content-Type", "Content-Length", "ETag", "Link", "Last-Modified"):
            equal(head.headers[name], get.headers[name], f"{name} of HEAD {path}")


def test_what_nginx_refuses_is_a_problem_with_the_clients_request_id(product):
    rest = b"Host: a\r\nConnection: close\r\nX-Request-Id: mine\r\n"
    long = b"a" * 9000
    for line, fields, status, code in (
        (b"GET /v1/../../etc/passwd HTTP/1.1", b"", 400, "bad_request"),
        (b"GET /%00 HTTP/1.1", b"", 400, "bad_request"),
        (b"get / HTTP/1.1", b"", 400, "bad_request"),
        (b"OPTIONS * HTTP/1.1", b"", 400, "bad_request"),
        (b"CONNECT a:1 HTTP/1.1", b"", 400, "bad_request"),
        (b"nonsense", b"", 400, "bad_request"),
        (b"GET / HTTP/1.1", b"Host: b\r\n", 400, "bad_request"),
        (b"POST /v1/tts/async HTTP/1.1", b"Content-Length: -5\r\n", 400, "bad_request"),
        (b"POST /v1/tts/async HTTP/1.1", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400, "bad_request"),
        (b"GET /_problem HTTP/1.1", b"", 404, "not_found"),
        (b"TRACE / HTTP/1.1", b"", 405, "method_not_allowed"),
        (b"POST /v1/tts/async HTTP/1.1", b"Content-Length: 99999999\r\n", 413, "body_too_large"),
        (b"GET /" + long + b" HTTP/1.1", b"", 414, "uri_too_long"),
        (b"GET / HTTP/1.1", b"X: " + long + b"\r\n", 431, "headers_too_large"),
        (b"POST /v1/tts/async HTTP/1.1", b"Transfer-Encoding: gzip\r\n", 501, "not_implemented"),
        (b"GET / HTTP/2.0", b"", 505, "http_version_not_supported"),
    ):
        answer = exchange(product, line + b"\r\n" + rest + fields + b"\r\n").expect_problem(status, code)
        equal("Allow" in answer.headers, status == 405, f"Allow beside {status}")


def test_an_api_that_hangs_or_is_gone_is_a_problem_of_the_gateway():
    with started() as product:
        product.change_nginx("fastcgi_read_timeout 60s;", "fastcgi_read_timeout 1s;")
        client = product.client
        done = client.wait(client.create()["job_id"], "completed")["job_id"]
        product.freeze(product.api_pid)
        try:
            answer = client.get("/healthz").expect_problem(504, "gateway_timeout")
            check(int(answer.headers["Retry-After"]) > 0, "no Retry-After")
        finally:
            os.kill(product.api_pid, signal.SIGCONT)
        os.kill(product.api_pid, signal.SIGKILL)
        wait_for("the API's end", lambda: not product.is_running(product.api_pid))
        # A file that is there leads to the API, too, by another method or another spelling of its address.
        file = f"/v1/download/{done}"
        for method, path in (("GET", "/v1/jobs"), ("POST", file), ("OPTIONS", file), ("GET", "/" + file)):
            answer = client.call(method, path).expect_problem(502, "bad_gateway")
            check(int(answer.headers["Retry-After"]) > 0, f"no Retry-After to {method} {path}")
        client.get(file).expect(200)


# --- limits per address -----------------------------------------------------------------------------------------------


def refusal(answers):
    refused = [answer for answer in answers if answer.status != 200]
    check(refused, f"none of {len(answers)} was refused")
    for answer in refused:
        answer.expect_problem(429, "rate_limited")
        equal(answer.headers["Retry-After"], "1", "Retry-After")
    return refused


def test_an_address_that_asks_too_often_is_told_when_to_come_again():
    with started("address_rate=10", "address_connections=1K") as product:
        client = product.client
        refusal([client.get("/healthz") for _ in range(200)])
        answer = wait_for("a second chance", lambda: (time.sleep(1), client.get("/healthz"))[1])
        answer.expect(200)


def test_an_address_has_only_so_many_connections():
    with started("address_connections=1") as product:
        client = product.client
        # A connection that has just been closed may still count for a moment, and the next one be refused.
        body = {"text": SENTENCE * 2000, "voice": "slt"}
        job = wait_for("the job to be taken", lambda: (a := client.post(body)).status == 202 and a.json)
        job_id = job["job_id"]
        wait_for("the job to be spoken", lambda: client.get(f"/v1/jobs/{job_id}").json["status"] == "processing")
        request = (
            f"GET /v1/jobs/{job_id} HTTP/1.1\r\nHost: a\r\nPrefer: wait=30\r\nAuthorization: Bearer {client.key}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", product.port), timeout=60) as waiting:
            waiting.sendall(request.encode())
            answer = wait_for("the other to be refused", lambda: (a := client.get("/healthz")).status != 200 and a)
            refusal([answer])
        wait_for("the other to be taken", lambda: client.get("/healthz").status == 200)


# --- CORS, request ids and logs ---------------------------------------------------------------------------------------


def expect_readable(answer, origin=FRIEND):
    equal(answer.headers["Access-Control-Allow-Origin"], origin, f"Access-Control-Allow-Origin of {answer.status}")
    equal(answer.headers.get_all("Vary"), ["Origin"], f"Vary of {answer.status}")
    equal(len(answer.headers.get_all("Access-Control-Expose-Headers") or []), 1 if origin else 0, "exposed headers")
    return answer.headers["Access-Control-Expose-Headers"]


def check_cors(product):
    client = product.client
    job_id = client.create()["job_id"]
    client.wait(job_id)
    download = f"/v1/download/{job_id}"
    tag = client.get(download).headers["ETag"]
    calls = (
        ("GET", "/v1/jobs", {}, 200),
        ("GET", "/v1/nothing", {}, 404),
        ("PUT", "/v1/jobs", {}, 405),
        ("GET", download, {}, 200),
        ("HEAD", download, {}, 200),
        ("GET", download, {"Range": "bytes=0-9"}, 206),
        ("GET", download, {"If-None-Match": tag}, 304),
        ("GET", "/openapi.json", {}, 200),
        ("GET", "/docs/none", {}, 404),
        ("GET", download, {"Range": "bytes=999999999-"}, 416),
        ("POST", download, {}, 405),
        ("GET", f"/v1/download/{NEVER}", {}, 404),
        ("TRACE", "/v1/jobs", {}, 405),
        ("GET", "/v1/jobs", {"X-Long": "a" * 9000}, 431),
    )
    exposed = set()
    for method, path, headers, status in calls:
        answer = client.call(method, path, headers={"Origin": FRIEND, **headers}).expect(status)
        exposed.add(expect_readable(answer))
        answer = client.call(method, path, headers={"Origin": STRANGER, **headers}).expect(status)
        expect_readable(answer, None)
    equal(len(exposed), 1, "lists of exposed headers, the API's and nginx's")
    expect_readable(client.get("/v1/jobs", key="", headers={"Origin": FRIEND}).expect_problem(401))
    for path, takes in ROUTES:
        headers = {"Origin": FRIEND, "Access-Control-Request-Method": "GET"}
        answer = client.call("OPTIONS", path, key="", headers=headers).expect(204)
        expect_readable(answer)
        equal(answer.headers["Access-Control-Allow-Methods"], methods_of(takes), f"methods of {path}")
        check("Authorization" in answer.headers["Access-Control-Allow-Headers"], "a key may not be sent")
    answer = client.call("OPTIONS", download, key="", headers=headers).expect(204)
    expect_readable(answer)


def row_of(product, job_id, column):
    with contextlib.closing(sqlite3.connect(f"file:{product.state}/database/sayhook.db?mode=ro", uri=True)) as database:
        return database.execute(f"SELECT {column} FROM jobs WHERE job_id = ?", (job_id,)).fetchone()[0]


def lines_with(text, *words):
    return [line for line in text.splitlines() if all(word in line for word in words)]


def check_request_ids(product):
    client = product.client
    answer = client.post({"text": SENTENCE, "voice": "kal16"}, headers={"X-Request-Id": "Order-7_b.2"}).expect(202)
    job_id = answer.json["job_id"]
    equal(answer.headers["X-Request-Id"], "Order-7_b.2", "X-Request-Id")
    equal(row_of(product, job_id, "request_id"), "Order-7_b.2", "request_id in the database")
    client.wait(job_id)
    for name, words in (
        ("worker", (f"job_id={job_id}", "job completed")),
        ("api", ("POST /v1/tts/async: 202",)),
    ):
        wait_for(f"the line in the log of the {name}", lambda: lines_with(product.log(name), "request_id=Order-7_b.2", *words))
    wait_for("the line in nginx's log", lambda: lines_with(access_log(product), "POST /v1/tts/async", "=Order-7_b.2"))


def check_made_request_ids(product):
    client = product.client
    seen = set()
    for wrong in ("", "a b", "é", "<x>", "a" * 65, "a,b", "a/b", None):
        headers = {} if wrong is None else {"X-Request-Id": wrong.encode()}
        for call in (("GET", "/v1/jobs"), ("GET", "/nothing"), ("TRACE", "/healthz"), ("GET", f"/v1/download/{NEVER}")):
            made = client.call(*call, headers=headers).headers["X-Request-Id"]
            check(len(made) >= 16 and made.isalnum(), f"{wrong!r} gives {made!r}")
            seen.add(made)
    equal(len(seen), 32, "different ids")
    longest = "a" * 64
    equal(client.get("/healthz", headers={"X-Request-Id": longest}).headers["X-Request-Id"], longest, "X-Request-Id")


def access_log(product):
    return (product.state / "nginx" / "nginx-access.log").read_text()


def check_logs_hold_no_capability(product):
    client = product.client
    job_id = client.create()["job_id"]
    client.wait(job_id)
    paths = [prefix + job_id for prefix in ("/v1/jobs/", "/v1/download/", "/v1/download/./", "//v1//download/")]
    paths += [f"/v1/download/{job_id}.json", f"/v1/jobs/{job_id}/deliveries", f"/v1/jobs/{job_id}?x={job_id}"]
    paths += ["/v1/download/" + job_id.replace("o", "%6f", 1), "/v1/download/" + job_id[:-1] + f"%{ord(job_id[-1]):x}"]
    for path in paths:
        for method in ("GET", "PUT", "TRACE"):
            client.call(method, path)
    client.get("/v1/jobs", headers={"X-Request-Id": "the-last"}).expect(200)
    wait_for("the access log", lambda: "the-last" in access_log(product))
    secret = job_id[4:29]
    for log in (access_log(product), product.log("api")):
        check(job_id[-11:] in log, "the number of the job is missing")
        check(secret not in log and secret[8:-1] not in log, "a log holds an id in full")


def test_a_product_with_cors_and_its_logs():
    with started(f"cors_origins={FRIEND} http://[::1]:3000", "log_level=debug") as product:
        check_cors(product)
        check_request_ids(product)
        check_made_request_ids(product)
        check_logs_hold_no_capability(product)


def test_no_page_of_another_origin_may_read_by_default(client):
    job_id = client.create()["job_id"]
    client.wait(job_id)
    for method, path in (("OPTIONS", "/v1/tts/async"), ("GET", "/v1/jobs"), ("GET", f"/v1/download/{job_id}")):
        headers = {"Origin": FRIEND, "Access-Control-Request-Method": "POST"}
        answer = client.call(method, path, headers=headers)
        check(answer.status < 300, f"{method} {path}: {answer.status}")
        names = [name.lower() for name in answer.headers]
        check(not any(name.startswith("access-control") or name == "vary" for name in names), f"{path}: {names}")


# --- a site over TLS --------------------------------------------------------------------------------------------------

SITE = """
{user}
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    # As Debian's nginx.conf has it, and those who write types into it.
    gzip on;
    gzip_types application/json;
    include site.conf;
}}
"""


def write_site(product, folder, plain, secure):
    """The files of a site from their templates, but for the ports, IPv6 and the place of the log."""
    shutil.copytree(product.state / "nginx", folder / "sayhook", ignore=lambda _, names: [n for n in names if not n.endswith(".conf")])
    text = (TOP / "nginx" / "site.conf.in").read_text()
    for old, new in (
        ("@PUBLIC_BASE_URL@", product.env["SAYHOOK_URL"]),
        ("@SERVER_NAME@", "localhost"),
        ("@CERTIFICATE@", f"{folder}/certificate"),
        ("@CERTIFICATE_KEY@", f"{folder}/key"),
        ("listen [::]:", "# "),
        ("listen 80 ", f"listen 127.0.0.1:{plain} "),
        ("listen 443 ", f"listen 127.0.0.1:{secure} "),
        ("/var/log/nginx/", f"{folder}/"),
    ):
        check(old in text, f"{old} is not in the template")
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    user = next((line for line in (folder / "sayhook" / "nginx.conf").read_text().splitlines() if line.startswith("user ")), "")
    (folder / "nginx.conf").write_text(SITE.format(user=user, folder=folder))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
        + ["-keyout", folder / "key", "-out", folder / "certificate"],
        stderr=subprocess.DEVNULL,
        check=True,
    )


@contextlib.contextmanager
def site(product):
    """A site on ports of its own, for http and for https."""
    folder, plain, secure = product.state / "site", free_port(), free_port()
    folder.mkdir()
    write_site(product, folder, plain, secure)
    with open(product.state / "log" / "site.log", "wb") as log:
        nginx = subprocess.Popen(
            ["/usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"],
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        wait_for("the site", lambda: nginx.poll() is not None or socket.socket().connect_ex(("127.0.0.1", secure)) == 0)
        check(nginx.poll() is None, product.log("site"))
        yield plain, secure
    finally:
        nginx.terminate()
        nginx.wait()


def ask(port, method, path, key=None, secure=False):
    """One request by http or https; the certificate is nobody's."""
    if secure:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=context)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        headers = {"Accept-Encoding": "gzip", **({"Authorization": f"Bearer {key}"} if key else {})}
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def http2(port, path):
    """Version and status of an answer, as curl says them, which asks for HTTP/2."""
    words = ["curl", "--silent", "--insecure", "--http2", "--output", os.devnull, "--write-out", "%{http_version} %{http_code}"]
    return subprocess.run([*words, f"https://127.0.0.1:{port}{path}"], stdout=subprocess.PIPE, check=True).stdout.decode()


def test_a_site_answers_over_tls_and_tells_those_who_come_without_it():
    with started() as product, site(product) as (plain, secure):
        client = product.client
        job_id = client.create()["job_id"]
        client.wait(job_id)
        for method, path, status in (
            ("GET", f"/v1/jobs/{job_id}", 200),
            ("GET", f"/v1/download/{job_id}", 200),
            ("GET", f"/v1/download/{NEVER}", 404),
            ("GET", "/openapi.json", 200),
            ("GET", "/docs/problems/", 200),
            ("TRACE", "/v1/jobs", 405),
            ("GET", "/" + "a" * 9000, 414),
        ):
            answer = ask(secure, method, path, key=client.key, secure=True).expect(status)
            if status != 200:
                answer.expect_problem(status)
            equal(answer.headers["Strict-Transport-Security"], "max-age=31536000", f"HSTS of {status}")
            check((answer.headers["ETag"] or '"')[0] == '"', f"{path} has a weak tag")
        for path, status in ((f"/v1/download/{job_id}", 200), ("/v1/jobs", 401), ("/nothing", 404)):
            equal(http2(secure, path), f"2 {status}", f"HTTP/2 of {path}")
        ask(plain, "GET", f"/v1/jobs/{job_id}", key=client.key).expect_problem(403, "https_required")
        ask(plain, "POST", "/v1/tts/async", key=client.key).expect_problem(403, "https_required")
        ask(plain, "TRACE", "/").expect_problem(405)
        ask(plain, "GET", "/.well-known/acme-challenge/none").expect_problem(404)
        ask(plain, "GET", "/%00").expect_problem(400)
        ask(secure, "GET", "/").expect_problem(400)


# --- tags and waits ---------------------------------------------------------------------------------------------------


def test_a_tag_saves_the_bytes_of_jobs_and_lists(client):
    job_id = client.create()["job_id"]
    client.wait(job_id)
    for path in (f"/v1/jobs/{job_id}", "/v1/jobs"):
        tag = client.get(path).expect(200).headers["ETag"]
        check(tag.startswith('"') and tag.endswith('"'), f"{tag} is no strong tag")
        for field in (tag, f"W/{tag}", f'"x", {tag} , "y"', "*"):
            for method in ("GET", "HEAD"):
                answer = client.call(method, path, headers={"If-None-Match": field}).expect(304)
                equal(answer.body, b"", "body of a 304")
                equal(answer.headers["ETag"], tag, "ETag of a 304")
        for field in ('"x"', tag[1:-1], tag[:-2] + '"', "nonsense"):
            client.get(path, headers={"If-None-Match": field}).expect(200)


def test_who_waits_hears_of_each_state_and_of_the_end(client):
    job_id = client.create(text=SENTENCE * 40, voice="slt")["job_id"]
    states = []
    for _ in range(100):
        answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=10"}).expect(200)
        equal(answer.headers["Preference-Applied"], "wait=10", "Preference-Applied")
        states.append(answer.json["status"])
        ended = answer.json["status"] == "completed"
        equal("Retry-After" in answer.headers, not ended, "Retry-After")
        if ended:
            break
    equal(states[-1], "completed", "the last state")


# --- tenants ----------------------------------------------------------------------------------------------------------


def test_a_foreign_job_and_one_that_never_was_differ_in_nothing(product, client):
    foreign = product.new_client().create()["job_id"]
    number = foreign[:4] + "0" * 25 + foreign[29:]
    calls = (("GET", ""), ("HEAD", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/redeliver"))
    for method, rest in calls:
        answers = []
        for job_id in (foreign, number, NEVER, "job_1", "x"):
            answer = client.call(method, f"/v1/jobs/{job_id}{rest}", headers={"X-Request-Id": "same"}).expect(404)
            # As the date does, the seconds to a limit's reset (t=) go on between two answers.
            headers = [(name, re.sub(r";t=\d+", ";t=", value)) for name, value in answer.headers.items() if name != "Date"]
            answers.append((headers, answer.body))
        for other in answers[1:]:
            equal(other, answers[0], f"{method} {rest} of a foreign job and of none")
