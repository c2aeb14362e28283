//! The files of the corpus.

use base::{AccountId, KeyArn};
use policy::PolicyKind;
use policy::lint::Circumstances;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    #[expect(dead_code, reason = "for readers of the file; it must be there")]
    about: String,
    #[expect(dead_code, reason = "for readers of the file; it must be there")]
    sources: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    kind: String,
    account: Option<String>,
    key: Option<String>,
    /// White space is added until the text has as many characters.
    padded_to: Option<usize>,
    /// A document, or its statements in version 2012-10-17.
    pub(crate) policy: Value,
    pub(crate) findings: Vec<Expected>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) rule: String,
    /// From 1; none for the document.
    pub(crate) statement: Option<usize>,
}

/// Every case, in the order of the files' names.
pub(crate) fn cases() -> Vec<Case> {
    let folder = testkit::corpus_path("lint");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    files.sort();
    let read = |file: String| -> Theme { testkit::read_corpus(&format!("lint/{file}")).unwrap() };
    files.into_iter().map(read).flat_map(|theme| theme.cases).collect()
}

impl Case {
    pub(crate) fn kind(&self) -> PolicyKind {
        match self.kind.as_str() {
            "key" => PolicyKind::Key,
            "identity" => PolicyKind::Identity,
            "trust" => PolicyKind::Trust,
            "service control" => PolicyKind::ServiceControl,
            "resource control" => PolicyKind::ResourceControl,
            other => panic!("{}: no kind {other}", self.name),
        }
    }

    pub(crate) fn circumstances(&self) -> Circumstances {
        let account = self.account.as_deref().map(|text| text.parse::<AccountId>().expect("an account"));
        let key = self.key.as_deref().map(|text| text.parse::<KeyArn>().expect("a key ARN"));
        Circumstances { account, key }
    }

    pub(crate) fn text(&self) -> String {
        let document = match &self.policy {
            Value::Array(statements) => json!({"Version": "2012-10-17", "Statement": statements}),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                self.policy.clone()
            }
        };
        let mut text = serde_json::to_string_pretty(&document).unwrap();
        let length = text.chars().count();
        text.push_str(&" ".repeat(self.padded_to.unwrap_or_default().saturating_sub(length)));
        text
    }
}
