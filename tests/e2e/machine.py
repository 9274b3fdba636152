# SPDX-License-Identifier: Apache-2.0
"""A Debian 12 that is booted for tests: a tree that debootstrap made, in systemd-nspawn, with a network of its own.

The tree has what the package depends on, and nginx; the package itself is built of this source.  Both are kept beside
the build folder, the tree from one run to the next.
"""

import atexit
import contextlib
import ctypes
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess

from product import BUILD, PATIENCE, TOP, Answer, Client, Failure, Skip, check, wait_for

FOLDER = BUILD.parent / "machine"
TOOLS = ("debootstrap", "systemd-nspawn", "dpkg-buildpackage", "dh", "nsenter", "ip", "openssl")
# Of the machine itself, beside what the package asks for.
WANTED = ("systemd", "systemd-sysv", "dbus", "nginx-light")
# As the site's example has it.
HOST = "speech.example.org"
BUILD_SECONDS = 600
CLONE_NEWNET = 0x40000000


def run(*command, **rest):
    """A command's output, or a failure that shows it."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=BUILD_SECONDS, **rest
    )
    text = done.stdout.decode(errors="replace")
    check(done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{text[-3000:]}")
    return text


# --- the package ----------------------------------------------------------------------------------------------------


def build_package():
    """The folder of what dpkg-buildpackage makes; the unit tests have been run already."""
    source = FOLDER / "package" / "sayhook"
    shutil.rmtree(source.parent, ignore_errors=True)
    source.mkdir(parents=True)
    archive = subprocess.run(
        ["tar", "-C", TOP, "--exclude=./build", "--exclude=./.git", "--exclude=./debian/sayhook", "-cf", "-", "."],
        stdout=subprocess.PIPE,
        check=True,
    )
    subprocess.run(["tar", "-C", source, "-xf", "-"], input=archive.stdout, check=True)
    run("dpkg-buildpackage", "-us", "-uc", "-b", "-Pnocheck", f"-j{os.cpu_count()}", cwd=source)
    shutil.rmtree(source)
    return source.parent


def the_package(folder):
    return next(path for path in folder.glob("sayhook_*.deb"))


def repack(package, version):
    """The same package under another version."""
    tree = package.parent / "repacked"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    newer = package.parent / f"sayhook_{version}.deb"
    run("dpkg-deb", "--root-owner-group", "-b", tree, newer)
    shutil.rmtree(tree)
    return newer


# --- the tree -------------------------------------------------------------------------------------------------------


def names_of(depends):
    """The packages of a Depends field, of alternatives the first."""
    return [re.split(r"[ (|]", entry.strip())[0] for entry in depends.split(",")]


def mirror():
    lines = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm").split()
    if not lines:
        raise Skip("apt knows no mirror of Debian 12")
    return lines[0]


def make_tree(package):
    """A bare Debian 12 with what the package depends on."""
    depends = names_of(run("dpkg-deb", "-f", package, "Depends"))
    wanted = ",".join(sorted({*WANTED, *depends}))
    tree = FOLDER / f"tree-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    if tree.exists():
        return tree
    making = FOLDER / "tree.new"
    for old in (making, *FOLDER.glob("tree-*")):
        shutil.rmtree(old, ignore_errors=True)
    done = subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={wanted}", "bookworm", making, mirror()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        raise Skip("debootstrap makes no Debian here: " + done.stdout.decode(errors="replace").strip().splitlines()[-1])
    # A locale database, documents and the like are copied in vain at every boot.
    shutil.rmtree(making / "var" / "cache" / "apt" / "archives", ignore_errors=True)
    making.rename(tree)
    return tree


# --- the machine ----------------------------------------------------------------------------------------------------


class Machine:
    """Boots; `sh` acts in it as its root does."""

    def __init__(self, tree):
        self.root = FOLDER / "root"
        self.console = FOLDER / "console.log"
        shutil.rmtree(self.root, ignore_errors=True)
        run("cp", "-a", "--reflink=auto", tree, self.root)
        with open(self.console, "wb") as console:
            self.nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=read-only"]
                + ["--machine=sayhook-test", "-bD", self.root],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        atexit.register(self.stop)
        try:
            self.init = self.wait_for_init()
            self.wait_for_boot()
        except Failure as failure:  # of this machine: nothing of ours is in it yet
            raise Skip(f"no machine boots here: {failure}; {self.last_words()}") from failure

    def wait_for_init(self):
        def probe():
            if self.nspawn.poll() is not None:
                raise Skip("systemd-nspawn starts no machine here: " + self.last_words())
            with contextlib.suppress(OSError):
                for child in pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split():
                    if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                        return int(child)
            return None

        return wait_for("the machine's systemd", probe)

    def wait_for_boot(self):
        def probe():
            if self.nspawn.poll() is not None:
                raise Skip("systemd boots no machine here: " + self.last_words())
            return self.ask("systemctl is-system-running") in ("running", "degraded")

        wait_for("the machine to boot", probe, pause=0.2)

    def last_words(self):
        lines = [line for line in self.console.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "it says nothing"

    def call(self, script):
        command = ["nsenter", "-t", str(self.init), "-a", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
        command += ["DEBIAN_FRONTEND=noninteractive", "sh", "-c", script]
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, cwd="/", check=False
        )

    def ask(self, script):
        """What it prints, whatever it exits with."""
        return self.call(script).stdout.decode(errors="replace").strip()

    def sh(self, script):
        """What it prints; it must succeed."""
        done = self.call(script)
        text = done.stdout.decode(errors="replace").strip()
        check(done.returncode == 0, f"{script}: {done.returncode}\n{text[-3000:]}")
        return text

    def put(self, path, text, mode=0o644):
        target = self.root / path.lstrip("/")
        target.write_text(text)
        target.chmod(mode)

    @contextlib.contextmanager
    def network(self):
        """This thread, and those that it starts, are in the machine's network meanwhile."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/thread-self/ns/net", "rb") as ours, open(f"/proc/{self.init}/ns/net", "rb") as theirs:
            check(libc.setns(theirs.fileno(), CLONE_NEWNET) == 0, "cannot enter the machine's network")
            try:
                yield
            finally:
                check(libc.setns(ours.fileno(), CLONE_NEWNET) == 0, "cannot leave the machine's network")

    def journal(self):
        return self.ask("journalctl --boot --no-pager -o short-precise -u 'sayhook*' | tail -n 60")

    def stop(self):
        atexit.unregister(self.stop)
        with contextlib.suppress(Exception):
            os.kill(self.init, signal.SIGRTMIN + 4)  # systemd(1): power off
            self.nspawn.wait(30)
        with contextlib.suppress(Exception):
            os.kill(self.init, signal.SIGKILL)
        with contextlib.suppress(Exception):
            self.nspawn.wait(10)
        if self.nspawn.poll() is None:
            self.nspawn.kill()
            self.nspawn.wait()
        shutil.rmtree(self.root, ignore_errors=True)


class SiteClient(Client):
    """A client of the machine's site, by TLS and with its certificate; it must be in the machine's network."""

    def __init__(self, key, certificate):
        super().__init__(f"https://{HOST}", key)
        self.context = ssl.create_default_context(cafile=certificate)
        self.peer = "127.0.0.1"

    def call(self, method, path, body=None, headers=None, key=None, timeout=PATIENCE):
        connection = http.client.HTTPSConnection(HOST, timeout=timeout)
        connection.sock = self.context.wrap_socket(socket.create_connection((self.peer, 443), timeout), server_hostname=HOST)
        return self.call_on(connection, method, path, body, headers, key)

    def plain(self, path):
        """Without TLS."""
        with contextlib.closing(http.client.HTTPConnection(self.peer, timeout=PATIENCE)) as connection:
            connection.request("GET", path, headers={"Host": HOST})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())


def boot():
    """A machine and the packages for it.  Skips where there can be none."""
    missing = [tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/sbin:" + os.environ["PATH"]) is None]
    if os.geteuid() != 0:
        raise Skip("booting a machine takes root")
    if 'VERSION_ID="12"' not in pathlib.Path("/etc/os-release").read_text():
        raise Skip("the package is built for the Debian that builds it, and this is not Debian 12")
    if missing:
        raise Skip(f"these are not installed: {', '.join(missing)}")
    lacking = subprocess.run(
        ["dpkg-checkbuilddeps", "-Pnocheck"], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if lacking.returncode != 0:
        raise Skip(lacking.stdout.decode().strip())
    FOLDER.mkdir(exist_ok=True)
    packages = build_package()
    return Machine(make_tree(the_package(packages))), packages
