# SPDX-License-Identifier: Apache-2.0
"""Word timings and subtitles of a job that asked for them."""

import re

from product import check, equal

TEXT = """The first paragraph has a sentence. It has another one, a little longer than the first, so that a cue must be
broken somewhere; and a third one.

"Is this <the> second & last?" she asked."""


def read_cues(text, separator):
    """(start, end, lines) of each cue of an SRT or a WebVTT, read strictly."""
    cues = []
    for block in text.strip().split("\n\n"):
        lines = block.split("\n")
        if lines[0] == "WEBVTT":
            continue
        if lines[0].isdigit():
            equal(int(lines[0]), len(cues) + 1, "number of the cue")
            lines = lines[1:]
        match = re.fullmatch(rf"(\d\d+):(\d\d):(\d\d){separator}(\d{{3}}) --> (\d\d+):(\d\d):(\d\d){separator}(\d{{3}})", lines[0])
        check(match, f"no times: {lines[0]!r}")
        times = [int(part) for part in match.groups()]
        start, end = ((t[0] * 3600 + t[1] * 60 + t[2]) * 1000 + t[3] for t in (times[:4], times[4:]))
        cues.append((start / 1000, end / 1000, lines[1:]))
    return cues


def check_cues(cues, seconds):
    check(cues, "no cues")
    last = 0
    for start, end, lines in cues:
        check(last <= start < end <= seconds + 0.001, f"a cue from {start} to {end} after {last}")
        check(1 <= len(lines) <= 2 and all(0 < len(line) <= 42 for line in lines), f"lines {lines}")
        last = end


def test_words_and_subtitles_are_beside_the_audio(client):
    for form in ("wav", "opus"):
        job = client.create(TEXT, voice="kal16", format=form, timings=True)
        equal(job["timings_url"], None, "timings_url before the job is completed")
        job = client.wait(job["job_id"], "completed")
        path = job["timings_url"].removeprefix(client.url)
        equal(path, f"/v1/download/{job['job_id']}.json", "timings_url")
        document = client.get(path, key="").expect(200)
        equal(document.headers["Content-Type"], "application/json", "Content-Type")
        equal(document.json["job_id"], job["job_id"], "job_id")
        words = document.json["words"]
        equal([word["text"] for word in words], TEXT.split(), "words")
        last = 0
        for word in words:
            equal(TEXT[word["source_start"] : word["source_end"]], word["text"], "place in the text")
            check(last <= word["start"] <= word["end"] <= job["audio"]["duration_seconds"] + 0.001, f"{word} after {last}")
            last = word["end"]
        spoken = " ".join(TEXT.split())
        srt = client.get(path.replace(".json", ".srt"), key="").expect(200)
        cues = read_cues(srt.body.decode(), ",")
        check_cues(cues, job["audio"]["duration_seconds"])
        equal(" ".join(" ".join(lines) for _, _, lines in cues), spoken, "the text of the SRT")
        vtt = client.get(path.replace(".json", ".vtt"), key="").expect(200)
        check(vtt.headers["Content-Type"].startswith("text/vtt"), vtt.headers["Content-Type"])
        same = [(start, end) for start, end, _ in read_cues(vtt.body.decode(), r"\.")]
        equal(same, [(start, end) for start, end, _ in cues], "times of SRT and WebVTT")
        check("&lt;the&gt;" in vtt.body.decode() and "&amp;" in vtt.body.decode(), "WebVTT is not escaped")


def test_without_timings_there_are_none(client):
    job = client.wait(client.create(TEXT, voice="kal16")["job_id"], "completed")
    equal(job["timings_url"], None, "timings_url")
    for suffix in ("json", "srt", "vtt", "wav", "mp3", "part"):
        client.get(f"/v1/download/{job['job_id']}.{suffix}", key="").expect_problem(404, "not_found")
