//! What makes a text a policy document. Documents are stored byte for byte; this only looks at them.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use serde_json::{Map, Value};

use super::error::IamError;
use super::quota;

/// What a document is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// It says what the identities that hold it may do.
    Identity,
    /// It says who may assume a role.
    Trust,
}

/// Checks a document: its form, and of a trust policy also its size, which has a quota of its own.
///
/// # Errors
/// MalformedPolicyDocument, or LimitExceeded.
pub(crate) fn check(document: &str, kind: DocumentKind) -> Result<(), IamError> {
    check_form(document, kind).map_err(IamError::MalformedPolicy)?;
    if kind == DocumentKind::Trust && size(document) > quota::TRUST_POLICY_SIZE {
        return Err(IamError::quota("ACLSizePerRole", quota::TRUST_POLICY_SIZE));
    }
    Ok(())
}

/// Checks the document of a managed policy: its form and its size.
///
/// # Errors
/// MalformedPolicyDocument, or LimitExceeded.
pub(crate) fn check_managed(document: &str) -> Result<(), IamError> {
    check(document, DocumentKind::Identity)?;
    if size(document) > quota::POLICY_SIZE {
        return Err(IamError::quota("PolicySize", quota::POLICY_SIZE));
    }
    Ok(())
}

/// The characters that count against quotas: all but white space.
pub(crate) fn size(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

fn check_form(document: &str, kind: DocumentKind) -> Result<(), &'static str> {
    let Ok(Value::Object(policy)) = serde_json::from_str::<Value>(document) else {
        return Err("Syntax errors in policy.");
    };
    match policy.get("Version") {
        None => {}
        Some(Value::String(version)) if ["2012-10-17", "2008-10-17"].contains(&version.as_str()) => {}
        Some(_) => return Err("The policy must contain a valid version string."),
    }
    if policy.keys().any(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
        return Err("Syntax errors in policy.");
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err("Syntax errors in policy."),
    };
    statements.into_iter().try_for_each(|statement| {
        check_statement(statement.as_object().ok_or("Syntax errors in policy.")?, kind)
    })
}

fn check_statement(statement: &Map<String, Value>, kind: DocumentKind) -> Result<(), &'static str> {
    let has = |name: &str| statement.contains_key(name);
    if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Err("Syntax errors in policy.");
    }
    if has("Action") == has("NotAction") {
        return Err("Policy statement must contain actions.");
    }
    match kind {
        DocumentKind::Identity if has("Principal") || has("NotPrincipal") => {
            Err("Policy document should not specify a principal.")
        }
        DocumentKind::Identity if has("Resource") == has("NotResource") => {
            Err("Policy statement must contain resources.")
        }
        DocumentKind::Trust if has("Resource") || has("NotResource") => Err("Has prohibited field Resource"),
        DocumentKind::Trust if has("NotPrincipal") => Err("Has prohibited field NotPrincipal"),
        DocumentKind::Trust if !has("Principal") => Err("Missing required field Principal"),
        DocumentKind::Identity | DocumentKind::Trust => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    const TRUST: &str =
        r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;

    fn refused(document: &str, kind: DocumentKind) -> String {
        let fault = check(document, kind).unwrap_err().to_fault();
        assert_eq!((fault.code, fault.status), ("MalformedPolicyDocument", 400), "{document}");
        fault.message.unwrap()
    }

    #[test]
    fn documents_of_the_grammar_are_taken() {
        check(ALLOW, DocumentKind::Identity).unwrap();
        check(TRUST, DocumentKind::Trust).unwrap();
        check(
            &ALLOW.replace("Action", "NotAction").replace("Resource", "NotResource"),
            DocumentKind::Identity,
        )
        .unwrap();
        check(&format!("\n\t {ALLOW} "), DocumentKind::Identity).unwrap();
    }

    #[test]
    fn other_texts_are_malformed() {
        for document in ["", "x", "[]", "{}", "null", r#"{"Statement":[]}"#, r#"{"Statement":["x"]}"#] {
            assert_eq!(refused(document, DocumentKind::Identity), "Syntax errors in policy.");
        }
        for (from, to) in [
            ("2012-10-17", "2013-10-17"),
            (r#""Allow""#, r#""allow""#),
            (r#""Action":"*","#, ""),
            (r#","Resource":"*""#, ""),
            (r#""Effect""#, r#""Principal":"*","Effect""#),
            (r#""Version""#, r#""Other":1,"Version""#),
        ] {
            assert!(ALLOW.contains(from));
            refused(&ALLOW.replace(from, to), DocumentKind::Identity);
        }
        for (from, to) in [
            (r#""Principal":{"AWS":"123456789012"},"#, ""),
            ("Principal", "NotPrincipal"),
            (r#""Effect""#, r#""Resource":"*","Effect""#),
        ] {
            assert!(TRUST.contains(from));
            refused(&TRUST.replace(from, to), DocumentKind::Trust);
        }
        refused(ALLOW, DocumentKind::Trust);
        refused(TRUST, DocumentKind::Identity);
    }

    #[test]
    fn white_space_does_not_count_and_trust_policies_have_a_quota() {
        assert_eq!(size(" {\n\t\"a\" :\r 1 } "), 7);
        let action = |length: usize| {
            TRUST.replace("sts:AssumeRole", &"a".repeat(length + "sts:AssumeRole".len() - size(TRUST)))
        };
        check(&action(2_048), DocumentKind::Trust).unwrap();
        let refused = check(&action(2_049), DocumentKind::Trust).unwrap_err().to_fault();
        assert_eq!(refused.message.as_deref(), Some("Cannot exceed quota for ACLSizePerRole: 2048"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_check(document in ".{0,60}", nested in "[\\[{\"a:]{0,300}") {
            for text in [document, nested, "[".repeat(100_000)] {
                let _ = check(&text, DocumentKind::Identity);
            }
        }
    }
}
