//! What the generator has to know of every shape before it writes one.

use std::collections::BTreeSet;

use super::{GenerateError, Surroundings, names};
use crate::model::{Kind, Model, Operation, Reference, Shape};

/// The shapes of a model: which are read from requests, which are written to responses, which hold a secret.
pub(crate) struct Types<'m> {
    pub(crate) model: &'m Model,
    pub(crate) surroundings: Surroundings,
    read: BTreeSet<&'m str>,
    written: BTreeSet<&'m str>,
    inputs_and_outputs: BTreeSet<&'m str>,
}

impl<'m> Types<'m> {
    pub(crate) fn new(model: &'m Model, surroundings: Surroundings) -> Result<Self, GenerateError> {
        let mut types = Self {
            model,
            surroundings,
            read: BTreeSet::new(),
            written: BTreeSet::new(),
            inputs_and_outputs: BTreeSet::new(),
        };
        for (_, operation) in model.operations.iter() {
            if let Some(input) = &operation.input {
                types.inputs_and_outputs.insert(&input.shape);
                // A map is read as a whole, not key by key.
                types.read = types.reachable(types.read.clone(), &input.shape, false)?;
            }
            if let Some(output) = &operation.output {
                if !types.is_shared_output(&output.shape) {
                    types.inputs_and_outputs.insert(&output.shape);
                }
                types.written = types.reachable(types.written.clone(), &output.shape, true)?;
            }
        }
        Ok(types)
    }

    pub(crate) fn shape(&self, name: &str) -> Result<&'m Shape, GenerateError> {
        self.model.shapes.get(name).ok_or_else(|| GenerateError::UnknownShape(name.to_owned()))
    }

    /// The shapes that can be part of a request, by name.
    pub(crate) fn read_shapes(&self) -> impl Iterator<Item = &'m str> {
        self.read.iter().copied()
    }

    pub(crate) fn is_read(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    pub(crate) fn is_written(&self, name: &str) -> bool {
        self.written.contains(name)
    }

    /// Structures that are neither a whole request nor a whole response.
    pub(crate) fn nested_structures(&self) -> impl Iterator<Item = (&'m str, &'m Shape)> {
        self.model.shapes.iter().filter(|(name, shape)| {
            shape.kind == Kind::Structure
                && !shape.exception
                && !self.inputs_and_outputs.contains(name)
                && (self.is_read(name) || self.is_written(name))
        })
    }

    /// Whether a structure is the output of operations and named after none of them, as SimulatePolicyResponse is.
    pub(crate) fn is_shared_output(&self, name: &str) -> bool {
        let is_output =
            |operation: &Operation| operation.output.as_ref().is_some_and(|output| output.shape == name);
        let mut operations = self.model.operations.iter();
        let of_another = |operation: &Operation| format!("{}Response", operation.name) == name;
        let is_named_after_one = self.model.operations.iter().any(|(_, operation)| of_another(operation));
        name.ends_with("Response") && !is_named_after_one && operations.any(|(_, one)| is_output(one))
    }

    /// The Rust type of a shape's values. Generated types stand for themselves; see `imports`.
    pub(crate) fn rust_type(&self, name: &str) -> Result<String, GenerateError> {
        let shape = self.shape(name)?;
        Ok(match shape.kind {
            Kind::Blob if shape.sensitive => "SecretBytes".to_owned(),
            Kind::Blob => "Vec<u8>".to_owned(),
            Kind::Boolean => "bool".to_owned(),
            Kind::Integer => "i32".to_owned(),
            Kind::Long => "i64".to_owned(),
            Kind::Timestamp => "Timestamp".to_owned(),
            Kind::Map => {
                let (key, value) = entry(name, shape)?;
                format!("BTreeMap<{}, {}>", self.rust_type(key)?, self.rust_type(value)?)
            }
            Kind::List => format!("Vec<{}>", self.rust_type(element(name, shape)?)?),
            Kind::String if !shape.values.is_empty() => names::type_name(name),
            Kind::String if shape.sensitive => "SecretString".to_owned(),
            Kind::String => "String".to_owned(),
            Kind::Structure => names::type_name(name),
        })
    }

    /// Whether no audit event shows values of a shape: bytes, what is sensitive, and lists of such.
    pub(crate) fn is_hidden(&self, name: &str) -> Result<bool, GenerateError> {
        let shape = self.shape(name)?;
        Ok(match shape.kind {
            Kind::Blob => true,
            Kind::List => shape.sensitive || self.is_hidden(element(name, shape)?)?,
            Kind::Map => {
                let (key, value) = entry(name, shape)?;
                shape.sensitive || self.is_hidden(key)? || self.is_hidden(value)?
            }
            Kind::Boolean | Kind::Integer | Kind::Long | Kind::String | Kind::Structure | Kind::Timestamp => {
                shape.sensitive
            }
        })
    }

    /// The `use` items that the type of a shape needs.
    pub(crate) fn imports(&self, name: &str, imports: &mut BTreeSet<String>) -> Result<(), GenerateError> {
        let shape = self.shape(name)?;
        let import = match shape.kind {
            Kind::Blob if shape.sensitive => "base::SecretBytes".to_owned(),
            Kind::Timestamp => "base::Timestamp".to_owned(),
            Kind::Map => {
                let (key, value) = entry(name, shape)?;
                self.imports(key, imports)?;
                self.imports(value, imports)?;
                "std::collections::BTreeMap".to_owned()
            }
            Kind::List => return self.imports(element(name, shape)?, imports),
            Kind::String if shape.values.is_empty() && shape.sensitive => "base::SecretString".to_owned(),
            Kind::String if !shape.values.is_empty() => self.path_of(name),
            Kind::Structure => self.path_of(name),
            Kind::Blob | Kind::Boolean | Kind::Integer | Kind::Long | Kind::String => return Ok(()),
        };
        imports.insert(import);
        Ok(())
    }

    /// The type that implements `Shape` for a shape.
    pub(crate) fn reader(&self, name: &str) -> Result<String, GenerateError> {
        let shape = self.shape(name)?;
        let stands_for_itself = shape.kind == Kind::Structure || !shape.values.is_empty();
        let type_name = names::type_name(name);
        Ok(if stands_for_itself { type_name } else { format!("scalars::{type_name}") })
    }

    /// The path of the type generated for a structure or enumeration.
    pub(crate) fn path_of(&self, name: &str) -> String {
        format!("{}::{}", self.surroundings.service, names::type_name(name))
    }

    /// Whether members of a structure hold a secret.
    pub(crate) fn parts_hold_secret(&self, shape: &Shape) -> Result<bool, GenerateError> {
        for part in shape.parts() {
            if self.any_part(part, &|shape| shape.sensitive)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the Rust type of a shape has a `Default`.
    fn has_default(&self, name: &str) -> Result<bool, GenerateError> {
        let shape = self.shape(name)?;
        Ok(match shape.kind {
            Kind::Boolean | Kind::Integer | Kind::Long | Kind::List | Kind::Map => true,
            Kind::Blob | Kind::String => !shape.sensitive && shape.values.is_empty(),
            Kind::Timestamp => false,
            Kind::Structure => self.structure_has_default(shape)?,
        })
    }

    /// Whether every member that is always there has a `Default`.
    pub(crate) fn structure_has_default(&self, shape: &Shape) -> Result<bool, GenerateError> {
        for (member, reference) in members(shape) {
            if shape.required.iter().any(|required| required == member)
                && !self.has_default(&reference.shape)?
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn any_part(&self, name: &str, wanted: &dyn Fn(&Shape) -> bool) -> Result<bool, GenerateError> {
        let shape = self.shape(name)?;
        if wanted(shape) {
            return Ok(true);
        }
        for part in shape.parts() {
            if self.any_part(part, wanted)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn reachable(
        &self,
        mut seen: BTreeSet<&'m str>,
        name: &'m str,
        through_maps: bool,
    ) -> Result<BTreeSet<&'m str>, GenerateError> {
        let shape = self.shape(name)?;
        // A union that is read is a structure with one member; who reads it says what is wrong with several.
        if shape.union && through_maps {
            let what = "a union in an answer".to_owned();
            return Err(GenerateError::Unsupported { shape: name.to_owned(), what });
        }
        if seen.insert(name) && (through_maps || shape.kind != Kind::Map) {
            for part in shape.parts() {
                seen = self.reachable(seen, part, through_maps)?;
            }
        }
        Ok(seen)
    }
}

/// The members of a structure, in the model's order.
pub(crate) fn members(shape: &Shape) -> impl Iterator<Item = (&str, &Reference)> {
    shape.members.iter().flat_map(|members| members.iter())
}

/// The shape of a list's elements.
pub(crate) fn element<'m>(name: &str, shape: &'m Shape) -> Result<&'m str, GenerateError> {
    let missing =
        || GenerateError::Unsupported { shape: name.to_owned(), what: "a list without member".to_owned() };
    shape.member.as_ref().map(|member| member.shape.as_str()).ok_or_else(missing)
}

/// The shapes of a map's keys and values.
fn entry<'m>(name: &str, shape: &'m Shape) -> Result<(&'m str, &'m str), GenerateError> {
    let missing = || GenerateError::Unsupported {
        shape: name.to_owned(),
        what: "a map without key or value".to_owned(),
    };
    let (key, value) = (shape.key.as_ref(), shape.value.as_ref());
    key.zip(value).map(|(key, value)| (key.shape.as_str(), value.shape.as_str())).ok_or_else(missing)
}
