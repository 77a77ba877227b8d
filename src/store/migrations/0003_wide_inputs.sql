-- An input of the engine is one row, a reading with its samples in columns, and not a row of inputs
-- with one row of samples per channel: docs/decisions/0024. The old tables are empty here: a file
-- with inputs in it is not upgraded (schema.rs), because its seals are over the old rows.

DROP TABLE samples;
DROP TABLE inputs;

-- Whatever came to the engine, in order. A reading has its samples beside it, and the phase and the
-- command that answered it; for an action of a person and for a wake these columns are NULL.
--
-- _mc      raw value of a probe, thousandths of a degree Celsius; NULL when no value came
-- _age_ms  how old the value was when the reading was made up; 0 without a value
-- _quality 0 good, 1 stale, 2 out-of-range, 3 sensor-open, 4 comm, 5 disagrees
--
-- A probe or a lid switch that the unit does not have is NULL in all its columns.
CREATE TABLE inputs (
    batch             INTEGER NOT NULL REFERENCES batches (id),
    n                 INTEGER NOT NULL, -- from 1, without a hole
    tick_ms           INTEGER NOT NULL, -- on the batch's own time
    utc_ms            INTEGER NOT NULL, -- by the wall clock, since 1970
    kind              TEXT NOT NULL, -- reading, operator, wake
    who               TEXT NOT NULL CHECK (who <> ''),
    action            TEXT CHECK (action IS NULL OR json_valid(action)), -- of a person
    refused           TEXT, -- why the engine refused the action
    -- 0 preheat, 1 load, 2 come-up, 3 hold, 4 cool, 5 unload, 6 finished, 7 aborted
    phase             INTEGER CHECK (phase BETWEEN 0 AND 7),
    bath_mc           INTEGER,
    bath_age_ms       INTEGER,
    bath_quality      INTEGER,
    milk_1_mc         INTEGER,
    milk_1_age_ms     INTEGER,
    milk_1_quality    INTEGER,
    milk_2_mc         INTEGER,
    milk_2_age_ms     INTEGER,
    milk_2_quality    INTEGER,
    milk_3_mc         INTEGER,
    milk_3_age_ms     INTEGER,
    milk_3_quality    INTEGER,
    milk_4_mc         INTEGER,
    milk_4_age_ms     INTEGER,
    milk_4_quality    INTEGER,
    milk_5_mc         INTEGER,
    milk_5_age_ms     INTEGER,
    milk_5_quality    INTEGER,
    milk_6_mc         INTEGER,
    milk_6_age_ms     INTEGER,
    milk_6_quality    INTEGER,
    milk_7_mc         INTEGER,
    milk_7_age_ms     INTEGER,
    milk_7_quality    INTEGER,
    milk_8_mc         INTEGER,
    milk_8_age_ms     INTEGER,
    milk_8_quality    INTEGER,
    reference_mc      INTEGER,
    reference_age_ms  INTEGER,
    reference_quality INTEGER,
    lid               INTEGER CHECK (lid IN (0, 1)), -- 1 closed; NULL when no answer came
    lid_quality       INTEGER CHECK (lid_quality BETWEEN 0 AND 5),
    simulated         INTEGER CHECK (simulated IN (0, 1)), -- 1 not real hardware
    -- The command: 0 heat off, 1 by set point, 2 by duty
    heat              INTEGER,
    setpoint_mc       INTEGER,
    duty_permille     INTEGER,
    agitator          INTEGER CHECK (agitator IN (0, 1)), -- 1 on
    cooling           INTEGER CHECK (cooling IN (0, 1)), -- 1 valve open
    -- SHA-256 over the running hash of the input before and all the other columns of this one
    running           BLOB NOT NULL CHECK (length(running) = 32),
    PRIMARY KEY (batch, n),
    -- The checks end early for what most rows are, since they are computed once per control period.
    -- A reading has these, and no other input has any of what a reading has.
    CHECK (kind = 'reading' AND action IS NULL AND phase IS NOT NULL AND bath_quality IS NOT NULL
           AND simulated IS NOT NULL AND heat IS NOT NULL AND agitator IS NOT NULL
           AND cooling IS NOT NULL
           OR (kind = 'operator' AND action IS NOT NULL OR kind = 'wake' AND action IS NULL)
           AND coalesce(phase, bath_quality, milk_1_quality, milk_2_quality, milk_3_quality,
                        milk_4_quality, milk_5_quality, milk_6_quality, milk_7_quality,
                        milk_8_quality, reference_quality, lid_quality, simulated, heat,
                        setpoint_mc, duty_permille, agitator, cooling) IS NULL),
    CHECK (coalesce(heat, 0) = 0 AND setpoint_mc IS NULL AND duty_permille IS NULL
           OR heat IS 1 AND setpoint_mc IS NOT NULL AND duty_permille IS NULL
           OR heat IS 2 AND setpoint_mc IS NULL AND duty_permille IS NOT NULL
           AND duty_permille BETWEEN 0 AND 1000),
    -- A probe is not there, or there with an age and a quality.
    CHECK (bath_quality IS NULL AND bath_age_ms IS NULL AND bath_mc IS NULL
           OR bath_age_ms IS NOT NULL AND bath_age_ms >= 0
           AND bath_quality IS NOT NULL AND bath_quality BETWEEN 0 AND 5),
    CHECK (milk_1_quality IS NULL AND milk_1_age_ms IS NULL AND milk_1_mc IS NULL
           OR milk_1_age_ms IS NOT NULL AND milk_1_age_ms >= 0
           AND milk_1_quality IS NOT NULL AND milk_1_quality BETWEEN 0 AND 5),
    CHECK (milk_2_quality IS NULL AND milk_2_age_ms IS NULL AND milk_2_mc IS NULL
           OR milk_2_age_ms IS NOT NULL AND milk_2_age_ms >= 0
           AND milk_2_quality IS NOT NULL AND milk_2_quality BETWEEN 0 AND 5),
    CHECK (milk_3_quality IS NULL AND milk_3_age_ms IS NULL AND milk_3_mc IS NULL
           OR milk_3_age_ms IS NOT NULL AND milk_3_age_ms >= 0
           AND milk_3_quality IS NOT NULL AND milk_3_quality BETWEEN 0 AND 5),
    CHECK (milk_4_quality IS NULL AND milk_4_age_ms IS NULL AND milk_4_mc IS NULL
           OR milk_4_age_ms IS NOT NULL AND milk_4_age_ms >= 0
           AND milk_4_quality IS NOT NULL AND milk_4_quality BETWEEN 0 AND 5),
    CHECK (milk_5_quality IS NULL AND milk_5_age_ms IS NULL AND milk_5_mc IS NULL
           OR milk_5_age_ms IS NOT NULL AND milk_5_age_ms >= 0
           AND milk_5_quality IS NOT NULL AND milk_5_quality BETWEEN 0 AND 5),
    CHECK (milk_6_quality IS NULL AND milk_6_age_ms IS NULL AND milk_6_mc IS NULL
           OR milk_6_age_ms IS NOT NULL AND milk_6_age_ms >= 0
           AND milk_6_quality IS NOT NULL AND milk_6_quality BETWEEN 0 AND 5),
    CHECK (milk_7_quality IS NULL AND milk_7_age_ms IS NULL AND milk_7_mc IS NULL
           OR milk_7_age_ms IS NOT NULL AND milk_7_age_ms >= 0
           AND milk_7_quality IS NOT NULL AND milk_7_quality BETWEEN 0 AND 5),
    CHECK (milk_8_quality IS NULL AND milk_8_age_ms IS NULL AND milk_8_mc IS NULL
           OR milk_8_age_ms IS NOT NULL AND milk_8_age_ms >= 0
           AND milk_8_quality IS NOT NULL AND milk_8_quality BETWEEN 0 AND 5),
    CHECK (reference_quality IS NULL AND reference_age_ms IS NULL AND reference_mc IS NULL
           OR reference_age_ms IS NOT NULL AND reference_age_ms >= 0
           AND reference_quality IS NOT NULL AND reference_quality BETWEEN 0 AND 5),
    CHECK (lid IS NULL OR lid_quality IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- AFTER takes half as long as BEFORE, for which all columns are copied; the row is undone the same.
CREATE TRIGGER inputs_of_an_open_batch AFTER INSERT ON inputs
WHEN (SELECT closed_utc_ms FROM batches WHERE id = NEW.batch) IS NOT NULL
BEGIN SELECT raise(ABORT, 'the record of the batch is closed'); END;
CREATE TRIGGER inputs_no_update BEFORE UPDATE ON inputs
BEGIN SELECT raise(ABORT, 'inputs are append-only'); END;
CREATE TRIGGER inputs_no_delete BEFORE DELETE ON inputs
BEGIN SELECT raise(ABORT, 'inputs are append-only'); END;
