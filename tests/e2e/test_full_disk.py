# SPDX-License-Identifier: Apache-2.0
"""A disk that is filled to the last byte and freed again: what was promised is kept, and all goes on by itself."""

import errno
import os
import time

from product import check, equal, started, wait_for

# SAYHOOK_DISK_CYCLES=50 is the whole of it; each takes seconds.
CYCLES = int(os.environ.get("SAYHOOK_DISK_CYCLES", "6"))
DISK = "96m"
# In proportion to the disk and the jobs; no job here is large enough to have filled it by itself.
SETTINGS = ("disk_reserve=8M",)
LONG = "The quick brown fox jumps over the lazy dog near the river bank. " * 10


def fill(path):
    """Writes until not one byte more has room."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as fault:
                equal(fault.errno, errno.ENOSPC, "the error of a full disk")


def one_cycle(product, client, done, owed):
    """Fills the disk while jobs are under way; returns the seconds from its being freed to the next job's 202."""
    ballast = product.state / "ballast"
    for _ in range(3):
        answer = client.post({"text": LONG, "voice": "kal16", "format": "opus"})
        if answer.status == 202:
            owed.append(answer.json["job_id"])
    fill(ballast)
    try:
        def refused():
            answer = client.post({"text": "Too late.", "voice": "kal16"})
            if answer.status == 202:
                owed.append(answer.json["job_id"])
            return answer if answer.status == 507 else None

        wait_for("a refusal", refused, pause=0.25).expect_problem(507, "storage_full")
        equal(client.job(done["job_id"])["status"], "completed", "status while the disk is full")
        client.get("/v1/jobs?limit=5").expect(200)
        client.download(done)
        # It asks the disk and the database once a second.
        wait_for("it not to be ready", lambda: client.get("/readyz", key="").status == 503)
    finally:
        ballast.unlink()
    freed = time.monotonic()

    def taken():
        answer = client.post({"text": "Room again.", "voice": "kal16"})
        if answer.status != 202:
            answer.expect(507)
            return False
        owed.append(answer.json["job_id"])
        return True

    wait_for("jobs to be taken again", taken, pause=0.1)
    return time.monotonic() - freed


def test_a_disk_that_is_full_to_the_last_byte_and_freed_again_loses_nothing():
    with started(*SETTINGS, disk=DISK) as product:
        client = product.client
        done = client.wait(client.create()["job_id"], "completed")
        owed, times = [], []
        for _ in range(CYCLES):
            times.append(one_cycle(product, client, done, owed))
            client.wait(owed[-1], "completed")
        for job_id in owed:
            job = client.wait(job_id)
            equal(job["status"], "completed", f"the end of {job_id} ({job.get('error')})")
            client.download(job)
        check("reserve" in product.log("worker"), "the worker's log says nothing of the disk")
        for words in ("below its reserve: jobs are refused with 507", "room again: jobs are taken"):
            check(words in product.log("api"), f"the API's log does not say {words!r}")
        for pid in (product.api_pid, product.worker_pid):
            check(product.is_running(pid), "a daemon has ended")
        print(f"# {CYCLES} times full, {len(owed)} jobs kept; taken again {max(times):.2f} s after it was freed at most")
