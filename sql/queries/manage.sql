-- Jobs as administrators see and mend them.

-- The rows of every key between two ids (both exclusive), newest first.
-- name: manage_newest
SELECT id
FROM jobs
WHERE id < ?1 AND id > ?2
ORDER BY id DESC
LIMIT ?3;

-- name: manage_inside
SELECT k.key_id, j.worker, j.setbacks, (SELECT length(t.text) FROM job_texts AS t WHERE t.id = j.id)
FROM jobs AS j
JOIN api_keys AS k ON k.key = j.key
WHERE j.id = ?1;

-- The webhook of a job's end: whether it is owed, and whether an attempt is under way.
-- name: manage_webhook
SELECT w.webhook, w.status = 'pending', w.status = 'pending' AND w.next_attempt_at IS NULL
FROM jobs AS j
JOIN webhooks AS w ON w.webhook = j.webhook
WHERE j.id = ?1;

-- name: manage_has_text
SELECT 1
FROM job_texts
WHERE id = ?1;

-- A failed job is as it was created.  What its webhook has added to its revision stays in it: no revision comes twice.
-- name: manage_begin_anew
UPDATE jobs
SET status = 'pending', worker = NULL, started_at = NULL, completed_at = NULL, expires_at = NULL, spoken = 0, setbacks = 0,
    cancel_requested = 0, error_code = NULL, error_message = NULL, error_start = NULL, error_end = NULL, warnings = NULL,
    revision = revision + 1 + coalesce((SELECT w.revision FROM webhooks AS w WHERE w.webhook = jobs.webhook), 0),
    webhook = NULL
WHERE id = ?1;

-- name: manage_webhook_delete
DELETE FROM webhooks
WHERE webhook = ?1;

-- name: manage_failed_next
SELECT id, completed_at
FROM jobs
WHERE key = ?1 AND status = 'failed' AND id > ?2 AND completed_at >= ?3 AND completed_at <= ?4
      AND (?5 IS NULL OR error_code = ?5)
ORDER BY id
LIMIT ?6;

-- name: manage_ended_next
SELECT id, completed_at, key, status
FROM jobs
WHERE completed_at IS NOT NULL AND completed_at <= ?1 AND completed_at >= ?2 AND NOT (completed_at = ?2 AND id <= ?3)
ORDER BY completed_at, id
LIMIT ?4;
