-- One row of samples per control period, and not one per channel: docs/decisions/0022. The old
-- table is empty here: a file with inputs in it is not upgraded (schema.rs), because its seals are
-- over the old rows.

DROP TABLE samples;

-- One control period: the reading, and the command and the phase that answered it.
--
-- _mc      raw value of a probe, thousandths of a degree Celsius; NULL when no value came
-- _age_ms  how old the value was when the reading was made up; 0 without a value
-- _quality 0 good, 1 stale, 2 out-of-range, 3 sensor-open, 4 comm, 5 disagrees
--
-- A probe, or a lid, that the unit does not have is NULL in all its columns.
CREATE TABLE samples (
    batch             INTEGER NOT NULL REFERENCES batches (id),
    tick_ms           INTEGER NOT NULL, -- that of the input
    -- 0 preheat, 1 load, 2 come-up, 3 hold, 4 cool, 5 unload, 6 finished, 7 aborted
    phase             INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 7),
    bath_mc           INTEGER,
    bath_age_ms       INTEGER NOT NULL CHECK (bath_age_ms >= 0),
    bath_quality      INTEGER NOT NULL CHECK (bath_quality BETWEEN 0 AND 5),
    milk_1_mc         INTEGER,
    milk_1_age_ms     INTEGER CHECK (milk_1_age_ms >= 0),
    milk_1_quality    INTEGER CHECK (milk_1_quality BETWEEN 0 AND 5),
    milk_2_mc         INTEGER,
    milk_2_age_ms     INTEGER CHECK (milk_2_age_ms >= 0),
    milk_2_quality    INTEGER CHECK (milk_2_quality BETWEEN 0 AND 5),
    milk_3_mc         INTEGER,
    milk_3_age_ms     INTEGER CHECK (milk_3_age_ms >= 0),
    milk_3_quality    INTEGER CHECK (milk_3_quality BETWEEN 0 AND 5),
    milk_4_mc         INTEGER,
    milk_4_age_ms     INTEGER CHECK (milk_4_age_ms >= 0),
    milk_4_quality    INTEGER CHECK (milk_4_quality BETWEEN 0 AND 5),
    milk_5_mc         INTEGER,
    milk_5_age_ms     INTEGER CHECK (milk_5_age_ms >= 0),
    milk_5_quality    INTEGER CHECK (milk_5_quality BETWEEN 0 AND 5),
    milk_6_mc         INTEGER,
    milk_6_age_ms     INTEGER CHECK (milk_6_age_ms >= 0),
    milk_6_quality    INTEGER CHECK (milk_6_quality BETWEEN 0 AND 5),
    milk_7_mc         INTEGER,
    milk_7_age_ms     INTEGER CHECK (milk_7_age_ms >= 0),
    milk_7_quality    INTEGER CHECK (milk_7_quality BETWEEN 0 AND 5),
    milk_8_mc         INTEGER,
    milk_8_age_ms     INTEGER CHECK (milk_8_age_ms >= 0),
    milk_8_quality    INTEGER CHECK (milk_8_quality BETWEEN 0 AND 5),
    reference_mc      INTEGER,
    reference_age_ms  INTEGER CHECK (reference_age_ms >= 0),
    reference_quality INTEGER CHECK (reference_quality BETWEEN 0 AND 5),
    lid               INTEGER CHECK (lid IN (0, 1)), -- 1 closed; NULL when no answer came
    lid_quality       INTEGER CHECK (lid_quality BETWEEN 0 AND 5),
    simulated         INTEGER NOT NULL CHECK (simulated IN (0, 1)), -- 1 not real hardware
    -- The command: 0 heat off, 1 by set point, 2 by duty
    heat              INTEGER NOT NULL CHECK (heat BETWEEN 0 AND 2),
    setpoint_mc       INTEGER,
    duty_permille     INTEGER CHECK (duty_permille BETWEEN 0 AND 1000),
    agitator          INTEGER NOT NULL CHECK (agitator IN (0, 1)), -- 1 on
    cooling           INTEGER NOT NULL CHECK (cooling IN (0, 1)), -- 1 valve open
    PRIMARY KEY (batch, tick_ms),
    CHECK ((milk_1_quality IS NULL) = (milk_1_age_ms IS NULL)
           AND (milk_1_mc IS NULL OR milk_1_quality IS NOT NULL)),
    CHECK ((milk_2_quality IS NULL) = (milk_2_age_ms IS NULL)
           AND (milk_2_mc IS NULL OR milk_2_quality IS NOT NULL)),
    CHECK ((milk_3_quality IS NULL) = (milk_3_age_ms IS NULL)
           AND (milk_3_mc IS NULL OR milk_3_quality IS NOT NULL)),
    CHECK ((milk_4_quality IS NULL) = (milk_4_age_ms IS NULL)
           AND (milk_4_mc IS NULL OR milk_4_quality IS NOT NULL)),
    CHECK ((milk_5_quality IS NULL) = (milk_5_age_ms IS NULL)
           AND (milk_5_mc IS NULL OR milk_5_quality IS NOT NULL)),
    CHECK ((milk_6_quality IS NULL) = (milk_6_age_ms IS NULL)
           AND (milk_6_mc IS NULL OR milk_6_quality IS NOT NULL)),
    CHECK ((milk_7_quality IS NULL) = (milk_7_age_ms IS NULL)
           AND (milk_7_mc IS NULL OR milk_7_quality IS NOT NULL)),
    CHECK ((milk_8_quality IS NULL) = (milk_8_age_ms IS NULL)
           AND (milk_8_mc IS NULL OR milk_8_quality IS NOT NULL)),
    CHECK ((reference_quality IS NULL) = (reference_age_ms IS NULL)
           AND (reference_mc IS NULL OR reference_quality IS NOT NULL)),
    CHECK (lid_quality IS NOT NULL OR lid IS NULL),
    CHECK ((heat = 1) = (setpoint_mc IS NOT NULL)),
    CHECK ((heat = 2) = (duty_permille IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER samples_no_update BEFORE UPDATE ON samples
BEGIN SELECT raise(ABORT, 'samples are append-only'); END;
CREATE TRIGGER samples_no_delete BEFORE DELETE ON samples
BEGIN SELECT raise(ABORT, 'samples are append-only'); END;
