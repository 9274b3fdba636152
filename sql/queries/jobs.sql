-- Jobs, as clients create, read and cancel them.

-- name: job_last_id
SELECT max(id) FROM jobs;

-- name: job_insert
INSERT INTO jobs (id, job_id, key, status, request_id, language, voice, format, speed, pitch, timings, characters,
                  metadata, webhook_url, receiver, ordinal, created_at, owed_bytes)
VALUES (?1, ?2, ?3, 'pending', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17);

-- name: job_text_insert
INSERT INTO job_texts (id, text)
VALUES (?1, ?2);

-- name: job_text_delete
DELETE FROM job_texts
WHERE id = ?1;

-- One job with its webhook and, while it waits, its key's counters.
-- name: job_by_id
SELECT j.id, j.job_id, j.key, j.status, j.epoch, j.revision + coalesce(w.revision, 0), j.request_id, j.language, j.voice,
       j.format, j.speed, j.pitch, j.timings, j.characters, j.metadata, j.spoken, j.cancel_requested, j.created_at, j.started_at,
       j.completed_at, j.expires_at, j.audio_removed_at, j.audio_bytes, j.audio_samples, j.audio_sample_rate,
       j.audio_sha256, j.error_code, j.error_message, j.error_start, j.error_end, j.warnings, j.webhook_url,
       w.status, w.attempts, w.last_status_code, w.last_error, w.next_attempt_at,
       CASE WHEN j.status = 'pending'
            THEN (SELECT max(1, j.ordinal - k.created_jobs + k.pending_jobs) FROM api_keys AS k WHERE k.key = j.key)
       END,
       j.owed_bytes
FROM jobs AS j
LEFT JOIN webhooks AS w ON w.webhook = j.webhook
WHERE j.id = ?1;

-- For whoever waits for a change.
-- name: job_status_by_id
SELECT status
FROM jobs
WHERE id = ?1;

-- The rows of one state between two ids (both exclusive), newest first.
-- name: job_ids_of_status
SELECT j.id
FROM jobs AS j
WHERE j.key = ?1 AND j.status = ?2 AND j.id < ?3 AND j.id > ?4
ORDER BY j.id DESC
LIMIT ?5;

-- name: job_ask_cancel
UPDATE jobs
SET cancel_requested = 1, revision = revision + 1
WHERE id = ?1 AND status = 'processing' AND cancel_requested = 0;

-- A claim under a worker that is removed already would be nobody's to take back.
-- name: job_to_processing
UPDATE jobs
SET status = 'processing', epoch = epoch + 1, worker = ?2, started_at = coalesce(started_at, ?3),
    revision = revision + 1
WHERE id = ?1 AND EXISTS (SELECT 1 FROM workers WHERE worker = ?2);

-- A claim undone: the lease was lost, or the worker left.
-- name: job_to_pending
UPDATE jobs
SET status = 'pending', worker = NULL, revision = revision + 1
WHERE id = ?1;

-- A claim that starts over has not come further than those before it until it is past them.
-- name: job_set_spoken
UPDATE jobs
SET spoken = max(spoken, ?3), setbacks = CASE WHEN ?3 > spoken THEN 0 ELSE setbacks END, revision = revision + 1
WHERE id = ?1 AND epoch = ?2 AND status = 'processing';

-- name: job_add_setback
UPDATE jobs
SET setbacks = setbacks + 1
WHERE id = ?1
RETURNING setbacks;

-- name: job_to_terminal
UPDATE jobs
SET status = ?2, worker = NULL, completed_at = ?3, spoken = CASE WHEN ?2 = 'completed' THEN characters ELSE spoken END,
    audio_bytes = ?4, audio_samples = ?5, audio_sample_rate = ?6, audio_sha256 = ?7,
    error_code = ?8, error_message = ?9, error_start = ?10, error_end = ?11, warnings = ?12, expires_at = ?13,
    revision = revision + 1
WHERE id = ?1;

-- name: job_set_webhook
UPDATE jobs
SET webhook = ?2
WHERE id = ?1;

-- name: job_receiver
SELECT receiver
FROM jobs
WHERE id = ?1;
