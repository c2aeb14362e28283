//! ListBuckets: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>

use base::Call;
use base64_simd::URL_SAFE_NO_PAD;
use store::Range;
use wire::s3::Document;

use crate::bucket::{Bucket, Facts};
use crate::bucket_name::BucketName;
use crate::conditions::to_iso;
use crate::error::ObjectsError;
use crate::request::{Answer, Query, Request};
use crate::stored_object::canonical_user;
use crate::{Objects, paths};

const BUCKETS_MAX: usize = 10_000;

impl Objects {
    pub(crate) async fn list_buckets(&self, call: &Call, request: Request) -> Result<Answer, ObjectsError> {
        self.authorize(call, "ListAllMyBuckets", None, &Facts::default()).await?;
        let most = most_of(&request.query)?;
        let prefix = request.query.get("prefix");
        let (mut buckets, mut more) = (Vec::new(), true);
        let mut range = self.start_of(call, &request.query)?;
        while more && buckets.len() < most {
            let page = self.store.range(range.clone().limit(most - buckets.len())).await?;
            more = page.more;
            let Some(last) = page.entries.last() else { break };
            range = range.after(&last.key);
            for entry in &page.entries {
                let name =
                    entry.key.as_str().rsplit('/').next().and_then(|name| name.parse::<BucketName>().ok());
                let name = name.ok_or(ObjectsError::Bug("a path of a bucket has no name"))?;
                // One that was deleted meanwhile is gone.
                buckets.extend(self.find_bucket(&name).await?);
            }
        }
        let token = buckets.last().filter(|_| more).map(|last| last.name.as_str());
        let token = token.map(|name| URL_SAFE_NO_PAD.encode_to_string(name));
        Ok(Answer::xml(document(call, &buckets, prefix, token.as_deref())))
    }

    fn start_of(&self, call: &Call, query: &Query) -> Result<Range, ObjectsError> {
        let account = call.caller.account;
        let prefix = query.get("prefix").unwrap_or_default();
        if prefix.chars().any(char::is_control) {
            return Err(ObjectsError::invalid_argument("Invalid prefix", "prefix", prefix));
        }
        let range = Range::prefix(format!("{}{prefix}", paths::buckets_of(account)));
        let Some(token) = query.get("continuation-token") else { return Ok(range) };
        let name = URL_SAFE_NO_PAD.decode_to_vec(token.as_bytes()).ok();
        let name = name.and_then(|name| String::from_utf8(name).ok()).and_then(|name| name.parse().ok());
        let name: BucketName = name.ok_or_else(|| {
            let text = "The continuation token provided is incorrect";
            ObjectsError::invalid_argument(text, "continuation-token", token)
        })?;
        Ok(range.after(&paths::owner(account, &name)?))
    }
}

fn most_of(query: &Query) -> Result<usize, ObjectsError> {
    let Some(text) = query.get("max-buckets") else { return Ok(BUCKETS_MAX) };
    let most = text.parse().ok().filter(|most| (1..=BUCKETS_MAX).contains(most));
    most.ok_or_else(|| {
        let text_of_fault = "Argument max-buckets must be an integer between 1 and 10000";
        ObjectsError::invalid_argument(text_of_fault, "max-buckets", text)
    })
}

fn document(call: &Call, buckets: &[Bucket], prefix: Option<&str>, token: Option<&str>) -> Vec<u8> {
    let mut document = Document::new("ListAllMyBucketsResult");
    document.element("Owner", |owner| {
        owner.text("ID", &canonical_user(call.caller.account));
    });
    document.element("Buckets", |list| {
        for bucket in buckets {
            list.element("Bucket", |one| {
                one.text("Name", bucket.name.as_str())
                    .text("CreationDate", &to_iso(bucket.created()))
                    .text("BucketRegion", bucket.region.as_str())
                    .text("BucketArn", &bucket.arn(bucket.region));
            });
        }
    });
    document.optional("Prefix", prefix).optional("ContinuationToken", token);
    document.finish()
}
