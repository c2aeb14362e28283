//! The layers: file, environment, command line. Each knows its name, so that an error can say where to look.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base::SecretString;
use figment::error::Kind;
use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::ConfigError;
use super::settings::Settings;

const PREFIX: &str = "KEYWRIGHT_";

/// Kubernetes sets variables for a service that is called keywright; they are not meant for us.
const FOREIGN: [&str; 2] = ["KEYWRIGHT_SERVICE_", "KEYWRIGHT_PORT"];

/// One named layer of settings.
pub(super) struct Layer {
    name: String,
    settings: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.settings.clone())]))
    }
}

/// Reads a TOML file.
pub(super) fn file(path: &Path) -> Result<Layer, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { path: name.clone(), reason: error.to_string() })?;
    self::text(&name, &text)
}

/// Reads the text of a TOML file; `name` is the name for messages.
pub(super) fn text(name: &str, text: &str) -> Result<Layer, ConfigError> {
    let settings = toml::from_str(text).map_err(|error| ConfigError::NotToml {
        path: name.to_owned(),
        place: line_of(text, error.span()),
        reason: error.message().to_owned(),
    })?;
    Ok(Layer { name: name.to_owned(), settings })
}

fn line_of(text: &str, span: Option<std::ops::Range<usize>>) -> String {
    let before = span.and_then(|span| text.as_bytes().get(..span.start));
    let line = before.map(|before| before.split(|byte| *byte == b'\n').count());
    line.map(|line| format!(" at line {line}")).unwrap_or_default()
}

/// The variables that begin with `KEYWRIGHT_`, as they were when the process started.
#[derive(Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    pub(super) passphrase: Option<SecretString>,
    new_passphrase: Option<SecretString>,
}

impl Environment {
    /// Takes our variables out of the process's environment.
    ///
    /// # Errors
    /// One of them is not UTF-8.
    pub(crate) fn of_process() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars_os())
    }

    pub(crate) fn from_variables(
        all: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut environment = Self::default();
        for (name, value) in all {
            let Ok(name) = name.into_string() else { continue };
            if !name.starts_with(PREFIX) || FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
                continue;
            }
            let value = value.into_string().map_err(|_| ConfigError::Variable {
                name: name.clone(),
                problem: "is not UTF-8 text".to_owned(),
            })?;
            environment.take(name, value);
        }
        Ok(environment)
    }

    /// The passphrase that `root change-passphrase` sets, if the environment gives one.
    pub(crate) fn take_new_passphrase(&mut self) -> Option<SecretString> {
        self.new_passphrase.take()
    }

    pub(super) fn config_file(&self) -> Option<PathBuf> {
        self.variables.get("KEYWRIGHT_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// The variables as settings, typed as the defaults are: `KEYWRIGHT_TLS_CERTIFICATE` is `tls.certificate`.
    pub(super) fn layer(&self, defaults: &Settings) -> Result<Layer, ConfigError> {
        let known = variables_of(defaults);
        let mut settings = Dict::new();
        for (name, text) in &self.variables {
            if name == "KEYWRIGHT_CONFIG" {
                continue;
            }
            let (key, default) = known.get(name).ok_or_else(|| ConfigError::Variable {
                name: name.clone(),
                problem: "is not one that Keywright knows; see keywright.example.toml for the settings"
                    .to_owned(),
            })?;
            insert(&mut settings, key, typed(name, text, default)?);
        }
        Ok(Layer { name: "environment".to_owned(), settings })
    }

    fn take(&mut self, name: String, value: String) {
        match name.as_str() {
            "KEYWRIGHT_PASSPHRASE" => self.passphrase = Some(SecretString::new(value)),
            "KEYWRIGHT_NEW_PASSPHRASE" => self.new_passphrase = Some(SecretString::new(value)),
            _ => {
                self.variables.insert(name, value);
            }
        }
    }
}

/// Every setting with the name of its variable, its key and its default.
fn variables_of(defaults: &Settings) -> BTreeMap<String, (String, Value)> {
    let mut found = BTreeMap::new();
    if let Ok(Value::Dict(_, settings)) = Value::serialize(defaults) {
        collect("", &settings, &mut found);
    }
    found
}

fn collect(path: &str, settings: &Dict, found: &mut BTreeMap<String, (String, Value)>) {
    for (name, value) in settings {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Value::Dict(_, inner) = value {
            collect(&key, inner, found);
        } else {
            let variable = format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase());
            found.insert(variable, (key, value.clone()));
        }
    }
}

fn typed(name: &str, text: &str, default: &Value) -> Result<Value, ConfigError> {
    let wrong = |wanted: &str| ConfigError::Variable {
        name: name.to_owned(),
        problem: format!("is `{text}`, but must be {wanted}"),
    };
    match default {
        Value::Bool(..) => match text {
            "true" | "1" => Ok(Value::from(true)),
            "false" | "0" | "" => Ok(Value::from(false)),
            _ => Err(wrong("true or false")),
        },
        Value::Num(..) => text.parse::<u64>().map(Value::from).map_err(|_| wrong("a whole number")),
        Value::Array(..) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Ok(Value::from(items.map(str::to_owned).collect::<Vec<_>>()))
        }
        Value::String(..) | Value::Char(..) | Value::Empty(..) | Value::Dict(..) => Ok(Value::from(text)),
    }
}

fn insert(settings: &mut Dict, key: &str, value: Value) {
    let Some((table, rest)) = key.split_once('.') else {
        settings.insert(key.to_owned(), value);
        return;
    };
    let inner = settings.entry(table.to_owned()).or_insert_with(|| Value::from(Dict::new()));
    if let Value::Dict(_, inner) = inner {
        insert(inner, rest, value);
    }
}

/// The settings that were given on the command line.
#[derive(Default)]
pub(crate) struct Flags(Dict);

impl Flags {
    /// A text setting, if it was given.
    pub(crate) fn text(self, key: &str, value: Option<&str>) -> Self {
        self.with(key, value.map(Value::from))
    }

    /// A path setting, if it was given.
    pub(crate) fn path(self, key: &str, value: Option<&Path>) -> Self {
        self.with(key, value.map(|path| Value::from(path.to_string_lossy().into_owned())))
    }

    /// A switch: given means true, absent leaves the lower layers alone.
    pub(crate) fn switch(self, key: &str, given: bool) -> Self {
        self.with(key, given.then(|| Value::from(true)))
    }

    pub(super) fn layer(&self) -> Layer {
        Layer { name: "command line".to_owned(), settings: self.0.clone() }
    }

    fn with(mut self, key: &str, value: Option<Value>) -> Self {
        if let Some(value) = value {
            insert(&mut self.0, key, value);
        }
        self
    }
}

/// Turns the first fault that figment found into ours.
pub(super) fn explain(error: figment::Error) -> ConfigError {
    let origin = origin(error.metadata.as_ref());
    let mut path = error.path.clone();
    if let Kind::UnknownField(name, known) = &error.kind {
        if path.last() != Some(name) {
            path.push(name.clone());
        }
        let problem = format!("does not exist; there are {}", known.join(", "));
        return ConfigError::Setting { origin, key: path.join("."), problem };
    }
    ConfigError::Setting { origin, key: path.join("."), problem: format!("is wrong: {}", error.kind) }
}

/// The name of the layer that a value came from.
pub(super) fn origin(metadata: Option<&Metadata>) -> String {
    metadata.map_or_else(|| "configuration".to_owned(), |metadata| metadata.name.clone().into_owned())
}
