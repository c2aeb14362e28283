//! The lockout check: whoever puts a policy must be able to put another one.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>
//!
//! Conditions are not evaluated: an Allow under a condition counts as none, and so does a Deny under a condition.

use base::Caller;

use super::document::{Actions, Document, Named, Principals, Statement};

/// The action, in lower case: actions match without regard to case.
const ACTION: &str = "kms:putkeypolicy";

/// Whether `caller`, who may do everything in its own account, could put a key policy under `document`.
pub(super) fn may_put_key_policy(document: &Document, caller: &Caller) -> bool {
    let applies = |statement: &&Statement| {
        !statement.has_condition && concerns(&statement.principals, caller) && covers(&statement.actions)
    };
    let mut applying = document.statements.iter().filter(applies).peekable();
    applying.peek().is_some() && applying.all(|statement| statement.allows)
}

fn concerns(principals: &Principals, caller: &Caller) -> bool {
    let is_caller = |named: &Named| match named {
        Named::Anybody => true,
        Named::One(principal) => principal.includes(caller),
        Named::Unknown => false,
    };
    match principals {
        Principals::Named(principals) => principals.iter().any(is_caller),
        Principals::AllBut(principals) => !principals.iter().any(is_caller),
    }
}

fn covers(actions: &Actions) -> bool {
    let matches_action =
        |pattern: &String| matches(pattern.to_ascii_lowercase().as_bytes(), ACTION.as_bytes());
    match actions {
        Actions::Named(actions) => actions.iter().any(matches_action),
        Actions::AllBut(actions) => !actions.iter().any(matches_action),
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one. Time grows with the
/// product of the lengths and no faster.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut rest, mut at) = (pattern, text);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (rest.split_first(), at.split_first()) {
            (Some((b'*', after)), _) => {
                star = Some((after, at));
                rest = after;
            }
            (Some((wanted, after)), Some((found, behind))) if *wanted == b'?' || wanted == found => {
                (rest, at) = (after, behind);
            }
            (None, None) => return true,
            // A dead end: the last star takes one character more.
            _ => match star.and_then(|(after, from)| Some((after, from.split_first()?.1))) {
                Some((after, from)) => {
                    star = Some((after, from));
                    (rest, at) = (after, from);
                }
                None => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    fn may(statements: &str) -> bool {
        let document = Document::parse(&format!("{{\"Statement\":[{statements}]}}")).ok().unwrap();
        may_put_key_policy(&document, &call("123456789012", "eu-central-1").caller)
    }

    fn statement(effect: &str, principal: &str, action: &str) -> String {
        format!(
            r#"{{"Effect":"{effect}","Principal":{{"AWS":"{principal}"}},"Action":"{action}","Resource":"*"}}"#
        )
    }

    const ROOT: &str = "arn:aws:iam::123456789012:root";

    #[test]
    fn whoever_is_allowed_by_name_account_or_star_is_not_locked_out() {
        for principal in [ROOT, "123456789012", "*", "arn:aws:iam::123456789012:user/admin"] {
            for action in
                ["kms:*", "*", "kms:PutKeyPolicy", "KMS:putkeypolicy", "kms:Put*", "kms:P?tKeyPolicy"]
            {
                assert!(may(&statement("Allow", principal, action)), "{principal} {action}");
            }
        }
        assert!(may(r#"{"Effect":"Allow","Principal":"*","NotAction":"kms:Encrypt"}"#));
        assert!(may(r#"{"Effect":"Allow","NotPrincipal":{"AWS":"210987654321"},"Action":"kms:*"}"#));
    }

    #[test]
    fn whoever_is_not_allowed_or_is_denied_is_locked_out() {
        for (principal, action) in [
            ("arn:aws:iam::210987654321:root", "kms:*"),
            ("arn:aws:iam::123456789012:user/other", "kms:*"),
            (ROOT, "kms:Encrypt"),
            (ROOT, "kms:Get*"),
            (ROOT, "kms:PutKeyPolicy?"),
        ] {
            assert!(!may(&statement("Allow", principal, action)), "{principal} {action}");
        }
        let denied = format!("{},{}", statement("Allow", ROOT, "*"), statement("Deny", "*", "kms:Put*"));
        assert!(!may(&denied));
        assert!(!may(""));
        let conditional = r#"{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"Bool":{"a":"b"}}}"#;
        assert!(!may(conditional));
        assert!(!may(r#"{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"*"}"#));
    }

    #[test]
    fn patterns_take_no_exponential_time() {
        let pattern = "*a".repeat(5_000);
        assert!(!matches(pattern.as_bytes(), "b".repeat(5_000).as_bytes()));
        assert!(matches(b"a*b*c", b"aXbYbZc") && !matches(b"a*b", b"aXbY") && matches(b"**", b""));
    }
}
