//! Pages of the versions of a bucket.

use std::collections::VecDeque;

use store::{Entry, Key, Range, Store, decode_record};

use crate::bucket::Bucket;
use crate::error::ObjectsError;
use crate::listing::{Wanted, behind};
use crate::object_key::ObjectKey;
use crate::stored_object::StoredObject;
use crate::version::{DeleteMarker, VersionId, VersionRecord};
use crate::{Objects, paths};

/// One version of a page.
pub(crate) struct ListedVersion {
    pub(crate) key: ObjectKey,
    pub(crate) is_latest: bool,
    pub(crate) version: Listed,
}

/// What a version is.
pub(crate) enum Listed {
    Object(Box<StoredObject>),
    DeleteMarker(DeleteMarker),
}

/// A page of versions.
#[derive(Default)]
pub(crate) struct VersionListing {
    pub(crate) versions: Vec<ListedVersion>,
    pub(crate) prefixes: Vec<String>,
    /// Key and id of the last one, if there are more; a common prefix has no id.
    pub(crate) next: Option<(String, Option<String>)>,
}

/// Where a page begins: behind this version of a key, or behind all of them.
pub(crate) struct Marker {
    pub(crate) key: String,
    pub(crate) version: Option<VersionId>,
}

/// A range of the store that is read as it is needed.
struct Cursor {
    prefix: String,
    reached: Option<Key>,
    at_once: usize,
    entries: VecDeque<Entry>,
    is_read: bool,
}

impl Cursor {
    fn new(prefix: String, at_once: usize, after: Option<Key>) -> Self {
        Self { prefix, reached: after, at_once, entries: VecDeque::new(), is_read: false }
    }

    async fn first(&mut self, store: &dyn Store) -> Result<Option<&Entry>, ObjectsError> {
        if self.entries.is_empty() && !self.is_read {
            let mut range = Range::prefix(self.prefix.clone()).limit(self.at_once);
            if let Some(reached) = &self.reached {
                range = range.after(reached);
            }
            let page = store.range(range).await?;
            self.is_read = !page.more;
            self.reached = page.entries.last().map(|entry| entry.key.clone()).or(self.reached.take());
            self.entries = page.entries.into();
        }
        Ok(self.entries.front())
    }

    fn take(&mut self) -> Option<Entry> {
        self.entries.pop_front()
    }

    /// Goes on behind a key, however much lies before that.
    fn skip_to(&mut self, key: Key) {
        self.entries.clear();
        (self.reached, self.is_read) = (Some(key), false);
    }
}

impl Objects {
    /// The versions of a bucket, key by key, the latest of each first.
    pub(crate) async fn page_of_versions(
        &self,
        bucket: &Bucket,
        wanted: &Wanted<'_>,
        marker: &Marker,
    ) -> Result<VersionListing, ObjectsError> {
        let mut listing = VersionListing::default();
        if wanted.most == 0 {
            return Ok(listing);
        }
        let (mut objects, mut earlier) = self.cursors(bucket, wanted, marker).await?;
        let mut seen = marker.key.clone();
        let mut last = None;
        while let Some((key, is_current)) = next_key(bucket, &*self.store, &mut objects, &mut earlier).await?
        {
            let common = wanted.common_prefix(&key);
            let is_known = common.is_some() && common.as_ref() == listing.prefixes.last();
            if !is_known && listing.count() == wanted.most {
                listing.next = last;
                return Ok(listing);
            }
            if let Some(common) = common {
                let behind = behind(&common);
                objects.skip_to(paths::place(&bucket.name, &behind)?);
                earlier.skip_to(paths::place_of_versions(&bucket.name, &behind)?);
                if !is_known {
                    last = Some((common.clone(), None));
                    listing.prefixes.push(common);
                }
                continue;
            }
            let Some(entry) = (if is_current { objects.take() } else { earlier.take() }) else { break };
            let is_latest = is_current || key != seen;
            let listed = self.listed(bucket, &key, &entry, (is_current, is_latest)).await?;
            last = Some((key.clone(), Some(listed.id())));
            listing.versions.push(listed);
            seen = key;
        }
        Ok(listing)
    }

    async fn cursors(
        &self,
        bucket: &Bucket,
        wanted: &Wanted<'_>,
        marker: &Marker,
    ) -> Result<(Cursor, Cursor), ObjectsError> {
        let (objects, earlier) = match marker.key.parse::<ObjectKey>() {
            Err(_) => (None, None),
            Ok(key) if wanted.common_prefix(key.as_str()).is_some() => {
                // The last page ended with this common prefix.
                let behind = behind(&marker.key);
                let behind_versions = paths::place_of_versions(&bucket.name, &behind)?;
                (Some(paths::place(&bucket.name, &behind)?), Some(behind_versions))
            }
            Ok(key) => {
                let earlier = self.place_behind(bucket, &key, marker.version.as_ref()).await?;
                (Some(paths::object(&bucket.name, &key)?), Some(earlier))
            }
        };
        let at_once = wanted.at_once();
        Ok((
            Cursor::new(paths::objects_of(&bucket.name, wanted.prefix), at_once, objects),
            Cursor::new(paths::versions_of(&bucket.name, wanted.prefix), at_once, earlier),
        ))
    }

    /// The place behind a version, among those that are not there now.
    async fn place_behind(
        &self,
        bucket: &Bucket,
        key: &ObjectKey,
        version: Option<&VersionId>,
    ) -> Result<Key, ObjectsError> {
        let ordinal = match version {
            None => 0,
            Some(VersionId::Own { ordinal, .. }) => *ordinal,
            Some(VersionId::Null) => {
                let found = self.earlier_version(bucket, key, &VersionId::Null).await?;
                // All others come behind the object that is there now.
                found.map_or(u64::MAX, |version| version.record.standing().ordinal)
            }
        };
        Ok(paths::version(&bucket.name, key, ordinal)?)
    }

    async fn listed(
        &self,
        bucket: &Bucket,
        key: &str,
        entry: &Entry,
        (is_current, is_latest): (bool, bool),
    ) -> Result<ListedVersion, ObjectsError> {
        let key: ObjectKey = key.parse().map_err(|_| ObjectsError::Damaged("a path of a version"))?;
        let record = match is_current {
            true => VersionRecord::Object(Box::new(decode_record(entry)?)),
            false => decode_record(entry)?,
        };
        let version = match record {
            VersionRecord::DeleteMarker(marker) => Listed::DeleteMarker(marker),
            VersionRecord::Object(record) => {
                let place = (entry.key.clone(), entry.revision);
                let object = self.open_object((bucket, &key), *record, place, !is_current).await?;
                Listed::Object(Box::new(object))
            }
        };
        Ok(ListedVersion { key, is_latest, version })
    }
}

/// The key that comes next, and whether it is that of an object that is there now: these come before earlier versions.
async fn next_key(
    bucket: &Bucket,
    store: &dyn Store,
    objects: &mut Cursor,
    earlier: &mut Cursor,
) -> Result<Option<(String, bool)>, ObjectsError> {
    let damaged = || ObjectsError::Damaged("a path of a version");
    let current = match objects.first(store).await? {
        Some(entry) => Some(paths::object_key(&bucket.name, &entry.key).ok_or_else(damaged)?),
        None => None,
    };
    let version = match earlier.first(store).await? {
        Some(entry) => Some(paths::version_key(&bucket.name, &entry.key).ok_or_else(damaged)?),
        None => None,
    };
    Ok(match (current, version) {
        (Some(current), Some(version)) if version < current => Some((version, false)),
        (Some(current), _) => Some((current, true)),
        (None, version) => version.map(|version| (version, false)),
    })
}

impl VersionListing {
    fn count(&self) -> usize {
        self.versions.len() + self.prefixes.len()
    }
}

impl ListedVersion {
    pub(crate) fn id(&self) -> String {
        match &self.version {
            Listed::Object(object) => object.record.version_id(),
            Listed::DeleteMarker(marker) => marker.id(),
        }
    }
}
