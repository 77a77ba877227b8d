-- The first schema. Forward only: a released file of this folder is never edited.

CREATE TABLE batches (
    id             INTEGER PRIMARY KEY,
    code           TEXT    NOT NULL UNIQUE,
    unit           TEXT    NOT NULL,
    purpose        TEXT    NOT NULL CHECK (purpose IN ('milk', 'water')),
    simulated      INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    recipe         TEXT    NOT NULL,
    pool           TEXT    REFERENCES pools (code),
    bottles        INTEGER NOT NULL CHECK (bottles >= 0),
    -- Milk, microlitres: in each bottle (water: 0); held for the batch until its bottles are in,
    -- or it is closed; drawn from the pool when the bottles are in.
    bottle_ul      INTEGER NOT NULL CHECK (bottle_ul >= 0),
    reserved_ul    INTEGER NOT NULL CHECK (reserved_ul >= 0),
    volume_ul      INTEGER NOT NULL CHECK (volume_ul >= 0),
    operator       TEXT    NOT NULL,
    started_utc_ms INTEGER NOT NULL,
    closed_utc_ms  INTEGER,
    closing        TEXT    CHECK (closing IN ('ended', 'interrupted')),
    phase          TEXT    NOT NULL,
    engine_accepts INTEGER CHECK (engine_accepts IN (0, 1)),
    verdict        TEXT,
    CHECK ((closed_utc_ms IS NULL) = (closing IS NULL)),
    CHECK (reserved_ul = 0 OR (volume_ul = 0 AND closed_utc_ms IS NULL)),
    CHECK ((purpose = 'milk') = (pool IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX one_open_batch_per_unit ON batches (unit) WHERE closed_utc_ms IS NULL;
CREATE INDEX batches_by_pool ON batches (pool) WHERE pool IS NOT NULL;

CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY,
    utc_ms    INTEGER NOT NULL,
    tick_ms   INTEGER, -- monotonic time of the batch
    who       TEXT    NOT NULL CHECK (length(who) > 0),
    kind      TEXT    NOT NULL CHECK (length(kind) > 0),
    subject   TEXT    NOT NULL,
    batch     TEXT    REFERENCES batches (code),
    body      TEXT    NOT NULL CHECK (json_valid(body)), -- what, before, after, why
    prev_hash BLOB    NOT NULL CHECK (length(prev_hash) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32) -- SHA-256 of all the other columns
) STRICT;
CREATE INDEX journal_by_batch ON journal (batch, seq) WHERE batch IS NOT NULL;

CREATE TABLE inputs (
    batch   INTEGER NOT NULL REFERENCES batches (id),
    n       INTEGER NOT NULL, -- from 1, without a hole
    tick_ms INTEGER NOT NULL,
    utc_ms  INTEGER NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('reading', 'operator', 'wake')),
    who     TEXT    NOT NULL CHECK (length(who) > 0),
    action  TEXT    CHECK (action IS NULL OR json_valid(action)), -- of a person
    refused TEXT, -- why the engine refused the action
    -- SHA-256 over the running hash of the input before, this row and its samples
    running BLOB    NOT NULL CHECK (length(running) = 32),
    PRIMARY KEY (batch, n),
    CHECK ((kind = 'operator') = (action IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE samples (
    batch   INTEGER NOT NULL REFERENCES batches (id),
    tick_ms INTEGER NOT NULL,
    -- 0 bath, 1 to 8 milk probe 0 to 7, 9 reference, 10 lid (1 closed), 11 simulated (1 yes);
    -- the command: 20 heat off, 21 set point, 22 duty (thousandths), 23 agitator (1 on),
    -- 24 cooling valve (1 open); 30 phase (0 preheat, load, come-up, hold, cool, unload,
    -- finished, 7 aborted)
    channel INTEGER NOT NULL CHECK (channel BETWEEN 0 AND 30),
    value   INTEGER, -- temperatures: millidegrees, raw; NULL when no value came
    age_ms  INTEGER NOT NULL CHECK (age_ms >= 0),
    -- 0 good, 1 stale, 2 out-of-range, 3 sensor-open, 4 comm, 5 disagrees
    quality INTEGER NOT NULL CHECK (quality BETWEEN 0 AND 5),
    PRIMARY KEY (batch, tick_ms, channel)
) STRICT, WITHOUT ROWID;

CREATE TABLE params (
    batch  INTEGER PRIMARY KEY REFERENCES batches (id),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    json   TEXT NOT NULL CHECK (json_valid(json))
) STRICT;

CREATE TABLE texts (
    sha256 BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
    text   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE batch_texts (
    batch    INTEGER NOT NULL REFERENCES batches (id),
    position INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    sha256   BLOB    NOT NULL REFERENCES texts (sha256),
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE station (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    name           TEXT    NOT NULL,
    time_zone      TEXT    NOT NULL,
    training       INTEGER NOT NULL CHECK (training IN (0, 1)),
    created_utc_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    name         TEXT    NOT NULL PRIMARY KEY,
    added_utc_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE donors (
    code          TEXT NOT NULL PRIMARY KEY,
    status        TEXT NOT NULL
                  CHECK (status IN ('screening', 'cleared', 'deferred', 'research-only')),
    cleared_until TEXT,
    CHECK ((status = 'cleared') = (cleared_until IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
    code       TEXT    NOT NULL PRIMARY KEY,
    made_on    TEXT    NOT NULL,
    expires_on TEXT    NOT NULL,
    volume_ul  INTEGER NOT NULL CHECK (volume_ul > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE deposits (
    code         TEXT    NOT NULL PRIMARY KEY,
    donor        TEXT    NOT NULL REFERENCES donors (code),
    volume_ul    INTEGER NOT NULL CHECK (volume_ul > 0),
    expressed_on TEXT    NOT NULL, -- the oldest day of expression in it
    received_on  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pool_deposits (
    pool     TEXT    NOT NULL REFERENCES pools (code),
    position INTEGER NOT NULL,
    deposit  TEXT    NOT NULL UNIQUE REFERENCES deposits (code),
    PRIMARY KEY (pool, position)
) STRICT, WITHOUT ROWID;

-- D-3 and d-3 are one label: a code names one thing, however it is typed.
CREATE UNIQUE INDEX donors_by_label ON donors (code COLLATE NOCASE);
CREATE UNIQUE INDEX deposits_by_label ON deposits (code COLLATE NOCASE);
CREATE UNIQUE INDEX pools_by_label ON pools (code COLLATE NOCASE);

-- What was written stays: a correction is a new entry, never a change of an old one.
CREATE TRIGGER journal_in_sequence BEFORE INSERT ON journal
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM journal)
BEGIN SELECT raise(ABORT, 'the journal has no holes and nothing is inserted into it'); END;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER inputs_of_an_open_batch BEFORE INSERT ON inputs
WHEN (SELECT closed_utc_ms FROM batches WHERE id = NEW.batch) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the record of the batch is closed'); END;
CREATE TRIGGER inputs_no_update BEFORE UPDATE ON inputs
BEGIN SELECT raise(ABORT, 'inputs are append-only'); END;
CREATE TRIGGER inputs_no_delete BEFORE DELETE ON inputs
BEGIN SELECT raise(ABORT, 'inputs are append-only'); END;
CREATE TRIGGER samples_no_update BEFORE UPDATE ON samples
BEGIN SELECT raise(ABORT, 'samples are append-only'); END;
CREATE TRIGGER samples_no_delete BEFORE DELETE ON samples
BEGIN SELECT raise(ABORT, 'samples are append-only'); END;
CREATE TRIGGER params_no_update BEFORE UPDATE ON params
BEGIN SELECT raise(ABORT, 'parameters are frozen'); END;
CREATE TRIGGER params_no_delete BEFORE DELETE ON params
BEGIN SELECT raise(ABORT, 'parameters are frozen'); END;
CREATE TRIGGER texts_no_update BEFORE UPDATE ON texts
BEGIN SELECT raise(ABORT, 'texts are frozen'); END;
CREATE TRIGGER texts_no_delete BEFORE DELETE ON texts
BEGIN SELECT raise(ABORT, 'texts are frozen'); END;
CREATE TRIGGER batch_texts_no_update BEFORE UPDATE ON batch_texts
BEGIN SELECT raise(ABORT, 'texts are frozen'); END;
CREATE TRIGGER batch_texts_no_delete BEFORE DELETE ON batch_texts
BEGIN SELECT raise(ABORT, 'texts are frozen'); END;
