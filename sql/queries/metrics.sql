-- name: metric_add
INSERT INTO metrics (name, value)
VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value;

-- name: metric_raise
INSERT INTO metrics (name, value)
VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value;

-- The oldest job that is pending, by the keys that have most to wait for: those that have been served most.  [scan: as many
-- keys as the caller wants, in that order, each with one look into an index]
-- name: metric_oldest_pending
SELECT min((SELECT j.id FROM jobs AS j WHERE j.key = k.key AND j.status = 'pending' ORDER BY j.id LIMIT 1))
FROM (SELECT key FROM api_keys WHERE pending_jobs > 0 ORDER BY vt DESC LIMIT ?1) AS k;

-- name: metric_get
SELECT value
FROM metrics
WHERE name = ?1;
