//! The texts of a unit that are frozen at the start of a batch, and the hash of what it is made of.

use holder_hal::wire::Profile;
use serde::Serialize;

use super::library::KnownRecipe;
use super::{ConfigError, Unit, UnitConfig};
use crate::batch::params::ParamsFault;
use crate::store::model::FrozenText;
use crate::store::{hex, sha256};

impl Unit<'_> {
    /// The texts that are frozen at the start of a batch: recipe, unit, profiles, certificates.
    ///
    /// # Errors
    /// A profile that does not exist or breaks a rule.
    pub fn texts(&self, recipe: &KnownRecipe) -> Result<Vec<FrozenText>, ConfigError> {
        let mut texts = vec![frozen("recipe", &recipe.recipe.name, recipe.text.clone())];
        texts.extend(self.made_of()?);
        Ok(texts)
    }

    /// The same without the recipe.
    ///
    /// # Errors
    /// As [`Unit::texts`].
    pub fn made_of(&self) -> Result<Vec<FrozenText>, ConfigError> {
        let mut texts = vec![frozen("unit", self.name, self.as_toml(self.written)?)];
        let mut profiles: Vec<&str> =
            self.written.device.values().map(|device| device.profile.as_str()).collect();
        profiles.sort_unstable();
        profiles.dedup();
        for name in profiles {
            let profile = self.station.library.profile(name)?.profile;
            texts.push(frozen("profile", name, Profile::text(&profile).to_owned()));
        }
        for (probe, certificate) in &self.written.certificate {
            texts.push(frozen("certificate", probe, self.as_toml(certificate)?));
        }
        Ok(texts)
    }

    /// Hash of what the unit is made of: buses, devices with their profiles, roles, cut, heater
    /// and controller. Certificates and the margin are left out: they change without a change of
    /// the machine.
    ///
    /// # Errors
    /// As [`Unit::texts`].
    pub fn make_sha256(&self) -> Result<String, ConfigError> {
        let made =
            UnitConfig { margin: None, certificate: Default::default(), ..self.written.clone() };
        let mut text = self.as_toml(&made)?;
        for device in self.written.device.values() {
            text += self.station.library.profile(&device.profile)?.profile.text();
        }
        Ok(hex(&sha256(&text)))
    }

    /// The same content always gives the same text, whatever comments and order the file has.
    fn as_toml(&self, value: &impl Serialize) -> Result<String, ConfigError> {
        toml::to_string(value).map_err(|error| {
            self.refused(ParamsFault::Contradiction(format!("cannot be frozen: {error}")))
        })
    }
}

fn frozen(kind: &str, name: &str, text: String) -> FrozenText {
    let sha256 = hex(&sha256(&text));
    FrozenText { kind: kind.to_owned(), name: name.to_owned(), sha256, text }
}
