//! The enumeration of all modelled errors.

use super::File;
use super::types::Types;

pub(crate) fn render(types: &Types<'_>) -> File {
    let errors: Vec<(&str, u16)> = types
        .model
        .shapes
        .iter()
        .filter(|(_, shape)| shape.exception)
        .map(|(name, shape)| (name, shape.status.unwrap_or(400)))
        .collect();
    let variants: String = errors
        .iter()
        .map(|(name, status)| format!("/// `{name}`, HTTP status {status}.\n{name},\n"))
        .collect();
    let all: String = errors.iter().map(|(name, _)| format!("Self::{name},")).collect();
    let names: String = errors.iter().map(|(name, _)| format!("Self::{name} => \"{name}\",\n")).collect();
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
    let of = |wanted: fn(u16) -> bool| -> Vec<String> {
        errors.iter().filter(|(_, status)| wanted(*status)).map(|(name, _)| format!("Self::{name}")).collect()
    };
    let (senders, receivers) = (of(|status| status < 500), of(|status| status >= 500));
    let arm = |names: &[String], status: u16| match names {
        [] => String::new(),
        _ => format!("{} => {status},\n", names.join(" | ")),
    };
    format!("match self {{\n{}{}}}", arm(&receivers, 500), arm(&senders, 400))
}
