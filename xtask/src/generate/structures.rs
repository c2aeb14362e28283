//! Structures: one file for each that is shared, and the parts that requests and responses have in common with them.

use std::collections::{BTreeMap, BTreeSet};

use super::types::{Types, members};
use super::{File, GenerateError, gathering_module, names};
use crate::model::{Kind, Reference, Shape};

pub(crate) fn render(types: &Types<'_>) -> Result<Vec<File>, GenerateError> {
    let mut files = Vec::new();
    let mut items = Vec::new();
    for (name, shape) in types.nested_structures() {
        let mut code = Code::default();
        code.define(types, name, shape, &format!("`{name}`"))?;
        if types.is_read(name) {
            code.read(types, name, shape)?;
        }
        if types.is_written(name) {
            code.write(types, name, shape);
        }
        code.show(types, name, shape)?;
        if types.is_shared_output(name) {
            code.import(types.surroundings.codec, &["Response"]);
            code.push(&has_body(&names::type_name(name), true));
        }
        let module = names::snake_case(name);
        files
            .push(File { path: format!("structures/{module}.rs"), text: code.finish(&format!("`{name}`.")) });
        items.push((module, vec![names::type_name(name)]));
    }
    files.push(gathering_module("structures", "The structures that several operations share.", &items, ""));
    Ok(files)
}

/// Members whose maximum length an operator may raise, each by its structure and its name, with the one of
/// `json::Limits` that says how far.
const RAISED: [(&str, &str, &str); 3] = [
    ("DecryptRequest", "CiphertextBlob", "ciphertext"),
    ("EncryptRequest", "Plaintext", "plaintext"),
    ("ReEncryptRequest", "CiphertextBlob", "ciphertext"),
];

/// A file in the making: what it uses, and its items.
#[derive(Default)]
pub(crate) struct Code {
    /// Paths of single items: `base::SecretBytes`.
    imports: BTreeSet<String>,
    body: String,
}

impl Code {
    pub(crate) fn import(&mut self, module: &str, items: &[&str]) {
        self.imports.extend(items.iter().map(|item| format!("{module}::{item}")));
    }

    pub(crate) fn push(&mut self, item: &str) {
        self.body.push_str(item);
        self.body.push('\n');
    }

    /// The whole file.
    pub(crate) fn finish(self, title: &str) -> String {
        format!("//! {title}\n\n{}{}", uses(&self.imports), self.body)
    }

    /// The type itself.
    pub(crate) fn define(
        &mut self,
        types: &Types<'_>,
        name: &str,
        shape: &Shape,
        about: &str,
    ) -> Result<(), GenerateError> {
        let derives = derives(types, shape)?;
        let name = &names::type_name(name);
        if members(shape).next().is_none() {
            self.push(&format!("/// {about}: nothing.\n{derives}pub struct {name};\n"));
            return Ok(());
        }
        let mut fields = String::new();
        for (member, reference) in members(shape) {
            types.imports(&reference.shape, &mut self.imports)?;
            let rust_type = types.rust_type(&reference.shape)?;
            let rust_type =
                if is_required(shape, member) { rust_type } else { format!("Option<{rust_type}>") };
            let documentation = field_documentation(types, name, member, reference)?;
            fields
                .push_str(&format!("/// {documentation}\npub {}: {rust_type},\n", names::snake_case(member)));
        }
        self.imports.remove(&types.path_of(name));
        self.push(&format!("/// {about}.\n{derives}pub struct {name} {{\n{fields}}}\n"));
        Ok(())
    }

    /// How it is read from a request.
    pub(crate) fn read(&mut self, types: &Types<'_>, name: &str, shape: &Shape) -> Result<(), GenerateError> {
        let (codec, service) = (types.surroundings.codec, types.surroundings.service);
        self.import(codec, &["Read", "Shape", "Source"]);
        let name = names::type_name(name);
        let (mut slots, mut wire_names, mut reads, mut required) =
            (Vec::new(), Vec::new(), String::new(), Vec::new());
        // ListPolicies has a member of this name.
        let taken = members(shape).any(|(member, _)| names::snake_case(member) == "scope");
        let scope = if taken { "members" } else { "scope" };
        for (member, reference) in members(shape) {
            let (field, reader) = (names::snake_case(member), types.reader(&reference.shape)?);
            if reader.starts_with("scalars::") {
                self.import(&format!("{service}::generated"), &["scalars"]);
            }
            let way = if is_required(shape, member) { "required" } else { "optional" };
            reads.push_str(&match raised(&name, member) {
                Some(limit) => format!(
                    "let {field} = {scope}.{way}_raised::<{reader}>({field}, {scope}.limits().{limit})?;\n"
                ),
                None => format!("let {field} = {scope}.{way}::<{reader}>({field})?;\n"),
            });
            wire_names.push(format!("{member:?}"));
            if way == "required" {
                required.push(field.clone());
            }
            slots.push(field);
        }
        let (slots, wire_names) = (slots.join(", "), wire_names.join(", "));
        let check = match required.as_slice() {
            [] => String::new(),
            [one] => format!("let Some({one}) = {one} else {{ return Ok(None) }};\n"),
            several => {
                let some: Vec<String> = several.iter().map(|field| format!("Some({field})")).collect();
                format!("let ({}) = ({}) else {{ return Ok(None) }};\n", some.join(", "), several.join(", "))
            }
        };
        let body = if slots.is_empty() {
            "source.structure([]).map(|_| Some(Self))".to_owned()
        } else {
            format!(
                "let (mut {scope}, [{slots}]) = source.structure([{wire_names}])?;\n{reads}{check}Ok(Some(Self {{ {slots} }}))"
            )
        };
        self.push(&format!(
            "impl Shape for {name} {{\ntype Value = Self;\n\n\
             fn read(source: Source<'_, '_>) -> Read<Self> {{\n{body}\n}}\n}}\n"
        ));
        Ok(())
    }

    /// What of it an audit event shows.
    pub(crate) fn show(&mut self, types: &Types<'_>, name: &str, shape: &Shape) -> Result<(), GenerateError> {
        self.import("crate::event", &["Members", "Shown"]);
        let name = names::type_name(name);
        let mut shows = String::new();
        for (member, reference) in members(shape) {
            if NEVER_SHOWN.contains(&member) || types.is_hidden(&reference.shape)? {
                continue;
            }
            let (field, shown) = (names::snake_case(member), names::lower_first(member));
            shows.push_str(&if is_required(shape, member) {
                format!("members.member({shown:?}, &self.{field});\n")
            } else {
                format!("members.optional({shown:?}, self.{field}.as_ref());\n")
            });
        }
        let argument = if shows.is_empty() { "_" } else { "members" };
        self.push(&format!(
            "impl Shown for {name} {{\nfn list(&self, {argument}: &mut Members<'_>) {{\n{shows}}}\n}}\n"
        ));
        Ok(())
    }

    /// How it is written to a response.
    pub(crate) fn write(&mut self, types: &Types<'_>, name: &str, shape: &Shape) {
        self.import(types.surroundings.codec, &["Encode", "Object", "Sink"]);
        let name = names::type_name(name);
        let mut writes = String::new();
        for (member, _) in members(shape) {
            let field = names::snake_case(member);
            writes.push_str(&if is_required(shape, member) {
                format!("object.member({member:?}, &self.{field});\n")
            } else {
                format!("object.optional({member:?}, self.{field}.as_ref());\n")
            });
        }
        let argument = if writes.is_empty() { "_" } else { "object" };
        self.push(&format!(
            "impl Encode for {name} {{\nfn encode(&self, sink: &mut impl Sink) {{\n\
             Object::write(sink, |{argument}| {{\n{writes}}});\n}}\n}}\n"
        ));
    }
}

/// Members that no audit event shows, beside bytes and what is sensitive: tokens and what goes with them. Of a recipient the
/// event's additional data tell.
const NEVER_SHOWN: [&str; 6] =
    ["EncodedMessage", "GrantToken", "GrantTokens", "Recipient", "SessionToken", "TokenCode"];

/// How a response says whether it has a body.
pub(crate) fn has_body(response: &str, has_body: bool) -> String {
    format!("impl Response for {response} {{\nconst HAS_BODY: bool = {has_body};\n}}\n")
}

/// The `use` lines of a file, one per module, in the groups of the standard library, other crates and this crate.
fn uses(imports: &BTreeSet<String>) -> String {
    let mut modules: BTreeMap<(u8, &str), Vec<&str>> = BTreeMap::new();
    for (module, item) in imports.iter().filter_map(|path| path.rsplit_once("::")) {
        let group = match module.split("::").next() {
            Some("std") => 0,
            Some("crate") => 2,
            Some(_) | None => 1,
        };
        modules.entry((group, module)).or_default().push(item);
    }
    let mut uses = String::new();
    let mut last = None;
    for ((group, module), items) in modules {
        if last.is_some_and(|last| last != group) {
            uses.push('\n');
        }
        last = Some(group);
        uses.push_str(&format!("use {module}::{{{}}};\n", items.join(", ")));
    }
    uses.push('\n');
    uses
}

fn is_required(shape: &Shape, member: &str) -> bool {
    shape.required.iter().any(|required| required == member)
}

/// A type that holds a secret can neither be copied nor printed.
fn derives(types: &Types<'_>, shape: &Shape) -> Result<String, GenerateError> {
    let mut derives = Vec::new();
    if !types.parts_hold_secret(shape)? {
        derives.extend(["Clone", "Debug", "PartialEq", "Eq"]);
    }
    if types.structure_has_default(shape)? {
        derives.push("Default");
    }
    Ok(if derives.is_empty() { String::new() } else { format!("#[derive({})]\n", derives.join(", ")) })
}

/// The limit that can raise the maximum of a member.
fn raised(structure: &str, member: &str) -> Option<&'static str> {
    let entry = RAISED.iter().find(|entry| (entry.0, entry.1) == (structure, member));
    entry.map(|entry| entry.2)
}

fn field_documentation(
    types: &Types<'_>,
    structure: &str,
    member: &str,
    reference: &Reference,
) -> Result<String, GenerateError> {
    let shape = types.shape(&reference.shape)?;
    let unit = match shape.kind {
        Kind::Blob => " bytes",
        Kind::List => " elements",
        Kind::String => " characters",
        Kind::Integer | Kind::Long | Kind::Boolean | Kind::Map | Kind::Structure | Kind::Timestamp => "",
    };
    let range = match (shape.min, shape.max) {
        (Some(minimum), Some(maximum)) if minimum == maximum => format!(", {maximum}{unit}"),
        (Some(minimum), Some(maximum)) => format!(", {minimum} to {maximum}{unit}"),
        (Some(minimum), None) => format!(", at least {minimum}{unit}"),
        (None, Some(maximum)) => format!(", at most {maximum}{unit}"),
        (None, None) => String::new(),
    };
    let raised = if raised(structure, member).is_some() { ", or what the operator admits" } else { "" };
    let secret = if shape.sensitive { "; sensitive" } else { "" };
    let deprecated = if reference.deprecated { "; deprecated" } else { "" };
    Ok(format!("`{member}`{range}{raised}{secret}{deprecated}."))
}
