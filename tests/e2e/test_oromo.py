# SPDX-License-Identifier: Apache-2.0
"""Afaan Oromoo as a client sees it."""

from product import check, equal

TEXT = "Akkam jirtu? Bal'inni isaa kiiloomeetira 1,500 dha. Sa'aatii 11:20 irratti 20% dabale."
CODES = ("om", "OM", "orm", "gaz", "hae", "om-ET", "om-KE", "om-et")
ALIASES = (*CODES, "oromo", "Oromo", "Afaan Oromoo", "Afaan Oromo", "oromiffa")


def audio_of(client, text, language="om", voice="slt", **members):
    job = client.wait(client.create(text, language=language, voice=voice, **members)["job_id"], "completed")
    return job, client.download(job).body


def test_every_name_of_the_language_is_taken(client):
    for name in ALIASES:
        job = client.post({"text": "Nagaa", "language": name}).expect(202).json
        equal(job["language"], "oromo", name)
        equal(job["voice"], "slt", f"default voice of {name}")
        client.wait(job["job_id"], "completed")


def test_each_voice_speaks_it(client):
    listed = [voice for voice in client.get("/v1/voices").expect(200).json["voices"] if voice["language"] == "oromo"]
    equal([voice["id"] for voice in listed], ["slt", "rms", "awb"], "voices")
    equal([voice["default"] for voice in listed], [True, False, False], "default")
    equal({voice["language_code"] for voice in listed}, {"om"}, "language code")
    for voice in listed:
        job, audio = audio_of(client, TEXT, voice=voice["id"])
        check(job["audio"]["duration_seconds"] > 5, f"{voice['id']}: {job['audio']}")
        check(len(audio) > 5 * 2 * voice["sample_rate"], f"{voice['id']}: {len(audio)} bytes")


def test_a_voice_of_english_alone_is_refused_by_name(client):
    answer = client.post({"text": "Nagaa", "language": "oromo", "voice": "kal16"}).expect(422)
    check("slt, rms, awb" in answer.json["errors"][0]["detail"], answer.json)


def test_it_is_not_english(client):
    check(audio_of(client, "Laga guddaa")[1] != audio_of(client, "Laga guddaa", language="en")[1], "the same audio")


def test_an_apostrophe_of_any_kind_is_the_letter(client):
    plain = audio_of(client, "Bal'inni har'a")[1]
    for mark in "\u2019\u02bc`\u00b4\u2032\ua78c":
        check(audio_of(client, "Bal'inni har'a".replace("'", mark))[1] == plain, f"U+{ord(mark):04X} sounds otherwise")


def test_another_script_is_counted_and_the_rest_is_spoken(client):
    text = "Maqaan isaa \u12a0\u1260\u1260 jedhama."
    job, _ = audio_of(client, text)
    equal(len(job["warnings"]), 1, "warnings")
    warning = job["warnings"][0]
    equal((warning["count"], text[warning["start"] : warning["end"]]), (3, "\u12a0\u1260\u1260"), "what was left out")


def test_a_text_of_another_script_alone_fails_and_says_so(client):
    job = client.wait(client.create("\u12a0\u121b\u122d\u129b", language="om", voice="slt")["job_id"], "failed")
    equal(job["error"]["code"], "nothing_to_speak", "error")


def test_words_have_their_times(client):
    text = "Karaan 10 km dheerata; mana-barumsaa A.L.I fi 1994tti."
    job, _ = audio_of(client, text, timings=True)
    words = client.get(job["timings_url"].removeprefix(client.url), key="").expect(200).json["words"]
    equal([word["text"] for word in words], text.split(), "words")
    check(words[1]["end"] > words[1]["start"], "the number is heard")
    check(words[-1]["end"] > words[-1]["start"] + 1, f"a year is long: {words[-1]}")


def test_hostile_oromo_is_spoken_or_refused(client):
    texts = ("'", "a'", "'a", "BAKKA HUNDATTI MIRGI NAMAA HAA KABAJAMU", "7" * 40, "'" * 300, "x" * 400, "a" * 20000, "-" * 500,
             "1:2:3:4:5/6/7-8-9.10.11%$km", "OPDO-tti ABO'n USA%", "3n3n3n3n3n", "$" * 100, "``''``a``''``b", "1," * 3000, "999999999999 " * 8, "A.L.I " * 100, "XKCD" * 50)
    for text in texts:
        answer = client.post({"text": text, "language": "om"})
        if answer.status == 422:
            continue
        job = client.wait(answer.expect(202).json["job_id"], "completed", "failed")
        check(job["status"] == "completed" or job["error"]["code"] == "nothing_to_speak", f"{text[:40]!r}: {job['error']}")
