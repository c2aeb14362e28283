//! ListKeyRotations: the rotations of a key, oldest first; with ALL_KEY_MATERIAL also the material it began with, and
//! last the imported material that waits for its rotation.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html>

use base::{Call, Timestamp};
use wire::kms::{
    ImportState, IncludeKeyMaterial, KeyMaterialState, KeySpec, ListKeyRotations, ListKeyRotationsRequest,
    ListKeyRotationsResponse, RotationType, RotationsListEntry,
};

use crate::Kms;
use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::paging::Listing;
use crate::paths;
use crate::record::{ImportedMaterial, KeyRecord, RotationKind, RotationRecord};
use crate::table::Handle;

impl KeyAction for ListKeyRotations {
    const NAME: &'static str = "ListKeyRotations";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Any;
}

impl Handle for ListKeyRotations {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ListKeyRotationsRequest,
    ) -> Result<ListKeyRotationsResponse, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        if key.record().spec != KeySpec::SymmetricDefault {
            // One material for ever: no history.
            let none = Some(Vec::new());
            return Ok(ListKeyRotationsResponse {
                rotations: none,
                truncated: Some(false),
                next_marker: None,
            });
        }
        let all = request.include_key_material == Some(IncludeKeyMaterial::AllKeyMaterial);
        let prefix = paths::rotations(&key.arn());
        let listing = Listing::new(format!("ListKeyRotations {all} {prefix}"), request.limit, 100, 1_000);
        let mut range = listing.range(&prefix, request.marker.as_deref())?;
        if !all && request.marker.is_none() {
            // The material that the key began with is number 0 and no rotation.
            range = range.after(&paths::rotation(&key.arn(), 0)?);
        }
        let page = kms.store.range(range).await?;
        let mut rotations = Vec::new();
        for entry in &page.entries {
            rotations.push(list_entry(&key, store::decode_record(entry)?));
        }
        let mut next = listing.next(&page, &prefix);
        if let (true, None, Some(pending)) = (all, &next, &key.record().pending_material) {
            // What waits for its rotation comes last, on a page of its own if this one is full.
            if rotations.len() < listing.limit() {
                let mut waiting =
                    list_entry(&key, RotationRecord { material: pending.clone(), rotated: None });
                waiting.key_material_state = Some(kms.waits_for(&key, pending).await?);
                rotations.push(waiting);
            } else {
                next = listing.behind(&page, &prefix);
            }
        }
        Ok(ListKeyRotationsResponse {
            rotations: Some(rotations),
            truncated: Some(next.is_some()),
            next_marker: next,
        })
    }
}

impl Kms {
    /// What imported material waits for: every related key must have it before it can be rotated to.
    async fn waits_for(
        &self,
        key: &Usable<ListKeyRotations>,
        pending: &str,
    ) -> Result<KeyMaterialState, KmsError> {
        for arn in key.key().related() {
            let related = self.keys.cached(&arn).await?;
            if related.is_some_and(|related| !related.record.holds(pending)) {
                return Ok(KeyMaterialState::PendingMultiRegionImportAndRotation);
            }
        }
        Ok(match key.record().holds(pending) {
            true => KeyMaterialState::PendingRotation,
            false => KeyMaterialState::PendingMultiRegionImportAndRotation,
        })
    }
}

fn list_entry(key: &Usable<ListKeyRotations>, rotation: RotationRecord) -> RotationsListEntry {
    let record = key.record();
    let imported = record.imported(&rotation.material);
    RotationsListEntry {
        key_id: Some(key.arn().id.to_string()),
        key_material_state: Some(material_state(record, &rotation.material)),
        key_material_description: imported.and_then(|material| material.description.clone()),
        import_state: imported.map(|material| match material.present {
            true => ImportState::Imported,
            false => ImportState::PendingImport,
        }),
        expiration_model: imported.and_then(ImportedMaterial::expiration_model),
        valid_to: imported.and_then(|material| material.valid_to).map(Timestamp::from_millis),
        key_material_id: Some(rotation.material),
        rotation_date: rotation.rotated.map(|rotated| Timestamp::from_millis(rotated.at)),
        rotation_type: rotation.rotated.map(|rotated| match rotated.kind {
            RotationKind::Automatic => RotationType::Automatic,
            RotationKind::OnDemand => RotationType::OnDemand,
        }),
    }
}

fn material_state(record: &KeyRecord, id: &str) -> KeyMaterialState {
    if record.current_material.as_deref() == Some(id) {
        KeyMaterialState::Current
    } else {
        KeyMaterialState::NonCurrent
    }
}
