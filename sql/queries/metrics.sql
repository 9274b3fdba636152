-- name: metric_add
INSERT INTO metrics (name, value)
VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = value + excluded.value;

-- name: metric_raise
INSERT INTO metrics (name, value)
VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value;

-- name: metric_get
SELECT value
FROM metrics
WHERE name = ?1;
