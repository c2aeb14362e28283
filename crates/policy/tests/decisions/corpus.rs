//! The files of the corpus.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::Case;

/// One file: what it is about, where that is written, policies that its cases share, and the cases.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Theme {
    #[serde(skip)]
    pub(crate) file: String,
    #[expect(dead_code, reason = "for readers of the file; it must be there")]
    about: String,
    #[expect(dead_code, reason = "for readers of the file; it must be there")]
    sources: Vec<String>,
    #[serde(default)]
    pub(crate) policies: BTreeMap<String, Value>,
    /// Members of every case that does not have them itself.
    #[serde(default)]
    defaults: Map<String, Value>,
    cases: Vec<Map<String, Value>>,
}

/// Every file of cases, in the order of their names.
pub(crate) fn themes() -> Vec<Theme> {
    let folder = testkit::corpus_path("decisions");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json") && name != "documents.json")
        .collect();
    files.sort();
    let read = |file: String| {
        let theme: Theme = testkit::read_corpus(&format!("decisions/{file}")).unwrap();
        Theme { file, ..theme }
    };
    files.into_iter().map(read).collect()
}

impl Theme {
    /// The cases that say what is decided.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = Case> {
        self.cases.iter().filter(|case| !case.contains_key("condition")).map(|case| self.read(case.clone()))
    }

    /// The cases that say whether a condition holds.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = (Case, Value, Value)> {
        self.cases.iter().filter(|case| case.contains_key("condition")).map(|case| {
            let mut case = case.clone();
            let condition = case.remove("condition").unwrap();
            let holds =
                case.remove("holds").unwrap_or_else(|| panic!("{}: {condition} has no holds", self.file));
            case.entry("name").or_insert_with(|| condition.to_string().into());
            case.insert("expect".to_owned(), "".into());
            (self.read(case), condition, holds)
        })
    }

    fn read(&self, case: Map<String, Value>) -> Case {
        let mut whole = self.defaults.clone();
        whole.extend(case);
        let shown = Value::Object(whole.clone()).to_string();
        serde_json::from_value(Value::Object(whole))
            .unwrap_or_else(|error| panic!("{}: {error}: {shown}", self.file))
    }
}
