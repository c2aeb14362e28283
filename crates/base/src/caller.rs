//! Who calls.

use std::fmt;

use crate::AccountId;

/// An authenticated caller. Only signature verification makes one from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account whose credentials signed the request.
    pub account: AccountId,
    /// The identity within that account.
    pub principal: Principal,
    /// The access key that signed.
    pub access_key_id: String,
}

/// The kinds of identity that can sign a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// An IAM user.
    User {
        /// Path and name as they stand in the ARN, for example `ops/alice` or `admin`.
        path_and_name: String,
        /// Unique id, `AIDA…`. A user deleted and made again gets another one.
        unique_id: String,
    },
}

impl Caller {
    /// The principal's ARN as AWS prints it in answers and error texts.
    pub fn arn(&self) -> impl fmt::Display + '_ {
        CallerArn(self)
    }

    /// `UserId` of GetCallerIdentity.
    pub fn user_id(&self) -> &str {
        match &self.principal {
            Principal::User { unique_id, .. } => unique_id,
        }
    }
}

struct CallerArn<'a>(&'a Caller);

impl fmt::Display for CallerArn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.principal {
            Principal::User { path_and_name, .. } => {
                write!(f, "arn:aws:iam::{}:user/{path_and_name}", self.0.account)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_account_path_and_name() {
        let caller = Caller {
            account: "123456789012".parse().unwrap(),
            principal: Principal::User { path_and_name: "ops/alice".into(), unique_id: "AIDAEXAMPLE".into() },
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
        };
        assert_eq!(caller.arn().to_string(), "arn:aws:iam::123456789012:user/ops/alice");
        assert_eq!(caller.user_id(), "AIDAEXAMPLE");
    }
}
