//! Multi-Region keys: keys with the same id and material in several Regions, one of them the primary.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>
//!
//! Each related key has a record of its own. What they share is changed on the primary key and written to all of them
//! in the same commit, so that no key is ever behind another.

use std::collections::BTreeSet;

use base::{KeyArn, Region, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Kms;
use crate::change::Edit;
use crate::due::DueWork;
use crate::error::KmsError;
use crate::keys::LoadedKey;
use crate::paths::{self, Place};
use crate::record::{DeletionSchedule, ImportedMaterial, KeyRecord, KeyState};

/// Related keys that there can be: one commit changes them all.
pub(crate) const RELATED_KEYS_MAX: usize = 30;

/// Where the related keys are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MultiRegion {
    /// The Region of the primary key.
    #[serde(with = "crate::record::name")]
    pub(crate) primary: Region,
    /// The Regions of the replica keys.
    pub(crate) replicas: BTreeSet<ReplicaRegion>,
}

/// The Region of a replica key, stored as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ReplicaRegion(#[serde(with = "crate::record::name")] pub(crate) Region);

impl MultiRegion {
    /// A primary key without replicas.
    pub(crate) fn alone_in(primary: Region) -> Self {
        Self { primary, replicas: BTreeSet::new() }
    }

    /// All Regions in which there is a related key.
    fn regions(&self) -> impl Iterator<Item = Region> {
        std::iter::once(self.primary).chain(self.replicas.iter().map(|replica| replica.0))
    }

    /// The roles of the keys in `region` and of the present primary key, changed over.
    pub(crate) fn led_from(&self, region: Region) -> Self {
        let mut replicas = self.replicas.clone();
        replicas.remove(&ReplicaRegion(region));
        replicas.insert(ReplicaRegion(self.primary));
        Self { primary: region, replicas }
    }
}

impl KeyRecord {
    /// Whether the key with this record in `region` decides about what related keys share; so does one without any.
    pub(crate) fn leads_in(&self, region: Region) -> bool {
        self.multi_region.as_ref().is_none_or(|related| related.primary == region)
    }

    /// Whether there are replicas of this key.
    pub(crate) fn has_replicas(&self) -> bool {
        self.multi_region.as_ref().is_some_and(|related| !related.replicas.is_empty())
    }
}

impl LoadedKey {
    /// The ARNs of the related keys, without this one's.
    pub(crate) fn related(&self) -> Vec<KeyArn> {
        let others = |related: &MultiRegion| {
            let regions = related.regions().filter(|region| *region != self.arn.region);
            regions.map(|region| Place { account: self.arn.account, region }.key_arn(self.arn.id)).collect()
        };
        self.record.multi_region.as_ref().map(others).unwrap_or_default()
    }

    /// Refuses what only a primary key, or a key in one Region, can do.
    pub(crate) fn must_lead(&self) -> Result<(), KmsError> {
        if self.record.leads_in(self.arn.region) { Ok(()) } else { Err(KmsError::not_primary(self.arn)) }
    }
}

impl Kms {
    /// An edit of each related key; `None` if one of them has gone meanwhile, with which this key has changed too.
    pub(crate) async fn related_edits(&self, key: &LoadedKey) -> Result<Option<Vec<Edit>>, KmsError> {
        let mut edits = Vec::new();
        for arn in key.related() {
            let Some(related) = self.keys.load(&arn).await? else { return Ok(None) };
            edits.push(Edit::of(&related)?);
        }
        Ok(Some(edits))
    }

    /// The edit of `key` with what its replicas must follow; `None` if one of them has gone meanwhile.
    pub(crate) async fn with_replicas(
        &self,
        key: &LoadedKey,
        mut edit: Edit,
    ) -> Result<Option<Edit>, KmsError> {
        if edit.concerns_replicas(&key.record) {
            let Some(related) = self.related_edits(key).await? else { return Ok(None) };
            edit.join_related(related)?;
        }
        Ok(Some(edit))
    }
}

impl Edit {
    /// Whether this edit of `before` changes what its replicas must follow.
    fn concerns_replicas(&self, before: &KeyRecord) -> bool {
        before.has_replicas() && before.leads_in(self.arn.region) && !self.record.shares_all_with(before)
    }

    /// Adds the changes of related keys, which take over what they share with this one.
    pub(crate) fn join_related(&mut self, related: Vec<Self>) -> Result<(), KmsError> {
        for mut edit in related {
            for number in edit.record.materials..self.record.materials {
                edit.copy_write(
                    paths::rotation(&edit.arn, number)?,
                    self,
                    &paths::rotation(&self.arn, number)?,
                );
            }
            edit.share(&self.record)?;
            self.join(edit)?;
        }
        Ok(())
    }

    /// Notes that there is no replica in `region` any more. A primary key that waited for that begins its own window.
    pub(crate) fn lose_replica(&mut self, region: Region, now: Timestamp) {
        if let Some(related) = &mut self.record.multi_region {
            related.replicas.remove(&ReplicaRegion(region));
        }
        if !self.record.has_replicas()
            && let Some(days) = self.record.window_after_replicas.take()
        {
            self.begin_deletion(now.plus_days(days.into()));
        }
    }

    /// Lets the key wait for its deletion at `at`.
    pub(crate) fn begin_deletion(&mut self, at: Timestamp) {
        self.record.state = KeyState::PendingDeletion;
        self.record.deletion = Some(DeletionSchedule { at: at.millis() });
        self.schedule(DueWork::Delete, at);
    }

    /// Takes over what related keys share. Whether imported material is there, and until when, is each key's own.
    pub(crate) fn share(&mut self, leader: &KeyRecord) -> Result<(), KmsError> {
        let record = &mut self.record;
        record.multi_region.clone_from(&leader.multi_region);
        record.current_material.clone_from(&leader.current_material);
        record.pending_material.clone_from(&leader.pending_material);
        record.materials = leader.materials;
        record.on_demand_rotations = leader.on_demand_rotations;
        record.rotation = leader.rotation;
        self.share_imported(&leader.imported)
    }
}

impl KeyRecord {
    /// Whether a related key would take over from both records alike.
    fn shares_all_with(&self, other: &Self) -> bool {
        let imported = |record: &Self| -> Vec<_> {
            let shared = |material: &ImportedMaterial| {
                (material.id.clone(), material.description.clone(), material.public_key.clone())
            };
            record.imported.iter().map(shared).collect()
        };
        self.multi_region == other.multi_region
            && self.current_material == other.current_material
            && self.pending_material == other.pending_material
            && self.materials == other.materials
            && self.on_demand_rotations == other.on_demand_rotations
            && self.rotation == other.rotation
            && imported(self) == imported(other)
    }
}
