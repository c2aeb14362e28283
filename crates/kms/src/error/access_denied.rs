//! Refusals of authorization, in AWS's words.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>

use base::{AccountId, Caller, KeyArn};
use policy::{Denial, Reasons};

use super::KmsError;

/// The caller may not do something.
#[derive(Debug, thiserror::Error)]
#[error("access denied: {text}")]
pub struct AccessDenied {
    /// For the client. Silent about whether there is a key that is out of reach.
    text: String,
    /// Whether the client may not even learn that there is such a key.
    is_out_of_reach: bool,
    undecided: Option<Undecided>,
}

/// A check that was refused without asking any policy.
#[derive(Debug)]
struct Undecided {
    action: &'static str,
    resource: String,
    owner: AccountId,
    why: &'static str,
}

impl AccessDenied {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The reasons, if no policy was asked. Those of decisions are known where they are taken.
    pub(crate) fn reasons(&self, caller: &Caller) -> Option<Reasons> {
        let Undecided { action, resource, owner, why } = self.undecided.as_ref()?;
        let check = (format!("kms:{action}"), Some(resource.clone()), *owner);
        Some(Reasons::refused(caller, check, why, self.text.clone()))
    }
}

impl KmsError {
    /// A refusal by policies.
    pub(crate) fn of_denial(denial: &Denial<'_>) -> Self {
        let (text, is_out_of_reach) = (denial.message(), denial.is_out_of_reach());
        AccessDenied { text, is_out_of_reach, undecided: None }.into()
    }

    /// A key that is not in the caller's reach, because there is none or because of `why`: nobody else's key tells that.
    pub(crate) fn foreign_key(caller: &Caller, action: &'static str, key: KeyArn, why: &'static str) -> Self {
        let undecided = Undecided { action, resource: key.to_string(), owner: key.account, why };
        Self::out_of_reach(caller, action, "this resource", Some(undecided))
    }

    /// An alias of another account that stands for no key.
    pub(crate) fn foreign_alias(
        caller: &Caller,
        action: &'static str,
        arn: String,
        owner: AccountId,
    ) -> Self {
        let undecided = Undecided { action, resource: arn, owner, why: "there is no such alias" };
        Self::out_of_reach(caller, action, "this resource", Some(undecided))
    }

    /// A key whose key policy cannot be read, so that nothing in it allows anything.
    pub(crate) fn unreadable_key_policy(caller: &Caller, action: &'static str, key: KeyArn) -> Self {
        let text = format!(
            "User: {} is not authorized to perform: kms:{action} on resource: {key} because no resource-based \
             policy allows the kms:{action} action",
            caller.arn()
        );
        let why = "the key's policy cannot be read";
        let undecided = Undecided { action, resource: key.to_string(), owner: key.account, why };
        AccessDenied { text, is_out_of_reach: false, undecided: Some(undecided) }.into()
    }

    /// ListRetirableGrants for a principal of another account, or for a service.
    pub(crate) fn foreign_principal(caller: &Caller, action: &'static str, principal: &str) -> Self {
        let text = format!(
            "User: {} is not authorized to perform: kms:{action} on resource: {principal}",
            caller.arn()
        );
        let why = "the retiring principal is not of the caller's account";
        let undecided = Undecided { action, resource: principal.to_owned(), owner: caller.account, why };
        AccessDenied { text, is_out_of_reach: false, undecided: Some(undecided) }.into()
    }

    /// Decrypt without KeyId: the ciphertext's key is gone, elsewhere or of another account that lets nobody in.
    pub(crate) fn ciphertext_key_gone(caller: &Caller, action: &'static str, key: KeyArn) -> Self {
        let why = "there is no such key any more";
        let undecided = Undecided { action, resource: key.to_string(), owner: key.account, why };
        Self::out_of_reach(caller, action, CIPHERTEXT_KEY, Some(undecided))
    }

    /// The same text, if that the key is out of reach is why it was refused.
    pub(crate) fn of_ciphertext_key(mut self, caller: &Caller, action: &'static str) -> Self {
        if let Self::AccessDenied(denied) = &mut self
            && denied.is_out_of_reach
        {
            denied.text = out_of_reach(caller, action, CIPHERTEXT_KEY);
        }
        self
    }

    fn out_of_reach(caller: &Caller, action: &str, what: &str, undecided: Option<Undecided>) -> Self {
        let text = out_of_reach(caller, action, what);
        AccessDenied { text, is_out_of_reach: true, undecided }.into()
    }
}

fn out_of_reach(caller: &Caller, action: &str, what: &str) -> String {
    format!(
        "User: {} is not authorized to perform: kms:{action} on {what} because the resource does not exist in this \
         Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
        caller.arn()
    )
}

impl From<AccessDenied> for KmsError {
    fn from(denied: AccessDenied) -> Self {
        Self::AccessDenied(Box::new(denied))
    }
}

const CIPHERTEXT_KEY: &str = "the resource associated with this ciphertext";
