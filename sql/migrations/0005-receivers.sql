-- What is due is found by receiver, receivers can ask for a pause, and an attempt tells more of how it went.

CREATE TABLE receivers (
    receiver        TEXT    PRIMARY KEY,
    due_at          INTEGER,
    paused_until    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX receivers_due ON receivers (due_at) WHERE due_at IS NOT NULL;
INSERT INTO receivers (receiver, due_at)
SELECT receiver, min(next_attempt_at) FROM webhooks WHERE next_attempt_at IS NOT NULL GROUP BY receiver;
DROP INDEX webhooks_next;

ALTER TABLE webhooks ADD COLUMN owed_at INTEGER NOT NULL DEFAULT 0;
-- Of those that are settled, or under way, nobody asks; a redelivery may have had them owed anew since they were made.
UPDATE webhooks SET owed_at = max(created_at, next_attempt_at) WHERE next_attempt_at IS NOT NULL;
ALTER TABLE webhooks ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

ALTER TABLE deliveries ADD COLUMN peer TEXT;
ALTER TABLE deliveries ADD COLUMN reused INTEGER;
ALTER TABLE deliveries ADD COLUMN sends INTEGER;
ALTER TABLE deliveries ADD COLUMN name_lookup_us INTEGER;
ALTER TABLE deliveries ADD COLUMN connect_us INTEGER;
ALTER TABLE deliveries ADD COLUMN tls_us INTEGER;
ALTER TABLE deliveries ADD COLUMN first_byte_us INTEGER;
ALTER TABLE deliveries ADD COLUMN total_us INTEGER;
