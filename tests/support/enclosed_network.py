# SPDX-License-Identifier: Apache-2.0
"""A network of one machine, to which every address leads: whatever a program in it connects to, it finds this test.

As a program it makes the network, in namespaces that end with it, opens sockets for DNS, http and https, hands them
through the socket whose number is its first argument, and becomes the program that its last arguments name.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading

# An address of the network's one interface, which is of the public internet otherwise.
OWN_ADDRESS = "9.8.7.6"

# Those of webhook_ports by default, and of DNS; another is one at which nobody listens.
HTTP_PORT, HTTPS_PORT, DNS_PORT = 80, 443, 53
DEAF_PORT = 81

DNS_ADDRESS = "127.0.0.53"

A, CNAME, AAAA = 1, 5, 28


# --- within -----------------------------------------------------------------------------------------------------------


def make_network(files):
    """files: paths of /etc, and what takes their place."""
    for command in (
        "ip link set lo up",
        f"ip address add {OWN_ADDRESS}/32 dev lo",
        "ip route add local 0.0.0.0/0 dev lo",
        "ip -6 route add local ::/0 dev lo",
        "mount --make-rprivate /",
        *(f"mount --bind {source} {os.path.realpath(target)}" for target, source in files.items()),
    ):
        subprocess.run(command.split(), check=True)


def open_sockets():
    dns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dns.bind((DNS_ADDRESS, DNS_PORT))
    ports = HTTP_PORT, HTTPS_PORT
    listeners = [socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True) for port in ports]
    return [dns, *listeners]


def main():
    if sys.argv[1:] == ["try"]:
        make_network({})
        return
    link = socket.socket(fileno=int(sys.argv[1]))
    make_network(json.loads(sys.argv[2]))
    sockets = open_sockets()
    socket.send_fds(link, [b"ready"], [one.fileno() for one in sockets])
    link.close()
    os.execv(sys.argv[3], sys.argv[3:])


# --- outside ----------------------------------------------------------------------------------------------------------


def why_not():
    """Why such a network cannot be made here; None where it can."""
    for program in ("unshare", "ip", "mount"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    command = [*_unshare(), sys.executable, __file__, "try"]
    tried = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return None if tried.returncode == 0 else (tried.stdout.strip().splitlines() or ["unshare failed"])[0]


def _unshare():
    """Whoever is not root is so in a namespace of users."""
    return ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]


def pack_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


class EnclosedNetwork:
    """records[name] is what its DNS answers: addresses, an alias ("-> name"), or None for no answer at all.
    serve[port](link, address) is called for each connection, with the address that it was made to."""

    def __init__(self, folder, command, files, log):
        self.records, self.asked, self.reached, self.serve = {}, [], [], {}
        resolver = pathlib.Path(folder) / "resolv.conf"
        resolver.write_text(f"nameserver {DNS_ADDRESS}\noptions timeout:1 attempts:1\n")
        order = pathlib.Path(folder) / "nsswitch.conf"
        order.write_text("hosts: files dns\n")
        self.command, self.log = command, log
        self.files = {"/etc/resolv.conf": str(resolver), "/etc/nsswitch.conf": str(order), **files}
        self.sockets, self.process = [], None

    def start(self):
        """The program in a network of its own; again, once it has ended, in a new one."""
        mine, its = socket.socketpair()
        with mine, its:
            self.process = subprocess.Popen(
                [*_unshare(), sys.executable, __file__, str(its.fileno()), json.dumps(self.files), *self.command],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=self.log,
                stderr=self.log,
            )
            its.close()
            ready, numbers, _, _ = socket.recv_fds(mine, 16, 3)
        if ready != b"ready":
            raise RuntimeError("the network was not made")
        dns, *listeners = [socket.socket(fileno=number) for number in numbers]
        self.sockets += [dns, *listeners]
        threading.Thread(target=self._answer, args=(dns,), daemon=True).start()
        for listener in listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self.process

    def close(self):
        for one in self.sockets:
            one.close()

    def _accept(self, listener):
        try:
            while True:
                link, _ = listener.accept()
                address, port = link.getsockname()[:2]
                address = address.removeprefix("::ffff:") if "." in address else address
                self.reached.append((address, port))
                threading.Thread(target=self.serve[port], args=(link, address), daemon=True).start()
        except OSError:
            pass  # closed

    def _answer(self, dns):
        try:
            while True:
                query, peer = dns.recvfrom(512)
                answer = self._answer_to(query)
                if answer:
                    dns.sendto(answer, peer)
        except OSError:
            pass  # closed

    def _answer_to(self, query):
        """RFC 1035 section 4.1."""
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        kind, name = int.from_bytes(query[at + 1 : at + 3], "big"), ".".join(labels)
        self.asked.append(name)
        known = self.records.get(name, [])
        if known is None:
            return None
        answers = list(self._resources(name, kind))
        flags = b"\x85\x80" if name in self.records else b"\x85\x83"  # the second says that there is no such name
        counts = b"\0\1" + len(answers).to_bytes(2, "big") + b"\0\0\0\0"
        return query[:2] + flags + counts + query[12 : at + 5] + b"".join(answers)

    def _resources(self, name, kind):
        for record in self.records.get(name, []):
            if record.startswith("-> "):
                yield self._resource(name, CNAME, pack_name(record[3:]))
                yield from self._resources(record[3:], kind)
            elif kind == (AAAA if ":" in record else A):
                family = socket.AF_INET6 if ":" in record else socket.AF_INET
                yield self._resource(name, kind, socket.inet_pton(family, record))

    @staticmethod
    def _resource(name, kind, data):
        """To be forgotten at once."""
        head = kind.to_bytes(2, "big") + b"\0\1" + b"\0\0\0\0"
        return pack_name(name) + head + len(data).to_bytes(2, "big") + data


if __name__ == "__main__":
    main()
