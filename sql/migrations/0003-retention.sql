-- What is old enough to go, found without a scan.

-- Audio of before expires as the default of retention_audio has it: seven days after it was made.
UPDATE jobs
SET expires_at = completed_at + 604800000
WHERE status = 'completed' AND expires_at IS NULL;

CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND audio_removed_at IS NULL;
CREATE INDEX jobs_ended ON jobs (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX webhooks_settled ON webhooks (settled_at) WHERE settled_at IS NOT NULL AND body <> '';
