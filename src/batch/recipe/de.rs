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
