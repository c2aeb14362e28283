//! A bucket as operations see it, and the gate that every call passes.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use std::sync::Arc;

use base::{AccountId, Call, Region, Timestamp};
use policy::{
    Action, CallerFacts, Context, Decision, Origin, Request, Resource, ResourceSide, ServiceKey, Unwitnessed,
    Value, Witness, decide,
};
use store::{Revision, StoreError, Transaction, decode_record, encode_record};

use crate::anonymous;
use crate::bucket_name::BucketName;
use crate::error::ObjectsError;
use crate::lifecycle::{Candidate, told_expiration};
use crate::object_key::ObjectKey;
use crate::record::{BucketRecord, ObjectRecord};
use crate::request::Answer;
use crate::stored_object::StoredObject;
use crate::tags::Tags;
use crate::{Objects, paths};

/// A bucket that is there.
pub(crate) struct Bucket {
    pub(crate) name: BucketName,
    pub(crate) owner: AccountId,
    pub(crate) region: Region,
    pub(crate) record: BucketRecord,
    pub(crate) revision: Revision,
}

/// What the condition keys of S3 say of a request.
#[derive(Default)]
pub(crate) struct Facts {
    texts: Vec<(&'static str, String)>,
    /// Of the object that is there.
    existing_tags: Tags,
    /// That the request brings.
    request_tags: Tags,
    request_tag_keys: Vec<String>,
}

impl Facts {
    /// One more, if there is a value. Names are in lower case.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Option<&str>) -> Self {
        self.texts.extend(value.map(|value| (name, value.to_owned())));
        self
    }

    /// The tags of the object that the request is about, if it is there.
    #[must_use]
    pub(crate) fn with_existing_tags(self, tags: Option<&Tags>) -> Self {
        Self { existing_tags: tags.cloned().unwrap_or_default(), ..self }
    }

    /// The tags that the request puts on an object.
    #[must_use]
    pub(crate) fn with_request_tags(self, tags: &Tags) -> Self {
        let request_tag_keys = tags.iter().map(|(key, _)| key.to_owned()).collect();
        Self { request_tags: tags.clone(), request_tag_keys, ..self }
    }
}

impl Context for Facts {
    fn value(&self, key: &ServiceKey) -> Value<'_> {
        let ServiceKey::Other(name) = key else { return Value::Absent };
        if let Some(key) = name.strip_prefix("s3:existingobjecttag/") {
            return Value::of_pair(self.existing_tags.iter(), key);
        }
        if let Some(key) = name.strip_prefix("s3:requestobjecttag/") {
            return Value::of_pair(self.request_tags.iter(), key);
        }
        if &**name == "s3:requestobjecttagkeys" {
            return Value::Many(&self.request_tag_keys);
        }
        let found = self.texts.iter().find(|(known, _)| *known == &**name);
        found.map_or(Value::Absent, |(_, value)| Value::Text(value))
    }
}

impl Bucket {
    pub(crate) fn arn(&self, region: Region) -> String {
        arn(region, self.name.as_str())
    }

    pub(crate) fn object_arn(&self, region: Region, key: &ObjectKey) -> String {
        format!("{}/{key}", self.arn(region))
    }

    /// When it was made.
    pub(crate) fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.record.created)
    }

    /// A transaction that puts something into the bucket: it is there still, and stays.
    pub(crate) fn entered(&self) -> Result<Transaction, ObjectsError> {
        let path = paths::bucket(&self.name)?;
        let transaction = Transaction::new().expect_revision(path.clone(), self.revision);
        if !self.record.is_leaving {
            return Ok(transaction);
        }
        let record = BucketRecord { is_leaving: false, ..self.record.clone() };
        Ok(transaction.put(path, encode_record(&record)?))
    }

    /// A transaction that takes something out of the bucket, in whose place there may be a delete marker.
    pub(crate) fn left(&self) -> Result<Transaction, ObjectsError> {
        match self.record.versioning {
            Some(_) => self.entered(),
            None => Ok(Transaction::new().expect_revision(paths::bucket(&self.name)?, self.revision)),
        }
    }

    /// Puts into an answer when the object that is there now goes, if a rule of the bucket says so.
    pub(crate) fn tell_expiration(&self, answer: Answer, key: &ObjectKey, object: &StoredObject) -> Answer {
        let contents = Some((object.record.size, &object.details.tags));
        let candidate = Candidate { key: key.as_str(), contents };
        let told = told_expiration(&self.record.lifecycle, candidate, object.record.modified());
        answer.optional("x-amz-expiration", told.filter(|_| !object.is_earlier()))
    }

    /// Puts into an answer which version it is about, if versions are kept.
    pub(crate) fn tell_version(&self, answer: Answer, header: &str, record: &ObjectRecord) -> Answer {
        answer.optional(header, self.record.versioning.map(|_| record.version_id()))
    }
}

/// The ARN of a bucket.
pub(crate) fn arn(region: Region, bucket: &str) -> String {
    format!("arn:{}:s3:::{bucket}", region.partition())
}

impl Objects {
    /// The bucket of this name, if there is one.
    pub(crate) async fn find_bucket(&self, name: &BucketName) -> Result<Option<Bucket>, ObjectsError> {
        let Some(entry) = self.store.get(&paths::bucket(name)?).await? else { return Ok(None) };
        let record: BucketRecord = decode_record(&entry)?;
        let region = record.region.parse();
        let region = region.map_err(|_| StoreError::damaged(entry.key.as_str(), "the Region is none"))?;
        let owner = record.owner()?;
        Ok(Some(Bucket { name: name.clone(), owner, region, record, revision: entry.revision }))
    }

    /// The bucket of a request, in the Region that it was signed for.
    ///
    /// # Errors
    /// There is none, or it is in another Region.
    pub(crate) async fn bucket(&self, call: &Call, name: &str) -> Result<Bucket, ObjectsError> {
        let bucket = self.bucket_anywhere(name).await?;
        if bucket.region != call.region {
            let text = format!(
                "The authorization header is malformed; the region '{}' is wrong; expecting '{}'",
                call.region, bucket.region
            );
            return Err(ObjectsError::bad("AuthorizationHeaderMalformed", text)
                .with("Region", bucket.region.as_str()));
        }
        Ok(bucket)
    }

    /// The bucket of a request.
    ///
    /// # Errors
    /// There is none.
    pub(crate) async fn bucket_anywhere(&self, name: &str) -> Result<Bucket, ObjectsError> {
        let missing = || ObjectsError::no_such_bucket(name);
        let valid: BucketName = name.parse().map_err(|_| missing())?;
        self.find_bucket(&valid).await?.ok_or_else(missing)
    }

    /// Decides whether the caller may take an action on this resource of an account.
    ///
    /// # Errors
    /// No, or nobody can tell.
    pub(crate) async fn authorize(
        &self,
        call: &Call,
        action: &str,
        resource: Option<(&str, AccountId)>,
        facts: &Facts,
    ) -> Result<(), ObjectsError> {
        self.decide(call, action, resource, (ResourceSide::without_policy(), &*self.witness), facts).await
    }

    async fn decide(
        &self,
        call: &Call,
        action: &str,
        resource: Option<(&str, AccountId)>,
        (mut of_resource, witness): (ResourceSide<'_>, &dyn Witness),
        facts: &Facts,
    ) -> Result<(), ObjectsError> {
        let rights = self.callers.rights_of(&call.caller).await?;
        // Strangers may ask as often as they like: nobody keeps why they were refused, or tells them.
        let is_anonymous = call.caller.is_anonymous();
        let witness: &dyn Witness = if is_anonymous { &Unwitnessed } else { witness };
        let owner = resource.map_or(call.caller.account, |(_, owner)| owner);
        if let Some(guardrails) = self.guardrails.of(owner) {
            of_resource.organization = Some(&guardrails.organization);
            if resource.is_some() {
                of_resource.resource_control = &guardrails.resource_control;
            }
        }
        let resource = match resource {
            Some((arn, owner)) => Resource::named(arn, owner),
            None => Resource::any(call.caller.account),
        };
        let request = Request {
            action: Action::new("s3", action),
            resource,
            caller: &CallerFacts::of(Arc::clone(&call.caller)),
            origin: Origin::of(call),
            context: facts,
        };
        let side = rights.side();
        let decision = decide(&request, &side, &of_resource);
        match decision.witnessed((witness, call.request_id), &request, &side, &of_resource) {
            Decision::Allow(_) => Ok(()),
            Decision::Deny(_) if is_anonymous => Err(anonymous::denied()),
            Decision::Deny(denial) => Err(ObjectsError::access_denied(denial.message())),
        }
    }

    /// The gate for actions on a bucket.
    pub(crate) async fn authorize_bucket(
        &self,
        call: &Call,
        action: &str,
        bucket: &Bucket,
        facts: &Facts,
    ) -> Result<(), ObjectsError> {
        let arn = bucket.arn(call.region);
        self.authorize_within(call, action, (bucket, &arn), facts, &*self.witness).await
    }

    /// The gate for actions on an object.
    pub(crate) async fn authorize_object(
        &self,
        call: &Call,
        action: &str,
        (bucket, key): (&Bucket, &ObjectKey),
        facts: &Facts,
    ) -> Result<(), ObjectsError> {
        let arn = bucket.object_arn(call.region, key);
        self.authorize_within(call, action, (bucket, &arn), facts, &*self.witness).await
    }

    /// Whether the caller could take an action on an object that was not asked for: what is decided here is no reason of the
    /// call.
    ///
    /// # Errors
    /// Nobody can tell.
    pub(crate) async fn would_allow(
        &self,
        call: &Call,
        action: &str,
        (bucket, key): (&Bucket, &ObjectKey),
        facts: &Facts,
    ) -> Result<bool, ObjectsError> {
        let arn = bucket.object_arn(call.region, key);
        match self.authorize_within(call, action, (bucket, &arn), facts, &Unwitnessed).await {
            Ok(()) => Ok(true),
            Err(ObjectsError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The bucket's policy speaks for the bucket and for its objects.
    async fn authorize_within(
        &self,
        call: &Call,
        action: &str,
        (bucket, arn): (&Bucket, &str),
        facts: &Facts,
        witness: &dyn Witness,
    ) -> Result<(), ObjectsError> {
        let policy = self.policies.of(bucket)?;
        let policy = policy.filter(|policy| !bucket.is_restricted_for(call, policy));
        let side = policy.as_deref().map_or(ResourceSide::without_policy(), ResourceSide::opened_by);
        self.decide(call, action, Some((arn, bucket.owner)), (side, witness), facts).await
    }
}
