-- The outbox and the attempts.

-- name: webhook_insert
INSERT INTO webhooks (webhook_id, key, job, event, url, receiver, body, status, next_attempt_at, created_at, owed_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?9, ?9);

-- The webhook is planned: its receiver is due at that time.  Nothing changes where another is due before.
-- name: receiver_owe
INSERT INTO receivers (receiver, due_at)
SELECT receiver, next_attempt_at
FROM webhooks
WHERE webhook = ?1
ON CONFLICT (receiver) DO UPDATE
SET due_at = max(excluded.due_at, paused_until)
WHERE due_at IS NULL OR due_at > max(excluded.due_at, paused_until);

-- When the next webhook of this one's receiver is due, now that this one is not.  Not before ?2, which is now: it has had
-- its turn, and goes behind those that wait.
-- name: receiver_plan
UPDATE receivers
SET due_at = max(paused_until, next.at, ?2)
FROM (SELECT own.receiver, (SELECT min(w.next_attempt_at)
                            FROM webhooks AS w
                            WHERE w.receiver = own.receiver AND w.next_attempt_at IS NOT NULL) AS at
      FROM webhooks AS own
      WHERE own.webhook = ?1) AS next
WHERE receivers.receiver = next.receiver AND due_at IS NOT max(paused_until, next.at, ?2);

-- Receivers that are not due when they should be, or are and nothing is planned: written by a program that knew
-- no such table, or knew it otherwise.  [scan: from one receiver to the next by an index; receivers that are due]
-- name: receiver_wrong
WITH RECURSIVE owed (receiver) AS (
    SELECT min(receiver) FROM webhooks WHERE next_attempt_at IS NOT NULL
    UNION ALL
    SELECT (SELECT min(w.receiver) FROM webhooks AS w WHERE w.next_attempt_at IS NOT NULL AND w.receiver > owed.receiver)
    FROM owed
    WHERE owed.receiver IS NOT NULL)
SELECT owed.receiver
FROM owed
LEFT JOIN receivers AS r ON r.receiver = owed.receiver
WHERE owed.receiver IS NOT NULL
      AND (r.due_at IS NULL
           OR r.due_at > max(r.paused_until, ?1, (SELECT min(w.next_attempt_at)
                                                  FROM webhooks AS w
                                                  WHERE w.receiver = owed.receiver AND w.next_attempt_at IS NOT NULL)))
UNION ALL
SELECT r.receiver
FROM receivers AS r
WHERE r.due_at IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM webhooks AS w WHERE w.receiver = r.receiver AND w.next_attempt_at IS NOT NULL)
LIMIT ?2;

-- A receiver is due when the webhooks say so.
-- name: receiver_mend
INSERT INTO receivers (receiver, due_at)
SELECT ?1, min(next_attempt_at)
FROM webhooks
WHERE receiver = ?1 AND next_attempt_at IS NOT NULL
ON CONFLICT (receiver) DO UPDATE
SET due_at = max(excluded.due_at, paused_until);

-- Nothing goes to the webhook's receiver before that time.
-- name: receiver_pause
INSERT INTO receivers (receiver, paused_until)
SELECT receiver, ?2
FROM webhooks
WHERE webhook = ?1
ON CONFLICT (receiver) DO UPDATE
SET paused_until = excluded.paused_until, due_at = max(due_at, excluded.paused_until)
WHERE paused_until < excluded.paused_until;

-- A receiver's pause is over.
-- name: receiver_resume
UPDATE receivers
SET paused_until = 0
WHERE receiver = ?1 AND paused_until > ?2;

-- What attempts have shown of the webhook's receiver.
-- name: receiver_learn
INSERT INTO receivers (receiver, class, failing_since)
SELECT receiver, ?2, ?3
FROM webhooks
WHERE webhook = ?1
ON CONFLICT (receiver) DO UPDATE
SET class = excluded.class, failing_since = excluded.failing_since;

-- Receivers of a class that have something due, those first that wait longest, behind one.
-- name: receiver_due
SELECT receiver, due_at, failing_since
FROM receivers
WHERE class = ?1 AND due_at <= ?2 AND (due_at, receiver) > (?3, ?4)
ORDER BY due_at, receiver
LIMIT ?5;

-- name: receiver_next_due
SELECT due_at
FROM receivers
WHERE class = ?1 AND due_at > ?2
ORDER BY due_at
LIMIT 1;

-- Of one receiver, the longest due first, with how many of a webhook's attempts were cut off.
-- name: webhook_due
SELECT w.webhook, w.webhook_id, w.key, j.job_id, w.event, w.url, w.receiver, w.body, w.attempts, w.next_attempt_at,
       CASE WHEN w.attempts > 0
            THEN (SELECT count(*) FROM deliveries AS d WHERE d.webhook = w.webhook AND d.error_code = 'interrupted')
            ELSE 0 END
FROM webhooks AS w
LEFT JOIN jobs AS j ON j.id = w.job
WHERE w.receiver = ?1 AND w.next_attempt_at IS NOT NULL AND w.next_attempt_at <= ?2
ORDER BY w.next_attempt_at
LIMIT ?3;

-- name: webhook_begin
UPDATE webhooks
SET attempts = attempts + 1, next_attempt_at = NULL, revision = revision + 1
WHERE webhook = ?1 AND status = 'pending' AND next_attempt_at IS NOT NULL
RETURNING attempts;

-- An attempt that was never sent is as if it had not begun.
-- name: delivery_withdraw
DELETE FROM deliveries
WHERE webhook = ?1 AND attempt = ?2 AND duration_ms IS NULL;

-- name: webhook_withdraw
UPDATE webhooks
SET attempts = attempts - 1, next_attempt_at = ?2, revision = revision + 1
WHERE webhook = ?1;

-- An attempt has ended; since when the webhook is owed.  (owed_at is 0 in rows that are older than the
-- column.)
-- name: webhook_end
UPDATE webhooks
SET status = ?2, next_attempt_at = ?3, last_status_code = ?4, last_error = ?5, settled_at = ?6,
    revision = revision + 1
WHERE webhook = ?1
RETURNING max(owed_at, created_at);

-- What was owed to the webhook's receiver up to a time is given up; a bounded number, those first that wait longest.
-- name: webhook_give_up
UPDATE webhooks
SET status = 'failed', next_attempt_at = NULL, last_error = ?3, settled_at = ?4, revision = revision + 1
WHERE webhook IN (SELECT w.webhook
                  FROM webhooks AS w
                  WHERE w.receiver = (SELECT receiver FROM webhooks WHERE webhook = ?1)
                        AND w.next_attempt_at IS NOT NULL AND max(w.owed_at, w.created_at) <= ?2
                  ORDER BY w.next_attempt_at
                  LIMIT ?5);

-- A webhook that is settled is due once more, unless its body was removed or it was sent ?4 times; the count of attempts
-- goes on.  With ?3 only one that has failed.
-- name: webhook_owe_again
UPDATE webhooks
SET status = 'pending', next_attempt_at = ?2, owed_at = ?2, settled_at = NULL, revision = revision + 1
WHERE webhook = ?1 AND status <> 'pending' AND (status = 'failed' OR NOT ?3) AND body <> '' AND attempts < ?4;

-- A webhook that waits for a later attempt is due at once.
-- name: webhook_hasten
UPDATE webhooks
SET next_attempt_at = ?2, revision = revision + 1
WHERE webhook = ?1 AND status = 'pending' AND next_attempt_at > ?2;

-- name: job_webhook
SELECT webhook
FROM jobs
WHERE id = ?1;

-- name: delivery_insert
INSERT INTO deliveries (webhook, attempt, started_at)
VALUES (?1, ?2, ?3);

-- name: delivery_end
UPDATE deliveries
SET duration_ms = ?3, status_code = ?4, error_code = ?5, error_message = ?6, response_excerpt = ?7,
    next_attempt_at = ?8, peer = ?9, reused = ?10, sends = ?11, name_lookup_us = ?12, connect_us = ?13, tls_us = ?14,
    first_byte_us = ?15, total_us = ?16
WHERE webhook = ?1 AND attempt = ?2 AND duration_ms IS NULL;

-- Attempts under way, with how many of their webhook's were cut off before.  [scan: an index that holds no others]
-- name: delivery_open
SELECT webhook, attempt, started_at,
       (SELECT count(*) FROM deliveries AS d WHERE d.webhook = deliveries.webhook AND d.error_code = 'interrupted')
FROM deliveries
WHERE duration_ms IS NULL
ORDER BY started_at
LIMIT ?1;

-- With all that is known of them.
-- name: delivery_of_webhook
SELECT d.attempt, w.event, w.webhook_id, d.started_at, d.duration_ms, d.status_code, d.error_code, d.error_message,
       d.response_excerpt, d.next_attempt_at, d.peer, d.reused, d.sends, d.name_lookup_us, d.connect_us, d.tls_us,
       d.first_byte_us, d.total_us
FROM webhooks AS w
JOIN deliveries AS d ON d.webhook = w.webhook
WHERE w.webhook = ?1
ORDER BY d.attempt
LIMIT ?2;
