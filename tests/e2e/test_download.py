# SPDX-License-Identifier: Apache-2.0
"""Where nginx, which has the files, and the API, which knows why there is none, must agree about a download."""

import os

from product import check, equal, started

TYPES = {"": "audio/wav", ".json": "application/json", ".srt": "application/x-subrip", ".vtt": "text/vtt"}


def file_of(product, job_id, suffix):
    return os.path.join(product.setting("downloads_dir"), job_id[4:6], job_id + (suffix or ".wav"))


def test_a_file_that_comes_between_the_looks_of_nginx_and_the_api_is_served():
    with started() as product:
        client = product.client
        job_id = client.wait(client.create(timings=True)["job_id"])["job_id"]
        served = {suffix: client.get(f"/v1/download/{job_id}{suffix}", key="").expect(200) for suffix in TYPES}
        # nginx sees no file before the API has sent it to look again.
        product.change_nginx("    disable_symlinks on", '    if ($sayhook_again = "") { return 404; }\n    disable_symlinks on')
        for suffix, media_type in TYPES.items():
            path = f"/v1/download/{job_id}{suffix}"
            for query in ("", "?x=1", "?again=1"):
                again = client.get(path + query, key="").expect(200)
                equal(again.body, served[suffix].body, f"the bytes of {suffix}")
                equal(again.headers.get_all("Cache-Control"), ["private, immutable"], "Cache-Control")
                equal(again.headers.get_content_type(), media_type, "Content-Type")
                for name in ("ETag", "Content-Disposition", "X-Content-Type-Options"):
                    equal(again.headers.get_all(name), served[suffix].headers.get_all(name), name)
            part = client.get(path, key="", headers={"Range": "bytes=1-2"}).expect(206)
            equal(part.body, served[suffix].body[1:3], f"a part of {suffix}")
            equal(client.call("HEAD", path, key="").expect(200).body, b"", "the body of a HEAD")


def test_a_file_that_nginx_cannot_read_is_no_riddle_whatever_the_query():
    with started() as product:
        client = product.client
        job_id = client.wait(client.create()["job_id"])["job_id"]
        path = file_of(product, job_id, "")
        os.rename(path, path + ".moved")
        os.symlink(path + ".moved", path)  # which nginx does not follow
        for count, query in enumerate(("", "?again=1", "?AGAIN=1", "?again="), 1):
            answer = client.get(f"/v1/download/{job_id}{query}", key="").expect_problem(500, "internal_error")
            check("the file is there" in answer.json["detail"], f"{query}: {answer.json['detail']}")
            equal(answer.headers.get_all("Cache-Control"), ["no-store"], "Cache-Control")
            equal(product.log("api").count("nginx cannot read"), count, "what the log says of it")


def test_the_place_where_nginx_looks_again_is_nowhere(client):
    job_id = client.wait(client.create()["job_id"])["job_id"]
    for path in ("/_again", "/_again/", f"/_again/v1/download/{job_id}"):
        client.get(path, key="").expect_problem(404, "not_found")


def test_an_address_has_one_spelling_whether_its_file_is_there_or_not(product, client):
    job_id = client.wait(client.create(timings=True)["job_id"])["job_id"]
    other = [f"/v1/download/%6aob_{job_id[4:]}", f"/v1/download/{job_id[:-1]}%{ord(job_id[-1]):x}", f"/v1/%64ownload/{job_id}"]
    other += [f"//v1/download/{job_id}", f"/v1//download/{job_id}", f"/v1/./download/{job_id}", f"/v1/x/../download/{job_id}"]
    other += [f"/v1/download/{job_id}%2ejson", f"/v1/download/{job_id}.%6ason", f"/v1/download/{job_id}%3Fx=1"]

    def check_spellings():
        for path in other:
            client.get(path, key="").expect_problem(404, "not_found")
            client.call("HEAD", path, key="").expect(404)

    check_spellings()
    for path in (f"/v1/download/{job_id}", f"/v1/download/{job_id}.json"):
        client.get(path, key="").expect(200)
        client.get(path + "?", key="").expect(200)
        client.get(f"http://{client.address}{path}?a=b", key="").expect(200)
    os.unlink(file_of(product, job_id, ""))
    check_spellings()
