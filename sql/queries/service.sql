-- The service as a whole, as an administrator steers it and looks at it.

-- name: pause_since
SELECT since
FROM pause
WHERE pause = 1;

-- name: pause_begin
INSERT INTO pause (pause, since)
VALUES (1, ?1)
ON CONFLICT DO NOTHING;

-- name: pause_end
DELETE FROM pause
WHERE pause = 1;

-- Jobs that are claimed: as many as the workers have places for.  [scan: an index that holds no others]
-- name: job_count_claimed
SELECT count(*)
FROM jobs INDEXED BY jobs_claimed
WHERE status = 'processing';
