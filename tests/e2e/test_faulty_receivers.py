# SPDX-License-Identifier: Apache-2.0
"""Receivers that misbehave: each attempt is named by the contract's code and settled as the schedule says, the worker
goes on, and its memory stays where it was."""

import pathlib
import re

from faulty_receiver import MODES, TEN_GIGABYTES, FaultyReceiver
from product import Receiver, Skip, check, equal, started, wait_for

MEBI = 1 << 20

# Attempts after which a webhook that nobody takes has failed.
SCHEDULE = "webhook_retry_schedule=0s 100ms"
ATTEMPTS = 2

# What an answer without end may get rid of before it is cut: what is read of it, and what lies in the kernel's buffers
# of both ends, whose default limits are 4 and 6 MiB.
SENT_MAX = 16 * MEBI

# Answers without end that come at a time, and what the worker's memory may peak above where it was: a few kilobytes
# of each, and what the allocator keeps of it.
FLOODS = 16
MEMORY_GROWTH_MAX = 8 * MEBI

# mode: the error's code and the status code of each attempt, where None is none
QUICK = {
    "fine": (None, 200),
    "ten_gigabytes": (None, 200),
    "endless_body": (None, 200),
    "endless_chunks": (None, 200),
    "ten_gigabytes_of_a_failure": ("http_status", 500),
    "endless_header_lines": ("bad_response", 200),
    "endless_short_header_lines": ("bad_response", 200),
    "endless_silence_after_short_header_lines": ("bad_response", 200),
    "one_endless_header_line": ("bad_response", 200),
    "one_endless_status_line": ("bad_response", None),
    "a_line_without_end": ("bad_response", None),
    "endless_100": ("bad_response", None),
    "endless_103": ("bad_response", None),
    "endless_trailers": ("bad_response", 200),
    "one_endless_trailer": (None, 200),
    "gzip_bomb": (None, 200),
    "deflate_bomb": (None, 200),
    "gzip_bomb_as_transfer_coding": (None, 200),
    "unknown_coding": (None, 200),
    "longer_content_length": (None, 200),
    "longer_content_length_of_a_failure": ("http_status", 503),
    "negative_content_length": ("bad_response", 200),
    "huge_content_length": (None, 200),
    "two_content_lengths": (None, 200),
    "content_length_of_letters": ("bad_response", 200),
    "chunk_size_of_letters": (None, 200),
    "huge_chunk_size": (None, 200),
    "chunk_cut_short": (None, 200),
    "chunk_without_its_line_end": (None, 200),
    "body_of_a_204": (None, 204),
    "dirty_body": (None, 200),
    "dirty_body_of_a_failure": ("http_status", 500),
    "dirty_header": ("bad_response", 500),
    "garbage": ("bad_response", None),
    "dirty_garbage": ("bad_response", None),
    "http_0_9": ("bad_response", None),
    "http_2_preface": ("bad_response", None),
    "http_2_settings": ("bad_response", None),
    "http_2_by_its_line": (None, 200),
    "http_9_9": ("bad_response", None),
    "http_1_0": (None, 200),
    "tls_alert": ("bad_response", None),
    "status_000": ("bad_response", None),
    "status_099": ("bad_response", None),
    "status_101": ("connection_reset", None),
    "status_199": ("connection_reset", None),
    "status_299": (None, 299),
    "status_600": ("http_status", 600),
    "status_999": ("http_status", 999),
    "status_of_two_digits": ("bad_response", None),
    "status_of_four_digits": ("bad_response", None),
    "status_of_letters": ("bad_response", None),
    "status_without_a_reason": (None, 200),
    "no_status": ("bad_response", None),
    "close": ("connection_reset", None),
    "close_within_the_header": (None, 200),
    "reset": ("connection_reset", None),
    "reset_within_the_answer": (None, 200),
    **{
        f"redirect_{status}_to_{target}": ("http_status", status)
        for status in (301, 302, 303, 307, 308)
        for target in ("metadata", "a_port")
    },
}

# These would go on for ever.  Whether the status has come when the time is over depends on the machine.
SLOW = {
    "mute": (None,),
    "trickling_status_line": (None,),
    "trickling_header": (200, None),
    "trickling_body": (200, None),
    "trickling_continue": (None,),
    "kept_open_within_the_body": (200, None),
    "endless_chunk_extension": (200, None),
}

# What can never be allowed, whatever the DNS says, though this test's configuration allows http and every port.
FORBIDDEN_URLS = (
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1./",
    "http://127.0.0.1:/",
    "http://0/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://a.localhost/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fe80::1%25lo]/",
    "http://[fe80::1%lo]/",
    "http://[fd00::1]/",
    "http://evil.com\\@127.0.0.1/",
    "http://evil.com@127.0.0.1/",
    "http://user:password@evil.com/",
    "http://@evil.com/",
    "http:/127.0.0.1/",
    "http:///127.0.0.1/",
    "http:127.0.0.1",
    "//127.0.0.1/",
    "http://evil.com:0/",
    "http://evil.com:65536/",
    "http://evil.com:-1/",
    "http://evil.com: 80/",
    "http://evil.com /",
    " http://evil.com/",
    "http://evil.com/\r\nX-Injected: a",
    "http://evil.com/\t",
    "http://evil.com/\0",
    "http://evil.com/\x7f",
    "http://127.0.0.1%00.evil.com/",
    "http://%31%32%37.0.0.1/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://loc\u00adalhost/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "ftp://evil.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/",
    "",
)

FLOODING = [mode for mode in QUICK if "endless" in mode or "bomb" in mode or "ten_gigabytes" in mode]


class Case:
    """One webhook to a receiver of one mode."""

    def __init__(self, product, mode, trap_url=""):
        self.client, self.mode = product.client, mode
        self.receiver = FaultyReceiver(mode, trap_url)
        self.jobs = []

    def post(self):
        self.jobs.append(self.client.create(text="Hi.", webhook_url=self.receiver.url)["job_id"])

    def settled(self, job_id):
        """What the job tells of its webhook in the end."""

        def probe():
            webhook = self.client.job(job_id)["webhook"]
            return webhook if webhook["status"] in ("delivered", "failed") else None

        return wait_for(f"the webhook to a receiver of mode {self.mode}", probe)

    def rows(self):
        """The attempts of its one job, once that is settled."""
        self.told = self.settled(self.jobs[0])
        return self.client.get(f"/v1/jobs/{self.jobs[0]}/deliveries").expect(200).json["deliveries"]

    def check(self, code, statuses):
        """Settled as the schedule says, with the same outcome at each attempt."""
        rows = self.rows()
        status, attempts = ("failed", ATTEMPTS) if code else ("delivered", 1)
        equal((self.told["status"], self.told["attempts"]), (status, attempts), "status and attempts of the webhook")
        equal(len(rows), attempts, "attempts that are listed")
        equal(len(self.receiver.requests), attempts, "requests that the receiver saw")
        for row in rows:
            error = row["error"]
            equal(error and error["code"], code, f"code of {error}")
            check(row["status_code"] in statuses, f"status_code is {row['status_code']}, not of {statuses}")
            check_text((error or {}).get("message", ""))
            check_text(row["response_excerpt"] or "")
            check(len((row["response_excerpt"] or "").encode()) <= 1024, "the excerpt is longer than 1 KiB")
        equal(rows[-1]["next_attempt_at"], None, "next_attempt_at of the last")


def check_text(text):
    """One line for people to read: nothing that a terminal obeys, no half of a character."""
    for character in text:
        number = ord(character)
        check(number >= 0x20 and not 0x7F <= number < 0xA0 and number not in (0x2028, 0x2029), f"{text!r} is not clean")
        check(not 0xD800 <= number < 0xE000, f"{text!r} has half of a pair")


def check_all(cases, expected):
    """Tells of every case that is not as expected, not of the first alone."""
    wrong = []
    for case in cases:
        code, statuses = expected(case.mode)
        try:
            case.check(code, statuses)
        except AssertionError as failure:
            wrong.append(f"{case.mode}: {failure}")
    check(not wrong, "\n".join(wrong))


def is_well(product):
    """The same worker as ever delivers as ever."""
    check(product.is_running(product.worker_pid), "the worker is gone")
    case = Case(product, "fine")
    case.post()
    case.check(None, (200,))


def test_a_url_that_can_never_be_allowed_is_refused_at_creation():
    with started("webhook_allow_cidrs=") as product:
        for url in FORBIDDEN_URLS:
            answer = product.client.post({"text": "Hi.", "webhook_url": url})
            check(answer.status == 422, f"{url!r} gives {answer.status}")
            faults = answer.expect_problem(422).json["errors"]
            equal([fault["pointer"] for fault in faults], ["/webhook_url"], f"pointers for {url!r}")
            check(faults[0]["detail"], f"no detail for {url!r}")


def test_every_mode_has_its_case():
    equal(set(QUICK) | set(SLOW), set(MODES), "modes")


def test_each_fault_is_named_and_settled_as_the_schedule_says():
    trap = Receiver()
    try:
        with started(SCHEDULE) as product:
            cases = [Case(product, mode, trap.url + "/trap") for mode in QUICK]
            for case in cases:
                case.post()
            check_all(cases, lambda mode: (QUICK[mode][0], QUICK[mode][1:]))
            for case in cases:
                sent = case.receiver.most_sent
                check(sent <= SENT_MAX < TEN_GIGABYTES, f"{case.mode} got rid of {sent} bytes")
            equal(trap.webhooks, [], "what a redirect led to")
            is_well(product)
    finally:
        trap.close()


def test_an_answer_that_takes_too_long_ends_with_the_timeout():
    with started(SCHEDULE, "webhook_timeout=2s") as product:
        cases = [Case(product, mode) for mode in SLOW]
        for case in cases:
            case.post()
        check_all(cases, lambda mode: ("timeout", SLOW[mode]))
        check(product.is_running(product.worker_pid), "the worker is gone")


def test_the_excerpt_is_clean_text():
    with started(SCHEDULE) as product:
        for mode in ("dirty_body", "dirty_body_of_a_failure"):
            case = Case(product, mode)
            case.post()
            excerpt = case.rows()[0]["response_excerpt"]
            check_text(excerpt)
            check("\ufffd" in excerpt and '<b>"\\ café' in excerpt, f"the excerpt is {excerpt!r}")
        check("\x1b" not in product.log("worker"), "the log holds an escape")


def memory_of(pid, name):
    """VmRSS or VmHWM of a process, in bytes."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024


def test_answers_without_end_leave_the_memory_where_it_was():
    with started("webhook_retry_schedule=0s") as product:
        pid = product.worker_pid
        if re.search(r"lib[at]san", pathlib.Path(f"/proc/{pid}/maps").read_text()):
            raise Skip("a sanitizer keeps what was freed")

        def flood(mode):
            case = Case(product, mode)
            for _ in range(FLOODS):
                case.post()
            for job_id in case.jobs:
                case.settled(job_id)

        flood("fine")
        before = memory_of(pid, "VmRSS")
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM counts anew (proc(5))
        for mode in FLOODING:
            flood(mode)
        grown = memory_of(pid, "VmHWM") - before
        check(grown <= MEMORY_GROWTH_MAX, f"{before} bytes before, {grown} more at most")
        is_well(product)
