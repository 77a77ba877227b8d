//! Which recipes and device profiles a station knows: what is shipped, and its own files in
//! `profiles/*.toml` and `recipes/*.toml` of its folder. An own file never shadows a shipped one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holder_hal::wire::Profile;

use super::{ConfigError, is_name, read};
use crate::batch::recipe::Recipe;
use crate::profiles;
use crate::toml_file::TomlError;

/// A recipe with its text.
#[derive(Clone, Debug)]
pub struct KnownRecipe {
    /// What it says.
    pub recipe: Recipe,
    /// As it is written, to be frozen with a batch.
    pub text: String,
    /// Its file, or `shipped`.
    pub origin: String,
}

/// A device profile with where it comes from.
#[derive(Clone, Debug)]
pub struct KnownProfile {
    /// What it says, with its text.
    pub profile: Arc<Profile>,
    /// Its file, or `shipped`.
    pub origin: String,
}

/// The word for what is inside the program.
const SHIPPED: &str = "shipped";

/// The recipes and device profiles that a station knows.
#[derive(Clone, Debug, Default)]
pub struct Library {
    own_profiles: BTreeMap<String, PathBuf>,
    own_recipes: BTreeMap<String, PathBuf>,
}

impl Library {
    /// Only what is shipped.
    pub fn shipped() -> Self {
        Self::default()
    }

    /// What is shipped, and the own files of the station in `dir`. Looks at names only: a file
    /// with a mistake in it troubles nobody who does not use it.
    ///
    /// # Errors
    /// A folder that cannot be read, or a file with the name of a shipped one.
    pub fn of_station(dir: &Path) -> Result<Self, ConfigError> {
        Ok(Self {
            own_profiles: own_files(&dir.join("profiles"), profiles::DEVICES)?,
            own_recipes: own_files(&dir.join("recipes"), profiles::RECIPES)?,
        })
    }

    /// The station's own files of profiles and recipes.
    pub fn own_paths(&self) -> Vec<&Path> {
        self.own_profiles.values().chain(self.own_recipes.values()).map(PathBuf::as_path).collect()
    }

    /// Names of the device profiles, the shipped ones first.
    pub fn profile_names(&self) -> Vec<&str> {
        names(profiles::DEVICES, &self.own_profiles)
    }

    /// Names of the recipes, the shipped ones first.
    pub fn recipe_names(&self) -> Vec<&str> {
        names(profiles::RECIPES, &self.own_recipes)
    }

    /// The device profile of this name.
    ///
    /// # Errors
    /// There is none, or its file breaks a rule.
    pub fn profile(&self, name: &str) -> Result<KnownProfile, ConfigError> {
        let (file, text, origin) =
            find("device profile", name, profiles::DEVICES, &self.own_profiles)?;
        let profile = Arc::new(Profile::parse(&file, &text)?);
        Ok(KnownProfile { profile, origin })
    }

    /// The recipe of this name.
    ///
    /// # Errors
    /// There is none, or its file breaks a rule.
    pub fn recipe(&self, name: &str) -> Result<KnownRecipe, ConfigError> {
        let (file, text, origin) = find("recipe", name, profiles::RECIPES, &self.own_recipes)?;
        let recipe = recipe_of_file(Path::new(&file), &text)?;
        Ok(KnownRecipe { recipe, text, origin })
    }
}

/// The recipe that a file holds, with the rules of a station's own file: it is named after its
/// file, so that a name means one recipe.
///
/// # Errors
/// The first rule that it breaks.
pub(crate) fn recipe_of_file(path: &Path, text: &str) -> Result<Recipe, ConfigError> {
    let file = path.display().to_string();
    let recipe = Recipe::parse(&file, text)?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let rule = if recipe.name != stem {
        format!("a recipe is named after its file: write name = {stem:?}, or rename the file")
    } else if !is_name(stem) {
        "a name is 1 to 32 of a-z, 0-9 and -; rename the file too".to_owned()
    } else {
        return Ok(recipe);
    };
    Err(TomlError::rule(&file, text, "name", rule).into())
}

/// Refuses a file with the name of a shipped recipe.
///
/// # Errors
/// It has.
pub(crate) fn never_shadows(path: &Path, recipe: &Recipe) -> Result<(), ConfigError> {
    match profiles::recipe(&recipe.name) {
        None => Ok(()),
        Some(_) => Err(ConfigError::Shadows { path: path.to_owned(), name: recipe.name.clone() }),
    }
}

fn names<'a>(shipped: &[(&'static str, &str)], own: &'a BTreeMap<String, PathBuf>) -> Vec<&'a str> {
    shipped.iter().map(|(name, _)| *name).chain(own.keys().map(String::as_str)).collect()
}

/// File (for messages), text and origin of the entry of this name.
fn find(
    kind: &'static str,
    name: &str,
    shipped: &[(&'static str, &str)],
    own: &BTreeMap<String, PathBuf>,
) -> Result<(String, String, String), ConfigError> {
    if let Some((_, text)) = shipped.iter().find(|(known, _)| *known == name) {
        return Ok((format!("{name}.toml"), (*text).to_owned(), SHIPPED.to_owned()));
    }
    let path = own.get(name).ok_or_else(|| unknown(kind, name, names(shipped, own).into_iter()))?;
    let file = path.display().to_string();
    Ok((file.clone(), read(path)?, file))
}

/// The own files in `folder`, by name without `.toml`. No folder is no files.
fn own_files(
    folder: &Path,
    shipped: &[(&'static str, &str)],
) -> Result<BTreeMap<String, PathBuf>, ConfigError> {
    let unreadable = |why| ConfigError::Read { path: folder.to_owned(), why };
    if !folder.is_dir() {
        return Ok(BTreeMap::new());
    }
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let (Some(name), Some("toml")) = (stem, path.extension().and_then(|ext| ext.to_str()))
        else {
            continue;
        };
        let name = name.to_owned();
        if shipped.iter().any(|(known, _)| *known == name) {
            return Err(ConfigError::Shadows { path, name });
        }
        found.insert(name, path);
    }
    Ok(found)
}

/// The error for a name that nothing has, with the nearest known one.
pub(crate) fn unknown<'a>(
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> ConfigError {
    let known: Vec<&str> = known.collect();
    let hint = nearest(name, known.iter().copied());
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    ConfigError::Unknown { kind, name: name.to_owned(), hint, known }
}

/// The nearest known name as a question, or nothing if none is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= known.len().div_ceil(2))
        .min();
    near.map(|(_, near)| format!(" (did you mean {near:?}?)")).unwrap_or_default()
}
