//! A policy: statements, compiled, and found by what they are about.

use crate::action::Action;
use crate::caller::CallerFacts;
use crate::error::MalformedPolicy;
use crate::index::Index;
use crate::parse;
use crate::principal::PrincipalEntry;
use crate::statement::Statement;

/// What a policy is for, on which its grammar depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// An identity policy, a permissions boundary, or a session policy.
    Identity,
    /// The key policy of a KMS key.
    Key,
    /// The policy of an S3 bucket.
    Bucket,
    /// The trust policy of a role.
    Trust,
    /// A service control policy of an organisation.
    ServiceControl,
    /// A resource control policy of an organisation.
    ResourceControl,
}

/// The version of the policy language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, which a policy without Version has: no variables.
    V2008,
    /// `2012-10-17`.
    V2012,
}

impl Version {
    pub(crate) fn read(text: &str) -> Option<Self> {
        match text {
            "2008-10-17" => Some(Self::V2008),
            "2012-10-17" => Some(Self::V2012),
            _ => None,
        }
    }
}

/// A policy, ready to decide. The text is not kept: who stores it gives it back byte for byte.
#[derive(Debug)]
pub struct Policy {
    version: Version,
    statements: Box<[Statement]>,
    index: Index,
}

impl Policy {
    /// Most bytes of a document; every kind has a quota of its own below it, which whoever stores it enforces.
    pub const BYTES_MAX: usize = 131_072;

    /// Parses and compiles a document.
    ///
    /// Grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>. That its principals
    /// exist, that its author is not locked out, and quotas on its size are left to the caller.
    ///
    /// # Errors
    /// The document is not a policy of this kind; the text is for the client.
    pub fn parse(text: &str, kind: PolicyKind) -> Result<Self, MalformedPolicy> {
        let (version, statements) = parse::parse(text, kind)?;
        let index = Index::new(&statements);
        Ok(Self { version, statements: statements.into(), index })
    }

    /// The version of the language that the document says it is in.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Every principal that the policy names in Principal or NotPrincipal, in the order of the document.
    pub fn principals(&self) -> impl Iterator<Item = &PrincipalEntry> {
        self.statements.iter().flat_map(|statement| statement.principals.entries())
    }

    /// The same policy, in which users and roles are meant as they were when it was written: where `unique_id` knows an
    /// id for an entry, the id takes the entry's place, so that a namesake made later gets nothing. AWS does so when a
    /// policy is stored; whoever stores it keeps the ids beside the text.
    #[must_use]
    pub fn bound(self, unique_id: impl Fn(&PrincipalEntry) -> Option<String>) -> Self {
        let mut statements = self.statements;
        for statement in &mut statements {
            statement.principals.bind(&unique_id);
        }
        Self { index: Index::new(&statements), statements, version: self.version }
    }

    /// Every condition key that the policy asks about, in conditions and in variables, as it writes them. One may come
    /// several times.
    pub fn key_names(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().flat_map(Statement::key_names)
    }

    /// The statements that may be about a caller and an action, in the order of the document.
    pub(crate) fn about(
        &self,
        caller: &CallerFacts,
        action: &Action<'_>,
    ) -> impl Iterator<Item = (usize, &Statement)> {
        self.index.about(caller, action).filter_map(|place| Some((place, self.statements.get(place)?)))
    }

    /// Every statement.
    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_shared_between_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Policy>();
    }

    #[test]
    fn principals_are_told_and_bound_to_their_ids() {
        let text = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","111122223333"]}},
            {"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/app"}},
            {"Effect":"Allow","Principal":"*"}
        ]}"#;
        let told = |policy: &Policy| policy.principals().cloned().collect::<Vec<_>>();
        let policy = Policy::parse(text, PolicyKind::Key).unwrap();
        let account = "111122223333".parse().unwrap();
        let alice = PrincipalEntry::User { account, path_and_name: "alice".into() };
        let app = PrincipalEntry::Role { account, path_and_name: "app".into() };
        let rest = [PrincipalEntry::Account(account), PrincipalEntry::Anybody];
        assert_eq!(told(&policy), [alice.clone(), rest[0].clone(), app.clone(), rest[1].clone()]);
        // Only users and roles have ids; of the role none is known.
        let bound = policy.bound(|entry| (*entry != app).then(|| "AIDAALICE".to_owned()));
        let id = PrincipalEntry::UniqueId("AIDAALICE".into());
        assert_eq!(told(&bound), [id, rest[0].clone(), app, rest[1].clone()]);
    }
}
