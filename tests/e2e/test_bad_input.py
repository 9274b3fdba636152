# SPDX-License-Identifier: Apache-2.0
"""Bad input: each a clear error or ordinary speech, nothing lost, nothing crashed but at most a synthesizer."""

from product import SENTENCE, check, equal, read_wav


def pointers(answer):
    return {fault["pointer"] for fault in answer.json.get("errors", [])}


def spoken(client, text, voice="kal16"):
    """Posts a text that is odd but speakable; the job must end completed."""
    job = client.wait(client.create(text=text, voice=voice)["job_id"])
    equal(job["status"], "completed", f"status ({job['error']})")
    read_wav(client.download(job).body)
    return job


def test_broken_json_is_refused_with_its_place(client):
    for body in (
        b"",
        b"{",
        b"{'text': 'a'}",
        b'{"text": "a"} x',
        b'{"text": "a", "text": "b"}',
        b'{"text": "a", "speed": NaN}',
        b'{"text": "a\nb"}',
        b'{"text": "\\ud800"}',
        b'{"text": "\xc0\xaf"}',
        b'{"text": "\xff"}',
        b'{"text": "caf\xc3"}',
        b'{"text": ' + b"[" * 17 + b"]" * 17 + b"}",
    ):
        answer = client.post(body)
        check(answer.status == 400, f"{body[:60]!r} gives {answer.status}")
        answer.expect_problem(400, "invalid_json")
        check(any(c.isdigit() for c in answer.json["detail"]), f"no byte offset in {answer.json['detail']!r}")


def test_what_is_no_object_and_a_nul_in_a_string_are_unprocessable(client):
    for body in (b"[]", b'"text"', b"1", b"null", b'{"text": "a\\u0000b"}'):
        answer = client.post(body)
        check(answer.status == 422, f"{body!r} gives {answer.status}")
        answer.expect_problem(422)


def test_every_wrong_member_is_named_at_once(client):
    answer = client.post({"text": 7, "voice": "darth", "speed": 9, "format": "aiff", "metadata": {"a": 1}, "txet": "b"})
    answer.expect_problem(422)
    found = pointers(answer)
    for member in ("text", "voice", "speed", "format", "txet"):
        check(f"/{member}" in found, f"/{member} is not in {found}")
    check("text" in str([f for f in answer.json["errors"] if f["pointer"] == "/txet"]), "the nearest name is missing")


def test_an_empty_text_is_refused(client):
    for body in ({}, {"text": ""}, {"text": None}):
        answer = client.post(body).expect_problem(422)
        check("/text" in pointers(answer), f"{body} gives {answer.json}")


def test_a_text_with_nothing_to_speak_is_refused(client):
    for text in (" \n\t ", "...", "?!,;:", "\u200b", "🂡🂢", "● ◆"):
        answer = client.post({"text": text, "voice": "kal16"})
        check(answer.status == 422, f"{text!r} gives {answer.status}")
        answer.expect_problem(422, "nothing_to_speak")


def test_emoji_are_spoken_by_name(client):
    for text in ("🙂🎉", "👍🏽", "❤️", "🇪🇹", "1️⃣"):
        spoken(client, text)


def test_four_hundred_dots_after_a_letter_are_spoken(client):
    spoken(client, "a" + "." * 400)
    spoken(client, "Well" + ")!?" * 500 + " then.", voice="slt")


def test_a_token_of_twenty_thousand_letters_is_spoken(client):
    job = spoken(client, "a" * 20000)
    equal(job["characters"], 20000, "characters")


def test_three_thousand_digits_are_spoken(client):
    spoken(client, "7" * 3000)


def test_two_thousand_capitals_are_spoken(client):
    spoken(client, "ABCDEFGHIJ" * 200)


def test_markup_is_text(client):
    spoken(client, "<speak><audio src='/etc/passwd'/><prosody rate='0'>Hello</prosody></speak> %s %n ; rm -rf / $(id)")


def test_letters_that_no_voice_has_are_counted_and_located(client):
    job = spoken(client, "Greetings 漢字 from a mixed text, 🂡.")
    (warning,) = job["warnings"]
    equal((warning["count"], warning["start"], warning["end"]), (3, 10, 33), "what was left out, and where")
    equal(spoken(client, SENTENCE)["warnings"], None, "warnings of a text that was spoken whole")
    text = "漢字かな交じり文"
    job = client.wait(client.create(text=text)["job_id"])
    equal((job["status"], job["error"]["code"]), ("failed", "nothing_to_speak"), "status and error")
    (warning,) = job["warnings"]
    equal((warning["count"], warning["start"], warning["end"]), (len(text), 0, len(text)), "what was left out")


def test_an_unknown_language_or_voice_is_refused(client):
    for member, value in (("language", "klingon"), ("voice", "hal"), ("voice", "../../etc/passwd"), ("voice", "")):
        answer = client.post({"text": SENTENCE, member: value}).expect_problem(422)
        equal(pointers(answer), {f"/{member}"}, "pointers")


def test_a_body_that_is_no_json_by_its_header_is_refused(client):
    client.post(b"text=hello", headers={"Content-Type": "application/x-www-form-urlencoded"}).expect_problem(415)
    client.post(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}).expect_problem(415)


def test_a_body_past_the_limit_is_refused(client):
    client.post(b" " * (17 << 20)).expect_problem(413)


def test_a_text_past_the_limit_is_refused(client):
    answer = client.post({"text": "a " * 500_001}).expect_problem(422)
    equal(pointers(answer), {"/text"}, "pointers")


def test_paths_and_methods_that_are_not_there(client):
    client.get("/v1/nothing").expect_problem(404)
    client.get("/v1/jobs/job_1").expect_problem(404)
    client.get("/v1/jobs/..%2f..%2fetc%2fpasswd").expect_problem(404)
    for method, path in (("PUT", "/v1/jobs"), ("GET", "/v1/tts/async"), ("POST", "/v1/jobs/job_" + "0" * 36)):
        answer = client.call(method, path).expect_problem(405)
        check(answer.headers["Allow"], f"{method} {path}: no Allow")


def test_what_nginx_refuses_is_json_too(client):
    client.get("/v1/" + "a" * 20000).expect_problem(414)
    client.get("/v1/jobs", headers={"X-Long": "a" * 40000}).expect_problem(431)
    client.call("BREW", "/v1/jobs").expect_problem(405)


def test_webhook_urls_that_nobody_should_call_are_refused(client):
    for url in (
        "ftp://example.org/",
        "file:///etc/passwd",
        "example.org/hook",
        "http://",
        "https://user:pass@example.org/",
        "http://127.0.0.1:99999/",
        "https://exa mple.org/",
        "",
        7,
    ):
        answer = client.post({"text": SENTENCE, "webhook_url": url})
        check(answer.status == 422, f"{url!r} gives {answer.status}")
        answer.expect_problem(422)
        equal(pointers(answer), {"/webhook_url"}, "pointers")


def test_the_service_is_as_well_as_before(client):
    """Stands last in this file: whatever the texts above did, a plain one is spoken."""
    spoken(client, SENTENCE, voice="slt")
