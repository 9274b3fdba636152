# SPDX-License-Identifier: Apache-2.0
"""Generated hostile texts (tests/fuzz/hostile.py) through the service; soak_hostile takes more of them."""

import collections
import json
import random
import re
import sys
import threading

from product import TOP, check, started

sys.path.insert(0, str(TOP / "tests" / "fuzz"))
import hostile  # noqa: E402

# Audio goes soon after its job has ended: a hundred thousand texts make more than a disk holds.
SETTINGS = ("retention_audio=5s", "max_stored_bytes=1024G", "max_pending_jobs=1000000", "max_chars_per_day=10G")

# Jobs that have not ended, at most: the worker has enough to do, and none waits for long.
OUTSTANDING_MAX = 200

# The statistical voices take some twenty times as long, and make noise of the same text.
VOICES = ("kal",) * 20 + ("kal16",) * 19 + ("slt",)

ERROR_CODES = re.compile(r"nothing_to_speak|synthesis_[a-z_]+")


class SynthesizerCounter:
    """Counts the synthesizers that a worker has had, while it is open."""

    def __init__(self, product):
        self.product, self.seen, self.done = product, set(), threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.done.wait(0.05):
            self.seen.update(self.product.children(self.product.worker_pid))

    def __enter__(self):
        self.seen.update(self.product.children(self.product.worker_pid))
        self.first = len(self.seen)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.done.set()
        self.thread.join()

    def replaced(self):
        return len(self.seen) - self.first


def groups_of_texts(seed, first, count, group):
    """Numbers of texts that make one job; one that is no UTF-8 has a request of its own."""
    numbers = []
    for number in range(first, first + count):
        try:
            hostile.hostile(seed, number).decode()
            numbers.append(number)
        except UnicodeDecodeError:
            yield [number]
        if len(numbers) == group:
            yield numbers
            numbers = []
    if numbers:
        yield numbers


def body_of(seed, numbers):
    """The request, and the statuses that are right."""
    rng = random.Random(f"{seed}/{numbers}")
    text = b"\n\n".join(hostile.hostile(seed, number) for number in numbers)
    members = {
        "text": text.decode(errors="surrogateescape"),
        "voice": rng.choice(VOICES),
        "speed": rng.choice((1.0, 2.0, 2.0)),
        "format": rng.choice(("wav", "wav", "wav", "opus", "flac")),
        "timings": rng.random() < 0.1,
    }
    try:
        text.decode()
    except UnicodeDecodeError:
        return json.dumps(members, ensure_ascii=False).encode(errors="surrogateescape"), (400,)
    return json.dumps(members, ensure_ascii=rng.random() < 0.5).encode(), (202, 422)


class Soak:
    """Hostile texts of a seed, so many to a job."""

    def __init__(self, product, seed, say=lambda text: None):
        self.product, self.seed, self.say = product, seed, say
        self.client = product.new_client("hostile")
        self.outstanding = collections.deque()
        self.jobs = {}  # job_id: numbers
        self.ends = collections.Counter()
        self.refused = collections.Counter()
        self.errors = collections.Counter()

    def post(self, numbers):
        body, statuses = body_of(self.seed, numbers)
        answer = self.client.post(body)
        check(answer.status in statuses, f"texts {numbers} of seed {self.seed}: {answer.status} {answer.body[:400]!r}")
        if answer.status == 202:
            self.jobs[answer.json["job_id"]] = numbers
            self.outstanding.append(answer.json["job_id"])
            return
        answer.expect_problem(answer.status, {400: "invalid_json", 422: "nothing_to_speak"}[answer.status])
        self.refused[answer.status] += 1

    def end_one(self):
        """Waits for the oldest job."""
        job = self.client.wait(self.outstanding.popleft())
        self.ends[job["status"]] += 1
        where = f"texts {self.jobs[job['job_id']]} of seed {self.seed}: {job}"
        check(job["status"] in ("completed", "failed"), where)
        if job["status"] == "failed":
            check(ERROR_CODES.fullmatch(job["error"]["code"]), where)
            self.errors[job["error"]["code"]] += 1
            if job["error"]["code"] != "nothing_to_speak":
                self.say(where)

    def check_none_is_lost(self):
        """Each job is in the list, once, and has ended."""
        listed, cursor = collections.Counter(), ""
        while cursor is not None:
            page = self.client.get("/v1/jobs?limit=100" + (f"&cursor={cursor}" if cursor else "")).expect(200).json
            listed.update(job["job_id"] for job in page["jobs"])
            for job in page["jobs"]:
                check(job["status"] in ("completed", "failed"), job)
            cursor = page.get("next_cursor")
        created = collections.Counter(list(self.jobs))
        check(listed == created, f"{len(created)} jobs were created, {len(listed)} are listed")

    def run(self, count, group, first=0):
        """Speaks so many texts from that number on, and returns what came of them in words."""
        worker = self.product.worker_pid
        posted = 0
        with SynthesizerCounter(self.product) as synthesizers:
            for numbers in groups_of_texts(self.seed, first, count, group):
                self.post(numbers)
                posted += len(numbers)
                while len(self.outstanding) > OUTSTANDING_MAX:
                    self.end_one()
                if posted // 1000 != (posted - len(numbers)) // 1000:
                    self.say(f"{posted} texts: {dict(self.ends)}")
            while self.outstanding:
                self.end_one()
        self.check_none_is_lost()
        self.product.read_env()
        check(self.product.worker_pid == worker and self.product.is_running(worker), "the worker was started again")
        return (f"seed {self.seed}: {posted} texts in {len(self.jobs) + sum(self.refused.values())} requests; jobs "
                f"{dict(self.ends)}, errors {dict(self.errors)}, refused {dict(self.refused)}; "
                f"synthesizers replaced {synthesizers.replaced()}")


def test_hundreds_of_hostile_texts_all_come_to_an_end():
    with started(*SETTINGS) as product:
        Soak(product, "end to end").run(300, 3)
