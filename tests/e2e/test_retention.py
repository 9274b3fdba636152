# SPDX-License-Identifier: Apache-2.0
"""What is removed with time, and what a crash left."""

import os
import pathlib
import time

from product import check, equal, started, wait_for

WEEK = 7 * 24 * 3600


def audio_file(product, job_id):
    return pathlib.Path(product.state / "downloads" / job_id[4:6] / f"{job_id}.wav")


def test_audio_expires_and_the_job_says_so():
    with started("retention_audio=1s") as product:
        client = product.client
        job = client.wait(client.create()["job_id"], "completed")
        check(job["expires_at"] is not None, "no expires_at")
        path = job["audio_url"].removeprefix(client.url)
        file = audio_file(product, job["job_id"])
        wait_for("the audio to be gone", lambda: client.get(path, key="").status == 410)
        client.get(path, key="").expect_problem(410, "audio_expired")
        wait_for("the file to be gone", lambda: not file.exists())
        job = client.job(job["job_id"])
        equal(job["status"], "completed", "status")
        equal(job["audio_url"], None, "audio_url")
        usage = {limit["name"]: limit for limit in client.get("/v1/usage").json["limits"]}
        equal(usage["stored_bytes"]["remaining"], usage["stored_bytes"]["limit"], "bytes that may be stored")


def test_a_job_is_removed_with_all_that_belongs_to_it():
    with started("retention_audio=0s", "retention_jobs=1s") as product:
        client = product.client
        job_id = client.create()["job_id"]
        wait_for("the job to be gone", lambda: client.get(f"/v1/jobs/{job_id}").status == 404)
        equal(client.get("/v1/jobs").json["jobs"], [], "jobs")
        client.get(f"/v1/download/{job_id}", key="").expect_problem(404, "not_found")
        wait_for("the file to be gone", lambda: not audio_file(product, job_id).exists())


def test_what_a_crash_left_is_found_and_removed():
    with started() as product:
        client = product.client
        kept = client.wait(client.create()["job_id"], "completed")
        # Folders are swept in order: these are among the first.
        folder = product.state / "downloads" / "00"
        folder.mkdir(exist_ok=True)
        unknown = folder / f"job_00{'0' * 34}.wav"
        foreign = folder / "README.txt"
        young = folder / f"job_00{'1' * 34}.wav"
        spooled = product.state / "spool" / f"job_00{'0' * 34}.1.pcm"
        for file in (unknown, foreign, young, spooled):
            file.write_bytes(b"x")
        for file in (unknown, foreign, spooled, audio_file(product, kept["job_id"])):
            os.utime(file, (time.time() - WEEK, time.time() - WEEK))
        product.stop()
        product.start()  # the sweep begins anew
        wait_for("the orphan to be gone", lambda: not unknown.exists())
        wait_for("the orphan of the spool to be gone", lambda: not spooled.exists())
        check(foreign.exists(), "a file that is not ours is gone")
        check(young.exists(), "a file is gone that may be of a commit under way")
        client.download(client.job(kept["job_id"]))
