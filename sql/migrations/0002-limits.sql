-- What keys may use and have used, and requests that clients may repeat.

ALTER TABLE api_keys ADD COLUMN rate_limit_requests INTEGER;
ALTER TABLE api_keys ADD COLUMN rate_limit_burst INTEGER;
ALTER TABLE api_keys ADD COLUMN max_pending_jobs INTEGER;
ALTER TABLE api_keys ADD COLUMN max_pending_chars INTEGER;
ALTER TABLE api_keys ADD COLUMN max_chars_per_day INTEGER;
ALTER TABLE api_keys ADD COLUMN max_stored_bytes INTEGER;
ALTER TABLE api_keys ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN burst_used REAL NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN day_chars INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN stored_bytes INTEGER NOT NULL DEFAULT 0;

ALTER TABLE jobs ADD COLUMN owed_bytes INTEGER NOT NULL DEFAULT 0;

-- Audio that was made before it was counted.
UPDATE api_keys
SET stored_bytes = coalesce((SELECT sum(j.audio_bytes) FROM jobs AS j
                             WHERE j.key = api_keys.key AND j.status = 'completed' AND j.audio_removed_at IS NULL), 0);

CREATE TABLE idempotency_keys (
    job             INTEGER PRIMARY KEY,
    key             INTEGER NOT NULL REFERENCES api_keys,
    name            TEXT    NOT NULL,
    body_hash       BLOB    NOT NULL,
    queue_position  INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idempotency_keys_of_key ON idempotency_keys (key, name);
