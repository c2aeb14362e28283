//! Taking away what the lifecycle of buckets says: once a day, as S3 does, and as nobody's call.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html>

use base::Timestamp;
use store::{Range, Transaction, decode_record};
use wire::s3::LifecycleRule;

use crate::bucket::Bucket;
use crate::bucket_name::BucketName;
use crate::error::ObjectsError;
use crate::lifecycle::{Candidate, DAY_MILLIS, earlier_is_due, expires, marker_is_due, upload_is_due};
use crate::listing::{PAGE_MAX, Wanted};
use crate::object_key::ObjectKey;
use crate::record::UploadRecord;
use crate::stored_object::Dropped;
use crate::version::VersionId;
use crate::version_listing::{Listed, ListedVersion, Marker};
use crate::{Objects, paths};

/// A version that is due. Its name alone does not tell: what has no id may be another one meanwhile.
struct Due {
    key: ObjectKey,
    id: VersionId,
    own: String,
    becomes: Becomes,
}

/// What becomes of a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Becomes {
    /// It is there no more; where versions are kept it stays as one.
    Earlier,
    /// It goes for good.
    Nothing,
}

/// What has been seen of the key that is being looked through.
#[derive(Default)]
struct Seen {
    key: String,
    /// When the version before was written.
    written: Option<Timestamp>,
    /// How many earlier versions there were.
    earlier: i64,
    /// A delete marker that is the latest, as long as nothing is behind it.
    lone_marker: Option<Due>,
}

impl Objects {
    /// Does what lifecycles say, in all buckets, if that has not been done on this day. Tells how much it took away.
    ///
    /// # Errors
    /// The store cannot be read. A bucket in which something fails keeps no other one waiting; it is looked through again the
    /// next day.
    pub async fn expire(&self, now: Timestamp) -> Result<u64, ObjectsError> {
        let day = now.millis().div_euclid(DAY_MILLIS);
        let mut last_day = self.expired_on.lock().await;
        if *last_day == Some(day) {
            return Ok(0);
        }
        let (mut taken, mut range) = (0, Range::prefix(paths::BUCKETS).limit(100));
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                let name = entry.key.as_str().strip_prefix(paths::BUCKETS).unwrap_or_default();
                let Ok(name) = name.parse::<BucketName>() else { continue };
                match self.expire_in_named(&name, now).await {
                    Ok(count) => taken += count,
                    Err(error) => {
                        tracing::warn!(%error, bucket = %name, "what a lifecycle says fails in a bucket; next try: tomorrow");
                    }
                }
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
        }
        *last_day = Some(day);
        Ok(taken)
    }

    async fn expire_in_named(&self, name: &BucketName, now: Timestamp) -> Result<u64, ObjectsError> {
        match self.find_bucket(name).await? {
            Some(bucket) => self.expire_in(&bucket, now).await,
            None => Ok(0),
        }
    }

    async fn expire_in(&self, bucket: &Bucket, now: Timestamp) -> Result<u64, ObjectsError> {
        let rules = &bucket.record.lifecycle;
        if rules.is_empty() {
            return Ok(0);
        }
        let wanted = Wanted {
            prefix: "",
            delimiter: "",
            most: PAGE_MAX,
            after: String::new(),
            encodes: false,
            tells_owner: false,
        };
        let (mut taken, mut seen) = (self.expire_uploads(bucket, now).await?, Seen::default());
        let mut marker = Marker { key: String::new(), version: None };
        loop {
            let page = self.page_of_versions(bucket, &wanted, &marker).await?;
            for listed in page.versions {
                for due in seen.look_at(rules, listed, now) {
                    taken += u64::from(self.carry_out(bucket, &due, now).await?);
                }
            }
            let Some((key, version)) = page.next else { break };
            let version = version.map(|id| VersionId::read(&id)).transpose()?;
            marker = Marker { key, version };
        }
        if let Some(due) = seen.lone_marker {
            taken += u64::from(self.carry_out(bucket, &due, now).await?);
        }
        Ok(taken)
    }

    /// False if others have changed what lies under the key: then the next day's look decides anew.
    async fn carry_out(&self, bucket: &Bucket, due: &Due, now: Timestamp) -> Result<bool, ObjectsError> {
        let Some(bucket) = self.find_bucket(&bucket.name).await? else { return Ok(false) };
        let under = self.under_key(&bucket, &due.key).await?;
        let current = under.current.as_ref().map(|current| &current.record);
        let current = current.filter(|current| current.is(&due.id));
        let earlier = match current {
            None if due.becomes == Becomes::Nothing => {
                self.earlier_version(&bucket, &due.key, &due.id).await?
            }
            Some(_) | None => None,
        };
        let earlier = earlier.as_ref().map(|earlier| earlier.record.own_id());
        if !due.is_still(current.map(|current| current.version.as_str()).or(earlier)) {
            return Ok(false);
        }
        let (transaction, place) = (bucket.left()?, (&bucket, &due.key));
        let change = match due.becomes {
            Becomes::Earlier => self.removal(transaction, place, &under, now.millis()).await?,
            Becomes::Nothing => self.removal_of_version(transaction, place, &under, &due.id).await?,
        };
        let Some((change, _)) = change else { return Ok(false) };
        let (transaction, dropped) = change.finish()?;
        self.commit_and_drop(transaction, dropped).await
    }

    async fn expire_uploads(&self, bucket: &Bucket, now: Timestamp) -> Result<u64, ObjectsError> {
        let (mut taken, mut range) = (0, Range::prefix(paths::uploads_of(&bucket.name, "")).limit(PAGE_MAX));
        loop {
            let page = self.store.range(range.clone()).await?;
            for entry in &page.entries {
                let damaged = || ObjectsError::Damaged("a path of an upload");
                let (key, id) = paths::upload_at(&bucket.name, &entry.key).ok_or_else(damaged)?;
                let record: UploadRecord = decode_record(entry)?;
                if !upload_is_due(&bucket.record.lifecycle, &key, record.initiated(), now) {
                    continue;
                }
                let transaction = Transaction::new().expect_revision(entry.key.clone(), entry.revision);
                let transaction = transaction.delete(entry.key.clone());
                taken += u64::from(self.commit_and_drop(transaction, Some(Dropped::Parts(id))).await?);
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => return Ok(taken),
            }
        }
    }
}

impl Due {
    /// Whether what is there now under this name is what was looked at.
    fn is_still(&self, own: Option<&str>) -> bool {
        own == Some(&self.own)
    }
}

impl Seen {
    /// What is due with this version, or with the one before it.
    fn look_at(&mut self, rules: &[LifecycleRule], listed: ListedVersion, now: Timestamp) -> Vec<Due> {
        let mut all = Vec::new();
        let Ok(id) = VersionId::read(&listed.id()) else { return all };
        if listed.is_latest && listed.key.as_str() != self.key {
            all.extend(self.lone_marker.take());
            *self = Self { key: listed.key.as_str().to_owned(), ..Self::default() };
        }
        self.lone_marker = None;
        let (written, contents, own) = match &listed.version {
            Listed::Object(object) => {
                let contents = Some((object.record.size, &object.details.tags));
                (object.record.modified(), contents, object.record.version.clone())
            }
            Listed::DeleteMarker(marker) => (marker.modified(), None, marker.version.clone()),
        };
        let candidate = Candidate { key: listed.key.as_str(), contents };
        let replaced = self.written.replace(written);
        let due = |becomes| Due { key: listed.key.clone(), id, own, becomes };
        match (listed.is_latest, contents) {
            (true, Some(_)) => {
                if expires(rules, candidate, written).is_some_and(|(end, _)| end <= now) {
                    all.push(due(Becomes::Earlier));
                }
            }
            (true, None) => {
                if marker_is_due(rules, candidate, written, now) {
                    self.lone_marker = Some(due(Becomes::Nothing));
                }
            }
            (false, _) => {
                let replaced = (self.earlier, replaced.unwrap_or(written));
                if earlier_is_due(rules, candidate, replaced, now) {
                    all.push(due(Becomes::Nothing));
                }
                self.earlier += 1;
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_under_the_same_name_meanwhile_is_not_due() {
        let due = Due {
            key: "k".parse().unwrap(),
            id: VersionId::Null,
            own: "1".repeat(32),
            becomes: Becomes::Earlier,
        };
        assert!(due.is_still(Some(&"1".repeat(32))));
        assert!(!due.is_still(Some(&"2".repeat(32))) && !due.is_still(None));
    }
}
