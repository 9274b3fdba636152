-- An administrator can have the workers claim nothing for a while.

CREATE TABLE pause (
    pause           INTEGER PRIMARY KEY CHECK (pause = 1),
    since           INTEGER NOT NULL
) STRICT;
