-- Keys and their secrets.

-- name: key_insert
INSERT INTO api_keys (key_id, name, hash, weight, created_at)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: key_by_hash
SELECT key, key_id, name, weight, created_at, revoked_at, pending_jobs, pending_chars
FROM api_keys
WHERE hash = ?1 AND revoked_at IS NULL;

-- Every key: few, and asked for by an administrator only.  [scan: api_keys]
-- name: key_all
SELECT key, key_id, name, weight, created_at, revoked_at, pending_jobs, pending_chars
FROM api_keys
ORDER BY key;

-- name: key_revoke
UPDATE api_keys
SET revoked_at = coalesce(revoked_at, ?2)
WHERE key_id = ?1;

-- Accounts for a job that starts to wait.  An idle key starts from the least virtual time of those that wait, or it
-- would have saved up the time of its idleness.
-- name: key_add_pending
UPDATE api_keys
SET pending_jobs = pending_jobs + 1,
    pending_chars = pending_chars + ?2,
    created_jobs = created_jobs + ?3,
    vt = CASE WHEN pending_jobs > 0 THEN vt
         ELSE max(vt, coalesce((SELECT waiting.vt FROM api_keys AS waiting
                                WHERE waiting.pending_jobs > 0 ORDER BY waiting.vt LIMIT 1), vt)) END
WHERE key = ?1
RETURNING created_jobs, pending_jobs;

-- Accounts for a job that waits no longer; ?3 is what it costs: its characters, or 0 where it was cancelled.
-- name: key_drop_pending
UPDATE api_keys
SET pending_jobs = pending_jobs - 1,
    pending_chars = pending_chars - ?2,
    vt = vt + ?3 / weight
WHERE key = ?1;

-- What a claim cost, given back when it is undone.
-- name: key_refund
UPDATE api_keys
SET vt = max(0, vt - ?2 / weight)
WHERE key = ?1;

-- The key to serve next.
-- name: key_next
SELECT key
FROM api_keys
WHERE pending_jobs > 0
ORDER BY vt
LIMIT 1;

-- name: key_first_job
SELECT id
FROM jobs
WHERE key = ?1 AND status = 'pending'
ORDER BY id
LIMIT 1;

-- name: secret_insert
INSERT INTO webhook_secrets (key, secret, created_at)
VALUES (?1, ?2, ?3);

-- name: secret_live
SELECT secret
FROM webhook_secrets
WHERE key = ?1 AND (expires_at IS NULL OR expires_at > ?2)
ORDER BY secret_id DESC
LIMIT 4;
