# SPDX-License-Identifier: Apache-2.0
"""Where names lead, and what TLS shows there: the worker in a network of its own, to which every address leads, with a
DNS and certificates of the test's."""

import contextlib
import os
import pathlib
import signal
import ssl
import subprocess

from enclosed_network import DEAF_PORT, HTTP_PORT, HTTPS_PORT, OWN_ADDRESS, EnclosedNetwork, why_not
from product import BUILD, PATIENCE, Skip, check, equal, started, wait_for

SCHEDULE = "webhook_retry_schedule=0s 100ms"
ATTEMPTS = 2
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"

GOOD, GOOD_6 = "9.9.9.9", "2600::9"

# What a name leads to when its webhook is due, having led to GOOD when the job was created.
FORBIDDEN = (
    ["127.0.0.1"],
    ["::1"],
    ["0.0.0.0"],
    ["10.1.2.3"],
    ["172.16.0.1"],
    ["192.168.1.1"],
    ["100.64.0.1"],
    ["169.254.169.254"],
    ["168.63.129.16"],
    ["fd00::1"],
    ["::ffff:127.0.0.1"],
    ["::ffff:169.254.169.254"],
    ["64:ff9b::7f00:1"],
    ["64:ff9b::a9fe:a9fe"],
    ["2002:7f00:1::1"],
    ["127.0.0.1", "::1", "10.1.2.3"],
    ["-> inside.example"],
    [OWN_ADDRESS],
    [f"::ffff:{OWN_ADDRESS}"],
    ["64:ff9b::908:706"],
)

# Of several candidates one is good: that one is taken.
MIXED = (
    ["127.0.0.1", GOOD],
    [GOOD, "127.0.0.1"],
    ["::1", GOOD],
    ["10.1.2.3", "169.254.169.254", GOOD],
    [OWN_ADDRESS, GOOD],
    [GOOD_6, "127.0.0.1"],
    ["fd00::1", GOOD_6],
    [GOOD, GOOD_6],
)


def answer(status, told=None):
    """Serves one request on a connection and closes it; told gets the addresses at which one came."""

    def serve(link, address):
        data = b""
        with link, contextlib.suppress(OSError):
            while b"\r\n\r\n" not in data:
                piece = link.recv(65536)
                if not piece:
                    return
                data += piece
            if told is not None:
                told.append(address)
            link.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            while link.recv(65536):
                pass

    return serve


class Enclosed:
    """A product whose worker runs in the network, once it is let in."""

    def __init__(self, product, network):
        self.product, self.client, self.network = product, product.client, network
        self.worker = None

    def start_worker(self):
        self.worker = self.network.start()
        self.product.extra.append(self.worker)

    def stop_worker(self):
        self.worker.send_signal(signal.SIGTERM)
        self.worker.wait(PATIENCE)
        self.product.extra.remove(self.worker)

    def post(self, url):
        return self.client.create(text="Hi.", webhook_url=url)["job_id"]

    def settled(self, job_id):
        """What the job tells of its webhook in the end, and its attempts."""

        def probe():
            webhook = self.client.job(job_id)["webhook"]
            return webhook if webhook["status"] in ("delivered", "failed") else None

        told = wait_for(f"the webhook of {job_id}", probe)
        return told, self.client.get(f"/v1/jobs/{job_id}/deliveries").expect(200).json["deliveries"]

    def check(self, job_id, code, attempts=ATTEMPTS):
        """Failed with that code at each of so many attempts; without a code, delivered at the first.  The messages."""
        told, rows = self.settled(job_id)
        expected = ("failed", [code] * attempts) if code else ("delivered", [None])
        codes = [row["error"] and row["error"]["code"] for row in rows]
        check((told["status"], codes) == expected, f"{told['url']}: {told['status']} after {rows}")
        equal(told["attempts"], len(rows), "attempts")
        equal([row["status_code"] for row in rows], [None if code else 204] * len(rows), "status codes")
        return [row["error"] and row["error"]["message"] for row in rows]


@contextlib.contextmanager
def enclosed(*settings, files=()):
    reason = why_not()
    if reason:
        raise Skip(f"no network of the test's own: {reason}")
    with started(SCHEDULE, "webhook_allow_cidrs=", f"webhook_ports=80 443 {DEAF_PORT}", *settings) as product:
        os.kill(product.worker_pid, signal.SIGTERM)
        wait_for("the worker to end", lambda: not product.is_running(product.worker_pid))
        command = [str(BUILD / "sayhook-worker"), "--config", product.env["SAYHOOK_CONFIG"]]
        command += ["--synth", str(BUILD / "sayhook-synth")]
        with open(product.state / "log" / "enclosed-worker.log", "ab") as log:
            network = EnclosedNetwork(product.state, command, dict(files), log)
            network.serve = {HTTP_PORT: answer("204 Fine"), HTTPS_PORT: answer("204 Fine")}
            try:
                yield Enclosed(product, network)
            finally:
                network.close()


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_that_leads_inside_when_the_webhook_is_due_is_refused_at_once():
    with enclosed() as world:
        jobs = {}
        for number, records in enumerate(FORBIDDEN):
            name = f"name{number}.example"
            world.network.records[name] = [GOOD]
            jobs[name] = world.post(f"http://{name}/"), records
        world.network.records["inside.example"] = ["127.0.0.1", "::1"]
        for name, (_, records) in jobs.items():
            world.network.records[name] = records
        world.start_worker()
        for name, (job_id, records) in jobs.items():
            messages = world.check(job_id, "blocked_address", attempts=1)
            check(name in world.network.asked, f"nobody asked for {name}")
            for record in records:
                check(record not in str(messages), f"the message tells where {name} leads: {messages}")
        equal(world.network.reached, [], "addresses that were connected to")
        check(world.worker.poll() is None, "the worker is gone")


def test_of_several_addresses_those_that_are_forbidden_are_passed_over():
    with enclosed() as world:
        jobs = []
        for number, records in enumerate(MIXED):
            world.network.records[f"name{number}.example"] = records
            jobs.append(world.post(f"http://name{number}.example/"))
        world.network.records["deaf.example"] = ["127.0.0.1", GOOD]
        deaf = world.post(f"http://deaf.example:{DEAF_PORT}/")
        world.start_worker()
        for job_id in jobs:
            world.check(job_id, None)
        world.check(deaf, "connection_refused")
        check(set(world.network.reached) <= {(GOOD, 80), (GOOD_6, 80)}, f"connected to {world.network.reached}")


def test_a_name_that_changes_between_attempts_never_leads_inside():
    with enclosed("webhook_retry_schedule=0s 100ms 100ms 100ms") as world:
        world.network.records["name.example"] = [GOOD]

        def change_and_fail(link, address):
            world.network.records["name.example"] = ["127.0.0.1"]
            answer("500 Oh")(link, address)

        world.network.serve[HTTP_PORT] = change_and_fail
        job_id = world.post("http://name.example/")
        world.start_worker()
        world.settled(job_id)
        equal(set(world.network.reached), {(GOOD, 80)}, "addresses that were connected to")
        # A sender that has forgotten the address of before.
        world.stop_worker()
        again = world.post("http://name.example/")
        world.start_worker()
        world.check(again, "blocked_address", attempts=1)
        equal(set(world.network.reached), {(GOOD, 80)}, "addresses that were connected to")


def test_a_name_that_nobody_knows_or_tells_is_tried_again():
    with enclosed() as world:
        world.network.records["silent.example"] = None
        world.network.records["empty.example"] = []
        world.network.records["fine.example"] = [GOOD]
        jobs = [world.post(f"http://{name}.example/") for name in ("silent", "unknown", "empty")]
        fine = world.post("http://fine.example/")
        world.start_worker()
        world.check(fine, None)
        for job_id in jobs:
            world.check(job_id, "name_not_resolved")
        equal(world.network.reached, [(GOOD, 80)], "addresses that were connected to")


# --- TLS --------------------------------------------------------------------------------------------------------------


class Authority:
    """Makes certificates that the worker trusts, for its network has this authority alone."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.make_key_and("ca", "req", "-x509", "-days", "30", "-subj", "/CN=Authority of a test")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def make_key_and(self, name, *command):
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
        self.openssl(*command, *key, "-out", f"{name}.pem", "-utf8")

    def context(self, name, subject=None, host=None, days="30", signed=True):
        """What a server shows: a certificate for a host, or for a subject alone."""
        subject = subject or f"/CN={host}"
        names = ("-addext", f"subjectAltName=DNS:{host}") if host else ()
        if signed:
            self.make_key_and(name, "req", "-new", "-subj", subject, *names)
            self.openssl(
                *("x509", "-req", "-in", f"{name}.pem", "-out", f"{name}.crt", "-days", days),
                *("-CA", "ca.pem", "-CAkey", "ca.key", "-copy_extensions", "copy"),
            )
            os.replace(self.folder / f"{name}.crt", self.folder / f"{name}.pem")
        else:
            self.make_key_and(name, "req", "-x509", "-subj", subject, *names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


def test_a_receiver_is_told_nothing_before_its_certificate_is_right():
    with enclosed() as world:
        authority = Authority(world.product.state)
        world.network.files[TRUSTED] = str(authority.folder / "ca.pem")
        right = authority.context("right", host="right.example")
        old = authority.context("old", host="old.example")
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        # 64 characters are the most of a name; libcurl's message would end within one of these.
        long_name = "\x1b[31m\n" + "\U0001f418" * 58
        shown = {
            "right": right,
            "other": right,
            "expired": authority.context("expired", host="expired.example", days="-1"),
            "self-signed": authority.context("self", host="self-signed.example", signed=False),
            "long": authority.context("long", subject=f"/CN={long_name}"),
            "old": old,
            "plain": None,
        }
        names, jobs, told = {}, {}, []
        for number, name in enumerate(shown):
            names[f"9.9.9.{number + 1}"] = name
            world.network.records[f"{name}.example"] = [f"9.9.9.{number + 1}"]
            jobs[name] = world.post(f"https://{name}.example/")

        def serve(link, address):
            context = shown[names[address]]
            if not context:
                link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            with contextlib.suppress(OSError):
                link = context.wrap_socket(link, server_side=True) if context else link
                answer("204 Fine", told)(link, address)

        world.network.serve[HTTPS_PORT] = serve
        world.start_worker()
        world.check(jobs.pop("right"), None)
        for job_id in jobs.values():
            for message in world.check(job_id, "tls_failed"):
                check(message.isprintable(), f"{message!r} is not clean")
        equal([names[address] for address in told], ["right"], "receivers that were told")
