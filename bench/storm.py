# SPDX-License-Identifier: Apache-2.0
"""What became of the webhooks of a storm: the product's records held against what its receivers wrote down."""

import collections
import typing

# An attempt is in time where it comes after this share of its delay: the product varies them by a tenth.
LEAST_OF_DELAY = 0.9
# And so much before, for what was cut to milliseconds.
SLACK_MS = 2

# How attempts end whose request may have arrived though nobody saw the whole of an answer.
UNSEEN = ("interrupted", "timeout", "connection_reset")


class Request(typing.NamedTuple):
    """A request as its receiver wrote it down before it answered."""

    arrived: int  # milliseconds since 1970
    timestamp: int  # webhook-timestamp
    webhook_id: str
    answer: str  # "ok", or the fault


def read_log(path):
    """The requests of each webhook-id, in order."""
    requests = collections.defaultdict(list)
    with open(path, encoding="ascii") as log:
        for line in log:
            arrived, timestamp, webhook_id, answer = line.split()
            requests[webhook_id].append(Request(int(arrived), int(timestamp), webhook_id, answer))
    return requests


def audit(database, requests, owed, schedule_ms):
    """
    Counts what became of `owed` webhooks, one a job.  `lost` were neither delivered nor tried as long as the schedule
    says, or are said to be delivered while no receiver answered them; `off_schedule` are attempts before their time or
    beyond the last; `duplicates` are requests behind one that was answered well, `unexplained` those of them where the
    product saw that answer, and requests that no attempt is recorded for.
    """
    attempts = collections.defaultdict(list)
    for row in database.execute("SELECT * FROM deliveries ORDER BY webhook, attempt"):
        attempts[row["webhook"]].append(dict(row))
    counts = collections.Counter(requests=sum(map(len, requests.values())))
    webhooks = database.execute("SELECT * FROM webhooks").fetchall()
    counts["lost"] += owed - len({row["job"] for row in webhooks})
    counts["unexplained"] += len(webhooks) - len({row["job"] for row in webhooks})  # one event under two ids
    for webhook in webhooks:
        judge(webhook, attempts[webhook["webhook"]], requests.pop(webhook["webhook_id"], []), schedule_ms, counts)
    counts["unexplained"] += sum(map(len, requests.values()))  # under an id that was never given out
    return counts


def judge(webhook, attempts, requests, schedule_ms, counts):
    """Adds one webhook to the counts."""
    counted = sum(attempt["error_code"] != "interrupted" for attempt in attempts)  # the others are repeated
    counts[find_end(webhook, counted, requests, schedule_ms)] += 1
    counts["attempts"] += len(attempts)
    counts["interrupted"] += sum(attempt["error_code"] == "interrupted" for attempt in attempts)
    counts["failed_attempts"] += sum(attempt["error_code"] is not None for attempt in attempts)
    counts["off_schedule"] += count_off_schedule(webhook, attempts, schedule_ms)
    duplicates, unexplained = count_duplicates(attempts, requests)
    counts["duplicates"] += duplicates
    counts["unexplained"] += unexplained


def find_end(webhook, attempts, requests, schedule_ms):
    """`delivered`, `exhausted` or `lost`."""
    if webhook["status"] == "delivered":
        return "delivered" if any(request.answer == "ok" for request in requests) else "lost"
    if webhook["status"] == "pending":
        return "lost"
    lasted = webhook["settled_at"] - webhook["owed_at"]
    # A receiver that never works is given up for all that waits for it: not before the schedule's whole length.
    tried_long = lasted >= LEAST_OF_DELAY * sum(schedule_ms)
    return "exhausted" if attempts >= len(schedule_ms) or tried_long else "lost"


def count_off_schedule(webhook, attempts, schedule_ms):
    off = used = 0
    ready, wait = webhook["owed_at"], schedule_ms[0]
    for attempt in attempts:
        off += used == len(schedule_ms) or attempt["started_at"] < ready + LEAST_OF_DELAY * wait - SLACK_MS
        ready = attempt["started_at"] + (attempt["duration_ms"] or 0)
        interrupted = attempt["error_code"] == "interrupted"
        used += not interrupted
        wait = 0 if interrupted or used == len(schedule_ms) else schedule_ms[used]
    return off


def count_duplicates(attempts, requests):
    """Duplicates, and those of them that nothing explains."""
    duplicates = unexplained = 0
    answered = []  # the attempts whose requests were answered well so far
    of_attempt = collections.Counter()
    for request in requests:
        attempt = find_attempt(attempts, request)
        if attempt is None:
            unexplained += 1
            continue
        of_attempt[attempt["attempt"]] += 1
        # libcurl sends again where a kept connection turns out to be dead, and the product counts that.
        resent = of_attempt[attempt["attempt"]] <= (attempt.get("sends") or 1)
        duplicates += bool(answered)
        unexplained += not all(
            resent if earlier is attempt else earlier["error_code"] in UNSEEN for earlier in answered)
        if request.answer == "ok":
            answered.append(attempt)
    return duplicates, unexplained


def find_attempt(attempts, request):
    """
    The attempt that sent a request: the last that began before it was signed.  That is to the second, and attempts at
    one webhook are further apart; the arrival says less, for a busy receiver reads late.
    """
    begun = [attempt for attempt in attempts if attempt["started_at"] < (request.timestamp + 1) * 1000]
    return begun[-1] if begun else None
