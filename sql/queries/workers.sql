-- Workers and what they have claimed.

-- name: worker_insert
INSERT INTO workers (lock_path, boot_id, lease_until, started_at, beat_at)
VALUES (?1, ?2, ?3, ?4, ?4);

-- name: worker_beat
UPDATE workers
SET lease_until = ?2, beat_at = ?3
WHERE worker = ?1;

-- name: worker_lease
SELECT lease_until
FROM workers
WHERE worker = ?1;

-- name: worker_delete
DELETE FROM workers
WHERE worker = ?1;

-- Every worker: as many as there are processes.  [scan: workers]
-- name: worker_all
SELECT worker, lock_path, boot_id, lease_until, beat_at, started_at
FROM workers
ORDER BY worker;

-- name: worker_jobs
SELECT id
FROM jobs
WHERE worker = ?1 AND status = 'processing'
ORDER BY id;

-- name: worker_cancelled_jobs
SELECT id
FROM jobs
WHERE worker = ?1 AND status = 'processing' AND cancel_requested = 1
LIMIT ?2;
