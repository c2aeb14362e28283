//! The enumeration of all modelled errors.

use std::collections::BTreeMap;

use super::File;
use super::types::Types;
use crate::model::Shape;

pub(crate) fn render(types: &Types<'_>) -> File {
    let shapes = || types.model.shapes.iter().filter(|(_, shape)| shape.exception);
    let errors: Vec<(&str, u16)> =
        shapes().map(|(name, shape)| (name, shape.status.unwrap_or(400))).collect();
    let variants: String = errors
        .iter()
        .map(|(name, status)| format!("/// `{name}`, HTTP status {status}.\n{name},\n"))
        .collect();
    let all: String = errors.iter().map(|(name, _)| format!("Self::{name},")).collect();
    let code = |name: &str, shape: &Shape| {
        let code = shape.error.as_ref().map_or(name, |error| error.code.as_str());
        format!("Self::{name} => \"{code}\",\n")
    };
    let names: String = shapes().map(|(name, shape)| code(name, shape)).collect();
    let text = format!(
        "//! The errors of the service model.\n\n\
         /// An error that the service model knows.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum ErrorCode {{\n{variants}}}\n\n\
         impl ErrorCode {{\n\
         /// All of them, in the order of the model.\npub const ALL: [Self; {count}] = [{all}];\n\n\
         /// The name on the wire.\npub const fn as_str(self) -> &'static str {{\nmatch self {{\n{names}}}\n}}\n\n\
         /// The HTTP status.\npub const fn status(self) -> u16 {{\n{statuses}\n}}\n}}\n",
        count = errors.len(),
        statuses = statuses(&errors),
    );
    File { path: "errors.rs".to_owned(), text }
}

fn statuses(errors: &[(&str, u16)]) -> String {
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for (name, status) in errors {
        by_status.entry(*status).or_default().push(format!("Self::{name}"));
    }
    let arms = by_status.iter().rev().map(|(status, names)| format!("{} => {status},\n", names.join(" | ")));
    format!("match self {{\n{}}}", arms.collect::<String>())
}
