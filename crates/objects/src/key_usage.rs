//! What depends on a key of the key service: buckets that encrypt under it by default, objects, uploads under way.
//!
//! The records of the key's Region are looked through, a page at a time. A table of what is under which key would cost each
//! write, and counting it would take as long where it matters: where much is under a key. What does not have the key's ARN
//! in it is not even decoded.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::KeyArn;
use base64_simd::URL_SAFE_NO_PAD;
use store::{Entry, Key, Range, Store, StoreError, decode_record};

use crate::bucket_encryption::{Algorithm, Rule};
use crate::bucket_name::BucketName;
use crate::encryption::AWS_MANAGED_KEY;
use crate::error::ObjectsError;
use crate::paths;
use crate::record::{BucketRecord, ObjectRecord, StoredEncryption, UploadRecord};
use crate::version::VersionRecord;

/// Records that are read at once.
const AT_ONCE: usize = 500;
/// Buckets that are read at once to find the next one of the Region.
const BUCKETS_AT_ONCE: usize = 8;

/// Looks for what depends on keys.
pub struct KeyUsage {
    store: Arc<dyn Store>,
}

/// A key by all its names.
#[derive(Clone, Copy, Debug)]
pub struct UsedKey<'a> {
    /// The key.
    pub arn: &'a KeyArn,
    /// Its aliases, with `alias/`.
    pub aliases: &'a [String],
}

/// What was found in a part of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsagePage {
    /// Buckets with something that depends on the key. One that is looked through in several parts comes in each.
    pub buckets: Vec<BucketUsage>,
    /// How many records were looked at.
    pub records: u64,
    /// Where to go on, if that was not all.
    pub next: Option<String>,
}

/// What in a bucket depends on a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketUsage {
    /// The bucket's name.
    pub bucket: String,
    /// Whether the bucket encrypts under the key by default.
    pub is_default: bool,
    /// Objects under the key, earlier versions among them.
    pub objects: u64,
    /// The bytes of these objects.
    pub bytes: u64,
    /// Uploads under the key that are under way.
    pub uploads: u64,
}

/// The text is no place in such a listing.
#[derive(Debug, thiserror::Error)]
pub enum KeyUsageError {
    /// The place to go on is none that was given.
    #[error("not a place in the usage of keys")]
    InvalidPlace,
    /// The store fails, or what it holds is damaged.
    #[error(transparent)]
    Failed(#[from] ObjectsError),
}

impl From<StoreError> for KeyUsageError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// The kinds of records, in the order in which a bucket is looked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bucket,
    Object,
    Version,
    Upload,
}

/// A record that was looked at last.
struct Place {
    kind: Kind,
    bucket: BucketName,
    key: Key,
}

impl KeyUsage {
    /// Looks into this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// The next part, behind the place that the part before told: roughly `most` records.
    ///
    /// # Errors
    /// The place is none, or the store fails.
    pub async fn page(
        &self,
        key: UsedKey<'_>,
        after: Option<&str>,
        most: usize,
    ) -> Result<UsagePage, KeyUsageError> {
        let (buckets, found) = (BTreeMap::new(), UsagePage::default());
        let mut look = Look { usage: self, key, most, buckets, found };
        let mut place =
            after.map(|after| Place::read(after).ok_or(KeyUsageError::InvalidPlace)).transpose()?;
        loop {
            place = match place {
                None => look.next_bucket(None).await?,
                Some(Place { kind: Kind::Bucket, bucket, .. }) => look.objects(bucket, None).await?,
                Some(Place { kind: Kind::Object, bucket, key }) => look.objects(bucket, Some(key)).await?,
                Some(Place { kind: Kind::Version, bucket, key }) => look.versions(bucket, Some(key)).await?,
                Some(Place { kind: Kind::Upload, bucket, key }) => look.uploads(bucket, Some(key)).await?,
            };
            let Some(reached) = &place else { break };
            if look.is_full() {
                look.found.next = Some(reached.told());
                break;
            }
        }
        Ok(UsagePage { buckets: look.buckets.into_values().collect(), ..look.found })
    }
}

/// A look through the records.
struct Look<'a> {
    usage: &'a KeyUsage,
    key: UsedKey<'a>,
    most: usize,
    buckets: BTreeMap<String, BucketUsage>,
    found: UsagePage,
}

impl Look<'_> {
    fn is_full(&self) -> bool {
        usize::try_from(self.found.records).unwrap_or(usize::MAX) >= self.most
    }

    /// The next bucket of the key's Region, or the end.
    async fn next_bucket(&mut self, after: Option<BucketName>) -> Result<Option<Place>, ObjectsError> {
        let mut after = after.map(|name| paths::bucket(&name)).transpose()?;
        loop {
            let page = self.read(paths::BUCKETS.to_owned(), after.as_ref(), BUCKETS_AT_ONCE).await?;
            for entry in &page.entries {
                self.found.records += 1;
                let damaged = || ObjectsError::Damaged("a path of a bucket");
                let name = entry.key.as_str().strip_prefix(paths::BUCKETS).ok_or_else(damaged)?;
                let record: BucketRecord = decode_record(entry)?;
                if record.region != self.key.arn.region.as_str() {
                    continue;
                }
                let bucket: BucketName = name.parse().map_err(|_| damaged())?;
                if self.key.is_default_of(&record) {
                    self.of(&bucket).is_default = true;
                }
                return Ok(Some(Place { kind: Kind::Bucket, bucket, key: entry.key.clone() }));
            }
            match page.entries.last() {
                Some(last) if page.more => after = Some(last.key.clone()),
                Some(_) | None => return Ok(None),
            }
        }
    }

    /// A page of a bucket's objects, or what comes behind them.
    async fn objects(
        &mut self,
        bucket: BucketName,
        after: Option<Key>,
    ) -> Result<Option<Place>, ObjectsError> {
        let page = self.read(paths::objects_of(&bucket, ""), after.as_ref(), AT_ONCE).await?;
        let arn = self.key.arn.to_string();
        for entry in page.entries.iter().filter(|entry| mentions(&entry.value, &arn)) {
            let record: ObjectRecord = decode_record(entry)?;
            self.count(&bucket, &record, &arn);
        }
        match self.reached(&page.entries, page.more) {
            Some(key) => Ok(Some(Place { kind: Kind::Object, bucket, key })),
            None => self.versions(bucket, None).await,
        }
    }

    /// A page of a bucket's earlier versions, or what comes behind them.
    async fn versions(
        &mut self,
        bucket: BucketName,
        after: Option<Key>,
    ) -> Result<Option<Place>, ObjectsError> {
        let page = self.read(paths::versions_of(&bucket, ""), after.as_ref(), AT_ONCE).await?;
        let arn = self.key.arn.to_string();
        for entry in page.entries.iter().filter(|entry| mentions(&entry.value, &arn)) {
            match decode_record(entry)? {
                VersionRecord::Object(record) => self.count(&bucket, &record, &arn),
                VersionRecord::DeleteMarker(_) => {}
            }
        }
        match self.reached(&page.entries, page.more) {
            Some(key) => Ok(Some(Place { kind: Kind::Version, bucket, key })),
            None => self.uploads(bucket, None).await,
        }
    }

    fn count(&mut self, bucket: &BucketName, record: &ObjectRecord, arn: &str) {
        if is_under(&record.encryption, arn) {
            let usage = self.of(bucket);
            usage.objects += 1;
            usage.bytes = usage.bytes.saturating_add(record.size);
        }
    }

    /// A page of a bucket's uploads, or the next bucket.
    async fn uploads(
        &mut self,
        bucket: BucketName,
        after: Option<Key>,
    ) -> Result<Option<Place>, ObjectsError> {
        let page = self.read(paths::uploads_of(&bucket, ""), after.as_ref(), AT_ONCE).await?;
        let arn = self.key.arn.to_string();
        for entry in page.entries.iter().filter(|entry| mentions(&entry.value, &arn)) {
            let record: UploadRecord = decode_record(entry)?;
            if is_under(&record.encryption, &arn) {
                self.of(&bucket).uploads += 1;
            }
        }
        match self.reached(&page.entries, page.more) {
            Some(key) => Ok(Some(Place { kind: Kind::Upload, bucket, key })),
            None => self.next_bucket(Some(bucket)).await,
        }
    }

    async fn read(
        &self,
        prefix: String,
        after: Option<&Key>,
        most: usize,
    ) -> Result<store::Page, ObjectsError> {
        let range = Range::prefix(prefix).limit(most);
        let range = match after {
            Some(after) => range.after(after),
            None => range,
        };
        Ok(self.usage.store.range(range).await?)
    }

    /// Counts records, and tells the last one if there are more.
    fn reached(&mut self, entries: &[Entry], more: bool) -> Option<Key> {
        let count = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        self.found.records = self.found.records.saturating_add(count);
        entries.last().filter(|_| more).map(|last| last.key.clone())
    }

    /// What was found in a bucket.
    fn of(&mut self, bucket: &BucketName) -> &mut BucketUsage {
        let name = bucket.to_string();
        self.buckets
            .entry(name.clone())
            .or_insert_with(|| BucketUsage { bucket: name, ..BucketUsage::default() })
    }
}

impl UsedKey<'_> {
    /// Whether a bucket encrypts under the key by default. What a rule names without an account is of the bucket's.
    fn is_default_of(&self, bucket: &BucketRecord) -> bool {
        let Rule { algorithm, key, .. } = bucket.encryption.rule();
        if algorithm == Algorithm::Service {
            return false;
        }
        let arn = self.arn;
        let named = key.as_deref().unwrap_or(AWS_MANAGED_KEY);
        let is_alias = |name: &str| self.aliases.iter().any(|alias| alias == name);
        let of_account = format!("arn:{}:kms:{}:{}:", arn.region.partition(), arn.region, arn.account);
        match named.strip_prefix(&of_account) {
            Some(name) => is_alias(name) || named == arn.to_string(),
            None => {
                let is_own = bucket.owner == arn.account.to_string();
                is_own && (is_alias(named) || named == arn.id.to_string())
            }
        }
    }
}

fn is_under(encryption: &StoredEncryption, arn: &str) -> bool {
    matches!(encryption, StoredEncryption::Kms { key_arn, .. } if key_arn == arn)
}

/// Whether an ARN may stand in a record: JSON has it as it is.
fn mentions(value: &[u8], arn: &str) -> bool {
    value.windows(arn.len()).any(|part| part == arn.as_bytes())
}

impl Place {
    fn told(&self) -> String {
        URL_SAFE_NO_PAD.encode_to_string(self.key.as_str().as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        let path = URL_SAFE_NO_PAD.decode_to_vec(text.as_bytes()).ok()?;
        let key = Key::new(String::from_utf8(path).ok()?).ok()?;
        let kinds = [
            (paths::BUCKETS, Kind::Bucket),
            (paths::OBJECTS, Kind::Object),
            (paths::VERSIONS, Kind::Version),
            (paths::UPLOADS, Kind::Upload),
        ];
        let (rest, kind) =
            kinds.into_iter().find_map(|(prefix, kind)| Some((key.as_str().strip_prefix(prefix)?, kind)))?;
        let bucket = rest.split('/').next()?.parse().ok()?;
        Some(Self { kind, bucket, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn a_place_reads_back_and_others_are_none() {
        for (path, kind) in [
            ("objects/bucket/some-bucket", Kind::Bucket),
            ("objects/object/some-bucket/a%2Fb", Kind::Object),
            ("objects/version/some-bucket/a  0", Kind::Version),
            ("objects/upload/some-bucket/a  0", Kind::Upload),
        ] {
            let told = URL_SAFE_NO_PAD.encode_to_string(path.as_bytes());
            let place = Place::read(&told).unwrap();
            assert_eq!((place.kind, place.bucket.as_str(), place.told()), (kind, "some-bucket", told));
        }
        for path in ["kms/key/1", "objects/bucket/", "objects/object/UPPER/k", "objects/blob/x", ""] {
            assert!(Place::read(&URL_SAFE_NO_PAD.encode_to_string(path.as_bytes())).is_none(), "{path}");
        }
        assert!(Place::read("!").is_none());
    }

    #[test]
    fn an_arn_is_found_wherever_it_is() {
        assert!(mentions(format!("x{ARN}").as_bytes(), ARN));
        assert!(mentions(ARN.as_bytes(), ARN));
        assert!(!mentions(&ARN.as_bytes()[1..], ARN));
        assert!(!mentions(b"", ARN));
    }

    #[test]
    fn a_rule_names_a_key_by_any_of_its_names_and_no_other() {
        let arn: KeyArn = ARN.parse().unwrap();
        let aliases = ["alias/app".to_owned()];
        let is_default = |owner: &str, rule: serde_json::Value| {
            let encryption = serde_json::from_value(serde_json::json!({"rule": rule})).unwrap();
            let bucket = BucketRecord {
                tags: crate::tags::Tags::default(),
                public_access: None,
                owner: owner.to_owned(),
                region: "eu-central-1".to_owned(),
                created: 0,
                is_leaving: false,
                encryption,
                policy: None,
                versioning: None,
                lifecycle: Vec::new(),
                cors: Vec::new(),
            };
            UsedKey { arn: &arn, aliases: &aliases }.is_default_of(&bucket)
        };
        let under = |key: Option<&str>| serde_json::json!({"algorithm": "aws:kms", "key": key, "with_bucket_key": false});
        let (_, id) = ARN.split_once("key/").unwrap();
        let alias = ARN.split_once("key/").unwrap().0.to_owned() + "alias/app";
        for (key, by_others) in [(ARN, true), (&alias, true), ("alias/app", false), (id, false)] {
            assert!(is_default("111122223333", under(Some(key))), "{key}");
            assert_eq!(is_default("444455556666", under(Some(key))), by_others, "{key}");
        }
        for other in [Some("alias/other"), Some("alias/aws/s3"), None] {
            assert!(!is_default("111122223333", under(other)), "{other:?}");
        }
        assert!(!is_default("111122223333", serde_json::json!(null)));
        let managed = ["alias/aws/s3".to_owned()];
        let encryption = serde_json::from_value(serde_json::json!({"rule": under(None)})).unwrap();
        let bucket = BucketRecord {
            tags: crate::tags::Tags::default(),
            public_access: None,
            owner: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
            created: 0,
            is_leaving: false,
            encryption,
            policy: None,
            versioning: None,
            lifecycle: Vec::new(),
            cors: Vec::new(),
        };
        assert!(UsedKey { arn: &arn, aliases: &managed }.is_default_of(&bucket));
    }
}
