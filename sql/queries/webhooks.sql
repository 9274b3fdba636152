-- The outbox and the attempts.

-- name: webhook_insert
INSERT INTO webhooks (webhook_id, key, job, event, url, receiver, body, status, next_attempt_at, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?9);

-- The next receiver in order that has an attempt planned, due or not; the index is skipped through, one step a receiver.
-- name: webhook_next_receiver
SELECT receiver
FROM webhooks
WHERE next_attempt_at IS NOT NULL AND receiver > ?1
ORDER BY receiver
LIMIT 1;

-- name: webhook_receiver_is_due
SELECT 1
FROM webhooks
WHERE receiver = ?1 AND next_attempt_at IS NOT NULL AND next_attempt_at <= ?2
LIMIT 1;

-- Whether anything is due at all: where nothing is, no receiver is looked at.
-- name: webhook_any_due
SELECT 1
FROM webhooks
WHERE next_attempt_at IS NOT NULL AND next_attempt_at <= ?1
LIMIT 1;

-- name: webhook_next_due
SELECT next_attempt_at
FROM webhooks
WHERE next_attempt_at IS NOT NULL AND next_attempt_at > ?1
ORDER BY next_attempt_at
LIMIT 1;

-- name: webhook_due
SELECT w.webhook, w.webhook_id, w.key, j.job_id, w.event, w.url, w.receiver, w.body, w.attempts, w.next_attempt_at
FROM webhooks AS w
LEFT JOIN jobs AS j ON j.id = w.job
WHERE w.receiver = ?1 AND w.next_attempt_at IS NOT NULL AND w.next_attempt_at <= ?2
ORDER BY w.next_attempt_at
LIMIT ?3;

-- name: webhook_begin
UPDATE webhooks
SET attempts = attempts + 1, next_attempt_at = NULL
WHERE webhook = ?1 AND status = 'pending' AND next_attempt_at IS NOT NULL
RETURNING attempts, job;

-- name: webhook_end
UPDATE webhooks
SET status = ?2, next_attempt_at = ?3, last_status_code = ?4, last_error = ?5, settled_at = ?6
WHERE webhook = ?1
RETURNING job;

-- A job's webhook that is settled is due once more, unless its body was removed; the count of attempts goes on.
-- name: webhook_owe_again
UPDATE webhooks
SET status = 'pending', next_attempt_at = ?2, settled_at = NULL
WHERE webhook = (SELECT webhook FROM jobs WHERE id = ?1) AND status <> 'pending' AND body <> ''
RETURNING webhook;

-- name: job_raise_revision
UPDATE jobs
SET revision = revision + 1
WHERE id = ?1;

-- name: delivery_insert
INSERT INTO deliveries (webhook, attempt, started_at)
VALUES (?1, ?2, ?3);

-- name: delivery_end
UPDATE deliveries
SET duration_ms = ?3, status_code = ?4, error_code = ?5, error_message = ?6, response_excerpt = ?7,
    next_attempt_at = ?8
WHERE webhook = ?1 AND attempt = ?2 AND duration_ms IS NULL;

-- Attempts under way.  [scan: an index that holds no others]
-- name: delivery_open
SELECT webhook, attempt, started_at
FROM deliveries
WHERE duration_ms IS NULL
ORDER BY started_at
LIMIT ?1;

-- name: delivery_of_job
SELECT d.attempt, w.event, w.webhook_id, d.started_at, d.duration_ms, d.status_code, d.error_code, d.error_message,
       d.response_excerpt, d.next_attempt_at
FROM jobs AS j
JOIN webhooks AS w ON w.webhook = j.webhook
JOIN deliveries AS d ON d.webhook = w.webhook
WHERE j.id = ?1
ORDER BY d.attempt
LIMIT ?2;
