-- The current schema, for reading.  Databases are made by sql/migrations/; a test proves that both give the same.
-- Times are wall-clock milliseconds since 1970 unless a column says otherwise; NULL is "not yet" or "none".

-- Who may use the service.
CREATE TABLE api_keys (
    key             INTEGER PRIMARY KEY,
    key_id          TEXT    NOT NULL UNIQUE,             -- "key_…", its public name
    name            TEXT    NOT NULL,                    -- the administrator's
    hash            BLOB    NOT NULL UNIQUE,             -- SHA-256 of the API key; the key itself is kept nowhere
    weight          REAL    NOT NULL DEFAULT 1,          -- its share of the synthesizers
    created_at      INTEGER NOT NULL,
    revoked_at      INTEGER,
    pending_jobs    INTEGER NOT NULL DEFAULT 0,          -- kept in the transactions that change them
    pending_chars   INTEGER NOT NULL DEFAULT 0,
    created_jobs    INTEGER NOT NULL DEFAULT 0,          -- ever; numbers a key's jobs for queue positions
    vt              REAL    NOT NULL DEFAULT 0,          -- virtual time: characters claimed ÷ weight
    rate_limit_requests INTEGER,                         -- this key's own limits; NULL: the setting of that name
    rate_limit_burst INTEGER,
    max_pending_jobs INTEGER,
    max_pending_chars INTEGER,
    max_chars_per_day INTEGER,
    max_stored_bytes INTEGER,
    used_at         INTEGER NOT NULL DEFAULT 0,          -- the time at which the next two were as they stand
    burst_used      REAL    NOT NULL DEFAULT 0,          -- tokens taken from the bucket of rate_limit_burst
    day_chars       INTEGER NOT NULL DEFAULT 0,          -- characters sent in the day (UTC) of used_at
    stored_bytes    INTEGER NOT NULL DEFAULT 0           -- audio kept, and owed to jobs that have not ended
) STRICT;

-- The next key to serve.
CREATE INDEX api_keys_waiting ON api_keys (vt) WHERE pending_jobs > 0;

-- Secrets that sign a key's webhooks; more than one lives while they rotate.
CREATE TABLE webhook_secrets (
    secret_id       INTEGER PRIMARY KEY,
    key             INTEGER NOT NULL REFERENCES api_keys,
    secret          TEXT    NOT NULL,                    -- "whsec_…"; '' where it is sealed
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,                             -- NULL: the current one
    -- The secret, encrypted (src/crypto/seal.h).  Either all rows have it or none.
    sealed          BLOB CHECK ((sealed IS NULL) = (secret <> ''))
) STRICT;
CREATE INDEX webhook_secrets_of_key ON webhook_secrets (key);

-- Processes that claim jobs.  A worker's lease is the lease of all that it has claimed.
CREATE TABLE workers (
    worker          INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: jobs name it
    lock_path       TEXT    NOT NULL,                    -- the file whose flock(2) it holds while it lives
    boot_id         TEXT    NOT NULL,                    -- of the machine's boot; leases end with it
    lease_until     INTEGER NOT NULL,                    -- monotonic milliseconds of that boot
    started_at      INTEGER NOT NULL,
    beat_at         INTEGER NOT NULL                     -- when it last prolonged its lease
) STRICT;

-- One row while an administrator has the workers claim nothing (sayhookctl worker pause), none otherwise.
CREATE TABLE pause (
    pause           INTEGER PRIMARY KEY CHECK (pause = 1),
    since           INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id              INTEGER PRIMARY KEY,                 -- creation order: microseconds since 1970, made unique
    job_id          TEXT    NOT NULL,                    -- "job_…"; ends in id, so that id finds it and no index is kept
    key             INTEGER NOT NULL REFERENCES api_keys,
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    epoch           INTEGER NOT NULL DEFAULT 0,          -- raised by every claim; a stale claim no longer matches
    worker          INTEGER,                             -- whose claim it is while processing
    revision        INTEGER NOT NULL DEFAULT 1,          -- raised by every change that a client can see
    request_id      TEXT,                                -- of the request that created it
    language        TEXT    NOT NULL,
    voice           TEXT    NOT NULL,
    format          TEXT    NOT NULL,
    speed           REAL    NOT NULL,
    pitch           REAL    NOT NULL,
    timings         INTEGER NOT NULL,                    -- 0 or 1
    characters      INTEGER NOT NULL,                    -- code points of the text as sent
    metadata        TEXT,                                -- a JSON object
    webhook_url     TEXT,
    receiver        TEXT,                                -- scheme, host and port of webhook_url
    spoken          INTEGER NOT NULL DEFAULT 0,          -- code points spoken so far, by the claim that came furthest
    ordinal         INTEGER NOT NULL,                    -- api_keys.created_jobs when it was created
    cancel_requested INTEGER NOT NULL DEFAULT 0,         -- 0 or 1
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    completed_at    INTEGER,                             -- when it became terminal
    expires_at      INTEGER,
    audio_removed_at INTEGER,
    audio_bytes     INTEGER,
    audio_samples   INTEGER,
    audio_sample_rate INTEGER,
    audio_sha256    TEXT,                                -- of the file, in hex
    error_code      TEXT,
    error_message   TEXT,
    error_start     INTEGER,                             -- code points of the text that did it
    error_end       INTEGER,
    warnings        TEXT,                                -- a JSON array
    webhook         INTEGER,                             -- the event that it owed when it ended
    owed_bytes      INTEGER NOT NULL DEFAULT 0,          -- audio that its key is charged for until it ends, estimated
    setbacks        INTEGER NOT NULL DEFAULT 0           -- workers in a row that died at it before they had spoken more of it
) STRICT;

-- A key's jobs of one state in order of creation: for lists, and for the claim of its oldest pending one.
CREATE INDEX jobs_of_key ON jobs (key, status);

-- What a worker has claimed.
CREATE INDEX jobs_claimed ON jobs (worker) WHERE status = 'processing';

-- What is old enough to go.
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND audio_removed_at IS NULL;
CREATE INDEX jobs_ended ON jobs (completed_at) WHERE completed_at IS NOT NULL;

-- The texts, apart so that rows of jobs stay small.  Gone when the job completes or is cancelled; a failed job's stays.
CREATE TABLE job_texts (
    id              INTEGER PRIMARY KEY REFERENCES jobs,
    text            BLOB    NOT NULL                     -- UTF-8
) STRICT;

-- Requests that clients may repeat.  The answer that the first one got is made again from its job.  Rows are removed a
-- day after.
CREATE TABLE idempotency_keys (
    job             INTEGER PRIMARY KEY,                 -- jobs.id, and so the order and time of creation
    key             INTEGER NOT NULL REFERENCES api_keys,
    name            TEXT    NOT NULL,                    -- the Idempotency-Key
    body_hash       BLOB    NOT NULL,                    -- SHA-256 of the request's body
    queue_position  INTEGER NOT NULL                     -- that the first answer told
) STRICT;
CREATE UNIQUE INDEX idempotency_keys_of_key ON idempotency_keys (key, name);

-- The outbox: one row per event owed, made in the transaction that makes the event.
CREATE TABLE webhooks (
    webhook         INTEGER PRIMARY KEY AUTOINCREMENT,   -- never used twice: jobs name it
    webhook_id      TEXT    NOT NULL,                    -- "msg_…", what receivers tell duplicates by
    key             INTEGER NOT NULL REFERENCES api_keys,
    job             INTEGER,                             -- jobs.id; NULL for a ping
    event           TEXT    NOT NULL,
    url             TEXT    NOT NULL,
    receiver        TEXT    NOT NULL,                    -- scheme, host and port of url
    body            TEXT    NOT NULL,                    -- the bytes that are sent and signed
    status          TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts        INTEGER NOT NULL DEFAULT 0,          -- begun so far
    next_attempt_at INTEGER,                             -- NULL while an attempt runs, and once it is settled
    last_status_code INTEGER,
    last_error      TEXT,                                -- a code
    created_at      INTEGER NOT NULL,
    settled_at      INTEGER,
    owed_at         INTEGER NOT NULL DEFAULT 0,          -- since when: its event's time, or that of the last redelivery
    revision        INTEGER NOT NULL DEFAULT 0           -- raised by every change that a client can see; adds to its job's
) STRICT;

-- What is due, receiver by receiver: one that is slow hides no other.
CREATE INDEX webhooks_due ON webhooks (receiver, next_attempt_at) WHERE next_attempt_at IS NOT NULL;

-- Settled ones whose body and attempts are still kept.
CREATE INDEX webhooks_settled ON webhooks (settled_at) WHERE settled_at IS NOT NULL AND body <> '';

-- Those that can be sent again after an outage.
CREATE INDEX webhooks_failed ON webhooks (settled_at) WHERE status = 'failed';

-- Receivers that webhooks were owed to, kept in the transactions that plan attempts.
CREATE TABLE receivers (
    receiver        TEXT    PRIMARY KEY,                 -- as in webhooks
    due_at          INTEGER,                             -- its turn: the earliest next_attempt_at of its webhooks, not before the
                                                         -- next, nor before its last attempt; NULL: nothing is planned for it
    paused_until    INTEGER NOT NULL DEFAULT 0,          -- what it asked for with Retry-After, or its failures have earned
    class           INTEGER NOT NULL DEFAULT 1,          -- what its last attempt has shown: 0 works, 1 not known, 2 slow
    failing_since   INTEGER                              -- it failed so often that it is tried by one attempt at a time
) STRICT, WITHOUT ROWID;

-- Whose turn it is, and when the next one's will be.
CREATE INDEX receivers_due ON receivers (class, due_at, receiver) WHERE due_at IS NOT NULL;

-- Those that nothing is planned for, to be removed in the order in which their pauses ended.
CREATE INDEX receivers_paused ON receivers (paused_until) WHERE due_at IS NULL AND paused_until > 0;

-- One row per attempt, written before the request leaves and completed after its answer.
CREATE TABLE deliveries (
    webhook         INTEGER NOT NULL REFERENCES webhooks,
    attempt         INTEGER NOT NULL,                    -- 1, 2, …
    started_at      INTEGER NOT NULL,
    duration_ms     INTEGER,                             -- NULL until it ended
    status_code     INTEGER,
    error_code      TEXT,                                -- NULL is success
    error_message   TEXT,
    response_excerpt TEXT,
    next_attempt_at INTEGER,
    peer            TEXT,                                -- address and port that it was connected to; for administrators
    reused          INTEGER,                             -- 0 or 1: over a connection that was kept
    sends           INTEGER,                             -- how often the request left: a dead connection has it sent again
    name_lookup_us  INTEGER,                             -- microseconds that each step took; NULL: it was not reached
    connect_us      INTEGER,
    tls_us          INTEGER,
    first_byte_us   INTEGER,                             -- from the request's start to the answer's
    total_us        INTEGER,                             -- of the attempt as a whole
    PRIMARY KEY (webhook, attempt)
) STRICT, WITHOUT ROWID;

-- Attempts under way; those that a dead sender left are found here.
CREATE INDEX deliveries_open ON deliveries (started_at) WHERE duration_ms IS NULL;

-- Counters, kept in the transactions that change what they count, so that restarts and retention lose nothing.
-- A histogram's bucket has what falls in it alone.
CREATE TABLE metrics (
    name            TEXT    PRIMARY KEY,                 -- as Prometheus shows it, labels included
    value           REAL    NOT NULL
) STRICT, WITHOUT ROWID;

-- Which migrations made this database, and who ran them.
CREATE TABLE migrations (
    version         INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL,
    program         TEXT    NOT NULL,                    -- the version of Sayhook that ran it
    applied_at      INTEGER NOT NULL
) STRICT;

