//! The policy of a bucket: who may do what with it and its objects, beside what identity policies say.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base::Region;
use policy::{Policy, PolicyKind, PrincipalEntry};
use serde::{Deserialize, Serialize};
use store::{Revision, StoreError};

use crate::bucket::{Bucket, arn};
use crate::bucket_name::BucketName;
use crate::error::ObjectsError;
use crate::ports::Callers;

/// The longest policy, in bytes. <https://docs.aws.amazon.com/general/latest/gr/s3.html>
const BYTES_MAX: usize = 20_480;
/// Policies that are kept compiled.
const COMPILED_MAX: usize = 4_096;

/// A policy as it was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketPolicy {
    /// Byte for byte.
    pub(crate) text: String,
    /// The unique ids of the users and roles that it names, by their entries: a namesake who is made later gets nothing.
    principals: BTreeMap<String, String>,
}

impl BucketPolicy {
    /// Checks what is to be a bucket's policy.
    ///
    /// # Errors
    /// It is no policy, is about something else than this bucket, or names somebody who is not there.
    pub(crate) async fn read(
        text: &[u8],
        bucket: &Bucket,
        region: Region,
        callers: &dyn Callers,
    ) -> Result<Self, ObjectsError> {
        let text = std::str::from_utf8(text).ok().filter(|text| text.starts_with('{'));
        let text = text.ok_or_else(|| {
            malformed("Policies must be valid JSON and the first byte must be '{'".to_owned())
        })?;
        if text.len() > BYTES_MAX {
            return Err(malformed(format!("Policies must have at most {BYTES_MAX} bytes")));
        }
        let policy = Policy::parse(text, PolicyKind::Bucket).map_err(|error| malformed(error.to_string()))?;
        check_scope(text, &arn(region, bucket.name.as_str()))?;
        let mut principals = BTreeMap::new();
        for entry in policy.principals() {
            let Some(known) = callers.find(entry).await? else {
                return Err(malformed("Invalid principal in policy".to_owned()));
            };
            principals.extend(known.map(|id| (entry.to_string(), id)));
        }
        Ok(Self { text: text.to_owned(), principals })
    }

    /// The policy, ready to decide. `bucket` is for the error.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn compiled(&self, bucket: &str) -> Result<Policy, StoreError> {
        let policy = Policy::parse(&self.text, PolicyKind::Bucket);
        let policy = policy.map_err(|_| StoreError::damaged(bucket, "the policy of a bucket is none"))?;
        Ok(policy.bound(|entry: &PrincipalEntry| self.principals.get(&entry.to_string()).cloned()))
    }
}

/// Policies, ready to decide, for the present state of their buckets.
#[derive(Default)]
pub(crate) struct CompiledPolicies(Mutex<HashMap<BucketName, (Revision, Arc<Policy>)>>);

impl CompiledPolicies {
    /// That of a bucket, if it has one.
    ///
    /// # Errors
    /// What is stored is no policy.
    pub(crate) fn of(&self, bucket: &Bucket) -> Result<Option<Arc<Policy>>, StoreError> {
        let Some(stored) = &bucket.record.policy else { return Ok(None) };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((revision, policy)) = known.get(&bucket.name)
            && *revision == bucket.revision
        {
            return Ok(Some(Arc::clone(policy)));
        }
        let policy = Arc::new(stored.compiled(bucket.name.as_str())?);
        if known.len() >= COMPILED_MAX {
            known.clear();
        }
        known.insert(bucket.name.clone(), (bucket.revision, Arc::clone(&policy)));
        Ok(Some(policy))
    }
}

/// The elements that say what a statement is about.
#[derive(Deserialize)]
struct Scope {
    #[serde(rename = "Statement")]
    statements: OneOrMany<Statement>,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(rename = "Action", alias = "NotAction")]
    actions: OneOrMany<String>,
    #[serde(rename = "Resource", alias = "NotResource")]
    resources: OneOrMany<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn all(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A bucket's policy is about that bucket, its objects, and what S3 does.
fn check_scope(text: &str, arn: &str) -> Result<(), ObjectsError> {
    let scope: Scope =
        serde_json::from_str(text).map_err(|_| malformed("Missing required field Resource".to_owned()))?;
    let is_own = |resource: &String| {
        resource.strip_prefix(arn).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_of_s3 = |action: &String| action == "*" || action.to_ascii_lowercase().starts_with("s3:");
    for statement in scope.statements.all() {
        if !statement.actions.all().iter().all(is_of_s3) {
            return Err(malformed("Policy has invalid action".to_owned()));
        }
        if !statement.resources.all().iter().all(is_own) {
            return Err(malformed("Policy has invalid resource".to_owned()));
        }
    }
    Ok(())
}

fn malformed(text: String) -> ObjectsError {
    ObjectsError::bad("MalformedPolicy", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_about_its_own_bucket_and_what_s3_does() {
        let checked = |action: &str, resource: &str| {
            let text = format!(r#"{{"Statement":{{"Action":{action},"Resource":{resource}}}}}"#);
            check_scope(&text, "arn:aws:s3:::b").map_err(|error| error.to_fault().message.unwrap())
        };
        for resource in
            [r#""arn:aws:s3:::b""#, r#"["arn:aws:s3:::b","arn:aws:s3:::b/*"]"#, r#""arn:aws:s3:::b/x""#]
        {
            assert_eq!(checked(r#"["s3:GetObject","S3:*"]"#, resource), Ok(()), "{resource}");
        }
        for resource in [r#""*""#, r#""arn:aws:s3:::bb""#, r#"["arn:aws:s3:::b","arn:aws:s3:::c/*"]"#] {
            assert_eq!(
                checked(r#""*""#, resource),
                Err("Policy has invalid resource".to_owned()),
                "{resource}"
            );
        }
        let foreign = checked(r#""kms:Decrypt""#, r#""arn:aws:s3:::b""#);
        assert_eq!(foreign, Err("Policy has invalid action".to_owned()));
    }
}
