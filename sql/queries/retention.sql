-- What is removed with time.

-- Audio that has been kept for its time.
-- name: retention_audio
SELECT id
FROM jobs
WHERE expires_at IS NOT NULL AND audio_removed_at IS NULL AND expires_at <= ?1
ORDER BY expires_at
LIMIT ?2;

-- name: job_audio_removed
UPDATE jobs
SET audio_removed_at = ?2, revision = revision + 1
WHERE id = ?1;

-- Jobs that ended so long ago, in the order of their end, behind a place in that order.  Those are left out whose
-- webhook is still owed or whose request may still be repeated.
-- name: retention_jobs
SELECT j.id, j.completed_at,
       EXISTS (SELECT 1 FROM webhooks AS w WHERE w.webhook = j.webhook AND w.status = 'pending')
       OR EXISTS (SELECT 1 FROM idempotency_keys AS i WHERE i.job = j.id AND i.job >= ?4)
FROM jobs AS j
WHERE j.completed_at IS NOT NULL AND j.completed_at <= ?1 AND j.completed_at >= ?2
      AND NOT (j.completed_at = ?2 AND j.id <= ?5)
ORDER BY j.completed_at, j.id
LIMIT ?3;

-- name: job_delete
DELETE FROM jobs
WHERE id = ?1;

-- A job goes, and its receiver after it where nothing is owed to that for a while: what attempts have shown of it serves
-- the jobs that follow.  Its time begins as that of a pause which is long over.
-- name: receiver_outlive
UPDATE receivers
SET paused_until = ?2
WHERE receiver = (SELECT receiver FROM jobs WHERE id = ?1) AND due_at IS NULL AND paused_until < ?2;

-- Receivers whose pause was over by a time, and for which nothing is planned.
-- name: receiver_expire
DELETE FROM receivers
WHERE receiver IN (SELECT receiver
                   FROM receivers
                   WHERE due_at IS NULL AND paused_until > 0 AND paused_until <= ?1
                   ORDER BY paused_until
                   LIMIT ?2);

-- name: webhook_delete
DELETE FROM webhooks
WHERE webhook = (SELECT webhook FROM jobs WHERE id = ?1);

-- name: deliveries_delete_of_job
DELETE FROM deliveries
WHERE webhook = (SELECT webhook FROM jobs WHERE id = ?1);

-- name: idempotency_delete
DELETE FROM idempotency_keys
WHERE job = ?1;

-- Webhooks whose attempts have been kept for their time.
-- name: retention_deliveries
SELECT webhook
FROM webhooks
WHERE settled_at IS NOT NULL AND body <> '' AND settled_at <= ?1
ORDER BY settled_at
LIMIT ?2;

-- name: deliveries_delete
DELETE FROM deliveries
WHERE webhook = ?1;

-- What was sent goes with its attempts; how they ended stays with the job.
-- name: webhook_forget
UPDATE webhooks
SET body = ''
WHERE webhook = ?1;
