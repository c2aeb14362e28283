//! One file per enumeration.

use super::types::Types;
use super::{File, GenerateError, gathering_module, names};

/// Values that AWS answers with and that are in no model, each with its enumeration. Those of PolicySourceType are what
/// Terraform's `aws_iam_principal_policy_simulation` and the clients of Soto are tested with.
const UNPUBLISHED: [(&str, &[&str]); 1] =
    [("PolicySourceType", &["IAM Policy", "Resource Policy", "Permissions Boundary Policy"])];

pub(crate) fn render(types: &Types<'_>) -> Result<Vec<File>, GenerateError> {
    let mut files = Vec::new();
    let mut items = Vec::new();
    for (name, shape) in types.model.shapes.iter() {
        if shape.values.is_empty() || !(types.is_read(name) || types.is_written(name)) {
            continue;
        }
        let module = names::snake_case(name);
        let further = UNPUBLISHED.iter().filter(|(of, _)| *of == name).flat_map(|(_, values)| values.iter());
        let values: Vec<String> =
            shape.values.iter().cloned().chain(further.map(|value| (*value).to_owned())).collect();
        let text = enumeration(types, name, &values);
        files.push(File { path: format!("enumerations/{module}.rs"), text });
        items.push((module, vec![names::type_name(name)]));
    }
    if items.is_empty() {
        return Ok(files);
    }
    files.push(gathering_module("enumerations", "The enumerations of the service model.", &items, ""));
    Ok(files)
}

fn enumeration(types: &Types<'_>, shape: &str, values: &[String]) -> String {
    let name = &names::type_name(shape);
    let (codec, service) = (types.surroundings.codec, types.surroundings.service);
    let pairs: Vec<(String, &str)> =
        values.iter().map(|value| (names::variant(value), value.as_str())).collect();
    let each = |form: &dyn Fn(&str, &str) -> String| -> String {
        pairs.iter().map(|(variant, value)| form(variant, value)).collect()
    };
    let imports = if types.is_read(shape) {
        format!(
            "use std::borrow::Cow;\nuse std::fmt;\nuse std::str::FromStr;\n\nuse crate::event::Value;\n\
             use {codec}::{{Constraint, Encode, Enumeration, Read, Shape, SimpleText, Sink, Source}};\n\
             use {service}::UnknownValue;\n"
        )
    } else {
        format!(
            "use std::fmt;\nuse std::str::FromStr;\n\nuse crate::event::Value;\n\
             use {codec}::{{Encode, Sink}};\nuse {service}::UnknownValue;\n"
        )
    };
    format!(
        "//! `{name}`.\n\n{imports}\n\
         /// `{name}`, {count} values.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n\
         pub enum {name} {{\n{variants}}}\n\n\
         impl {name} {{\n/// All values, in the order of the model.\npub const ALL: [Self; {count}] = [{all}];\n\n\
         /// The value on the wire.\npub const fn as_str(self) -> &'static str {{\nmatch self {{\n{to}}}\n}}\n}}\n\n\
         impl FromStr for {name} {{\ntype Err = UnknownValue;\n\n\
         fn from_str(text: &str) -> Result<Self, UnknownValue> {{\nmatch text {{\n{from}_ => Err(UnknownValue),\n}}\n}}\n}}\n\n\
         impl fmt::Display for {name} {{\nfn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{\n\
         f.write_str(self.as_str())\n}}\n}}\n\n\
         impl Encode for {name} {{\nfn encode(&self, sink: &mut impl Sink) {{\nself.as_str().encode(sink);\n}}\n}}\n\n\
         impl Value for {name} {{\nfn write(&self, sink: &mut Vec<u8>) {{\nself.as_str().write(sink);\n}}\n}}\n{reading}",
        count = values.len(),
        variants = each(&|variant, value| format!("/// `{value}`\n{variant},\n")),
        all = each(&|variant, _| format!("Self::{variant},")),
        to = each(&|variant, value| format!("Self::{variant} => {value:?},\n")),
        from = each(&|variant, value| format!("{value:?} => Ok(Self::{variant}),\n")),
        reading = if types.is_read(shape) { reading(name, values) } else { String::new() },
    )
}

fn reading(name: &str, values: &[String]) -> String {
    let set: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
    format!(
        "\nimpl Enumeration for {name} {{\n\
         const VALUE_SET: Constraint = Constraint::ValueSet(&[{}]);\n}}\n\n\
         impl Shape for {name} {{\ntype Value = Self;\n\n\
         fn read(source: Source<'_, '_>) -> Read<Self> {{\nsource.enumeration()\n}}\n}}\n\n\
         impl SimpleText for {name} {{\ntype Value = Self;\n\
         const CONSTRAINTS: &'static [Constraint] = &[Self::VALUE_SET];\n\n\
         fn from_text(text: Cow<'_, str>) -> Option<Self> {{\ntext.parse().ok()\n}}\n}}\n",
        set.join(", "),
    )
}
