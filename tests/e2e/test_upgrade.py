# SPDX-License-Identifier: Apache-2.0
"""The database of an earlier release (tests/fixtures/) under the programs of this one."""

import contextlib
import json
import pathlib
import sqlite3

from product import TOP, Client, check, equal, started, wait_for

VERSION = 8
FIXTURE = TOP / "tests" / "fixtures" / f"database-v{VERSION}"


def query(path, sql):
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as database:
        return database.execute(sql).fetchall()


def put_fixture(product, facts):
    path = pathlib.Path(product.setting("database"))
    for beside in path.parent.glob(f"{path.name}*"):
        if not beside.name.endswith("-turnstile"):
            beside.unlink()
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(FIXTURE.with_suffix(".sql").read_text())
    (product.state / "secret_key").write_bytes(bytes.fromhex(facts["secret_key"]))
    return path


def counters(client):
    lines = client.get("/metrics", key="").expect(200).body.decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def test_an_earlier_release_s_database_is_served_as_before():
    facts = json.loads(FIXTURE.with_suffix(".json").read_text())
    jobs = facts["jobs"]
    with started() as product:
        product.stop()
        path = put_fixture(product, facts)
        kept = dict(query(path, "SELECT name, value FROM metrics"))
        settled = query(path, "SELECT count(*) FROM webhooks WHERE status <> 'pending'")[0][0]
        product.start()
        client = Client(product.env["SAYHOOK_URL"], facts["api_key"])
        newest = query(path, "PRAGMA user_version")[0][0]
        copy = pathlib.Path(f"{path}.before-v{newest}")
        equal(copy.exists(), newest > VERSION, "whether there is a copy of before")
        if copy.exists():
            equal(query(copy, "PRAGMA user_version")[0][0], VERSION, "version of the copy")

        listed = client.get("/v1/jobs?limit=100").expect(200).json["jobs"]
        equal({job["job_id"] for job in listed}, set(jobs.values()) - {jobs["of_a_revoked_key"]}, "jobs")
        equal(client.job(jobs["completed"])["metadata"], {"ticket": "17"}, "metadata")
        equal(client.job(jobs["failed"])["error"]["code"], "nothing_to_speak", "error")
        equal(client.job(jobs["cancelled"])["status"], "cancelled", "status")
        equal(client.job(jobs["expired"])["audio_url"], None, "audio_url of expired audio")
        # What waited, and what was spoken when everything was killed, is spoken now.
        for name in ("pending", "pending_second", "processing"):
            equal(client.wait(jobs[name])["status"], "completed", name)
        (attempt,) = client.get(f"/v1/jobs/{jobs['completed_not_delivered']}/deliveries").expect(200).json["deliveries"]
        equal(attempt["status_code"], 410, "status code of an attempt")
        client.call("POST", f"/v1/jobs/{jobs['completed_not_delivered']}/redeliver").expect(202)
        wait_for(
            "the redelivery",
            lambda: client.job(jobs["completed_not_delivered"])["webhook"]["attempts"] == 2,
        )
        answer = client.post({"text": "Another body.", "voice": "kal16"}, headers={"Idempotency-Key": "fixture-1"})
        answer.expect_problem(422, "idempotency_key_reused")
        for name, value in counters(client).items():
            if name.startswith(("job_status_total", "webhook_delivery_total")):
                check(value >= kept.get(name, 0), f"{name} was {kept[name]}, and is {value}")
        equal(counters(client)['job_status_total{status="cancelled"}'], 1, "cancelled jobs")
        check(query(path, "SELECT count(*) FROM webhooks")[0][0] >= settled, "webhooks are lost")
        equal(len(product.ctl("key", "list")["keys"]), 2, "keys")
        equal(client.create()["status"], "pending", "a new job")
