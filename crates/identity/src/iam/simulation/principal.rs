//! Who is simulated: users, groups and roles by their ARNs.

use std::sync::Arc;

use base::{AccountId, Arn, Caller, Principal};
use policy::CallerFacts;

use crate::iam::resource::{Kind, last_segment};
use crate::name::is_name;

/// Of groups; users and roles have at most half as many characters.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const NAME_LENGTH_MAX: usize = 128;

/// A user, group or role, by its ARN. Whether it is there is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    pub(crate) account: AccountId,
    pub(crate) kind: Kind,
    pub(crate) arn: &'a str,
    path_and_name: &'a str,
}

impl<'a> Named<'a> {
    /// Reads an ARN; `None` if it is of anything else.
    pub(crate) fn read(arn: &'a str) -> Option<Self> {
        let parsed = Arn::parse(arn).ok()?;
        let account = parsed.account.parse().ok()?;
        let (word, path_and_name) = parsed.resource.split_once('/')?;
        let kind = match word {
            "user" => Kind::User,
            "group" => Kind::Group,
            "role" => Kind::Role,
            _ => return None,
        };
        let is_whole = parsed.service == "iam" && parsed.region.is_empty();
        let has_name = is_name(last_segment(path_and_name), NAME_LENGTH_MAX);
        (is_whole && has_name).then_some(Self { account, kind, arn, path_and_name })
    }

    pub(crate) fn name(&self) -> &'a str {
        last_segment(self.path_and_name)
    }

    /// The one who calls, for policies: a role as in any of its sessions, a group as somebody whom no policy names.
    pub(crate) fn caller(&self, unique_id: &str) -> CallerFacts {
        let unique_id = unique_id.to_owned();
        let path_and_name = self.path_and_name.to_owned();
        facts(
            self.account,
            match self.kind {
                Kind::User => Principal::User { path_and_name, unique_id },
                Kind::Role => {
                    Principal::RoleSession { path_and_name, unique_id, session_name: String::new() }
                }
                Kind::Group | Kind::InstanceProfile | Kind::OpenIdConnectProvider | Kind::Policy => NOBODY,
            },
        )
    }
}

/// Somebody of an account whom no policy names.
const NOBODY: Principal = Principal::User { path_and_name: String::new(), unique_id: String::new() };

/// The caller of a simulation that names none.
pub(crate) fn nobody(account: AccountId) -> CallerFacts {
    facts(account, NOBODY)
}

fn facts(account: AccountId, principal: Principal) -> CallerFacts {
    CallerFacts::of(Arc::new(Caller { account, principal, access_key_id: String::new(), session: None }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_groups_and_roles_are_read_and_nothing_else_is() {
        for (arn, kind, name) in [
            ("arn:aws:iam::111122223333:user/alice", Kind::User, "alice"),
            ("arn:aws:iam::111122223333:user/a/b/alice", Kind::User, "alice"),
            ("arn:aws:iam::111122223333:role/app", Kind::Role, "app"),
            ("arn:aws:iam::111122223333:group/team", Kind::Group, "team"),
        ] {
            let named = Named::read(arn).unwrap();
            assert_eq!((named.kind, named.name()), (kind, name));
        }
        for arn in [
            "",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::111122223333:user/a b",
            "arn:aws:iam::111122223333:user/a\r",
            "arn:aws:iam::111122223333:policy/p",
            "arn:aws:iam::aws:user/alice",
            "arn:aws:iam:us-east-1:111122223333:user/alice",
            "arn:aws:sts::111122223333:assumed-role/app/s",
            "111122223333",
        ] {
            assert_eq!(Named::read(arn), None, "{arn}");
        }
        let long = format!("arn:aws:iam::111122223333:group/{}", "a".repeat(128));
        assert!(Named::read(&long).is_some() && Named::read(&format!("{long}a")).is_none());
    }

    #[test]
    fn policies_see_users_and_roles_and_no_groups() {
        let named = |arn| Named::read(arn).unwrap();
        let user = "arn:aws:iam::111122223333:user/ops/alice";
        assert_eq!(named(user).caller("AIDAALICE").arn(), user);
        let role = named("arn:aws:iam::111122223333:role/app").caller("");
        assert_eq!(role.arn(), "arn:aws:sts::111122223333:assumed-role/app/");
        let group = named("arn:aws:iam::111122223333:group/team").caller("");
        assert_eq!(group.arn(), nobody("111122223333".parse().unwrap()).arn());
    }
}
