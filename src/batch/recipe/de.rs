//! Readers and writers of quantities with the unit in the key.

/// `*_c`: degrees Celsius with a fraction.
pub mod celsius {
    use holder_hal::Celsius;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Reads a temperature.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Celsius, D::Error> {
        let degrees = f64::deserialize(from)?;
        Celsius::from_f64(degrees)
            .filter(|value| (-273_150..=500_000).contains(&value.milli()))
            .ok_or_else(|| D::Error::custom(format!("{degrees} is not a temperature in °C")))
    }

    /// Writes a temperature.
    pub fn serialize<S: Serializer>(value: &Celsius, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_f64())
    }
}

/// `*_c` where it is a difference.
pub mod kelvin {
    use holder_hal::Kelvin;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Reads a difference of temperatures.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Kelvin, D::Error> {
        let kelvin = f64::deserialize(from)?;
        Kelvin::from_f64(kelvin)
            .filter(|value| value.milli().abs() <= 100_000)
            .ok_or_else(|| D::Error::custom(format!("{kelvin} is not a difference in °C")))
    }

    /// Writes a difference of temperatures.
    pub fn serialize<S: Serializer>(value: &Kelvin, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(value.as_f64())
    }
}

fn to_ms<E: serde::de::Error>(value: f64, ms_per_unit: f64, unit: &str) -> Result<u64, E> {
    let ms = value * ms_per_unit;
    // A week bounds every duration of a recipe; NaN and negatives fail the comparison.
    if (0.0..=7.0 * 86_400_000.0).contains(&ms) {
        Ok(ms.round() as u64)
    } else {
        Err(E::custom(format!("{value} is not a duration in {unit} (0 to a week)")))
    }
}

/// `*_s`: seconds, kept as milliseconds.
pub mod seconds {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Reads a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        super::to_ms(f64::deserialize(from)?, 1000.0, "seconds")
    }

    /// Writes a duration.
    pub fn serialize<S: Serializer>(ms: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(*ms as f64 / 1000.0)
    }
}

/// `*_min`: minutes, kept as milliseconds.
pub mod minutes {
    use serde::{Deserialize, Deserializer, Serializer};

    /// Reads a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        super::to_ms(f64::deserialize(from)?, 60_000.0, "minutes")
    }

    /// Writes a duration.
    pub fn serialize<S: Serializer>(ms: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(*ms as f64 / 60_000.0)
    }
}

#[cfg(test)]
mod tests {
    use holder_hal::{Celsius, Kelvin};
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Quantities {
        #[serde(with = "super::celsius")]
        floor_c: Celsius,
        #[serde(with = "super::kelvin")]
        margin_c: Kelvin,
        #[serde(with = "super::seconds")]
        mean_s: u64,
        #[serde(with = "super::minutes")]
        hold_min: u64,
    }

    const TEXT: &str = r#"{"floor_c":62.5,"margin_c":-0.201,"mean_s":10.25,"hold_min":30.5}"#;

    fn read(from: &str, to: &str) -> Result<Quantities, String> {
        serde_json::from_str(&TEXT.replace(from, to)).map_err(|fault| fault.to_string())
    }

    #[test]
    fn quantities_are_kept_exactly_and_written_back_in_their_unit() {
        let read = read("", "").expect("valid");
        let kept = Quantities {
            floor_c: Celsius::from_milli(62_500),
            margin_c: Kelvin::from_milli(-201),
            mean_s: 10_250,
            hold_min: 1_830_000,
        };
        assert_eq!(read, kept);
        assert_eq!(serde_json::to_string(&kept).expect("written"), TEXT);
    }

    #[test]
    fn a_temperature_lies_between_absolute_zero_and_500() {
        for good in ["-273.15", "500"] {
            assert!(read("62.5", good).is_ok(), "{good}");
        }
        for bad in ["-273.151", "500.001"] {
            let fault = read("62.5", bad).expect_err(bad);
            assert!(fault.contains(&format!("{bad} is not a temperature in °C")), "{fault}");
        }
    }

    #[test]
    fn a_difference_lies_within_100_degrees_either_way() {
        for good in ["-100", "100"] {
            assert!(read("-0.201", good).is_ok(), "{good}");
        }
        for bad in ["-100.001", "100.001"] {
            let fault = read("-0.201", bad).expect_err(bad);
            assert!(fault.contains(&format!("{bad} is not a difference in °C")), "{fault}");
        }
    }

    #[test]
    fn a_duration_lies_between_nothing_and_a_week() {
        let week_s = read("10.25", "604800").expect("a week").mean_s;
        let week_min = read("30.5", "10080").expect("a week").hold_min;
        assert_eq!((week_s, week_min), (604_800_000, 604_800_000));
        assert_eq!(read("10.25", "0").expect("nothing").mean_s, 0);
        for bad in ["-0.001", "604800.001"] {
            let fault = read("10.25", bad).expect_err(bad);
            let words = format!("{bad} is not a duration in seconds (0 to a week)");
            assert!(fault.contains(&words), "{fault}");
        }
        let fault = read("30.5", "10080.1").expect_err("more than a week");
        assert!(fault.contains("10080.1 is not a duration in minutes (0 to a week)"), "{fault}");
    }
}
