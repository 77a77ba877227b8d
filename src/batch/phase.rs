//! The names of the phases, for the database, the exports and the screen.

use serde::{Deserialize, Serialize};

/// A phase of a batch without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhaseName {
    /// The empty bath is brought to its set point.
    Preheat,
    /// The technician puts the bottles in.
    Load,
    /// The milk is warmed to the floor.
    ComeUp,
    /// The milk is held at or above the floor.
    Hold,
    /// The milk is cooled.
    Cool,
    /// The technician takes the bottles out.
    Unload,
    /// The run is over and its record complete.
    Finished,
    /// The run was stopped before its end; heat is off.
    Aborted,
}

impl PhaseName {
    /// Every phase, in the order of a batch.
    pub const ALL: [Self; 8] = [
        Self::Preheat,
        Self::Load,
        Self::ComeUp,
        Self::Hold,
        Self::Cool,
        Self::Unload,
        Self::Finished,
        Self::Aborted,
    ];

    /// The stable word for files, tables and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Preheat => "preheat",
            Self::Load => "load",
            Self::ComeUp => "come-up",
            Self::Hold => "hold",
            Self::Cool => "cool",
            Self::Unload => "unload",
            Self::Finished => "finished",
            Self::Aborted => "aborted",
        }
    }

    /// The phase with this stable word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }

    /// Whether no further reading can change what happened to the milk.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Finished | Self::Aborted => true,
            Self::Preheat | Self::Load | Self::ComeUp | Self::Hold | Self::Cool | Self::Unload => {
                false
            }
        }
    }
}

impl std::fmt::Display for PhaseName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_is_stored_said_and_found_again_by_one_word() {
        let words = ["preheat", "load", "come-up", "hold", "cool", "unload", "finished", "aborted"];
        for (phase, word) in PhaseName::ALL.into_iter().zip(words) {
            assert_eq!((phase.word(), phase.to_string().as_str()), (word, word));
            assert_eq!(serde_json::to_value(phase).expect("written"), word);
            assert_eq!(PhaseName::from_word(word), Some(phase));
        }
        for word in ["", "Hold", "hold ", "holding"] {
            assert_eq!(PhaseName::from_word(word), None, "{word:?}");
        }
    }

    #[test]
    fn only_a_finished_and_an_aborted_batch_are_over() {
        let over = PhaseName::ALL.into_iter().filter(|phase| phase.is_final());
        assert!(over.eq([PhaseName::Finished, PhaseName::Aborted]));
    }
}
