# SPDX-License-Identifier: Apache-2.0
"""Delivery: retries, faults, and where webhooks may go."""

import contextlib
import sqlite3

from product import Receiver, check, equal, free_port, started, verify, wait_for


def ended(client, job_id, status):
    def probe():
        webhook = client.job(job_id)["webhook"]
        return webhook if webhook["status"] == status else None

    return wait_for(f"the webhook of {job_id} to be {status}", probe)


def deliveries(client, job_id):
    return client.get(f"/v1/jobs/{job_id}/deliveries").expect(200).json["deliveries"]


def test_a_webhook_is_tried_until_the_receiver_takes_it(client, receiver):
    receiver.answers["/flaky"] = [500, 404, 503, 200]
    job_id = client.create(webhook_url=receiver.url + "/flaky")["job_id"]
    webhooks = receiver.wait(job_id, 4)
    told = ended(client, job_id, "delivered")
    equal(told["attempts"], 4, "attempts")
    equal(told["last_status_code"], 200, "last_status_code")
    equal(len({webhook.id for webhook in webhooks}), 1, "webhook-ids of one event")
    equal(len({webhook.body for webhook in webhooks}), 1, "bodies of one event")
    for webhook in webhooks:
        verify(webhook, client.secret)


def test_every_attempt_is_recorded(client, receiver):
    receiver.answers["/flaky"] = [500, 200]
    job_id = client.create(webhook_url=receiver.url + "/flaky")["job_id"]
    ended(client, job_id, "delivered")
    rows = deliveries(client, job_id)
    equal([row["attempt"] for row in rows], [1, 2], "attempts, oldest first")
    equal([row["status_code"] for row in rows], [500, 200], "status codes")
    equal(rows[0]["error"]["code"], "http_status", "error of the first")
    equal(rows[1]["error"], None, "error of the second")
    equal({row["webhook_id"] for row in rows}, {receiver.of(job_id)[0].id}, "webhook_id")


def test_a_webhook_that_nobody_takes_fails_in_the_end(client, receiver):
    receiver.answers["/never"] = [500]
    job_id = client.create(webhook_url=receiver.url + "/never")["job_id"]
    told = ended(client, job_id, "failed")
    equal(told["attempts"], 5, "attempts: one for each entry of the schedule")
    equal(client.job(job_id)["status"], "completed", "status of the job")


def test_a_webhook_is_sent_again_on_request(client, receiver):
    receiver.answers["/later"] = [500, 500, 500, 500, 500, 204]
    job_id = client.create(webhook_url=receiver.url + "/later")["job_id"]
    again = f"/v1/jobs/{job_id}/redeliver"
    ended(client, job_id, "failed")
    for _ in range(2):
        equal(client.call("POST", again).expect(202).json["webhook"]["status"], "pending", "status in the answer")
        told = ended(client, job_id, "delivered")
    equal((told["attempts"], told["last_status_code"]), (7, 204), "attempts and last_status_code")
    webhooks = receiver.wait(job_id, 7)
    equal(len({(webhook.id, webhook.body) for webhook in webhooks}), 1, "different webhooks")
    verify(webhooks[-1], client.secret)
    equal([row["attempt"] for row in deliveries(client, job_id)], list(range(1, 8)), "attempts that are listed")


# The most attempts at one webhook, with an answer to each that is as long in JSON as any.
ATTEMPTS_MAX, EXCERPT = 1000, '"' * 1024


def make_attempts(product, job_id, last):
    """Attempts that were made before, up to that number; nobody wants to wait for them."""
    with contextlib.closing(sqlite3.connect(product.setting("database"))) as database:
        webhook, made = database.execute(
            "SELECT webhook, attempts FROM webhooks WHERE job = (SELECT id FROM jobs WHERE job_id = ?)", (job_id,)).fetchone()
        database.executemany(
            "INSERT INTO deliveries (webhook, attempt, started_at, duration_ms, status_code, error_code, error_message,"
            " response_excerpt) VALUES (?, ?, 1795507200000, 1, 500, 'http_status', 'the receiver answered 500', ?)",
            [(webhook, attempt, EXCERPT) for attempt in range(made + 1, last + 1)])
        database.execute("UPDATE webhooks SET attempts = ? WHERE webhook = ?", (last, webhook))
        database.commit()


def test_a_webhook_is_sent_so_often_that_every_attempt_can_be_listed(receiver):
    with started() as product:
        client = product.client
        job_id = client.create(webhook_url=receiver.url)["job_id"]
        again = f"/v1/jobs/{job_id}/redeliver"
        ended(client, job_id, "delivered")
        make_attempts(product, job_id, ATTEMPTS_MAX - 1)
        client.call("POST", again).expect(202)
        equal(ended(client, job_id, "delivered")["attempts"], ATTEMPTS_MAX, "attempts")
        rows = deliveries(client, job_id)
        equal([row["attempt"] for row in rows], list(range(1, ATTEMPTS_MAX + 1)), "attempts that are listed")
        equal((rows[-2]["response_excerpt"], rows[-1]["status_code"]), (EXCERPT, 204), "the last two")
        client.call("POST", again).expect_problem(409, "too_many_attempts")


def test_what_is_no_webhook_or_on_its_way_is_not_sent_again(product, client, receiver):
    without = client.wait(client.create()["job_id"])["job_id"]
    client.call("POST", f"/v1/jobs/{without}/redeliver").expect_problem(409, "no_webhook")
    waiting = client.create(text="A long story. " * 5000, voice="slt", webhook_url=receiver.url)["job_id"]
    client.call("POST", f"/v1/jobs/{waiting}/redeliver").expect_problem(409, "webhook_pending")
    client.cancel(waiting)
    product.new_client().call("POST", f"/v1/jobs/{without}/redeliver").expect_problem(404, "not_found")


def test_what_was_removed_is_not_sent_again(receiver):
    with started("retention_deliveries=1s") as product:
        client = product.client
        job_id = client.create(webhook_url=receiver.url)["job_id"]
        ended(client, job_id, "delivered")
        again = f"/v1/jobs/{job_id}/redeliver"
        wait_for("its removal", lambda: not deliveries(client, job_id), pause=0.2)
        client.call("POST", again).expect_problem(410, "webhook_expired")
        check(all(webhook.body for webhook in receiver.of(job_id)), "an empty webhook was sent")


def test_a_redirect_is_not_followed(client, receiver):
    target = Receiver()
    try:
        receiver.answers["/moved"] = [(307, {"Location": target.url + "/trap"})]
        job_id = client.create(webhook_url=receiver.url + "/moved")["job_id"]
        told = ended(client, job_id, "failed")
        equal(told["last_status_code"], 307, "last_status_code")
        equal(target.webhooks, [], "what the target of the redirect received")
    finally:
        target.close()


def test_a_receiver_that_is_not_there_is_named(client):
    job_id = client.create(webhook_url=f"http://127.0.0.1:{free_port()}/")["job_id"]
    told = ended(client, job_id, "failed")
    check("connection_refused" in str(told["last_error"]), f"last_error is {told['last_error']}")


def test_a_webhook_that_leads_inside_is_refused():
    with started("webhook_allow_cidrs=") as product:
        inside = Receiver()
        try:
            port = inside.url.rsplit(":", 1)[1]
            for host in ("127.0.0.1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
                         "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "[fe80::1]", "[fd00::1]"):
                answer = product.client.post({"text": "a", "webhook_url": f"http://{host}:{port}/"})
                check(answer.status == 422, f"{host} gives {answer.status}")
                answer.expect_problem(422)
            # A name is judged when it is resolved: if the job is taken, nothing goes out.
            answer = product.client.post({"text": "a", "webhook_url": f"http://localhost:{port}/"})
            if answer.status == 202:
                job_id = answer.json["job_id"]
                wait_for("a refused attempt", lambda: product.client.job(job_id)["webhook"]["attempts"] >= 1)
                told = product.client.job(job_id)["webhook"]
                check("blocked_address" in str(told["last_error"]), f"last_error is {told['last_error']}")
            else:
                answer.expect_problem(422)
            equal(inside.webhooks, [], "what the inside received")
        finally:
            inside.close()


def test_clear_text_webhooks_are_refused_where_the_configuration_says_so():
    with started("webhook_allow_http=no", "webhook_ports=443") as product:
        for url in ("http://example.org/", "https://example.org:22/"):
            product.client.post({"text": "a", "webhook_url": url}).expect_problem(422)
        product.client.post({"text": "a", "webhook_url": "https://example.org/hook"}).expect(202)
