# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: what each sees is right, whatever the others do."""

import concurrent.futures

from product import check, equal, read_wav, verify

CLIENTS = 24
ROUNDS = 8


def one_client(client, receiver, number):
    """Creates, reads, lists, cancels; every answer must be what one client alone would get."""
    text = f"Client number {number}."
    kept = []
    for i in range(ROUNDS):
        job = client.create(text=f"{text} Job {i}.", webhook_url=receiver.url, metadata={"client": str(number)})
        equal(job["metadata"], {"client": str(number)}, "metadata")
        equal(client.job(job["job_id"])["job_id"], job["job_id"], "job_id")
        client.get("/v1/jobs?limit=3").expect(200)
        client.get("/v1/nothing").expect_problem(404)
        client.post({"text": ""}).expect_problem(422)
        if i % 4 == 3:
            answer = client.cancel(job["job_id"])
            check(answer.status in (200, 202, 409), f"DELETE answers {answer.status}")
        else:
            kept.append(job["job_id"])
    for job_id in kept:
        job = client.wait(job_id)
        equal((job["status"], job["metadata"]), ("completed", {"client": str(number)}), "job")
        read_wav(client.download(job).body)
        verify(receiver.wait(job_id)[0], client.secret)


def test_many_clients_at_once_each_get_what_is_theirs(product, receiver):
    clients = [product.new_client(f"client {number}") for number in range(CLIENTS)]
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(one_client, client, receiver, i) for i, client in enumerate(clients)]:
            done.result()
    for number, client in enumerate(clients):
        found = client.get("/v1/jobs?limit=100").expect(200).json["jobs"]
        equal(len(found), ROUNDS, "jobs of a key")
        equal({job["metadata"]["client"] for job in found}, {str(number)}, "whose they are")
