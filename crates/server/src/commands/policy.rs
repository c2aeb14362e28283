//! `keywright policy lint`: looks for what is probably wrong with a policy in a file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use base::AccountId;
use policy::lint::{Circumstances, Finding, Severity, guess_kind, lint};
use policy::{MalformedPolicy, Policy, PolicyKind};
use serde::Serialize;

use crate::command_line::{Lint, LintKind, OutputFormat};
use crate::terminal::{self, in_a_line};

/// What ends the command otherwise than well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyLintError {
    #[error("--key is a key of account {0}, not of the one that --account names")]
    OtherAccount(AccountId),
    #[error("{file} cannot be read: {reason}")]
    Unreadable { file: String, reason: String },
    #[error("{file} is not JSON: {source}")]
    NotJson { file: String, source: serde_json::Error },
    #[error("{file} is not {kind}: {source}")]
    NotAPolicy { file: String, kind: &'static str, source: MalformedPolicy },
    /// The command did what it should; the code says that the policy is not well.
    #[error("{file} has {counts}")]
    Found { file: String, counts: String },
}

/// Prints what was found.
pub(super) fn look_over(arguments: &Lint) -> Result<(), PolicyLintError> {
    let circumstances = circumstances(arguments)?;
    let file = name(&arguments.file);
    let text =
        read(&arguments.file).map_err(|reason| PolicyLintError::Unreadable { file: file.clone(), reason })?;
    let guessed = guess_kind(&text).unwrap_or(PolicyKind::Identity);
    let kind = arguments.kind.map_or(guessed, LintKind::of_policy);
    match lint(&text, kind, &circumstances) {
        Ok(findings) => {
            let report = Report { file, kind, is_guessed: arguments.kind.is_none(), findings };
            terminal::say(&report.rendered(arguments.format));
            report.outcome()
        }
        Err(source) => Err(refusal(file, &text, kind, source)),
    }
}

fn circumstances(arguments: &Lint) -> Result<Circumstances, PolicyLintError> {
    let (account, key) = (arguments.account, arguments.key);
    let owner = key.map(|key| key.account);
    match owner.filter(|owner| account.is_some_and(|account| account != *owner)) {
        Some(owner) => Err(PolicyLintError::OtherAccount(owner)),
        None => Ok(Circumstances { account, key }),
    }
}

/// A file as it is called in what is printed.
fn name(path: &Path) -> String {
    if is_standard_input(path) {
        "standard input".to_owned()
    } else {
        in_a_line(&path.display().to_string()).into_owned()
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a file or standard input, and no more of it than a policy can have.
fn read(path: &Path) -> Result<String, String> {
    let bytes = if is_standard_input(path) {
        up_to_limit(std::io::stdin().lock())
    } else {
        File::open(path).and_then(up_to_limit)
    };
    let bytes = bytes.map_err(|error| error.to_string())?;
    if bytes.len() > Policy::BYTES_MAX {
        return Err(format!("it has more than {} bytes, as no policy has", Policy::BYTES_MAX));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn up_to_limit(source: impl Read) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(Policy::BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    source.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Why a text is refused; of one that is no JSON, where that shows.
fn refusal(file: String, text: &str, kind: PolicyKind, source: MalformedPolicy) -> PolicyLintError {
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Err(source) => PolicyLintError::NotJson { file, source },
        Ok(_) => PolicyLintError::NotAPolicy { file, kind: phrase(kind), source },
    }
}

/// What was found in a file.
struct Report {
    /// As it is shown.
    file: String,
    kind: PolicyKind,
    is_guessed: bool,
    findings: Vec<Finding>,
}

impl Report {
    fn outcome(&self) -> Result<(), PolicyLintError> {
        if self.count(Severity::Error) + self.count(Severity::Warning) == 0 {
            return Ok(());
        }
        let counts = self.counted(&[Severity::Error, Severity::Warning]);
        Err(PolicyLintError::Found { file: self.file.clone(), counts })
    }

    fn rendered(&self, format: OutputFormat) -> String {
        match format {
            OutputFormat::Text => self.text(),
            OutputFormat::Json => self.json(),
        }
    }

    fn text(&self) -> String {
        let file = &self.file;
        let mut text = format!("{file}: looked at as {}{}\n", phrase(self.kind), self.reason());
        for finding in &self.findings {
            let Finding { rule, position, what, .. } = finding;
            let place = format!("{file}:{}:{}", position.line, position.column);
            let (severity, name, statement) = (rule.severity, rule.name, statement(finding));
            text.push_str(&format!("{place}: {severity} [{name}] {statement}{}\n", in_a_line(what)));
            text.push_str(&format!("    {}\n    {}\n", rule.why, rule.remedy));
        }
        text.push_str(&self.counted(&[Severity::Error, Severity::Warning, Severity::Note]));
        text.push('\n');
        text
    }

    fn json(&self) -> String {
        let report = JsonReport {
            file: &self.file,
            kind: LintKind::name_of(self.kind),
            kind_is_guessed: self.is_guessed,
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
            notes: self.count(Severity::Note),
            findings: self.findings.iter().map(JsonFinding::of).collect(),
        };
        // Texts and numbers always have a form in JSON.
        let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
        text.push('\n');
        text
    }

    fn reason(&self) -> &'static str {
        if !self.is_guessed {
            return "";
        }
        match self.kind {
            PolicyKind::Identity => ", for it has no principals; --kind says otherwise",
            PolicyKind::Trust => ", for it has principals and actions of STS alone; --kind says otherwise",
            PolicyKind::Key
            | PolicyKind::Bucket
            | PolicyKind::ServiceControl
            | PolicyKind::ResourceControl => ", for it has principals; --kind says otherwise",
        }
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.rule.severity == severity).count()
    }

    /// `1 error, 0 warnings`.
    fn counted(&self, severities: &[Severity]) -> String {
        let counted = |severity: &Severity| match self.count(*severity) {
            1 => format!("1 {severity}"),
            count => format!("{count} {severity}s"),
        };
        severities.iter().map(counted).collect::<Vec<_>>().join(", ")
    }
}

/// [`Report`] for programs.
#[derive(Serialize)]
struct JsonReport<'a> {
    file: &'a str,
    kind: &'a str,
    kind_is_guessed: bool,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<JsonFinding<'a>>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    rule: &'a str,
    severity: String,
    /// From 1; none for the whole document.
    statement: Option<usize>,
    sid: Option<&'a str>,
    line: u32,
    column: u32,
    what: &'a str,
    why: &'a str,
    remedy: &'a str,
}

impl<'a> JsonFinding<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule.name,
            severity: finding.rule.severity.to_string(),
            statement: finding.statement.map(|index| index + 1),
            sid: finding.sid.as_deref(),
            line: finding.position.line,
            column: finding.position.column,
            what: &finding.what,
            why: finding.rule.why,
            remedy: finding.rule.remedy,
        }
    }
}

/// The statement that a finding is about, counted from 1 as people do.
fn statement(finding: &Finding) -> String {
    match (finding.statement, &finding.sid) {
        (None, _) => String::new(),
        (Some(index), None) => format!("statement {}: ", index + 1),
        (Some(index), Some(sid)) => format!("statement {} ({}): ", index + 1, in_a_line(sid)),
    }
}

fn phrase(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Identity => "an identity policy",
        PolicyKind::Key => "a key policy",
        PolicyKind::Bucket => "a bucket policy",
        PolicyKind::Trust => "a trust policy",
        PolicyKind::ServiceControl => "a service control policy",
        PolicyKind::ResourceControl => "a resource control policy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(statements: &str, kind: PolicyKind) -> Report {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        let findings = lint(&text, kind, &Circumstances::default()).unwrap();
        Report { file: "p.json".to_owned(), kind, is_guessed: false, findings }
    }

    #[test]
    fn findings_are_told_with_place_statement_and_sentences() {
        let report =
            report(r#"{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}"#, PolicyKind::Identity);
        let text = report.text();
        let lines: Vec<&str> = text.lines().collect();
        let [kind, what, why, remedy, counts] = lines.as_slice() else { panic!("{text}") };
        assert_eq!(*kind, "p.json: looked at as an identity policy");
        let expected =
            "p.json:1:38: warning [full-access] statement 1 (All): It allows every action on every resource.";
        assert_eq!(*what, expected);
        assert!(why.starts_with("    Whoever has the policy") && remedy.starts_with("    List the actions"));
        assert_eq!(*counts, "0 errors, 1 warning, 0 notes");
        assert_eq!(report.outcome().unwrap_err().to_string(), "p.json has 0 errors, 1 warning");
    }

    #[test]
    fn notes_alone_are_no_reason_to_fail() {
        let statement = r#"{"Effect":"Allow","Action":"kms:Encrypt","Resource":"*"}"#;
        let report = report(&[statement, statement].join(","), PolicyKind::Identity);
        assert_eq!(report.count(Severity::Note), 1);
        assert!(report.outcome().is_ok());
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["notes"], 1);
        assert_eq!(json["findings"][0]["statement"], 2);
        assert_eq!(json["findings"][0]["sid"], serde_json::Value::Null);
    }

    #[test]
    fn control_characters_stay_off_the_terminal() {
        let report = report(
            r#"{"Sid":"","Effect":"Allow","Action":"kms:\u001b[2JEncrypt\u009b","Resource":"*"}"#,
            PolicyKind::Identity,
        );
        let text = report.text();
        assert!(text.contains("\\u001b[2J") && text.contains("\\u009b"), "{text}");
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text}");
    }
}
