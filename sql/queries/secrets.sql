-- Secrets that sign a key's webhooks: all of them sealed, or none.

-- name: secret_insert
INSERT INTO webhook_secrets (key, secret, sealed, created_at)
VALUES (?1, ?2, ?3, ?4);

-- name: secret_live
SELECT secret, sealed
FROM webhook_secrets
WHERE key = ?1 AND (expires_at IS NULL OR expires_at > ?2)
ORDER BY secret_id DESC
LIMIT 4;

-- Any one tells whether all are sealed, and under which key.  [scan: the first row]
-- name: secret_newest
SELECT sealed
FROM webhook_secrets
ORDER BY secret_id DESC
LIMIT 1;

-- The next one that lies in plain text.
-- name: secret_plain
SELECT secret_id, key, secret
FROM webhook_secrets
WHERE secret_id > ?1 AND sealed IS NULL
ORDER BY secret_id
LIMIT 1;

-- name: secret_seal
UPDATE webhook_secrets
SET secret = '', sealed = ?2
WHERE secret_id = ?1;

-- name: secret_owner
SELECT key, revoked_at
FROM api_keys
WHERE key_id = ?1;

-- How many a key has, and when the first of them ends.
-- name: secret_count
SELECT count(*), min(expires_at)
FROM webhook_secrets
WHERE key = ?1;

-- None of a key outlives that time.
-- name: secret_end
UPDATE webhook_secrets
SET expires_at = min(coalesce(expires_at, ?2), ?2)
WHERE key = ?1;

-- name: secret_delete_ended
DELETE FROM webhook_secrets
WHERE key = ?1 AND expires_at <= ?2;
