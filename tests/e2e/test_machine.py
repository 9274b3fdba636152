# SPDX-License-Identifier: Apache-2.0
"""The package on a Debian 12 that is booted for it (machine.py): installed, used behind its site, reloaded, upgraded and
purged.  The tests share one machine and follow each other; each brings it to where it begins."""

import functools
import json
import shutil
import subprocess
import time

import machine as library
from product import Receiver, Skip, check, equal, read_wav, verify, wait_for
from test_reload import Load

SETTINGS = f"""
public_base_url = https://{library.HOST}
webhook_allow_http = yes
webhook_allow_cidrs = 127.0.0.0/8
webhook_ports = all
"""
CERTIFICATE = f"/etc/letsencrypt/live/{library.HOST}"
# An address that is not the machine's own loopback, for what is closed to the world.
OUTSIDE = "198.51.100.7"
RELOADS = 4
# A client's pause between two rounds: four clients stay below the limits of a key and of an address that a new
# configuration has.
PAUSE = 0.1


class GentleLoad(Load):
    """Within the limits of the defaults."""

    def note(self, status, wanted, answer):
        super().note(status, wanted, answer)
        time.sleep(PAUSE)


class Stage:
    """The machine and how far it is."""

    def __init__(self):
        self.machine, self.packages = library.boot()
        self.package = library.the_package(self.packages)
        self.is_installed = self.is_site = False
        self.client = None

    def installed(self):
        if not self.is_installed:
            self.install(self.package)
            self.is_installed = True
        return self

    def install(self, package):
        shutil.copy(package, self.machine.root / "root")
        return self.machine.sh(f"dpkg -i /root/{package.name}")

    def with_site(self):
        """The configuration, the site with a certificate of its own, and a key."""
        self.installed()
        if not self.is_site:
            machine = self.machine
            folder = machine.root / CERTIFICATE.lstrip("/")
            folder.mkdir(parents=True)
            library.run(
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-subj", f"/CN={library.HOST}", "-addext", f"subjectAltName=DNS:{library.HOST}"),
                *("-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"),
            )
            with open(machine.root / "etc/sayhook/sayhook.conf", "a", encoding="utf-8") as configuration:
                configuration.write(SETTINGS)
            machine.sh("rm /etc/nginx/sites-enabled/default; ln -s ../sites-available/sayhook /etc/nginx/sites-enabled/")
            machine.sh("nginx -t && systemctl reload nginx && systemctl reload sayhook.target")
            self.client = self.new_client("machine")
            with machine.network():
                library.run("ip", "address", "add", f"{OUTSIDE}/32", "dev", "lo")
                wait_for("the site", lambda: self.client.get("/readyz", key="").status == 200)
            self.is_site = True
        return self

    def new_client(self, name):
        text = self.machine.sh(f"sayhookctl key create --name {name} --json 2>/dev/null")
        made = json.loads(text)
        client = library.SiteClient(made["api_key"], self.machine.root / CERTIFICATE.lstrip("/") / "fullchain.pem")
        client.secret = made["webhook_secret"]
        return client

    def main_pid(self, unit):
        return int(self.machine.sh(f"systemctl show --value -p MainPID {unit}"))

    def starts(self, program):
        return int(self.machine.ask(f"journalctl --boot -o cat -t {program} | grep -c '^started'"))


_stage, _skip = None, None


def stage():
    """The one machine; where there can be none, each test says why."""
    global _stage, _skip
    if _skip:
        raise Skip(_skip)
    if _stage is None:
        try:
            _stage = Stage()
        except Skip as reason:
            _skip = str(reason)
            raise
    return _stage


def shown(function):
    """A failure shows what the services wrote."""

    @functools.wraps(function)
    def wrapped():
        at = stage()
        try:
            function(at)
        except AssertionError as failure:
            raise type(failure)(f"{failure}\n--- the machine's journal\n{at.machine.journal()}") from failure

    del wrapped.__wrapped__  # the runner looks at parameters
    return wrapped


def no_complaint(machine):
    equal(machine.ask("systemctl --failed --plain --no-legend"), "", "units that failed")
    equal(machine.ask("systemctl is-system-running"), "running", "the state of the machine")
    equal(machine.ask("journalctl --boot -q --no-pager -p warning -u 'sayhook*'"), "", "warnings of the services")


@shown
def test_lintian_finds_nothing_in_the_package(at):
    if shutil.which("lintian") is None:
        raise Skip("lintian is not installed")
    done = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", *at.packages.glob("*.changes")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    equal((done.returncode, done.stdout.decode()), (0, ""), "what lintian says")


@shown
def test_the_package_on_a_clean_debian_leaves_a_service_that_runs(at):
    at.installed()
    machine = at.machine
    for unit in ("sayhook.target", "sayhook-api.socket", "sayhook-api.service", "sayhook-worker.service"):
        equal(machine.ask(f"systemctl is-active {unit}"), "active", unit)
    equal(machine.ask("systemctl is-enabled sayhook.target"), "enabled", "the target at the next boot")
    equal(machine.sh("stat -c '%a %U %G' /etc/sayhook/secret_key"), "400 root root", "the key")
    equal(machine.sh("stat -c '%a %U %G' /run/sayhook/api.sock"), "660 sayhook www-data", "the socket")
    equal(machine.sh("stat -c '%a %U %G' /var/lib/sayhook /var/lib/sayhook/downloads").splitlines(),
          ["710 sayhook www-data", "2750 sayhook www-data"], "the folders")
    check("taking requests" in machine.sh("systemctl status --no-pager sayhook-api.service"), "no status of the API")
    check("waiting for jobs" in machine.sh("systemctl status --no-pager sayhook-worker.service"), "no status of the worker")
    no_complaint(machine)


@shown
def test_the_state_of_a_stopped_service_is_begun_by_root_and_used_by_the_service(at):
    machine = at.installed().machine
    units = "sayhook-api.socket sayhook-api.service sayhook-worker.service"
    machine.sh("systemctl stop 'sayhook*'")
    equal(machine.ask(f"systemctl is-active {units}").split(), ["inactive"] * 3, "the units")
    machine.sh("systemctl start sayhook.target && systemctl stop sayhook.target")
    wait_for("what follows the target to stop", lambda: machine.ask(f"systemctl is-active {units}").split() == ["inactive"] * 3)
    machine.sh("rm -f /var/lib/sayhook/sayhook.db*")
    machine.sh("sayhookctl key create --name first")
    machine.sh("systemctl start sayhook.target")
    equal(machine.ask("systemctl is-active sayhook-api.service sayhook-worker.service").split(), ["active"] * 2, "the services")
    machine.sh("sayhookctl key list | grep -q first")
    no_complaint(machine)


@shown
def test_the_site_speaks_and_calls_back(at):
    client = at.with_site().client
    with at.machine.network():
        receiver = Receiver()
        try:
            job_id = client.create(format="opus", timings=True, webhook_url=f"{receiver.url}/hook")["job_id"]
            plain_id = client.create()["job_id"]
            job, plain = client.wait(job_id, "completed"), client.wait(plain_id, "completed")
            webhook = receiver.wait(job_id)[0]
            verify(webhook, client.secret)
            equal(webhook.json["audio_url"], job["audio_url"], "the webhook's audio_url")
        finally:
            receiver.close()
        client.download(job)
        audio = client.download(plain)
        check(read_wav(audio.body)[1] > 0.5, "the audio is too short")
        part = client.get(f"/v1/download/{plain_id}", key="", headers={"Range": "bytes=0-99"}).expect(206)
        equal(part.body, audio.body[:100], "a range of the audio")
        client.get(f"/v1/download/{job_id}.srt", key="").expect(200)
        client.get("/openapi.json", key="").expect(200)
        client.get("/docs/", key="").expect(200)
        equal(client.get("/v1/nothing").expect_problem(404).json["type"].split("/docs/")[0], f"https://{library.HOST}", "an error's type")
        client.post(b" " * (17 << 20)).expect_problem(413, "body_too_large")
        client.plain("/v1/voices").expect_problem(403, "https_required")
        client.get("/metrics", key="").expect(200)
        client.peer = OUTSIDE
        client.get("/readyz", key="").expect(200)
        client.get("/metrics", key="").expect_problem(403)
        client.peer = "127.0.0.1"
    found = at.machine.sh(f"journalctl --boot -o cat -u sayhook-worker SAYHOOK_JOB_ID={job_id}")
    check("job completed" in found, f"the journal finds no end of the job by its id: {found}")
    at.machine.sh("sayhookctl doctor")
    no_complaint(at.machine)


@shown
def test_a_reload_under_load_fails_no_request(at):
    client, machine = at.with_site().client, at.machine
    before = {unit: at.main_pid(unit) for unit in ("sayhook-api", "sayhook-worker")}
    with machine.network(), GentleLoad(client) as load:
        for _ in range(RELOADS):
            answered, started = sum(load.statuses.values()), at.starts("sayhook-api")
            machine.sh("systemctl reload sayhook.target")
            wait_for("the API to begin anew", lambda: at.starts("sayhook-api") > started)
            wait_for("some requests", lambda: sum(load.statuses.values()) > answered + 40)
    equal(load.faults, [], "requests that failed")
    equal({unit: at.main_pid(unit) for unit in before}, before, "the processes")
    no_complaint(machine)


@shown
def test_a_wrong_configuration_is_not_loaded(at):
    machine, path = at.with_site().machine, at.machine.root / "etc/sayhook/sayhook.conf"
    right, started = path.read_text(), at.starts("sayhook-api")
    path.write_text(right + "max_text_char = 10\n")
    check(machine.call("systemctl reload sayhook-api.service").returncode != 0, "systemctl says nothing")
    check("did you mean max_text_chars" in machine.journal(), "the journal does not say what is wrong")
    path.write_text(right)
    equal(machine.ask("systemctl is-active sayhook-api.service"), "active", "the API")
    equal(at.starts("sayhook-api"), started, "starts of the API")


@shown
def test_an_upgrade_under_load_fails_no_request(at):
    client, machine = at.with_site().client, at.machine
    newer = library.repack(at.package, "99.0.0")
    before = {unit: at.main_pid(unit) for unit in ("sayhook-api", "sayhook-worker")}
    socket = machine.sh("stat -c %i /run/sayhook/api.sock")
    with machine.network(), GentleLoad(client) as load:
        wait_for("some requests", lambda: sum(load.statuses.values()) > 40)
        at.install(newer)
        answered = sum(load.statuses.values())
        wait_for("some requests", lambda: sum(load.statuses.values()) > answered + 40)
        client.wait(client.create()["job_id"], "completed")
    equal(load.faults, [], "requests that failed")
    equal(machine.sh("dpkg-query -W -f '${Version}' sayhook"), "99.0.0", "the version")
    for unit, pid in before.items():
        check(at.main_pid(unit) != pid, f"{unit} is the program of before")
    equal(machine.sh("stat -c %i /run/sayhook/api.sock"), socket, "the socket")
    check("public_base_url = https" in machine.sh("cat /etc/sayhook/sayhook.conf"), "the configuration is gone")
    machine.sh("nginx -t")


@shown
def test_a_purge_leaves_nothing(at):
    machine = at.with_site().machine
    machine.sh("dpkg --purge sayhook")
    left = machine.sh(
        "find / -xdev \\( -path /proc -o -path /sys -o -path /root -o -path /var/log/journal \\) -prune -o"
        f" \\( -iname '*sayhook*' -o -nouser -o -nogroup \\) -print; ls -d /run/sayhook* 2>/dev/null; true"
    )
    equal(left, "", "files that are left")
    equal(machine.ask("getent passwd sayhook; getent group sayhook"), "", "the user")
    equal(machine.ask("systemctl list-units --all --plain --no-legend 'sayhook*'"), "", "units")
    equal(machine.ask("ps -eo comm= | grep sayhook"), "", "processes")
    machine.sh("nginx -t && systemctl restart nginx")
    equal(machine.ask("systemctl --failed --plain --no-legend"), "", "units that failed")
