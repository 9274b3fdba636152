-- The service as a whole, as an administrator steers it and looks at it.

-- name: pause_since
SELECT since
FROM pause
WHERE pause = 1;

-- name: pause_begin
INSERT INTO pause (pause, since)
VALUES (1, ?1)
ON CONFLICT DO NOTHING;

-- name: pause_end
DELETE FROM pause
WHERE pause = 1;

-- Jobs that are claimed: as many as the workers have places for.  [scan: an index that holds no others]
-- name: job_count_claimed
SELECT count(*)
FROM jobs INDEXED BY jobs_claimed
WHERE status = 'processing';

-- name: journal_mode
PRAGMA journal_mode;

-- name: library_version
SELECT sqlite_version();

-- What follows is for a screen that an administrator may leave open: none of it costs more where there is more of what is
-- over, and counts end at a bound.

-- The row of the job that waits longest.  [scan: the keys that wait, and of each its oldest job by an index]
-- name: view_oldest_pending
SELECT min((SELECT j.id FROM jobs AS j WHERE j.key = k.key AND j.status = 'pending' ORDER BY j.id LIMIT 1))
FROM api_keys AS k
WHERE k.pending_jobs > 0;

-- Rows are numbered by the time of creation.  [scan: at most ?2 rows]
-- name: view_jobs_created
SELECT count(*)
FROM (SELECT 1 FROM jobs WHERE id >= ?1 LIMIT ?2);

-- [scan: at most ?2 rows]
-- name: view_jobs_ended
SELECT count(*)
FROM (SELECT 1 FROM jobs WHERE completed_at >= ?1 LIMIT ?2);

-- [scan: at most ?1 rows of an index that holds planned ones only]
-- name: view_webhooks_planned
SELECT count(*)
FROM (SELECT 1 FROM webhooks WHERE next_attempt_at IS NOT NULL LIMIT ?1);

-- [scan: at most ?1 rows of an index that holds attempts under way only]
-- name: view_attempts_open
SELECT count(*)
FROM (SELECT 1 FROM deliveries WHERE duration_ms IS NULL LIMIT ?1);

-- [scan: at most ?2 rows]
-- name: view_webhooks_failed
SELECT count(*)
FROM (SELECT 1 FROM webhooks INDEXED BY webhooks_failed WHERE status = 'failed' AND settled_at >= ?1 LIMIT ?2);

-- Receivers that are owed something and are paused, fail or are slow, among the first ?2 of them.  [scan: those]
-- name: view_receivers
SELECT receiver, class, paused_until, failing_since
FROM (SELECT receiver, class, paused_until, failing_since
      FROM receivers
      WHERE due_at IS NOT NULL
      ORDER BY class DESC, due_at DESC, receiver DESC
      LIMIT ?2)
WHERE paused_until > ?1 OR failing_since IS NOT NULL OR class > 1;

-- Keys are few.  [scan: api_keys]
-- name: view_keys
SELECT count(*), count(revoked_at)
FROM api_keys;
