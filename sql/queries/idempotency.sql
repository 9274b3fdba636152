-- Requests that clients may repeat.

-- name: idempotency_find
SELECT job, body_hash, queue_position
FROM idempotency_keys
WHERE key = ?1 AND name = ?2;

-- name: idempotency_insert
INSERT INTO idempotency_keys (job, key, name, body_hash, queue_position)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (key, name) DO UPDATE
SET job = excluded.job, body_hash = excluded.body_hash, queue_position = excluded.queue_position;

-- name: idempotency_oldest
SELECT min(job)
FROM idempotency_keys;

-- Removes those of the oldest few that were made before a job.  [scan: the first ?2 rows]
-- name: idempotency_expire
DELETE FROM idempotency_keys
WHERE job IN (SELECT oldest.job FROM (SELECT job FROM idempotency_keys ORDER BY job LIMIT ?2) AS oldest
              WHERE oldest.job < ?1);
