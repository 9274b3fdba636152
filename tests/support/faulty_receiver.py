# SPDX-License-Identifier: Apache-2.0
"""A webhook receiver that misbehaves, byte by byte, each in one way of the table below."""

import contextlib
import gzip
import itertools
import socket
import struct
import threading
import time
import zlib

TEN_GIGABYTES = 10 << 30
PIECE = 1 << 16

# The address at which clouds hand out their credentials.
METADATA_URL = "http://169.254.169.254/latest/meta-data/"

# What is no UTF-8, what terminals obey, what ends a line, and a character that is cut.
DIRT = b"\xff\xfe\xc0\xaf\xed\xa0\x80 \x00\x07\x1b[31m\x7f\xc2\x9b\r\n\t\xe2\x80\xa8<b>\"\\ caf\xc3\xa9 \xf0\x9f\x90"

_BOMB = b"\0" * (64 << 20)


def plain(status, *fields, body=b""):
    """An answer in order, unless a field makes it none."""
    fields = fields or (f"Content-Length: {len(body)}",)
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body


def coded(field, data):
    return plain("200 OK", field, f"Content-Length: {len(data)}", body=data)


def chunked(data):
    return plain("200 OK", "Transfer-Encoding: chunked", body=data)


class Talk:
    """One connection, from the end of its request on."""

    def __init__(self, link, receiver):
        self.link, self.receiver, self.sent = link, receiver, 0

    def send(self, data):
        self.link.sendall(data)
        self.sent += len(data)

    def repeat(self, start, piece):
        """Sends until the other side has enough, and no more than ten gigabytes."""
        pieces = piece * max(1, PIECE // len(piece))
        self.send(start)
        while self.sent < TEN_GIGABYTES:
            self.send(pieces)

    def trickle(self, start, piece):
        """A byte a second, over and over."""
        self.send(start)
        for byte in itertools.cycle(piece):
            self.send(bytes([byte]))
            time.sleep(1)

    def wait(self):
        """Until the other side goes."""
        while self.link.recv(PIECE):
            pass

    def reset(self):
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def endless(start, piece):
    return lambda talk: talk.repeat(start, piece)


def trickling(start, piece):
    return lambda talk: talk.trickle(start, piece)


def redirect(status):
    """To the metadata address, and to the port of the trap."""
    return {
        f"redirect_{status}_to_metadata": plain(f"{status} Moved", f"Location: {METADATA_URL}", "Content-Length: 0"),
        f"redirect_{status}_to_a_port": lambda talk: talk.send(
            plain(f"{status} Moved", f"Location: {talk.receiver.trap_url}", "Content-Length: 0")
        ),
    }


def reset_before_the_answer(talk):
    talk.reset()


def reset_within_the_answer(talk):
    talk.send(plain("200 OK", "Content-Length: 100", body=b"got it"))
    time.sleep(0.2)  # a reset throws away what the other side has not read
    talk.reset()


# What follows a request: bytes and then the end of the connection, or a function of the talk.
MODES = {
    "fine": plain("200 OK", body=b"thank you"),
    # too much
    "ten_gigabytes": endless(plain("200 OK", f"Content-Length: {TEN_GIGABYTES}"), b"All work and no play. "),
    "endless_body": endless(plain("200 OK", "Connection: close"), b"All work and no play. "),
    "endless_chunks": endless(chunked(b""), b"4000\r\n" + b"a" * 0x4000 + b"\r\n"),
    "ten_gigabytes_of_a_failure": endless(plain("500 Oh", f"Content-Length: {TEN_GIGABYTES}"), b"no "),
    "endless_header_lines": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more and more and more\r\n"),
    "endless_short_header_lines": endless(b"HTTP/1.1 200 OK\r\n", b"a:\r\n"),
    "endless_silence_after_short_header_lines": lambda talk: (
        talk.send(b"HTTP/1.1 200 OK\r\n" + b"a:\r\n" * 16_000),
        talk.wait(),
    ),
    "one_endless_header_line": endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "one_endless_status_line": endless(b"HTTP/1.1 200 ", b"a"),
    "a_line_without_end": endless(b"", b"a"),
    "endless_100": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless_103": endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"),
    "endless_trailers": endless(chunked(b"2\r\nok\r\n0\r\n"), b"X-More: and more and more and more\r\n"),
    "one_endless_trailer": endless(chunked(b"2\r\nok\r\n0\r\nX-Long: "), b"a"),
    # compressed, though nobody asked for it
    "gzip_bomb": coded("Content-Encoding: gzip", gzip.compress(_BOMB, mtime=0)),
    "deflate_bomb": coded("Content-Encoding: deflate", zlib.compress(_BOMB)),
    "gzip_bomb_as_transfer_coding": plain("200 OK", "Transfer-Encoding: gzip", body=gzip.compress(_BOMB, mtime=0)),
    "unknown_coding": coded("Content-Encoding: zebra", b"stripes"),
    # not what it says
    "longer_content_length": plain("200 OK", "Content-Length: 100", body=b"got it"),
    "longer_content_length_of_a_failure": plain("503 No", "Content-Length: 100", body=b"not now"),
    "negative_content_length": plain("200 OK", "Content-Length: -1", body=b"got it"),
    "huge_content_length": plain("200 OK", "Content-Length: " + "9" * 30, body=b"got it"),
    "two_content_lengths": plain("200 OK", "Content-Length: 1", "Content-Length: 6", body=b"got it"),
    "content_length_of_letters": plain("200 OK", "Content-Length: six", body=b"got it"),
    "chunk_size_of_letters": chunked(b"xyz\r\ngot it\r\n0\r\n\r\n"),
    "huge_chunk_size": chunked(b"f" * 40 + b"\r\ngot it\r\n0\r\n\r\n"),
    "chunk_cut_short": chunked(b"ff\r\ngot it"),
    "chunk_without_its_line_end": chunked(b"6\r\ngot it0\r\n\r\n"),
    "body_of_a_204": plain("204 No Content", "Content-Length: 6", body=b"got it"),
    "dirty_body": plain("200 OK", body=DIRT),
    "dirty_body_of_a_failure": plain("500 Oh", body=DIRT),
    "dirty_header": b"HTTP/1.1 500 \xff\x1b[31m\x00\r\nX-Dirt: " + DIRT.replace(b"\r\n", b"") + b"\r\n\r\n",
    # not HTTP, or another
    "garbage": b"220 mail.example.com ESMTP\r\n",
    "dirty_garbage": DIRT * 10,
    "http_0_9": b"<html>thank you</html>\n",
    "http_2_preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    "http_2_settings": b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff",
    "http_2_by_its_line": b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
    "http_9_9": b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "http_1_0": b"HTTP/1.0 200 OK\r\n\r\nthank you",
    "tls_alert": b"\x15\x03\x01\0\x02\x02\x28",
    # statuses that are none
    "status_000": plain("000 None"),
    "status_099": plain("099 None"),
    "status_101": plain("101 Switching Protocols", "Upgrade: h2c", "Connection: Upgrade"),
    "status_199": plain("199 None"),
    "status_299": plain("299 Fine"),
    "status_600": plain("600 None"),
    "status_999": plain("999 None"),
    "status_of_two_digits": plain("20 OK"),
    "status_of_four_digits": plain("2000 OK"),
    "status_of_letters": plain("2OO OK"),
    "status_without_a_reason": plain("200"),
    "no_status": plain(""),
    # few words
    "close": lambda talk: None,
    "close_within_the_header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "reset": reset_before_the_answer,
    "reset_within_the_answer": reset_within_the_answer,
    **redirect(301),
    **redirect(302),
    **redirect(303),
    **redirect(307),
    **redirect(308),
    # slow: each holds the connection until the other side goes
    "mute": Talk.wait,
    "trickling_status_line": trickling(b"", b"HTTP/1.1 200 OK"),
    "trickling_header": trickling(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "trickling_body": trickling(plain("200 OK", "Connection: close"), b"a"),
    "trickling_continue": trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "kept_open_within_the_body": lambda talk: (talk.send(plain("200 OK", "Content-Length: 9")), talk.wait()),
    "endless_chunk_extension": endless(chunked(b"6;"), b"a"),
}


class FaultyReceiver:
    """Listens on a port of its own of 127.0.0.1, for the limits of one receiver are not those of another."""

    def __init__(self, mode, trap_url=""):
        self.mode, self.trap_url = MODES[mode], trap_url
        self.requests = []  # of each its bytes
        self.most_sent = 0  # bytes of one answer
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                link, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        talk = Talk(link, self)
        with link, contextlib.suppress(OSError):
            request = self._read_request(link)
            if request:
                self.requests.append(request)
                self._answer(talk)
        self.most_sent = max(self.most_sent, talk.sent)

    def _answer(self, talk):
        if isinstance(self.mode, bytes):
            talk.send(self.mode)
            talk.link.shutdown(socket.SHUT_WR)
            talk.wait()
        else:
            self.mode(talk)

    @staticmethod
    def _read_request(link):
        """None where it ends before its end."""
        data = b""
        while True:
            head, end, body = data.partition(b"\r\n\r\n")
            if end:
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                if len(body) >= int(fields.get(b"content-length", 0)):
                    return data
            piece = link.recv(PIECE)
            if not piece:
                return None
            data += piece

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
