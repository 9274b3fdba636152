-- Jobs that take the worker down with them end, too.

ALTER TABLE jobs ADD COLUMN setbacks INTEGER NOT NULL DEFAULT 0;
