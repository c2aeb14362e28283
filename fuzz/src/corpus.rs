//! Seeds out of `corpus/`.

use serde_json::{Value, json};

/// The files of a folder, in the order of their names.
pub(crate) fn files(folder: &str, extension: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(testkit::corpus_path(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// A JSON file.
pub(crate) fn json(path: &str) -> Value {
    testkit::read_corpus(path).unwrap()
}

/// Every policy of the decision corpus and the lint corpus, once.
pub(crate) fn policies() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for file in files("decisions", "json").into_iter().chain(files("lint", "json")) {
        collect(&serde_json::from_slice(&file).unwrap(), &mut found);
    }
    found.sort();
    found.dedup();
    found.into_iter().map(String::into_bytes).collect()
}

/// Whatever has a Statement, and lists of what has an Effect.
fn collect(value: &Value, found: &mut Vec<String>) {
    let is_statement = |value: &Value| value.get("Effect").is_some();
    match value {
        Value::Object(members) if members.contains_key("Statement") => found.push(value.to_string()),
        Value::Array(list) if list.first().is_some_and(is_statement) => {
            found.push(json!({"Version": "2012-10-17", "Statement": value}).to_string());
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, found)),
        Value::Object(members) => {
            members.values().for_each(|inner| collect(inner, found));
            // A document that is no policy stands as a text.
            let document = members.get("document").and_then(Value::as_str);
            found.extend(document.map(str::to_owned));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Bytes written in hexadecimal.
pub(crate) fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}
