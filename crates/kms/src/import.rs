//! Imported key material: what may be imported into a key, and what its coming and going does to the key.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html>
//!
//! A key can be used only while every material that was ever current is there. Symmetric keys can have several, each
//! made current by a rotation on demand; other keys have one for ever.

use base::Timestamp;
use wire::kms::{ExpirationModelType, ImportType};

use crate::change::Edit;
use crate::due::DueWork;
use crate::error::{KmsError, NotFound, StateRefusal};
use crate::materials::NewMaterial;
use crate::paths;
use crate::record::{ImportedMaterial, KeyRecord, KeyState, Rotated, RotationKind};

/// What an import says of the material that it brings.
#[derive(Debug, Default)]
pub(crate) struct Import {
    /// Absent: new material if there never was any, else material that the key has had.
    pub(crate) kind: Option<ImportType>,
    /// The id that the caller expects.
    pub(crate) expected: Option<String>,
    /// Absent: the one that the material has stays.
    pub(crate) description: Option<String>,
    pub(crate) valid_to: Option<Timestamp>,
    /// Of key pairs, in base64.
    pub(crate) public_key: Option<String>,
}

impl KeyRecord {
    /// Whether material that is missing makes the key unusable. Material that waits for its rotation does not count.
    fn lacks_material(&self) -> bool {
        self.current_material.is_none() || self.permanent_materials().any(|material| !material.present)
    }

    /// The materials that are, or once were, current.
    fn permanent_materials(&self) -> impl Iterator<Item = &ImportedMaterial> {
        self.imported.iter().filter(|material| Some(&material.id) != self.pending_material.as_ref())
    }

    /// The earliest date at which material expires that the key needs, in milliseconds since the epoch.
    pub(crate) fn earliest_expiry(&self) -> Option<i64> {
        self.permanent_materials().filter_map(ImportedMaterial::expiry).min()
    }

    /// Whether the material expires; absent for keys without imported material.
    pub(crate) fn expiration_model(&self) -> Option<ExpirationModelType> {
        self.permanent_materials().find(|material| material.present)?;
        Some(match self.earliest_expiry() {
            Some(_) => ExpirationModelType::KeyMaterialExpires,
            None => ExpirationModelType::KeyMaterialDoesNotExpire,
        })
    }

    /// The imported material with this id.
    pub(crate) fn imported(&self, id: &str) -> Option<&ImportedMaterial> {
        self.imported.iter().find(|material| material.id == id)
    }

    /// Whether the imported material with this id is there.
    pub(crate) fn holds(&self, id: &str) -> bool {
        self.imported(id).is_some_and(|material| material.present)
    }

    /// Moves the key between usable and pending import as its materials have it.
    pub(crate) fn follow_materials(&mut self) {
        match self.state {
            KeyState::Enabled | KeyState::Disabled if self.lacks_material() => {
                self.state = KeyState::PendingImport;
            }
            KeyState::PendingImport if !self.lacks_material() => self.state = KeyState::Enabled,
            KeyState::Enabled | KeyState::Disabled | KeyState::PendingImport => {}
            KeyState::PendingDeletion | KeyState::PendingReplicaDeletion => {}
        }
    }
}

impl ImportedMaterial {
    /// The primary key's material with what a related key, which has `own`, knows of it.
    fn as_seen_by(&self, own: &[Self]) -> Self {
        let own = own.iter().find(|material| material.id == self.id);
        Self {
            present: own.is_some_and(|material| material.present),
            valid_to: own.and_then(|material| material.valid_to),
            ..self.clone()
        }
    }

    fn expiry(&self) -> Option<i64> {
        self.valid_to.filter(|_| self.present)
    }

    /// Whether this material expires; absent while it is not there.
    pub(crate) fn expiration_model(&self) -> Option<ExpirationModelType> {
        self.present.then_some(match self.valid_to {
            Some(_) => ExpirationModelType::KeyMaterialExpires,
            None => ExpirationModelType::KeyMaterialDoesNotExpire,
        })
    }
}

impl Edit {
    /// Takes material in. The first one becomes current at once; a further one of a symmetric key waits for a rotation
    /// on demand.
    pub(crate) fn import(&mut self, material: &NewMaterial, import: &Import) -> Result<(), KmsError> {
        let id = material.id.to_string();
        if import.expected.as_ref().is_some_and(|expected| *expected != id) {
            return Err(KmsError::IncorrectKeyMaterial(OTHER_THAN_NAMED));
        }
        if import.description.is_some() && !self.record.leads_in(self.arn.region) {
            return Err(KmsError::not_primary(self.arn));
        }
        let known = self.record.imported(&id).is_some();
        match (import.kind, known) {
            (Some(ImportType::NewKeyMaterial), true) => {
                return Err(KmsError::IncorrectKeyMaterial(NOT_NEW));
            }
            (Some(ImportType::ExistingKeyMaterial), false) => {
                return Err(KmsError::IncorrectKeyMaterial(NOT_KNOWN));
            }
            (None, false) if !self.record.imported.is_empty() || !self.record.leads_in(self.arn.region) => {
                return Err(KmsError::IncorrectKeyMaterial(NOT_KNOWN));
            }
            (_, true) => {}
            (_, false) => self.associate(&id)?,
        }
        self.hold(&id, import);
        self.put(paths::material(&self.arn, &id)?, &material.record)?;
        self.record.follow_materials();
        Ok(())
    }

    /// Gives the key a material that it never had. Related keys learn of it from the primary key.
    fn associate(&mut self, id: &str) -> Result<(), KmsError> {
        if !self.record.leads_in(self.arn.region) {
            return Err(KmsError::not_primary(self.arn));
        }
        if self.record.current_material.is_none() {
            self.make_current(id, None)?;
        } else if let Some(pending) = self.record.pending_material.clone() {
            let (key, new) = (self.arn, id.to_owned());
            return Err(StateRefusal::MaterialPendingRotation { key, new, pending }.into());
        } else {
            self.record.pending_material = Some(id.to_owned());
        }
        self.record.imported.push(ImportedMaterial {
            id: id.to_owned(),
            description: None,
            present: false,
            valid_to: None,
            public_key: None,
        });
        Ok(())
    }

    /// Notes that the material is there, and until when.
    fn hold(&mut self, id: &str, import: &Import) {
        self.change_imported(|imported| {
            for material in imported.iter_mut().filter(|material| material.id == id) {
                material.present = true;
                material.valid_to = import.valid_to.map(|at| at.millis());
                if import.description.is_some() {
                    material.description.clone_from(&import.description);
                }
                if import.public_key.is_some() {
                    material.public_key.clone_from(&import.public_key);
                }
            }
        });
    }

    /// Takes material away; without an id, the current one. Tells which it was, if there ever was any.
    pub(crate) fn delete_imported(&mut self, id: Option<&str>) -> Result<Option<String>, KmsError> {
        let Some(id) = id.map(str::to_owned).or_else(|| self.record.current_material.clone()) else {
            return Ok(None);
        };
        if self.record.imported(&id).is_none() {
            return Err(NotFound::KeyMaterial { key: self.arn, id }.into());
        }
        self.lose(|material| material.id == id)?;
        Ok(Some(id))
    }

    /// Takes away what has expired by `now`; tells whether anything has.
    pub(crate) fn expire_imported(&mut self, now: Timestamp) -> Result<bool, KmsError> {
        self.lose(|material| material.expiry().is_some_and(|at| at <= now.millis()))
    }

    /// Takes away the materials that are meant. One that waits for its rotation is forgotten altogether, but not by a
    /// replica: that loses its copy.
    fn lose(&mut self, is_meant: impl Fn(&ImportedMaterial) -> bool) -> Result<bool, KmsError> {
        let meant = self.record.imported.iter().filter(|material| is_meant(material));
        let ids: Vec<String> = meant.map(|material| material.id.clone()).collect();
        for id in &ids {
            self.delete(paths::material(&self.arn, id)?);
        }
        let leads = self.record.leads_in(self.arn.region);
        let pending = self.record.pending_material.take_if(|pending| leads && ids.contains(pending));
        self.change_imported(|imported| {
            imported.retain(|material| Some(&material.id) != pending.as_ref());
            for material in imported.iter_mut().filter(|material| ids.contains(&material.id)) {
                material.present = false;
                material.valid_to = None;
            }
        });
        self.record.follow_materials();
        Ok(!ids.is_empty())
    }

    /// Makes the material that waits the current one; the one before it is needed for ever.
    pub(crate) fn promote_pending(&mut self, kind: RotationKind, at: Timestamp) -> Result<(), KmsError> {
        let refused = StateRefusal::NoMaterialPendingRotation(self.arn);
        let pending = self.record.pending_material.take();
        let pending = pending.filter(|id| self.record.holds(id));
        self.make_current(&pending.ok_or(refused)?, Some(Rotated { at: at.millis(), kind }))
    }

    /// Takes over which materials the primary key has had. Those that it has forgotten are taken away.
    pub(crate) fn share_imported(&mut self, leader: &[ImportedMaterial]) -> Result<(), KmsError> {
        let forgotten = |own: &&ImportedMaterial| leader.iter().all(|material| material.id != own.id);
        let forgotten: Vec<String> =
            self.record.imported.iter().filter(forgotten).map(|material| material.id.clone()).collect();
        for id in forgotten {
            self.delete(paths::material(&self.arn, id)?);
        }
        self.change_imported(|imported| {
            let own = std::mem::take(imported);
            *imported = leader.iter().map(|material| material.as_seen_by(&own)).collect();
        });
        self.record.follow_materials();
        Ok(())
    }

    /// Changes the list of materials and keeps the dates of their expiry in the index of due work. Materials that expire
    /// at the same time share an entry.
    fn change_imported(&mut self, change: impl FnOnce(&mut Vec<ImportedMaterial>)) {
        let dates = |record: &KeyRecord| -> Vec<i64> {
            record.imported.iter().filter_map(ImportedMaterial::expiry).collect()
        };
        let before = dates(&self.record);
        change(&mut self.record.imported);
        let after = dates(&self.record);
        for at in before.iter().filter(|at| !after.contains(at)) {
            self.unschedule(DueWork::Expire, Timestamp::from_millis(*at));
        }
        for at in after.iter().filter(|at| !before.contains(at)) {
            self.schedule(DueWork::Expire, Timestamp::from_millis(*at));
        }
    }
}

const OTHER_THAN_NAMED: &str = "The key material in the request is not the one that KeyMaterialId names.";
const NOT_NEW: &str = "The key material in the request is already associated with the KMS key; import it as EXISTING_KEY_MATERIAL.";
const NOT_KNOWN: &str =
    "The key material in the request is not key material that was imported into the KMS key before.";
