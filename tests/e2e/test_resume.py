# SPDX-License-Identifier: Apache-2.0
"""A long job goes on where a dead worker left it."""

import contextlib
import fcntl
import os
import random
import signal
import sqlite3

from product import check, equal, read_wav, started, wait_for

WORDS = "the old man and his sea were quiet that evening while boats came home with little fish".split()


def long_text(characters, seed=1):
    rng = random.Random(seed)
    sentences, size = [], 0
    while size < characters:
        sentences.append(" ".join(rng.choice(WORDS) for _ in range(12)).capitalize() + ".")
        size += len(sentences[-1]) + 1
    return " ".join(sentences)


def spoken_characters(product):
    with contextlib.closing(sqlite3.connect(f"file:{product.state}/database/sayhook.db?mode=ro", uri=True)) as database:
        row = database.execute("SELECT value FROM metrics WHERE name = 'engine_characters_total'").fetchone()
        return row[0] if row else 0


def reboot(product):
    """What is kept is of another boot of the machine then."""
    (marks,) = (product.state / "spool").glob("*.marks")
    with open(marks, "r+b") as file:
        header = file.read(80)
        file.seek(0)
        file.write(header.replace(b"-", b"+"))


def interrupt(product, client, job_id, share, how):
    """Ends the worker once so much of the job is spoken, and starts another; after a stop, on another boot."""

    def far_enough():
        job = client.job(job_id)
        check(job["status"] in ("pending", "processing"), f"the job is {job['status']} already")
        return job["progress"] >= share

    wait_for(f"{share} of the job", far_enough)
    os.kill(product.worker_pid, how)
    wait_for("the worker's end", lambda: not product.is_running(product.worker_pid))
    if how == signal.SIGTERM:
        reboot(product)
    product.start()


def check_left_is_nothing(product):
    wait_for("an empty spool", lambda: not list((product.state / "spool").iterdir()))
    equal(list((product.state / "downloads").glob("*/*.part")), [], "files under construction")


def speak_interrupted(form, how, share=0.9, characters=20000):
    # So long that a worker that speaks fast is not at the end before it is interrupted.
    text = long_text(characters)
    with started() as product:
        client = product.client
        whole = client.wait(client.create(text, voice="slt", format=form, timings=True)["job_id"], "completed")
        before = spoken_characters(product)
        check(len(text) * 0.99 <= before <= len(text) * 1.01, f"{before} characters of {len(text)}")
        job_id = client.create(text, voice="slt", format=form, timings=True)["job_id"]
        interrupt(product, client, job_id, share, how)
        job = client.wait(job_id, "completed")
        equal(job["audio"], whole["audio"], "the audio of an interrupted job")
        audio = client.download(job)
        words, wanted = (client.get(f"/v1/download/{one['job_id']}.json", key="").expect(200).json["words"]
                         for one in (job, whole))
        equal(words, wanted, "the words of an interrupted job")
        if form == "wav":
            read_wav(audio.body)
        again = (spoken_characters(product) - before) / len(text) - 1
        check(again <= 0.1, f"{again:.1%} of the text was spoken again")
        check_left_is_nothing(product)


def test_after_a_kill_a_long_job_goes_on():
    speak_interrupted("wav", signal.SIGKILL)


def test_after_a_stop_and_a_restart_of_the_machine_a_long_job_goes_on():
    speak_interrupted("wav", signal.SIGTERM, share=0.6, characters=9000)


def test_a_compressed_format_is_encoded_again_from_its_spool():
    speak_interrupted("opus", signal.SIGKILL)


def speak_killed_at_the_end(form):
    """Kills the worker when the audio has its name, and the job is not completed yet."""
    text = long_text(9000)
    with started() as product:
        client = product.client
        whole = client.wait(client.create(text, voice="slt", format=form, timings=True)["job_id"], "completed")
        before = spoken_characters(product)
        job_id = client.create(text, voice="slt", format=form, timings=True)["job_id"]
        wait_for("half of the job", lambda: client.job(job_id)["progress"] >= 0.5)
        with open(product.setting("database") + "-turnstile", "r+b") as turnstile:
            fcntl.flock(turnstile, fcntl.LOCK_EX)  # nobody writes to the database
            wait_for("the audio", lambda: list(product.state.glob(f"downloads/*/{job_id}.{form}")))
            os.kill(product.worker_pid, signal.SIGKILL)
            wait_for("the worker's end", lambda: not product.is_running(product.worker_pid))
        product.start()
        job = client.wait(job_id, "completed")
        equal(job["audio"], whole["audio"], "the audio of an interrupted job")
        client.download(job)
        again = (spoken_characters(product) - before) / len(text) - 1
        check(again <= 0.1, f"{again:.1%} of the text was spoken again")
        check_left_is_nothing(product)


def test_a_worker_that_is_killed_when_all_is_spoken_costs_no_speech():
    speak_killed_at_the_end("wav")
    speak_killed_at_the_end("opus")


def test_a_cancelled_job_leaves_nothing_behind():
    with started() as product:
        client = product.client
        job_id = client.create(long_text(50000), voice="slt", format="opus")["job_id"]
        wait_for("a part of the job", lambda: client.job(job_id)["progress"] > 0.05)
        check(list((product.state / "spool").iterdir()), "nothing is kept of a long job")
        client.cancel(job_id).expect(202)
        client.wait(job_id, "cancelled")
        wait_for("an empty spool", lambda: not list((product.state / "spool").iterdir()))
        equal([file for file in (product.state / "downloads").glob("*/*")], [], "files of the job")


def test_marks_that_cannot_be_trusted_cost_a_new_beginning_and_no_more():
    text = long_text(9000)
    with started() as product:
        client = product.client
        job_id = client.create(text, voice="slt", format="opus", timings=True)["job_id"]
        wait_for("a part of the job", lambda: client.job(job_id)["progress"] > 0.2)
        os.kill(product.worker_pid, signal.SIGKILL)
        wait_for("the worker's end", lambda: not product.is_running(product.worker_pid))
        (marks,) = (product.state / "spool").glob("*.marks")
        with open(marks, "r+b") as file:  # as after a restart of the machine
            file.write(file.read().replace(b"-", b"+"))
            file.seek(0)
            file.write(b"another layout")
        product.start()
        job = client.wait(job_id, "completed")
        client.download(job)
        equal(list((product.state / "spool").iterdir()), [], "what is left of the spool")
        check(product.log("worker").count("spoken from its beginning") == 1, "it was begun more than once")
