-- Keys and their secrets.

-- name: key_insert
INSERT INTO api_keys (key_id, name, hash, weight, created_at, rate_limit_requests, rate_limit_burst, max_pending_jobs,
                      max_pending_chars, max_chars_per_day, max_stored_bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: key_by_hash
SELECT key, key_id, name, weight, created_at, revoked_at, rate_limit_requests, rate_limit_burst, max_pending_jobs,
       max_pending_chars, max_chars_per_day, max_stored_bytes, used_at, burst_used, pending_jobs, pending_chars,
       day_chars, stored_bytes
FROM api_keys
WHERE hash = ?1 AND revoked_at IS NULL;

-- Every key: few, and asked for by an administrator only.  [scan: api_keys]
-- name: key_all
SELECT key, key_id, name, weight, created_at, revoked_at, rate_limit_requests, rate_limit_burst, max_pending_jobs,
       max_pending_chars, max_chars_per_day, max_stored_bytes, used_at, burst_used, pending_jobs, pending_chars,
       day_chars, stored_bytes
FROM api_keys
ORDER BY key;

-- NULL leaves a column as it is, and 0 makes a limit the setting's.
-- name: key_change
UPDATE api_keys
SET name = coalesce(?2, name), weight = coalesce(?3, weight),
    rate_limit_requests = nullif(coalesce(?4, rate_limit_requests), 0),
    rate_limit_burst = nullif(coalesce(?5, rate_limit_burst), 0),
    max_pending_jobs = nullif(coalesce(?6, max_pending_jobs), 0),
    max_pending_chars = nullif(coalesce(?7, max_pending_chars), 0),
    max_chars_per_day = nullif(coalesce(?8, max_chars_per_day), 0),
    max_stored_bytes = nullif(coalesce(?9, max_stored_bytes), 0)
WHERE key_id = ?1;

-- name: key_revoke
UPDATE api_keys
SET revoked_at = coalesce(revoked_at, ?2)
WHERE key_id = ?1;

-- A key's limits, counters and virtual time.
-- name: key_account
SELECT key, weight, vt, created_jobs, rate_limit_requests, rate_limit_burst, max_pending_jobs, max_pending_chars,
       max_chars_per_day, max_stored_bytes, used_at, burst_used, pending_jobs, pending_chars, day_chars, stored_bytes
FROM api_keys
WHERE key = ?1;

-- name: key_account_write
UPDATE api_keys
SET vt = ?2, created_jobs = ?3, used_at = ?4, burst_used = ?5, pending_jobs = ?6, pending_chars = ?7, day_chars = ?8,
    stored_bytes = ?9
WHERE key = ?1;

-- The least virtual time of those that wait.  [scan: the first row of the keys that wait, in that order]
-- name: key_least_vt
SELECT vt
FROM api_keys
WHERE pending_jobs > 0
ORDER BY vt
LIMIT 1;

-- The keys to serve, the next one first; none while claiming is paused.  [scan: the first few of the keys that wait, in
-- that order]
-- name: key_next
SELECT key
FROM api_keys
WHERE pending_jobs > 0 AND NOT EXISTS (SELECT 1 FROM pause WHERE pause = 1)
ORDER BY vt;

-- name: key_first_job
SELECT id
FROM jobs
WHERE key = ?1 AND status = 'pending'
ORDER BY id
LIMIT 1;
