//! Service models in botocore's form, and their stripped copies in `models/`.
//!
//! Every member that a model may have is named here: a new kind of constraint stops the chore instead of being lost.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// A model cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelError {
    /// The file is not there or not readable.
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The file is not a service model as this program knows them.
    #[error("{path} is not a service model of the known form: {source}")]
    Malformed { path: PathBuf, source: serde_json::Error },
    /// An operation was named that the model does not have.
    #[error("the model has no operation {0}")]
    NoSuchOperation(String),
    /// The stripped copy cannot be written down.
    #[error("cannot write the stripped model: {0}")]
    Unwritable(serde_json::Error),
}

/// A service.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    pub(crate) version: String,
    pub(crate) metadata: serde_json::Value,
    pub(crate) operations: Ordered<Operation>,
    pub(crate) shapes: Ordered<Shape>,
    #[serde(default, rename = "documentation", skip_serializing)]
    _documentation: IgnoredAny,
}

/// An operation.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) input: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Reference>,
    #[serde(default)]
    pub(crate) errors: Vec<Reference>,
    #[serde(default, rename = "http", skip_serializing)]
    _http: IgnoredAny,
    #[serde(default, rename = "auth", skip_serializing)]
    _auth: IgnoredAny,
    #[serde(default, rename = "authtype", skip_serializing)]
    _auth_type: IgnoredAny,
    #[serde(default, rename = "idempotent", skip_serializing)]
    _idempotent: IgnoredAny,
    #[serde(default, rename = "documentation", skip_serializing)]
    _documentation: IgnoredAny,
}

/// The use of a shape: as a member, an element, an input.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reference {
    pub(crate) shape: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) deprecated: bool,
    /// The element around the output in an answer of the Query protocol.
    #[serde(default, rename = "resultWrapper", skip_serializing_if = "Option::is_none")]
    pub(crate) result_wrapper: Option<String>,
    #[serde(default, rename = "deprecatedMessage", skip_serializing)]
    _deprecated_message: IgnoredAny,
    #[serde(default, rename = "deprecatedSince", skip_serializing)]
    _deprecated_since: IgnoredAny,
    #[serde(default, rename = "documentation", skip_serializing)]
    _documentation: IgnoredAny,
}

/// A type.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) required: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) members: Option<Ordered<Reference>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) member: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<Reference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Reference>,
    #[serde(default, rename = "enum", skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pattern: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) sensitive: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) deprecated: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) exception: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) fault: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) union: bool,
    /// What an error is on the wire, where that differs from its shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<WireError>,
    /// Ours: the HTTP status of an error, made from `error` or `fault`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, rename = "box", skip_serializing)]
    _boxed: IgnoredAny,
    #[serde(default, rename = "deprecatedMessage", skip_serializing)]
    _deprecated_message: IgnoredAny,
    #[serde(default, rename = "documentation", skip_serializing)]
    _documentation: IgnoredAny,
}

impl Shape {
    /// A structure without members: the input of an operation that takes nothing.
    pub(crate) fn empty_structure() -> Self {
        Self {
            kind: Kind::Structure,
            required: Vec::new(),
            members: None,
            member: None,
            key: None,
            value: None,
            values: Vec::new(),
            min: None,
            max: None,
            pattern: None,
            sensitive: false,
            deprecated: false,
            exception: false,
            fault: false,
            union: false,
            error: None,
            status: None,
            _boxed: IgnoredAny,
            _deprecated_message: IgnoredAny,
            _documentation: IgnoredAny,
        }
    }

    /// The shapes of its members, elements, keys and values.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        let of_members = self.members.iter().flat_map(|members| members.iter()).map(|(_, part)| part);
        let of_collections = [&self.member, &self.key, &self.value].into_iter().flatten();
        of_members.chain(of_collections).map(|part| part.shape.as_str())
    }
}

/// An error on the wire.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireError {
    pub(crate) code: String,
    #[serde(rename = "httpStatusCode")]
    pub(crate) status: u16,
    #[serde(default, rename = "senderFault", skip_serializing)]
    _sender_fault: IgnoredAny,
}

/// The kinds of type that the supported models use.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Blob,
    Boolean,
    /// Read so that a model can have it where nothing that is kept reaches it; no code is made for it.
    #[serde(rename = "double", alias = "float")]
    Fraction,
    Integer,
    List,
    Long,
    Map,
    String,
    Structure,
    Timestamp,
}

impl Model {
    /// Reads a model, whole or stripped.
    pub(crate) fn read(path: &Path) -> Result<Self, ModelError> {
        let path_of_error = || path.to_path_buf();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ModelError::Unreadable { path: path_of_error(), source })?;
        serde_json::from_str(&text).map_err(|source| ModelError::Malformed { path: path_of_error(), source })
    }

    /// Drops all operations but these, and the shapes that none of them reaches.
    fn keep_only(&mut self, operations: &[&str]) -> Result<(), ModelError> {
        if let Some(unknown) = operations.iter().find(|name| self.operations.get(name).is_none()) {
            return Err(ModelError::NoSuchOperation((*unknown).to_owned()));
        }
        self.operations.0.retain(|(name, _)| operations.contains(&name.as_str()));
        let mut reached = BTreeSet::new();
        for (_, operation) in self.operations.iter() {
            let ends = operation.input.iter().chain(&operation.output).chain(&operation.errors);
            for end in ends {
                self.reach(&end.shape, &mut reached);
            }
        }
        self.shapes.0.retain(|(name, _)| reached.contains(name));
        Ok(())
    }

    fn reach(&self, name: &str, reached: &mut BTreeSet<String>) {
        let Some(shape) = self.shapes.get(name) else { return };
        if reached.insert(name.to_owned()) {
            for part in shape.parts() {
                self.reach(part, reached);
            }
        }
    }

    /// The stripped copy: the same model always gives the same bytes.
    fn to_stripped(&self) -> Result<String, ModelError> {
        let text = serde_json::to_string_pretty(self).map_err(ModelError::Unwritable)?;
        Ok(text + "\n")
    }
}

/// The text of the stripped copy of a whole model: no prose, and the HTTP status beside each error. If operations are
/// named, only those, and what they reach.
///
/// An error's status is what the model says; where it says nothing it is 500 if the model calls it a fault and 400
/// otherwise, as KMS answers.
pub(crate) fn strip(path: &Path, operations: &[&str]) -> Result<String, ModelError> {
    let mut model = Model::read(path)?;
    if !operations.is_empty() {
        model.keep_only(operations)?;
    }
    for (_, shape) in &mut model.shapes.0 {
        let said = shape.error.as_ref().map(|error| error.status);
        let status = said.unwrap_or(if shape.fault { 500 } else { 400 });
        shape.status = shape.exception.then_some(status);
    }
    model.to_stripped()
}

/// A JSON object whose order matters: that of the model's members is the order of our fields.
#[derive(Debug)]
pub(crate) struct Ordered<T>(pub(crate) Vec<(String, T)>);

impl<T> Ordered<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn get(&self, wanted: &str) -> Option<&T> {
        self.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

impl<T: Serialize> Serialize for Ordered<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
    type Value = Ordered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Ordered(entries))
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"version":"2.0","documentation":"<p>prose</p>","metadata":{"serviceId":"T"},
        "operations":{"B":{"name":"B","http":{"method":"POST"},"input":{"shape":"R"},"documentation":"prose"}},
        "shapes":{"Z":{"type":"structure","members":{},"exception":true,"fault":true,"documentation":"prose"},
        "R":{"type":"structure","required":["Y"],"members":{"Y":{"shape":"S","documentation":"prose"},"X":{"shape":"S",
        "deprecated":true,"deprecatedMessage":"prose"}}},"S":{"type":"string","min":1,"max":9,"pattern":"a+","sensitive":true},
        "E":{"type":"structure","members":{},"exception":true}}}"#;

    fn stripped(model: &str) -> Result<String, ModelError> {
        stripped_to(model, &[])
    }

    fn stripped_to(model: &str, operations: &[&str]) -> Result<String, ModelError> {
        let name = format!("keywright-model-{}-{:?}.json", std::process::id(), std::thread::current().id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, model).unwrap();
        let result = strip(&path, operations);
        std::fs::remove_file(&path).unwrap();
        result
    }

    #[test]
    fn a_stripped_model_keeps_everything_but_prose() {
        let text = stripped(WHOLE).unwrap();
        assert!(!text.contains("prose") && !text.contains("http"), "{text}");
        let compact: String = text.split_whitespace().collect();
        assert_eq!(
            compact,
            r#"{"version":"2.0","metadata":{"serviceId":"T"},"operations":{"B":{"name":"B","input":{"shape":"R"},"errors":[]}},"shapes":{"Z":{"type":"structure","members":{},"exception":true,"fault":true,"status":500},"R":{"type":"structure","required":["Y"],"members":{"Y":{"shape":"S"},"X":{"shape":"S","deprecated":true}}},"S":{"type":"string","min":1,"max":9,"pattern":"a+","sensitive":true},"E":{"type":"structure","members":{},"exception":true,"status":400}}}"#
        );
    }

    #[test]
    fn stripping_again_changes_nothing() {
        let once = stripped(WHOLE).unwrap();
        assert_eq!(stripped(&once).unwrap(), once);
    }

    #[test]
    fn operations_can_be_chosen_and_bring_what_they_reach() {
        let two = WHOLE.replace(
            r#""operations":{"#,
            r#""operations":{"A":{"name":"A","errors":[{"shape":"E"}],"output":{"shape":"Z","resultWrapper":"AResult"}},"#,
        );
        let text = stripped_to(&two, &["A"]).unwrap();
        let model: Model = serde_json::from_str(&text).unwrap();
        let names = |ordered: Vec<(&str, &Shape)>| -> Vec<String> {
            ordered.into_iter().map(|(name, _)| name.to_owned()).collect()
        };
        assert_eq!(names(model.shapes.iter().collect()), ["Z", "E"]);
        assert!(model.operations.get("B").is_none() && text.contains("AResult"));
        assert!(matches!(stripped_to(&two, &["C"]), Err(ModelError::NoSuchOperation(name)) if name == "C"));
    }

    #[test]
    fn the_status_of_an_error_is_the_models() {
        let said = WHOLE.replace(
            r#""members":{},"exception":true}}"#,
            r#""members":{},"exception":true,"error":{"code":"Early","httpStatusCode":409,"senderFault":true}}}"#,
        );
        let text: String = stripped(&said).unwrap().split_whitespace().collect();
        assert!(text.contains(r#""error":{"code":"Early","httpStatusCode":409},"status":409"#), "{text}");
        assert_eq!(stripped(&text).unwrap().split_whitespace().collect::<String>(), text);
    }

    #[test]
    fn an_unknown_trait_is_refused() {
        let error = stripped(&WHOLE.replace(r#""min":1"#, r#""uniqueItems":true"#)).unwrap_err();
        assert!(error.to_string().contains("uniqueItems"), "{error}");
    }
}
