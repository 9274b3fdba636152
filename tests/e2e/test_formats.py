# SPDX-License-Identifier: Apache-2.0
"""The formats of audio, decoded by programs that have nothing to do with those that encoded them."""

import os
import re
import subprocess
import tempfile

from product import SENTENCE, check, equal, read_wav

# content type, the name's suffix, and what makes a WAV of the file IN at OUT
FORMATS = {
    "wav": ("audio/wav", "wav", ["cp", "IN", "OUT"]),
    "flac": ("audio/flac", "flac", ["flac", "--silent", "--decode", "--output-name=OUT", "IN"]),
    "mp3": ("audio/mpeg", "mp3", ["mpg123", "--quiet", "--wav", "OUT", "IN"]),
    "opus": ("audio/ogg; codecs=opus", "opus", ["opusdec", "--quiet", "--rate", "RATE", "IN", "OUT"]),
    "vorbis": ("audio/ogg; codecs=vorbis", "ogg", ["oggdec", "--quiet", "--output=OUT", "IN"]),
}


def decode(data, name, rate):
    """The bytes of the WAV that the decoder of a format makes of data."""
    with tempfile.TemporaryDirectory() as folder:
        source, output = os.path.join(folder, "in." + FORMATS[name][1]), os.path.join(folder, "out.wav")
        with open(source, "wb") as file:
            file.write(data)
        command = [
            word.replace("IN", source).replace("OUT", output).replace("RATE", str(rate)) for word in FORMATS[name][2]
        ]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)
        with open(output, "rb") as file:
            return file.read()


def testcase_format(client, name, voice):
    content_type, suffix, _ = FORMATS[name]
    job = client.wait(client.create(format=name, voice=voice, text=(SENTENCE + "\n\n") * 5)["job_id"])
    equal((name, job["status"], job["format"]), (name, "completed", name), "job")
    equal(job["audio"]["content_type"], content_type, "content_type")
    answer = client.download(job)
    equal(answer.headers["Content-Type"], content_type, "Content-Type")
    equal(
        answer.headers["Content-Disposition"], f'attachment; filename="{job["job_id"]}.{suffix}"', "Content-Disposition"
    )
    sound = decode(answer.body, name, job["audio"]["sample_rate"])
    rate, seconds = read_wav(sound)
    equal(rate, job["audio"]["sample_rate"], "sample rate")
    check(
        abs(seconds - job["audio"]["duration_seconds"]) < 0.001,
        f"{name} of {voice}: {seconds} s, and the job says {job['audio']['duration_seconds']}",
    )
    return sound, answer.body


def test_every_format_is_made_downloaded_and_decoded(client):
    for voice in ("kal16", "kal"):
        seconds, size = {}, {}
        for name in FORMATS:
            sound, body = testcase_format(client, name, voice)
            seconds[name], size[name] = read_wav(sound)[1], len(body)
        equal(max(seconds.values()), min(seconds.values()), f"duration of all formats: {seconds}")
        check(size["flac"] < size["wav"], f"flac saves nothing: {size}")
        for name in ("mp3", "opus", "vorbis"):
            check(size[name] < size["wav"] / 3, f"{name} saves little: {size}")


def test_a_lossless_format_has_the_samples_of_the_wav(client):
    wav, flac = (testcase_format(client, name, "slt")[0] for name in ("wav", "flac"))
    equal(flac[flac.index(b"data") + 8 :], wav[wav.index(b"data") + 8 :], "samples")


def test_the_same_request_gives_the_same_bytes_in_every_format(client):
    for name in FORMATS:
        first, second = (client.wait(client.create(format=name)["job_id"]) for _ in range(2))
        equal(first["audio"]["sha256"], second["audio"]["sha256"], f"sha256 of {name}")


def test_the_files_name_themselves(client):
    for name in FORMATS:
        body = client.download(client.wait(client.create(format=name)["job_id"])).body
        check(re.search(rb"Synthetic speech made by Sayhook", body), f"no comment in the {name}")
        check(b"job_" not in body, f"the {name} tells the job's id")
