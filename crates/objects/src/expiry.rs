//! Taking away what the lifecycle of buckets says: once a day, as S3 does, and as nobody's call.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html>

use base::Timestamp;
use store::{Range, Transaction, decode_record};
use wire::s3::LifecycleRule;

use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::history::Change;
use crate::lifecycle::{Candidate, DAY_MILLIS, earlier_is_due, expires, marker_is_due, upload_is_due};
use crate::listing::{PAGE_MAX, Wanted};
use crate::object_key::ObjectKey;
use crate::record::UploadRecord;
use crate::stored_object::Dropped;
use crate::version::VersionId;
use crate::version_listing::{Listed, ListedVersion, Marker};
use crate::{Objects, paths};

/// What becomes of a version.
enum Due {
    /// The object is there no more; where versions are kept it stays as one.
    Expire(VersionId),
    /// The version goes for good.
    Remove(VersionId),
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
    lone_marker: Option<(ObjectKey, VersionId)>,
}

impl Objects {
    /// Does what lifecycles say, in all buckets, if that has not been done on this day. Tells how much it took away.
    ///
    /// # Errors
    /// Store or back-end fail. What is left is done the next time.
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
                let Ok(name) = name.parse() else { continue };
                let Some(bucket) = self.find_bucket(&name).await? else { continue };
                taken += self.expire_in(&bucket, now).await?;
            }
            match page.entries.last() {
                Some(last) if page.more => range = range.after(&last.key),
                _ => break,
            }
        }
        *last_day = Some(day);
        Ok(taken)
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
                for (key, due) in seen.look_at(rules, listed, now) {
                    taken += u64::from(self.carry_out(bucket, &key, &due, now).await?);
                }
            }
            let Some((key, version)) = page.next else { break };
            let version = version.map(|id| VersionId::read(&id)).transpose()?;
            marker = Marker { key, version };
        }
        if let Some((key, id)) = seen.lone_marker {
            taken += u64::from(self.carry_out(bucket, &key, &Due::Remove(id), now).await?);
        }
        Ok(taken)
    }

    /// False if others have changed what lies under the key: then the next day's look decides anew.
    async fn carry_out(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        due: &Due,
        now: Timestamp,
    ) -> Result<bool, ObjectsError> {
        let Some(bucket) = self.find_bucket(&bucket.name).await? else { return Ok(false) };
        let under = self.under_key(&bucket, key).await?;
        let (transaction, place) = (bucket.left()?, (&bucket, key));
        let change = match due {
            Due::Expire(id) if under.current.as_ref().is_some_and(|object| object.record.is(id)) => {
                self.removal(transaction, place, &under, now.millis()).await?
            }
            Due::Expire(_) => None,
            Due::Remove(id) => self.removal_of_version(transaction, place, &under, id).await?,
        };
        let Some((change, _)) = change else { return Ok(false) };
        let (transaction, dropped) = Change::finish(change)?;
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

impl Seen {
    /// What is due with this version, or with the one before it.
    fn look_at(
        &mut self,
        rules: &[LifecycleRule],
        listed: ListedVersion,
        now: Timestamp,
    ) -> Vec<(ObjectKey, Due)> {
        let mut due = Vec::new();
        let Ok(id) = VersionId::read(&listed.id()) else { return due };
        if listed.is_latest && listed.key.as_str() != self.key {
            due.extend(self.lone_marker.take().map(|(key, id)| (key, Due::Remove(id))));
            *self = Self { key: listed.key.as_str().to_owned(), ..Self::default() };
        }
        self.lone_marker = None;
        let (written, contents) = match &listed.version {
            Listed::Object(object) => {
                (object.record.modified(), Some((object.record.size, &object.details.tags)))
            }
            Listed::DeleteMarker(marker) => (marker.modified(), None),
        };
        let candidate = Candidate { key: listed.key.as_str(), contents };
        let replaced = self.written.replace(written);
        match (listed.is_latest, contents) {
            (true, Some(_)) => {
                if expires(rules, candidate, written).is_some_and(|(end, _)| end <= now) {
                    due.push((listed.key.clone(), Due::Expire(id)));
                }
            }
            (true, None) => {
                if marker_is_due(rules, candidate, written, now) {
                    self.lone_marker = Some((listed.key.clone(), id));
                }
            }
            (false, _) => {
                let replaced = (self.earlier, replaced.unwrap_or(written));
                if earlier_is_due(rules, candidate, replaced, now) {
                    due.push((listed.key.clone(), Due::Remove(id)));
                }
                self.earlier += 1;
            }
        }
        due
    }
}
