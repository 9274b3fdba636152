-- What attempts have shown of a receiver outlives the sender, and is part of the order in which those due are found.

ALTER TABLE receivers ADD COLUMN class INTEGER NOT NULL DEFAULT 1;
ALTER TABLE receivers ADD COLUMN failing_since INTEGER;
DROP INDEX receivers_due;
CREATE INDEX receivers_due ON receivers (class, due_at, receiver) WHERE due_at IS NOT NULL;
CREATE INDEX receivers_paused ON receivers (paused_until) WHERE due_at IS NULL AND paused_until > 0;
