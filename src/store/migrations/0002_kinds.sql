-- The newest entry of a kind is found at once, also in a journal of ten years. Entries of batches
-- are found by their batch.
CREATE INDEX journal_by_kind ON journal (kind, seq) WHERE batch IS NULL;
