-- The outbox as administrators see and mend it.

-- One webhook, whose it is, and until when its receiver has a pause.
-- name: outbox_row
SELECT w.webhook, w.webhook_id, k.key_id, j.job_id, w.event, w.url, w.receiver, w.status, w.attempts,
       w.last_status_code, w.last_error, w.next_attempt_at, w.created_at, w.settled_at, w.body <> '', r.paused_until
FROM webhooks AS w
JOIN api_keys AS k ON k.key = w.key
LEFT JOIN jobs AS j ON j.id = w.job
LEFT JOIN receivers AS r ON r.receiver = w.receiver
WHERE w.webhook = ?1;

-- The newest one up to a row.
-- name: outbox_newest
SELECT webhook, created_at
FROM webhooks
WHERE webhook <= ?1
ORDER BY webhook DESC
LIMIT 1;

-- Those in a range of rows that are as the caller wants them, newest first; NULL is any.
-- name: outbox_range
SELECT webhook
FROM webhooks
WHERE webhook > ?1 AND webhook <= ?2 AND created_at >= ?3 AND (?4 IS NULL OR key = ?4)
      AND (?5 IS NULL OR receiver = ?5) AND (?6 IS NULL OR status = ?6) AND (?7 IS NULL OR webhook_id = ?7)
ORDER BY webhook DESC
LIMIT ?8;

-- Those that failed since a time, the latest first.
-- name: outbox_failed
SELECT webhook
FROM webhooks INDEXED BY webhooks_failed
WHERE status = 'failed' AND settled_at >= ?1 AND (?2 IS NULL OR key = ?2) AND (?3 IS NULL OR receiver = ?3)
ORDER BY settled_at DESC, webhook DESC
LIMIT ?4;

-- Those that failed up to a time, behind a place in that order.
-- name: outbox_failed_next
SELECT webhook, settled_at, webhook_id, body <> ''
FROM webhooks INDEXED BY webhooks_failed
WHERE status = 'failed' AND (settled_at, webhook) > (?1, ?2) AND settled_at <= ?3 AND (?4 IS NULL OR key = ?4)
      AND (?5 IS NULL OR receiver = ?5)
ORDER BY settled_at, webhook
LIMIT ?6;

-- Those of a receiver that wait for a later attempt, behind a place in that order, but not those made or tried since a
-- time: who asks for all is not asked again for what fails meanwhile.
-- name: outbox_waiting_next
SELECT w.webhook, w.next_attempt_at, w.webhook_id, w.body <> ''
FROM webhooks AS w INDEXED BY webhooks_due
WHERE w.receiver = ?5 AND w.next_attempt_at IS NOT NULL AND (w.next_attempt_at, w.webhook) > (?1, ?2)
      AND w.created_at <= ?3 AND (?4 IS NULL OR w.key = ?4)
      AND NOT EXISTS (SELECT 1
                      FROM deliveries AS d
                      WHERE d.webhook = w.webhook AND d.attempt = w.attempts AND d.started_at > ?3)
ORDER BY w.next_attempt_at, w.webhook
LIMIT ?6;
