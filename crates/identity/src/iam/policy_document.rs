//! What makes a text a policy document: the engine reads it. Documents are stored byte for byte.

use policy::{Policy, PolicyKind};

use super::error::IamError;
use super::quota;

/// Checks a document: that it is a policy of its kind, and of a trust policy also its size, which has a quota of its own.
///
/// # Errors
/// MalformedPolicyDocument, or LimitExceeded.
pub(crate) fn check(document: &str, kind: PolicyKind) -> Result<Policy, IamError> {
    let policy = Policy::parse(document, kind)?;
    if kind == PolicyKind::Trust && size(document) > quota::TRUST_POLICY_SIZE {
        return Err(IamError::quota("ACLSizePerRole", quota::TRUST_POLICY_SIZE));
    }
    Ok(policy)
}

/// Checks the document of a managed policy: its form and its size.
///
/// # Errors
/// MalformedPolicyDocument, or LimitExceeded.
pub(crate) fn check_managed(document: &str) -> Result<(), IamError> {
    check(document, PolicyKind::Identity)?;
    if size(document) > quota::POLICY_SIZE {
        return Err(IamError::quota("PolicySize", quota::POLICY_SIZE));
    }
    Ok(())
}

/// The characters that count against quotas: all but white space.
pub(crate) fn size(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALLOW: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    const TRUST: &str =
        r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}"#;

    fn refused(document: &str, kind: PolicyKind) -> String {
        let fault = check(document, kind).unwrap_err().to_fault();
        assert_eq!((fault.code, fault.status), ("MalformedPolicyDocument", 400), "{document}");
        fault.message.unwrap()
    }

    #[test]
    fn documents_of_the_grammar_are_taken() {
        check(ALLOW, PolicyKind::Identity).unwrap();
        check(TRUST, PolicyKind::Trust).unwrap();
        check(&ALLOW.replace("Action", "NotAction").replace("Resource", "NotResource"), PolicyKind::Identity)
            .unwrap();
        check(&format!("\n\t {ALLOW} "), PolicyKind::Identity).unwrap();
    }

    #[test]
    fn other_texts_are_malformed() {
        for document in ["", "x", "[]", "{}", "null", r#"{"Statement":["x"]}"#] {
            assert_eq!(refused(document, PolicyKind::Identity), "Syntax errors in policy.");
        }
        assert_eq!(
            refused(&ALLOW.replace(r#","Resource":"*""#, ""), PolicyKind::Identity),
            "Policy statement must contain resources."
        );
        refused(ALLOW, PolicyKind::Trust);
        refused(TRUST, PolicyKind::Identity);
    }

    #[test]
    fn white_space_does_not_count_and_trust_policies_have_a_quota() {
        assert_eq!(size(" {\n\t\"a\" :\r 1 } "), 7);
        let sid = |length: usize| {
            let named = TRUST.replace(r#""Effect""#, r#""Sid":"","Effect""#);
            let missing = "a".repeat(length - size(&named));
            named.replace(r#""Sid":"""#, &format!(r#""Sid":"{missing}""#))
        };
        check(&sid(2_048), PolicyKind::Trust).unwrap();
        let refused = check(&sid(2_049), PolicyKind::Trust).unwrap_err().to_fault();
        assert_eq!(refused.message.as_deref(), Some("Cannot exceed quota for ACLSizePerRole: 2048"));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_check(document in ".{0,60}", nested in "[\\[{\"a:]{0,300}") {
            for text in [document, nested, "[".repeat(100_000)] {
                let _ = check(&text, PolicyKind::Identity);
            }
        }
    }
}
