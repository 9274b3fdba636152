# SPDX-License-Identifier: Apache-2.0
"""GET /v1/jobs: order, filters, cursors."""

import urllib.parse

from product import check, equal


def ids(answer):
    return [job["job_id"] for job in answer.json["jobs"]]


def linked(client, answer):
    """The page that Link leads to, which must be an address as RFC 3986 wants it."""
    target, _, relation = answer.headers["Link"].partition(">; ")
    equal(relation, 'rel="next"', "the relation")
    url = urllib.parse.urlsplit(urllib.parse.urljoin(client.url, target[1:]))
    equal(urllib.parse.quote(url.query, safe="-._~:=&%"), url.query, "the query of Link")
    return client.get(f"{url.path}?{url.query}").expect(200)


def pages(client, query):
    """The ids of each page, following next_cursor."""
    cursor = None
    while True:
        path = f"/v1/jobs?{query}" + (f"&cursor={cursor}" if cursor else "")
        answer = client.get(path).expect(200)
        page = answer.json
        cursor = page.get("next_cursor")
        equal("Link" in answer.headers, cursor is not None, "Link beside next_cursor")
        if cursor:
            equal(urllib.parse.quote(cursor, safe="-._~"), cursor, "cursor as it goes into a URL")
            behind = client.get(f"/v1/jobs?{query}&cursor={cursor}")
            equal(ids(linked(client, answer)), ids(behind), "jobs behind Link and behind next_cursor")
        yield ids(answer)
        if not cursor:
            return


def test_a_new_key_has_no_jobs(client):
    page = client.get("/v1/jobs").expect(200).json
    equal(page["jobs"], [], "jobs")
    check(not page.get("next_cursor"), "there is a next page")


def test_pages_hold_every_job_once_newest_first(client):
    created = [client.create()["job_id"] for _ in range(7)]
    for limit in (1, 3, 7, 100):
        found = list(pages(client, f"limit={limit}"))
        check(all(len(page) <= limit for page in found), "a page is longer than its limit")
        equal(sum(found, []), created[::-1], f"jobs by {limit}")


def test_jobs_are_found_by_state(client):
    done = client.create()["job_id"]
    client.wait(done)
    long = client.create(text="A long story. " * 5000, voice="slt")["job_id"]
    client.cancel(long)
    client.wait(long)
    equal(sum(pages(client, "status=completed"), []), [done], "completed")
    equal(sum(pages(client, "status=cancelled"), []), [long], "cancelled")
    equal(sum(pages(client, "status=completed&status=cancelled&limit=1"), []), [long, done], "both")
    equal(sum(pages(client, "status=failed"), []), [], "failed")


def test_a_time_of_any_year_is_a_time(client):
    job = client.create()["job_id"]
    for year in ("0000", "1582", "1969", "1970"):
        equal(sum(pages(client, f"created_after={year}-01-01T00:00:00Z"), []), [job], f"jobs after {year}")
        equal(sum(pages(client, f"created_before={year}-01-01T00:00:00Z"), []), [], f"jobs before {year}")
    for late in ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"):
        equal(sum(pages(client, f"created_before={late}"), []), [job], f"jobs before {late}")
        equal(sum(pages(client, f"created_after={late}"), []), [], f"jobs after {late}")


def test_a_link_keeps_the_filter_however_it_was_written(client):
    created = [client.create()["job_id"] for _ in range(3)]
    for query in (
        "%73tatus=%70ending&status=completed&status=processing&limit=2",
        "limit=2&created_after=2020-01-01T00:00:00%2B00:00",
        "limit=2&&created_after=2020-01-01t00%3A00:00.123456Z&created_before=2999-01-01T00:00:00Z",
    ):
        equal(sum(pages(client, query), []), created[::-1], query)


def test_a_job_made_while_pages_are_read_shifts_none(client):
    old = [client.create()["job_id"] for _ in range(4)]
    first = client.get("/v1/jobs?limit=2").expect(200).json
    client.create()
    second = client.get(f"/v1/jobs?limit=2&cursor={first['next_cursor']}").expect(200).json
    equal([job["job_id"] for job in first["jobs"] + second["jobs"]], old[::-1], "jobs")


def test_wrong_parameters_are_refused(client):
    for query in ("limit=0", "limit=101", "limit=x", "cursor=nonsense", "status=asleep", "created_after=yesterday", "page=2"):
        answer = client.get(f"/v1/jobs?{query}")
        check(answer.status == 400, f"{query} gives {answer.status}")
        answer.expect_problem(400, "invalid_parameter")


def test_a_key_lists_its_own_jobs_only(product, client):
    mine = client.create()["job_id"]
    other = product.new_client()
    theirs = other.create()["job_id"]
    equal(sum(pages(client, "limit=100"), []), [mine], "mine")
    equal(sum(pages(other, "limit=100"), []), [theirs], "theirs")
