//! What must hold, by number. A number is never given again: a requirement that is dropped
//! leaves a hole.
//!
//! *Source* names the text that asks for it: this program's design (DESIGN, issue 4), the domain
//! page (DOMAIN, with the guideline or regulation that it cites), or the regulation itself.

/// One requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// `REQ-HOLD-01`: stable for ever.
    pub number: &'static str,
    /// What must hold, in one sentence.
    pub text: &'static str,
    /// Which clause asks for it.
    pub source: &'static str,
}

const fn req(number: &'static str, text: &'static str, source: &'static str) -> Requirement {
    Requirement { number, text, source }
}

/// Every requirement, in the order of the report.
pub const REQUIREMENTS: &[Requirement] = &[
    req(
        "REQ-HOLD-01",
        "A batch is acceptable only with one unbroken hold of the recipe's time in which the coldest \
         required milk probe, corrected, stays at or above the floor plus its uncertainty plus the \
         machine's margin.",
        "DOMAIN, How the hold is judged; Australia, HMBANA, UKAMB: 62.5 °C is a floor [1]",
    ),
    req(
        "REQ-HOLD-02",
        "A judged value below the limit breaks the hold; the hold begins again, and this is a \
         deviation; more restarts than the recipe allows fail the batch.",
        "DOMAIN, recipe key hold; state rules after the US PMO [51]",
    ),
    req(
        "REQ-HOLD-03",
        "A lid that is opened during the hold breaks it.",
        "DOMAIN, recipe key hold; state rules after the US PMO [51]",
    ),
    req(
        "REQ-HOLD-04",
        "A gap in the good readings of a required probe that is longer than the recipe's limit breaks \
         the hold.",
        "DOMAIN, recipe key hold (max_gap)",
    ),
    req(
        "REQ-COUNT-01",
        "The bottles that come out are counted, and once more if they are not as many as went in. More \
         than went in fail the batch; fewer, or more at the first count alone, are a deviation.",
        "Issue 4, invariant 1: raw bottles that were put to the others show by nothing that is measured",
    ),
    req(
        "REQ-CEIL-01",
        "Milk that gets hotter than the recipe's ceilings is noted, is a deviation, or fails the \
         batch, in that order.",
        "DOMAIN, ceiling of the milk",
    ),
    req(
        "REQ-COOL-01",
        "A batch whose hottest milk is not at 10 °C within the recipe's time fails.",
        "DOMAIN, cooling to ≤ 10 °C",
    ),
    req(
        "REQ-SPREAD-01",
        "Milk probes that differ by more than the recipe allows during the hold are a deviation.",
        "DOMAIN, spread; 1 NYCRR 2.45 [45]",
    ),
    req(
        "REQ-LETH-01",
        "The lethality of a constant 62.5 °C for 30 min against Coxiella burnetii is computed as 6.8 \
         log, and 4.4 log at 61.7 °C, each within 0.1 log.",
        "DOMAIN, Lethality; Enright 1956-57 [35], Codex [34]",
    ),
    req(
        "REQ-JUDGE-01",
        "A batch is acceptable only if the live engine and the judge, by separate code, both accept \
         it; a disagreement is never acceptable.",
        "DESIGN, Two judges; issue 4, invariant 4",
    ),
    req(
        "REQ-JUDGE-02",
        "Good batches on machines over the whole range of good plants are acceptable.",
        "Issue 4, invariant 5",
    ),
    req(
        "REQ-HEAT-01",
        "Heat is commanded off at most two control periods after the last reading that can be \
         trusted.",
        "Issue 4, invariant 2; DESIGN, Safe state",
    ),
    req(
        "REQ-HEAT-02",
        "Heat is commanded off when the bath is hotter than its clamp by 1.0 °C.",
        "DESIGN, Control wants, interlocks decide",
    ),
    req(
        "REQ-HEAT-03",
        "Heat needs a permit: without a committed sample that is at most one period old, the command \
         is off.",
        "DESIGN, Heat needs a permit",
    ),
    req(
        "REQ-UNIT-01",
        "One unit is run by one program at a time.",
        "DESIGN, Storage: one lock per unit",
    ),
    req(
        "REQ-CAL-01",
        "A probe whose calibration is overdue blocks the start of a batch.",
        "DOMAIN, calibration [12]; 21 CFR 11.10(h)",
    ),
    req(
        "REQ-SIM-01",
        "What comes from a simulated machine is marked SIMULATED on its record.",
        "DOMAIN, The electronic record; DESIGN, simulated = true",
    ),
    req(
        "REQ-MILK-01",
        "Milk of a donor who is not cleared cannot enter a pool; the refusal names the deposit.",
        "DOMAIN, Traceability; screening panel WAC 246-720-030 [67]",
    ),
    req(
        "REQ-MILK-02",
        "Whether milk may be used is asked again when a batch starts: a donor who was deferred after \
         the mixing stops the whole pool, and the refusal names deposit and donor.",
        "DOMAIN, Traceability and accounting (a later deferral)",
    ),
    req(
        "REQ-MILK-03",
        "A pool has as many donors as the recipe allows, and no milk older than it allows.",
        "DOMAIN, recipe keys donors in a pool [16][4] and expiry [23][25]",
    ),
    req(
        "REQ-VOL-01",
        "Volumes are whole microlitres; that of a pool is the sum of its deposits, and a deposit enters \
         one pool only.",
        "DOMAIN, Traceability and accounting; WAC 246-720-080 [9]; DESIGN, Storage",
    ),
    req(
        "REQ-VOL-02",
        "What is left in a pool, what is held for a batch and what was drawn make its volume to the \
         microlitre; milk that was held for a batch and never loaded goes back.",
        "DOMAIN, Traceability and accounting; WAC 246-720-080 [9]",
    ),
    req(
        "REQ-VOL-03",
        "No batch starts with more milk than its pool has; bottles that are in beyond that are counted, \
         and the record says so.",
        "DOMAIN, Traceability and accounting: a difference is an entry with a reason",
    ),
    req(
        "REQ-TRACE-01",
        "A batch leads to its pool, deposits and donors, and each deposit to its pool and batches, by \
         codes alone.",
        "DOMAIN, Traceability and accounting; WAC 246-720-080 [9]",
    ),
    req(
        "REQ-REC-01",
        "Every acknowledged input and sample can be read back exactly, and the stored inputs give the \
         stored decisions again.",
        "Issue 4, invariant 3; 21 CFR 11.10(b), (c)",
    ),
    req(
        "REQ-REC-02",
        "A record that was altered is discerned: the first entry, block or frozen text that does not \
         fit is named, with the expected and the found hash.",
        "21 CFR 11.10(a); issue 4, Backup; EU GMP Annex 11 [58]",
    ),
    req(
        "REQ-REC-03",
        "A journal that was rewritten or cut off is discerned against a hash from paper.",
        "DESIGN, Storage; 21 CFR 11.10(a)",
    ),
    req(
        "REQ-REC-04",
        "A backup can be made while the record is in use, verifies, and is restored into a new folder \
         only; the new journal says so.",
        "Issue 4, Backup; 21 CFR 11.10(c); EU GMP Annex 11, 7.2",
    ),
    req(
        "REQ-REC-05",
        "Each action of a person is in the audit trail with who, when and what; earlier entries are \
         never changed or deleted.",
        "21 CFR 11.10(e); EU GMP Annex 11, 9",
    ),
    req(
        "REQ-REC-06",
        "A batch is exported complete and in electronic form, and the export is judged to the same \
         verdict.",
        "21 CFR 11.10(b)",
    ),
    req(
        "REQ-SEQ-01",
        "Steps are taken in their order: what a person does too early is refused.",
        "21 CFR 11.10(f)",
    ),
    req(
        "REQ-MAP-01",
        "On a machine: for a full load of water bottles, half of it and one bottle, the hold is complete \
         and the coldest probe is known.",
        "DOMAIN, Cold point [7]; issue 4, Qualification",
    ),
    req(
        "REQ-MAP-02",
        "On a machine: with each of these loads, the milk probes differ during the hold by no more than \
         the recipe allows.",
        "DOMAIN, spread; 1 NYCRR 2.45 [45]",
    ),
    req(
        "REQ-MAP-03",
        "On a machine: the come-up time is known for each of these loads.",
        "Issue 4, Qualification (come-up by load)",
    ),
    req(
        "REQ-MAP-04",
        "On a machine: with each of these loads, from the moment at which the control bottle alone would \
         begin the hold, no milk probe is colder than that of the control bottle by more than the \
         machine's margin.",
        "DOMAIN, How the hold is judged; PLANT, distance from control bottle to coldest bottle",
    ),
];

/// The requirement of this number.
pub fn requirement(number: &str) -> Option<&'static Requirement> {
    REQUIREMENTS.iter().find(|one| one.number == number)
}
