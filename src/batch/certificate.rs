//! What a raw reading means: the calibration certificate of a probe.
//!
//! **Terms.** *Offset*: what must be added to the reading to get the temperature. *Expanded
//! uncertainty* U: the half-width (k = 2) within which the corrected reading lies; it includes
//! half the reading's resolution unless the certificate says otherwise (DOMAIN, "How the hold
//! is judged").

use holder_hal::{Celsius, Kelvin};
use serde::{Deserialize, Serialize};

use super::recipe::de;

/// One point of a certificate: at this reading, add this offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffsetPoint {
    /// The reading at which the probe was compared.
    #[serde(rename = "at_c", with = "de::celsius")]
    pub at: Celsius,
    /// What to add to that reading.
    #[serde(rename = "offset_c", with = "de::kelvin")]
    pub offset: Kelvin,
}

/// The certificate of one probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The laboratory's number for it.
    pub number: String,
    /// Day of the calibration, `YYYY-MM-DD`.
    pub date: String,
    /// Last day on which it is valid, `YYYY-MM-DD`. Overdue blocks a start.
    pub due: String,
    /// Who calibrated.
    pub by: String,
    /// The reference instrument that was used.
    pub reference: String,
    /// Expanded uncertainty of the corrected reading (k = 2), including half the resolution.
    #[serde(rename = "uncertainty_c", with = "de::kelvin")]
    pub uncertainty: Kelvin,
    /// Offsets by reading, in rising order; none means no correction.
    #[serde(default)]
    pub offsets: Vec<OffsetPoint>,
}

/// What stands in a new station's file where the laboratory's papers must be entered.
pub const TO_BE_FILLED_IN: &str = "to be filled in";

impl Certificate {
    /// The keys that nobody has filled in yet.
    pub fn to_be_filled_in(&self) -> Vec<&'static str> {
        let keys = [("number", &self.number), ("by", &self.by), ("reference", &self.reference)];
        keys.iter().filter(|(_, text)| *text == TO_BE_FILLED_IN).map(|(key, _)| *key).collect()
    }

    /// The corrected temperature: the raw reading plus the offset, linear between the points of
    /// the certificate and level beyond them. The engine and the judge both use this function.
    pub fn correct(&self, raw: Celsius) -> Celsius {
        raw + self.offset(raw)
    }

    fn offset(&self, raw: Celsius) -> Kelvin {
        let above = self.offsets.partition_point(|point| point.at <= raw);
        let (Some(low), Some(high)) =
            (above.checked_sub(1).and_then(|low| self.offsets.get(low)), self.offsets.get(above))
        else {
            let nearest = if above == 0 { self.offsets.first() } else { self.offsets.last() };
            return nearest.map_or(Kelvin::ZERO, |point| point.offset);
        };
        let span = i64::from((high.at - low.at).milli());
        let rise = i64::from((high.offset - low.offset).milli());
        let along = i64::from((raw - low.at).milli());
        // Rounded half away from zero, so that a correction has no bias of its own.
        let product = rise * along;
        let part = (product + product.signum() * span / 2) / span.max(1);
        low.offset + Kelvin::from_milli(i32::try_from(part).unwrap_or(0))
    }

    /// The rule that this certificate breaks, if any: rising points, an uncertainty that is
    /// positive and below 1 °C, dates in order.
    pub fn fault(&self) -> Option<String> {
        if !self.offsets.is_sorted_by(|a, b| a.at < b.at) {
            return Some(format!("certificate {}: offsets must rise by at_c", self.number));
        }
        if self.uncertainty < Kelvin::ZERO || self.uncertainty >= Kelvin::from_milli(1000) {
            return Some(format!(
                "certificate {}: uncertainty_c = {} must be between 0 and 1",
                self.number, self.uncertainty
            ));
        }
        if self.due <= self.date {
            return Some(format!(
                "certificate {}: due = {} is not after date = {}",
                self.number, self.due, self.date
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(offsets: &[(i32, i32)]) -> Certificate {
        let offsets = offsets
            .iter()
            .map(|&(at, offset)| OffsetPoint {
                at: Celsius::from_milli(at),
                offset: Kelvin::from_milli(offset),
            })
            .collect();
        Certificate {
            number: "K-1".into(),
            date: "2026-01-01".into(),
            due: "2026-07-01".into(),
            by: "lab".into(),
            reference: "SPRT 7".into(),
            uncertainty: Kelvin::from_milli(50),
            offsets,
        }
    }

    #[test]
    fn between_two_points_the_offset_is_linear_and_beyond_them_level() {
        let certificate = certificate(&[(0, 100), (60_000, -100), (100_000, -100)]);
        let corrected = |raw| certificate.correct(Celsius::from_milli(raw)).milli();
        assert_eq!(corrected(-5_000), -4_900);
        assert_eq!(corrected(0), 100);
        assert_eq!(corrected(30_000), 30_000);
        assert_eq!(corrected(60_000), 59_900);
        assert_eq!(corrected(120_000), 119_900);
    }

    #[test]
    fn without_points_nothing_is_corrected() {
        assert_eq!(certificate(&[]).correct(Celsius::from_milli(62_500)).milli(), 62_500);
    }

    #[test]
    fn points_out_of_order_are_a_fault() {
        assert!(certificate(&[(60_000, 0), (0, 0)]).fault().is_some());
        assert_eq!(certificate(&[(0, 0), (60_000, 0)]).fault(), None);
    }

    #[test]
    fn a_correction_is_rounded_half_away_from_zero_and_counts_from_its_point() {
        let up = certificate(&[(60_000, 0), (60_004, 2)]);
        let down = certificate(&[(60_000, 10), (60_004, 8)]);
        let corrected = |of: &Certificate, raw| of.correct(Celsius::from_milli(raw)).milli();
        assert_eq!(
            [60_001, 60_002, 60_003].map(|raw| corrected(&up, raw)),
            [60_002, 60_003, 60_005]
        );
        assert_eq!([60_001, 60_003].map(|raw| corrected(&down, raw)), [60_010, 60_011]);
    }

    #[test]
    fn two_points_at_one_reading_are_a_fault() {
        let fault = certificate(&[(60_000, 0), (60_000, 1)]).fault();
        assert_eq!(fault.as_deref(), Some("certificate K-1: offsets must rise by at_c"));
    }

    #[test]
    fn an_uncertainty_is_nothing_or_more_and_below_one_degree() {
        let fault = |milli| {
            let uncertainty = Kelvin::from_milli(milli);
            Certificate { uncertainty, ..certificate(&[]) }.fault()
        };
        assert_eq!((fault(0), fault(999)), (None, None));
        for (milli, text) in [(-1, "-0.001"), (1_000, "1.000")] {
            let words = format!("certificate K-1: uncertainty_c = {text} must be between 0 and 1");
            assert_eq!(fault(milli), Some(words));
        }
    }

    #[test]
    fn a_certificate_ends_after_the_day_of_the_calibration() {
        let fault = |due: &str| Certificate { due: due.into(), ..certificate(&[]) }.fault();
        assert_eq!(fault("2026-01-02"), None);
        let words = "certificate K-1: due = 2026-01-01 is not after date = 2026-01-01";
        assert_eq!(fault("2026-01-01").as_deref(), Some(words));
        assert!(fault("2025-12-31").is_some());
    }

    #[test]
    fn what_nobody_has_filled_in_yet_is_named_by_its_key() {
        let mut paper = certificate(&[]);
        assert!(paper.to_be_filled_in().is_empty());
        paper.number = TO_BE_FILLED_IN.into();
        paper.reference = TO_BE_FILLED_IN.into();
        assert_eq!(paper.to_be_filled_in(), ["number", "reference"]);
    }
}
