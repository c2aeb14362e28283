//! CreateBucket: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>

use base::{AccountId, Call, Region};
use store::{CommitError, Range, Transaction, encode_record};
use wire::s3::read_bucket_configuration;

use crate::body::Body;
use crate::bucket::{Facts, arn};
use crate::bucket_encryption::BucketEncryption;
use crate::bucket_name::BucketName;
use crate::error::ObjectsError;
use crate::operation::Operation;
use crate::public_access::PublicAccessBlock;
use crate::record::BucketRecord;
use crate::request::{Answer, Request, location_of};
use crate::tags::Tags;
use crate::{Objects, paths};

/// The most buckets of an account.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html>
const BUCKETS_MAX: usize = 10_000;

impl Objects {
    pub(crate) async fn create_bucket(
        &self,
        call: &Call,
        request: Request,
        name: &str,
    ) -> Result<Answer, ObjectsError> {
        let valid: BucketName = name.parse().map_err(|_| {
            ObjectsError::bad("InvalidBucketName", "The specified bucket is not valid.")
                .with("BucketName", name)
        })?;
        let arn = arn(call.region, name);
        self.authorize(call, "CreateBucket", Some((&arn, call.caller.account)), &Facts::default()).await?;
        if request.headers.beginning("x-amz-").any(|(header, value)| is_not_offered(header, value)) {
            return Err(ObjectsError::not_implemented());
        }
        let location = if request.bucket_is_in_host { request.url(call) } else { format!("/{name}") };
        let body = Body::read_xml(&request.headers, request.payload, request.body).await?;
        let configuration = read_bucket_configuration(&body).map_err(|_| ObjectsError::malformed_xml())?;
        let region = region_of(call.region, configuration.location.as_deref())?;
        call.event.add_resource("AWS::S3::Bucket", call.caller.account, &arn);
        self.add_bucket(call, &valid, region, location).await
    }

    async fn add_bucket(
        &self,
        call: &Call,
        name: &BucketName,
        region: Region,
        location: String,
    ) -> Result<Answer, ObjectsError> {
        let account = call.caller.account;
        if let Some(bucket) = self.find_bucket(name).await? {
            return match bucket.owner == account {
                // In this Region S3 answers as it always did.
                true if location_of(&region).is_empty() && bucket.region == region => {
                    Ok(Answer::empty(200).header("location", location))
                }
                is_own => Err(already_there(name, is_own)),
            };
        }
        if self.bucket_count(account).await? >= BUCKETS_MAX {
            let text = "You have attempted to create more buckets than allowed";
            return Err(ObjectsError::bad("TooManyBuckets", text));
        }
        let record = BucketRecord {
            policy: None,
            versioning: None,
            lifecycle: Vec::new(),
            cors: Vec::new(),
            tags: Tags::default(),
            public_access: Some(PublicAccessBlock::of_new_bucket()),
            owner: account.to_string(),
            region: region.to_string(),
            created: call.time.millis(),
            is_leaving: false,
            encryption: BucketEncryption::of_new_bucket(self.blocks_customer_keys),
        };
        let path = paths::bucket(name)?;
        let transaction = Transaction::new()
            .expect_absent(path.clone())
            .put(path, encode_record(&record)?)
            .put(paths::owner(account, name)?, paths::PRESENT.to_vec());
        match self.commit_change(call, Operation::CreateBucket, transaction).await {
            Ok(()) => Ok(Answer::empty(200).header("location", location)),
            Err(ObjectsError::Commit(CommitError::Conflict { .. })) => Err(already_there(name, false)),
            Err(error) => Err(error),
        }
    }

    async fn bucket_count(&self, account: AccountId) -> Result<usize, ObjectsError> {
        let (mut count, mut range) = (0, Range::prefix(paths::buckets_of(account)).limit(1_000));
        while count < BUCKETS_MAX {
            let page = self.store.range(range.clone()).await?;
            count += page.entries.len();
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
        }
        Ok(count)
    }
}

/// Headers, without `x-amz-`, that ask for more than there is.
fn is_not_offered(header: &str, value: &str) -> bool {
    match header {
        "acl" => value != "private",
        "object-ownership" => value != "BucketOwnerEnforced",
        "bucket-object-lock-enabled" => !value.eq_ignore_ascii_case("false"),
        _ => header.starts_with("grant-"),
    }
}

fn already_there(name: &BucketName, is_own: bool) -> ObjectsError {
    let refused = if is_own {
        let text = "Your previous request to create the named bucket succeeded and you already own it.";
        ObjectsError::refused("BucketAlreadyOwnedByYou", 409, text)
    } else {
        let text = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
        ObjectsError::refused("BucketAlreadyExists", 409, text)
    };
    refused.with("BucketName", name.as_str())
}

/// Where the bucket is to be: where the request was sent, except that it may be anywhere from us-east-1.
fn region_of(endpoint: Region, location: Option<&str>) -> Result<Region, ObjectsError> {
    let is_first = location_of(&endpoint).is_empty();
    let Some(location) = location else {
        return if is_first { Ok(endpoint) } else { Err(incompatible("unspecified")) };
    };
    let name = if location == "EU" { "eu-west-1" } else { location };
    let region: Region = name.parse().map_err(|_| {
        let text = "The specified location-constraint is not valid";
        ObjectsError::bad("InvalidLocationConstraint", text).with("LocationConstraint", location)
    })?;
    match region == endpoint || is_first {
        true => Ok(region),
        false => Err(incompatible(location)),
    }
}

fn incompatible(location: &str) -> ObjectsError {
    let text = format!(
        "The {location} location constraint is incompatible for the region specific endpoint this request was sent to."
    );
    ObjectsError::bad("IllegalLocationConstraintException", text)
}
