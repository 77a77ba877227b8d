//! Why a station or one of its units cannot be used as it is written.

use std::path::PathBuf;

use holder_hal::Kelvin;
use holder_hal::wire::{ProfileError, SpecError};
use jiff::civil::Date;

use crate::batch::params::ParamsFault;
use crate::toml_file::TomlError;

/// Why a station or one of its units cannot be used as it is written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The folder is not a station.
    #[error(
        "{0} is not a station: it has no station.toml. Make one with `holder init DIR`, or name \
         the right folder with --dir"
    )]
    NoStation(PathBuf),
    /// A file cannot be read.
    #[error(
        "{path} cannot be read: {why}; check that it is there, yours to read, and text in UTF-8"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason. Not a `source`: the sentence has it, and a chain would repeat it.
        why: std::io::Error,
    },
    /// A file breaks a rule; the message has file, line, key and rule.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// A device profile breaks a rule; the message has file, line, key and rule.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The buses, devices and roles do not fit together.
    #[error("{file}: {fault}")]
    Spec {
        /// The station file.
        file: String,
        /// What does not fit.
        fault: Box<SpecError>,
    },
    /// A batch cannot begin with these parameters.
    #[error("{file}, unit {unit}: {fault}")]
    Params {
        /// The station file.
        file: String,
        /// The unit.
        unit: String,
        /// The rule that they break.
        fault: ParamsFault,
    },
    /// A file of the station has the name of a shipped one.
    #[error(
        "{path}: {name} is shipped with the program, and a station's own file never takes its \
         place; give it a new name, such as {name}-ours"
    )]
    Shadows {
        /// The file.
        path: PathBuf,
        /// The name that both have.
        name: String,
    },
    /// A name that nothing has.
    #[error("there is no {kind} named {name:?}{hint}; known: {known}")]
    Unknown {
        /// `unit`, `recipe` or `device profile`.
        kind: &'static str,
        /// The name.
        name: String,
        /// The nearest known name, as a question.
        hint: String,
        /// The names that exist.
        known: String,
    },
    /// The file and the database are not of one station.
    #[error(
        "{file}: {key} = {here}, but the station's memory holder.db was made with {there}; this \
         is fixed when a station is made. Write {there} back, or make a new station with `holder \
         init`"
    )]
    OtherStation {
        /// The station file.
        file: String,
        /// What differs.
        key: &'static str,
        /// What the file says.
        here: String,
        /// What the database says.
        there: String,
    },
    /// The certificate of a probe is still as in a new station's file.
    #[error(
        "the certificate of {source_point} is not filled in yet: enter {keys} from the \
         laboratory's papers in {file}"
    )]
    NotFilledIn {
        /// The station file.
        file: String,
        /// The probe: `device.point`.
        source_point: String,
        /// What is missing.
        keys: String,
    },
    /// The certificate of a probe is no longer valid.
    #[error(
        "the calibration of {source_point} is overdue: certificate {number} was valid until \
         {due}, and today is {today}. Have the probe calibrated and enter the new certificate in \
         {file}"
    )]
    Overdue {
        /// The station file.
        file: String,
        /// The probe: `device.point`.
        source_point: String,
        /// The laboratory's number of the certificate.
        number: String,
        /// Its last day.
        due: String,
        /// Today, in the station's zone.
        today: Date,
    },
    /// The certificate of a probe was made after today.
    #[error(
        "the calibration of {source_point} lies in the future: certificate {number} is dated \
         {date}, and today is {today}. Is the date in {file} right, and the computer's clock?"
    )]
    NotYet {
        /// The station file.
        file: String,
        /// The probe: `device.point`.
        source_point: String,
        /// The laboratory's number of the certificate.
        number: String,
        /// The day of the calibration.
        date: String,
        /// Today, in the station's zone.
        today: Date,
    },
    /// A certificate promises more than the readings of its probe can show.
    #[error(
        "{file}: certificate {number} of {source_point} has uncertainty_c = {uncertainty}, but \
         the readings come in steps of {resolution} °C, and the uncertainty includes half of a \
         step: it cannot be below {least:.4}. Add what the laboratory left out, or use a point \
         with finer steps"
    )]
    BelowResolution {
        /// The station file.
        file: String,
        /// The probe: `device.point`.
        source_point: String,
        /// The laboratory's number of the certificate.
        number: String,
        /// The certificate's expanded uncertainty.
        uncertainty: Kelvin,
        /// The smallest step of the readings.
        resolution: Kelvin,
        /// Half of that step, °C.
        least: f64,
    },
    /// A unit without a cut must not heat milk.
    #[error(
        "{file}, unit {unit}: nothing is declared that cuts the heat if this program fails, so \
         it runs water only. Fit an independent limit thermostat and declare it: \
         cut = {{ by = \"limit-thermostat\", at_c = 66, within_s = 5 }}"
    )]
    NoCut {
        /// The station file.
        file: String,
        /// The unit.
        unit: String,
    },
}
