-- Backups, and the comparison of what is counted with what is there.

-- Jobs that have audio, in the order in which it expires, behind a place in that order.
-- name: upkeep_audio
SELECT id, expires_at
FROM jobs
WHERE expires_at IS NOT NULL AND audio_removed_at IS NULL AND expires_at >= ?1 AND NOT (expires_at = ?1 AND id <= ?2)
ORDER BY expires_at, id
LIMIT ?3;

-- For 'db backup' and 'db check' alone, which say so.  [scan: every job, of a copy or at an administrator's wish]
-- name: upkeep_jobs
SELECT sum(status = 'pending'), sum(status = 'processing'), sum(status = 'completed'), sum(status = 'failed'),
       sum(status = 'cancelled')
FROM jobs;

-- What each key's row counts, and what its jobs amount to.  For 'db check' alone.
-- [scan: every key and every job, at an administrator's wish]
-- name: upkeep_keys
SELECT k.key, k.key_id, k.pending_jobs, k.pending_chars, k.stored_bytes,
       coalesce(sum(j.status = 'pending'), 0),
       coalesce(sum(CASE WHEN j.status = 'pending' THEN j.characters END), 0),
       coalesce(sum(CASE WHEN j.status IN ('pending', 'processing') THEN j.owed_bytes
                         WHEN j.status = 'completed' AND j.audio_removed_at IS NULL THEN j.audio_bytes END), 0)
FROM api_keys AS k
LEFT JOIN jobs AS j ON j.key = k.key
GROUP BY k.key;

-- name: upkeep_key_mend
UPDATE api_keys
SET pending_jobs = ?2, pending_chars = ?3, stored_bytes = ?4
WHERE key = ?1;

-- name: upkeep_metric_mend
INSERT INTO metrics (name, value)
VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
