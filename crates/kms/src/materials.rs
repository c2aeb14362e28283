//! Key material: made, sealed into records, opened for keys that may be used.
//!
//! What is stored ([`MaterialRecord`]) cannot be used; what can be used ([`KeyMaterial`]) cannot be stored.

use std::sync::Arc;

use base::{KeyArn, Randomness};
use crypto::{Binding, Ciphertext, EncryptionContext, KeyMaterial, KeyMaterialId};
use keyring::{Domain, DomainKeys};
use store::cache::Cache;
use store::{Key, Observer, Revision, Store};

use crate::authorize::{CryptographicAction, Usable};
use crate::error::KmsError;
use crate::paths::{self, Cached};
use crate::record::MaterialRecord;

/// A material as a cache key.
type MaterialName = (KeyArn, KeyMaterialId);

/// The materials of all keys.
pub(crate) struct Materials {
    store: Arc<dyn Store>,
    domain_keys: Arc<DomainKeys>,
    randomness: Arc<dyn Randomness>,
    opened: Cache<MaterialName, KeyMaterial>,
}

/// A material that was made for a key and is not stored yet.
pub(crate) struct NewMaterial {
    pub(crate) id: KeyMaterialId,
    pub(crate) record: MaterialRecord,
}

impl Materials {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        domain_keys: Arc<DomainKeys>,
        randomness: Arc<dyn Randomness>,
        capacity: usize,
    ) -> Arc<Self> {
        let materials = Arc::new(Self {
            store: Arc::clone(&store),
            domain_keys,
            randomness,
            opened: Cache::new(capacity),
        });
        store.observe(Arc::<Self>::clone(&materials));
        materials
    }

    /// Fresh random material for the key `arn`.
    pub(crate) async fn generate(&self, arn: &KeyArn) -> Result<NewMaterial, KmsError> {
        let material = KeyMaterial::generate(&arn.id, self.randomness.as_ref())?;
        self.seal(arn, material).await
    }

    /// Seals `material` under the domain key of the key's Region, bound to the key.
    pub(crate) async fn seal(&self, arn: &KeyArn, material: KeyMaterial) -> Result<NewMaterial, KmsError> {
        let id = material.id();
        let secret = material.expose_for_sealing().expose();
        let sealed = self.domain_keys.seal(&Domain::region(arn.region), &binding(arn, id), secret).await?;
        Ok(NewMaterial { id, record: MaterialRecord { sealed } })
    }

    /// Encrypts under the key's current material.
    pub(crate) async fn encrypt<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, KmsError> {
        let arn = key.arn();
        let id = key.key().current_material;
        let material = self.open(arn, id).await?.ok_or_else(|| KmsError::material_missing(arn, id))?;
        let ciphertext =
            material.encrypt(arn.account, &arn.id, context, plaintext, self.randomness.as_ref())?;
        Ok(ciphertext)
    }

    /// Decrypts with the material that the ciphertext names. The caller has made sure that the ciphertext names
    /// this key.
    pub(crate) async fn decrypt<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        ciphertext: &Ciphertext<'_>,
        context: &EncryptionContext,
    ) -> Result<base::SecretBytes, KmsError> {
        let material =
            self.open(key.arn(), ciphertext.material_id()).await?.ok_or(KmsError::InvalidCiphertext)?;
        material.decrypt(ciphertext, context).map_err(|_| KmsError::InvalidCiphertext)
    }

    async fn open(&self, arn: KeyArn, id: KeyMaterialId) -> Result<Option<Arc<KeyMaterial>>, KmsError> {
        let name = (arn, id);
        if let Some(material) = self.opened.get(&name) {
            return Ok(Some(material));
        }
        let ticket = self.opened.begin_load(&name);
        let path = paths::material(&arn, id)?;
        let Some(entry) = self.store.get(&path).await? else { return Ok(None) };
        let record: MaterialRecord = store::decode_record(&entry)?;
        let secret =
            self.domain_keys.open(&Domain::region(arn.region), &binding(&arn, id), &record.sealed).await?;
        let damaged =
            || store::StoreError::damaged(path.to_string(), "the material is not 256 bits long".to_owned());
        let secret = base::SecretArray::copy_from(secret.expose()).ok_or_else(damaged)?;
        let material = Arc::new(KeyMaterial::from_secret(&arn.id, secret));
        self.opened.insert(ticket, name, Arc::clone(&material));
        Ok(Some(material))
    }
}

impl Observer for Materials {
    fn committed(&self, keys: &[Key], _revision: Revision) {
        self.uncertain(keys);
    }

    fn uncertain(&self, keys: &[Key]) {
        for key in keys {
            if let Some(Cached::Material(arn, id)) = paths::cached(key)
                && let Ok(id) = id.parse()
            {
                self.opened.invalidate(&(arn, id));
            }
        }
    }
}

fn binding(arn: &KeyArn, id: KeyMaterialId) -> Binding {
    Binding::new("kms key material")
        .part(arn.account.to_string().as_bytes())
        .part(arn.region.as_str().as_bytes())
        .part(arn.id.to_string().as_bytes())
        .part(id.to_string().as_bytes())
}
