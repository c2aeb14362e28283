//! One file with the readers of everything that is neither a structure nor an enumeration: its constraints.

use std::collections::BTreeSet;

use super::types::{Types, element};
use super::{File, GenerateError, names, patterns};
use crate::model::{Kind, Shape};

pub(crate) fn render(types: &Types<'_>) -> Result<File, GenerateError> {
    let mut readers = String::new();
    let mut pattern_names = Vec::new();
    for name in types.read_shapes() {
        let shape = types.shape(name)?;
        if shape.kind == Kind::Structure || !shape.values.is_empty() {
            continue;
        }
        if let Some(pattern) = &shape.pattern {
            readers.push_str(&pattern_constant(name, pattern)?);
            pattern_names.push(format!("&{}", names::constant_case(name)));
        }
        readers.push_str(&reader(types, name, shape)?);
    }
    let text = format!(
        "//! Readers of the strings, bytes, numbers, lists and maps of requests, with their constraints.\n\n\
         {imports}\n{readers}\n\
         /// Every pattern of the model.\n#[cfg(test)]\n\
         pub(crate) static PATTERNS: [&Pattern; {count}] = [{all}];\n",
        imports = imports(types, &readers),
        count = pattern_names.len(),
        all = pattern_names.join(", "),
    );
    Ok(File { path: "scalars.rs".to_owned(), text })
}

/// The `use` lines for what the readers name.
fn imports(types: &Types<'_>, readers: &str) -> String {
    let (codec, service) = (types.surroundings.codec, types.surroundings.service);
    let words: BTreeSet<&str> = readers.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let used = |names: &[&str]| -> Vec<String> {
        names.iter().filter(|name| words.contains(*name)).map(|name| (*name).to_owned()).collect()
    };
    let line = |module: &str, names: &[&str]| match used(names).as_slice() {
        [] => String::new(),
        [one] => format!("use {module}::{one};\n"),
        several => format!("use {module}::{{{}}};\n", several.join(", ")),
    };
    let module_name = service.rsplit("::").next().unwrap_or_default();
    let whole = if words.contains(module_name) { format!("use {service};\n") } else { String::new() };
    format!(
        "{}{}\n{}\n{}{whole}",
        line("std::borrow", &["Cow"]),
        line("std::collections", &["BTreeMap"]),
        line("base", &["SecretBytes", "SecretString", "Timestamp"]),
        line(codec, &["Constraint", "Pattern", "Read", "Shape", "SimpleText", "Source", "text_satisfying"]),
    )
}

fn pattern_constant(name: &str, pattern: &str) -> Result<String, GenerateError> {
    let unsupported =
        |what| GenerateError::Unsupported { shape: name.to_owned(), what: format!("its pattern has {what}") };
    let ported = patterns::port(pattern).map_err(unsupported)?;
    Ok(format!(
        "static {}: Pattern = Pattern::new(r\"{pattern}\", r\"{ported}\");\n\n",
        names::constant_case(name)
    ))
}

fn reader(types: &Types<'_>, name: &str, shape: &Shape) -> Result<String, GenerateError> {
    let constraints = constraints(name, shape)?;
    let listed = format!("&[{}]", constraints.join(", "));
    let call = match shape.kind {
        Kind::String if shape.sensitive => format!("source.secret_text({listed})"),
        Kind::String => return Ok(text_reader(name, &listed)),
        Kind::Blob if shape.sensitive => format!("source.secret_blob({listed})"),
        Kind::Blob => format!("source.blob({listed})"),
        Kind::Integer => format!("source.integer({listed})"),
        Kind::Boolean => "source.boolean()".to_owned(),
        Kind::Timestamp => "source.timestamp()".to_owned(),
        Kind::Map => map_call(types, name, shape)?,
        Kind::List => list_call(types, name, shape, &listed)?,
        Kind::Fraction | Kind::Long | Kind::Structure => {
            return Err(unsupported(name, "a request member of this kind"));
        }
    };
    let rust_type = qualified(types, name)?;
    let reader = names::reader(name);
    Ok(format!(
        "/// `{name}`{about}.\npub(crate) struct {reader};\n\n\
         impl Shape for {reader} {{\ntype Value = {rust_type};\n\n\
         fn read(source: Source<'_, '_>) -> Read<Self::Value> {{\n{call}\n}}\n}}\n\n",
        about = about(shape),
    ))
}

fn text_reader(name: &str, constraints: &str) -> String {
    let reader = names::reader(name);
    format!(
        "/// `{name}`.\npub(crate) struct {reader};\n\n\
         impl SimpleText for {reader} {{\ntype Value = String;\n\
         const CONSTRAINTS: &'static [Constraint] = {constraints};\n\n\
         fn from_text(text: Cow<'_, str>) -> Option<String> {{\ntext_satisfying(text, Self::CONSTRAINTS)\n}}\n}}\n\n\
         impl Shape for {reader} {{\ntype Value = String;\n\n\
         fn read(source: Source<'_, '_>) -> Read<String> {{\nsource.text(Self::CONSTRAINTS)\n}}\n}}\n\n"
    )
}

/// The constraints in the order in which their violations are told: pattern before length, as other services of the
/// same framework do.
fn constraints(name: &str, shape: &Shape) -> Result<Vec<String>, GenerateError> {
    let mut constraints = Vec::new();
    if shape.pattern.is_some() {
        constraints.push(format!("Constraint::Pattern(&{})", names::constant_case(name)));
    }
    let counted = if shape.kind == Kind::Integer { "Value" } else { "Length" };
    constraints.extend(shape.max.map(|maximum| format!("Constraint::Maximum{counted}({maximum})")));
    // Nothing is shorter than nothing.
    let minimum = shape.min.filter(|minimum| *minimum != 0 || counted == "Value");
    constraints.extend(minimum.map(|minimum| format!("Constraint::Minimum{counted}({minimum})")));
    let bounds_make_sense = matches!(shape.kind, Kind::String | Kind::Blob | Kind::Integer | Kind::List);
    if constraints.is_empty() || bounds_make_sense {
        return Ok(constraints);
    }
    Err(unsupported(name, "a constraint on this kind"))
}

fn map_call(types: &Types<'_>, name: &str, shape: &Shape) -> Result<String, GenerateError> {
    for part in [&shape.key, &shape.value] {
        let part = part.as_ref().ok_or_else(|| unsupported(name, "a map without key or value"))?;
        let of = types.shape(&part.shape)?;
        let plain = of.kind == Kind::String && of.values.is_empty() && !of.sensitive;
        if !plain || !constraints(&part.shape, of)?.is_empty() {
            return Err(unsupported(name, "a map of something else than unconstrained strings"));
        }
    }
    Ok("source.text_map()".to_owned())
}

fn list_call(
    types: &Types<'_>,
    name: &str,
    shape: &Shape,
    constraints: &str,
) -> Result<String, GenerateError> {
    let element_name = element(name, shape)?;
    let of = types.shape(element_name)?;
    let reader = if of.kind == Kind::Structure || !of.values.is_empty() {
        within_module(types, element_name)
    } else {
        names::reader(element_name)
    };
    if of.kind == Kind::String && !of.sensitive {
        return Ok(format!("source.text_list::<{reader}>({constraints})"));
    }
    if of.kind == Kind::Structure {
        return Ok(format!("source.list::<{reader}>({constraints})"));
    }
    Err(unsupported(name, "a list of this kind of element"))
}

/// The path of a generated type from within the service's module: `kms::Tag`.
fn within_module(types: &Types<'_>, name: &str) -> String {
    let path = types.path_of(name);
    path.strip_prefix("crate::").unwrap_or(&path).to_owned()
}

/// The Rust type, with the service's module before generated types.
fn qualified(types: &Types<'_>, name: &str) -> Result<String, GenerateError> {
    let shape = types.shape(name)?;
    if shape.kind == Kind::List {
        return Ok(format!("Vec<{}>", qualified(types, element(name, shape)?)?));
    }
    let rust_type = types.rust_type(name)?;
    let generated = shape.kind == Kind::Structure || !shape.values.is_empty();
    Ok(if generated { within_module(types, name) } else { rust_type })
}

fn about(shape: &Shape) -> &'static str {
    if shape.sensitive { ", sensitive" } else { "" }
}

fn unsupported(shape: &str, what: &str) -> GenerateError {
    GenerateError::Unsupported { shape: shape.to_owned(), what: what.to_owned() }
}
