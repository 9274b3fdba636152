# SPDX-License-Identifier: Apache-2.0
"""The main job: from a text to a verified webhook and the audio."""

import os
import re
import signal
import subprocess
import time

from product import BUILD, PATIENCE, SENTENCE, check, equal, hear_signals, read_wav, verify, wait_for, wav_tag

JOB_MEMBERS = set(
    "job_id status language voice format speed pitch characters progress queue_position created_at started_at "
    "completed_at expires_at metadata cancel_requested audio_url audio error warnings webhook".split()
)
WEBHOOK_MEMBERS = set(
    "type timestamp job_id status audio_url created_at completed_at language voice format characters "
    "duration_seconds bytes error metadata".split()
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_a_text_becomes_audio_and_a_signed_webhook(client, receiver):
    metadata = {"article": "42", "title": "Größe — 大きさ"}
    answer = client.post(
        {"text": SENTENCE, "voice": "kal16", "webhook_url": receiver.url + "/done", "metadata": metadata}
    ).expect(202)
    created = answer.json
    check(re.fullmatch(r"job_[0-9a-z]{26,}", created["job_id"]), f"job_id is {created['job_id']}")
    equal(answer.headers["Location"], f"/v1/jobs/{created['job_id']}", "Location")
    equal(created["message"], "Job queued", "message")
    equal(created["status"], "pending", "status")
    equal(created["characters"], len(SENTENCE), "characters")
    equal(created["audio_url"], None, "audio_url of a pending job")

    webhook = receiver.wait(created["job_id"])[0]
    verify(webhook, client.secret)
    told = webhook.json
    equal(WEBHOOK_MEMBERS - set(told), set(), "members that the webhook lacks")
    equal(told["type"], "job.completed", "type")
    equal(told["metadata"], metadata, "metadata")
    check(SENTENCE not in webhook.body.decode(), "the webhook holds the text")

    job = client.wait(created["job_id"])
    equal(JOB_MEMBERS - set(job), set(), "members that the job lacks")
    equal(job["status"], "completed", "status")
    equal(job["metadata"], metadata, "metadata")
    equal(job["progress"], 1, "progress")
    equal(job["error"], None, "error")
    for member in ("created_at", "started_at", "completed_at"):
        check(TIME.fullmatch(str(job[member])), f"{member} is {job[member]}")
    equal(told["audio_url"], job["audio_url"], "audio_url of the webhook")
    equal(told["bytes"], job["audio"]["bytes"], "bytes of the webhook")

    answer = client.download(job)
    rate, seconds = read_wav(answer.body)
    equal(rate, job["audio"]["sample_rate"], "sample_rate")
    check(abs(seconds - job["audio"]["duration_seconds"]) < 0.01, "duration_seconds is not the audio's")
    check(1 < seconds < 10, f"the sentence takes {seconds} s")
    check("attachment" in answer.headers["Content-Disposition"], "no file name")
    equal(answer.headers["X-Content-Type-Options"], "nosniff", "X-Content-Type-Options")


def test_the_job_tells_of_the_delivered_webhook(client, receiver):
    job = client.create(webhook_url=receiver.url)
    receiver.wait(job["job_id"])
    deadline = time.monotonic() + 60
    while client.job(job["job_id"])["webhook"]["status"] != "delivered" and time.monotonic() < deadline:
        time.sleep(0.02)
    told = client.job(job["job_id"])["webhook"]
    equal(told["url"], receiver.url, "url")
    equal(told["status"], "delivered", "status")
    equal(told["attempts"], 1, "attempts")
    equal(told["last_status_code"], 204, "last_status_code")
    equal(told["next_attempt_at"], None, "next_attempt_at")


def test_a_job_needs_no_webhook(client):
    job = client.wait(client.create()["job_id"])
    equal(job["status"], "completed", "status")
    equal(job["webhook"]["status"], "none", "webhook status")


def test_the_same_request_gives_the_same_bytes(client):
    first, second = (client.wait(client.create(voice="slt")["job_id"]) for _ in range(2))
    equal(first["audio"]["sha256"], second["audio"]["sha256"], "sha256")


def test_a_text_of_many_paragraphs_is_spoken_whole(client):
    paragraph = "The quick brown fox jumps over the lazy dog. It does so every day, and nobody knows why.\n\n"
    short = client.wait(client.create(text=paragraph * 2)["job_id"])
    long = client.wait(client.create(text=paragraph * 200)["job_id"])
    equal(long["status"], "completed", "status")
    ratio = long["audio"]["duration_seconds"] / short["audio"]["duration_seconds"]
    check(95 < ratio < 105, f"a hundred times the text takes {ratio:.1f} times as long to speak")
    read_wav(client.download(long).body)


def test_speed_changes_how_long_it_takes(client):
    slow, fast = (client.wait(client.create(speed=speed)["job_id"]) for speed in (0.5, 2.0))
    ratio = slow["audio"]["duration_seconds"] / fast["audio"]["duration_seconds"]
    check(3 < ratio < 5, f"a quarter of the speed takes {ratio:.2f} times as long")


def test_each_voice_speaks(client):
    for voice in ("slt", "rms", "awb", "kal16", "kal"):
        job = client.wait(client.create(voice=voice)["job_id"])
        equal((voice, job["status"]), (voice, "completed"), "job")
        equal(read_wav(client.download(job).body)[0], 8000 if voice == "kal" else 16000, "sample rate")


def test_a_wav_is_plain_pcm_that_every_reader_takes(client):
    job = client.wait(client.create()["job_id"])
    equal(wav_tag(client.download(job).body), 1, "the format that the WAV names")


def test_a_download_takes_ranges(client):
    job = client.wait(client.create()["job_id"])
    path = f"/v1/download/{job['job_id']}"
    whole = client.download(job)
    part = client.get(path, key="", headers={"Range": "bytes=44-143"}).expect(206)
    equal(part.body, whole.body[44:144], "the range")
    client.get(path, key="", headers={"Range": "bytes=999999999-"}).expect(416)
    client.get(path, key="", headers={"If-None-Match": whole.headers["ETag"]}).expect(304)


def test_a_download_that_is_not_there_says_why(client):
    job = client.create(text="A long story goes on. " * 4000, voice="slt")
    path = f"/v1/download/{job['job_id']}"
    answer = client.get(path, key="").expect_problem(409, "audio_not_ready")
    check("Retry-After" in answer.headers, "no Retry-After")
    client.cancel(job["job_id"])
    client.wait(job["job_id"], "cancelled")
    client.get(path, key="").expect_problem(410, "job_cancelled")
    client.get("/v1/download/job_" + "0" * 36, key="").expect_problem(404)


def test_a_job_has_an_etag(client):
    job = client.wait(client.create()["job_id"])
    path = f"/v1/jobs/{job['job_id']}"
    etag = client.get(path).expect(200).headers["ETag"]
    check(etag.startswith('"'), f"the ETag is not strong: {etag}")
    equal(client.get(path, headers={"If-None-Match": etag}).expect(304).body, b"", "body")


def test_a_user_who_interrupts_speak_is_told_of_the_job(product):
    client = product.new_client()
    command = [BUILD / "sayhookctl", "speak", "-", "--url", client.url, "--voice", "slt", "--output", "/dev/null"]
    speak = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "SAYHOOK_API_KEY": client.key},
        preexec_fn=hear_signals,
    )
    speak.stdin.write(b"A story that goes on for a while. " * 2000)
    speak.stdin.close()
    (job,) = wait_for("the job", lambda: client.get("/v1/jobs?status=processing").json["jobs"])
    time.sleep(0.5)  # its answer has come
    speak.send_signal(signal.SIGINT)
    said = speak.stderr.read().decode()
    equal(speak.wait(PATIENCE), -signal.SIGINT, "how it ended")
    check(job["job_id"] in said and "DELETE" in said, f"it said: {said}")
    client.cancel(job["job_id"]).expect(202)
