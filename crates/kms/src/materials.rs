//! Key material: made, sealed into records, opened for keys that may be used.
//!
//! What is stored ([`MaterialRecord`]) cannot be used; what can be used ([`LiveMaterial`]) cannot be stored.

use std::sync::Arc;

use base::{KeyArn, Randomness, SecretArray, SecretBytes};
use crypto::{
    Binding, Ciphertext, EncryptionContext, KeyMaterial, KeyMaterialId, KeyPairSpec, MacKey, PrivateKey,
};
use keyring::{Domain, DomainKeys};
use store::cache::{Cache, CacheFigures};
use store::{Key, Observer, Revision, Store, StoreError};
use wire::kms::{OriginType, ReplicateKey};

use crate::authorize::{CryptographicAction, Usable};
use crate::error::{KmsError, StateRefusal};
use crate::import_token::WrappingKey;
use crate::kind::KeyKind;
use crate::paths::{self, Cached};
use crate::pool::{Effort, Pool};
use crate::record::MaterialRecord;

/// A material as a cache key.
type MaterialName = (KeyArn, KeyMaterialId);

/// The materials of all keys.
pub(crate) struct Materials {
    store: Arc<dyn Store>,
    domain_keys: Arc<DomainKeys>,
    randomness: Arc<dyn Randomness>,
    pool: Pool,
    opened: Cache<MaterialName, LiveMaterial>,
}

/// Material that can be used.
pub(crate) enum LiveMaterial {
    Symmetric(KeyMaterial),
    Mac(Box<MacKey>),
    Pair(Box<PrivateKey>),
}

/// A material that was made for a key and is not stored yet.
pub(crate) struct NewMaterial {
    pub(crate) id: KeyMaterialId,
    pub(crate) record: MaterialRecord,
}

/// Material that came from outside and is not stored yet.
pub(crate) struct ImportedSecret {
    pub(crate) material: NewMaterial,
    /// SubjectPublicKeyInfo DER, of key pairs.
    pub(crate) public_key: Option<Vec<u8>>,
}

/// Bytes of symmetric material.
const SYMMETRIC_KEY: usize = 32;

const WRONG_LENGTH: &str =
    "The key material in the request does not have the length that the key spec demands.";
const WRONG_KEY: &str =
    "The key material in the request is not a PKCS#8 private key of the key spec, in DER.";

impl Materials {
    /// How often opened material was held.
    pub(crate) fn figures(&self) -> CacheFigures {
        self.opened.figures()
    }

    pub(crate) fn new(
        store: Arc<dyn Store>,
        domain_keys: Arc<DomainKeys>,
        randomness: Arc<dyn Randomness>,
        pool: Pool,
        capacity: usize,
    ) -> Arc<Self> {
        let opened = Cache::new(capacity);
        let materials = Arc::new(Self { store: Arc::clone(&store), domain_keys, randomness, pool, opened });
        store.observe(Arc::<Self>::downgrade(&materials));
        materials
    }

    /// Fresh material for the key `arn`, sealed under the domain key of its Region and bound to the key.
    pub(crate) async fn generate(&self, arn: &KeyArn, kind: KeyKind) -> Result<NewMaterial, KmsError> {
        match kind {
            KeyKind::Symmetric => {
                self.seal_symmetric(arn, KeyMaterial::generate(&arn.id, self.randomness.as_ref())?).await
            }
            KeyKind::Mac(algorithm) => {
                let key = MacKey::generate(algorithm, self.randomness.as_ref())?;
                self.seal(arn, self.random_id()?, key.expose_for_sealing().expose()).await
            }
            KeyKind::Pair(spec) => {
                let pair = self.generate_pair(spec).await?;
                self.seal(arn, self.random_id()?, pair.expose_for_sealing().expose()).await
            }
        }
    }

    /// Fresh symmetric material for related keys: the same for all, sealed for each of them.
    pub(crate) async fn generate_shared(&self, arns: &[KeyArn]) -> Result<Vec<NewMaterial>, KmsError> {
        let Some(first) = arns.first() else { return Ok(Vec::new()) };
        let material = KeyMaterial::generate(&first.id, self.randomness.as_ref())?;
        let mut sealed = Vec::with_capacity(arns.len());
        for arn in arns {
            sealed.push(self.seal(arn, material.id(), material.expose_for_sealing().expose()).await?);
        }
        Ok(sealed)
    }

    /// The material `id` of a key, sealed for its replica `to`.
    pub(crate) async fn copy(
        &self,
        key: &Usable<ReplicateKey>,
        id: KeyMaterialId,
        to: &KeyArn,
    ) -> Result<NewMaterial, KmsError> {
        let from = key.arn();
        let missing = || KmsError::material_missing(from, id);
        let secret = self.unseal(&from, id).await?.ok_or_else(missing)?;
        self.seal(to, id, secret.expose()).await
    }

    /// A fresh key pair.
    pub(crate) async fn generate_pair(&self, spec: KeyPairSpec) -> Result<PrivateKey, KmsError> {
        Ok(self.pool.generate(move || PrivateKey::generate(spec)).await??)
    }

    /// Material that came from outside, if it is material for a key of this kind.
    pub(crate) async fn import(
        &self,
        arn: &KeyArn,
        kind: KeyKind,
        secret: SecretBytes,
    ) -> Result<ImportedSecret, KmsError> {
        let (secret, public_key) = match kind {
            KeyKind::Symmetric if secret.len() == SYMMETRIC_KEY => (secret, None),
            KeyKind::Mac(algorithm) if secret.len() == algorithm.key_length() => (secret, None),
            KeyKind::Symmetric | KeyKind::Mac(_) => return Err(KmsError::IncorrectKeyMaterial(WRONG_LENGTH)),
            KeyKind::Pair(spec) => {
                let parsed = self.pool.run(move || PrivateKey::from_stored(spec, &secret)).await?;
                let pair = parsed.map_err(|_| KmsError::IncorrectKeyMaterial(WRONG_KEY))?;
                (pair.pkcs8()?, Some(pair.public_key().spki_der().to_vec()))
            }
        };
        let id = KeyMaterialId::of(&arn.id, secret.expose());
        Ok(ImportedSecret { material: self.seal(arn, id, secret.expose()).await?, public_key })
    }

    /// Unwraps what was wrapped for import, on the pool.
    pub(crate) async fn unwrap_material(
        &self,
        key: WrappingKey,
        wrapped: Vec<u8>,
    ) -> Result<SecretBytes, KmsError> {
        self.pool.run(move || key.unwrap_material(&wrapped)).await?
    }

    /// Seals given symmetric material.
    pub(crate) async fn seal_symmetric(
        &self,
        arn: &KeyArn,
        material: KeyMaterial,
    ) -> Result<NewMaterial, KmsError> {
        self.seal(arn, material.id(), material.expose_for_sealing().expose()).await
    }

    async fn seal(&self, arn: &KeyArn, id: KeyMaterialId, secret: &[u8]) -> Result<NewMaterial, KmsError> {
        let sealed = self.domain_keys.seal(&Domain::region(arn.region), &binding(arn, id), secret).await?;
        Ok(NewMaterial { id, record: MaterialRecord { sealed } })
    }

    /// Keys with one material for ever need an id for it that says nothing.
    fn random_id(&self) -> Result<KeyMaterialId, KmsError> {
        let mut random = [0; 32];
        self.randomness.fill(&mut random)?;
        Ok(KeyMaterialId::from_bytes(random))
    }

    /// Encrypts under a symmetric key's current material.
    pub(crate) async fn encrypt<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        context: &EncryptionContext,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, KmsError> {
        let arn = key.arn();
        let live = self.current(key).await?;
        let LiveMaterial::Symmetric(material) = live.as_ref() else { return Err(WRONG_KIND) };
        Ok(material.encrypt(arn.account, &arn.id, context, plaintext, self.randomness.as_ref())?)
    }

    /// Decrypts with the material that the ciphertext names. The caller has made sure that the ciphertext names
    /// this key.
    pub(crate) async fn decrypt<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        ciphertext: &Ciphertext<'_>,
        context: &EncryptionContext,
    ) -> Result<SecretBytes, KmsError> {
        let live = self.open(key, ciphertext.material_id()).await?.ok_or(KmsError::InvalidCiphertext)?;
        let LiveMaterial::Symmetric(material) = live.as_ref() else {
            return Err(KmsError::InvalidCiphertext);
        };
        material.decrypt(ciphertext, context).map_err(|_| KmsError::InvalidCiphertext)
    }

    /// Uses the HMAC key of a key that is one.
    pub(crate) async fn with_mac_key<A: CryptographicAction, T>(
        &self,
        key: &Usable<A>,
        work: impl FnOnce(&MacKey) -> T,
    ) -> Result<T, KmsError> {
        match self.current(key).await?.as_ref() {
            LiveMaterial::Mac(key) => Ok(work(key)),
            LiveMaterial::Symmetric(_) | LiveMaterial::Pair(_) => Err(WRONG_KIND),
        }
    }

    /// Uses the private key of a key pair, on the pool if that takes long.
    pub(crate) async fn with_private_key<A: CryptographicAction, T: Send + 'static>(
        &self,
        key: &Usable<A>,
        work: impl FnOnce(&PrivateKey) -> T + Send + 'static,
    ) -> Result<T, KmsError> {
        let KeyKind::Pair(spec) = key.kind()? else { return Err(WRONG_KIND) };
        let live = self.current(key).await?;
        let work = move || match live.as_ref() {
            LiveMaterial::Pair(key) => Ok(work(key)),
            LiveMaterial::Symmetric(_) | LiveMaterial::Mac(_) => Err(WRONG_KIND),
        };
        self.pool.run_by(Effort::of(spec), work).await?
    }

    async fn current<A: CryptographicAction>(&self, key: &Usable<A>) -> Result<Arc<LiveMaterial>, KmsError> {
        let pending_import = || KmsError::from(StateRefusal::PendingImport(key.arn()));
        let id = key.key().current_material.ok_or_else(pending_import)?;
        // Imported material can go between the check of the state and here.
        self.open(key, id).await?.ok_or_else(|| match key.record().origin {
            OriginType::External => pending_import(),
            OriginType::AwsKms | OriginType::AwsCloudhsm | OriginType::ExternalKeyStore => {
                KmsError::material_missing(key.arn(), id)
            }
        })
    }

    async fn open<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        id: KeyMaterialId,
    ) -> Result<Option<Arc<LiveMaterial>>, KmsError> {
        let arn = key.arn();
        let name = (arn, id);
        if let Some(material) = self.opened.get(&name) {
            return Ok(Some(material));
        }
        let ticket = self.opened.begin_load(&name);
        let Some(secret) = self.unseal(&arn, id).await? else { return Ok(None) };
        let damaged = || StoreError::damaged(arn.to_string(), "the material does not fit the key".to_owned());
        let live = match key.kind()? {
            KeyKind::Symmetric => {
                let secret = SecretArray::copy_from(secret.expose()).ok_or_else(damaged)?;
                LiveMaterial::Symmetric(KeyMaterial::from_secret(&arn.id, secret))
            }
            KeyKind::Mac(algorithm) => {
                let key = MacKey::from_secret(algorithm, secret).map_err(|_| damaged())?;
                LiveMaterial::Mac(Box::new(key))
            }
            KeyKind::Pair(spec) => {
                let opened = self.pool.run(move || PrivateKey::from_stored(spec, &secret)).await?;
                LiveMaterial::Pair(Box::new(opened.map_err(|_| damaged())?))
            }
        };
        let live = Arc::new(live);
        self.opened.insert(ticket, name, Arc::clone(&live));
        Ok(Some(live))
    }

    /// The stored material of a key in the clear, if it is there.
    async fn unseal(&self, arn: &KeyArn, id: KeyMaterialId) -> Result<Option<SecretBytes>, KmsError> {
        let Some(entry) = self.store.get(&paths::material(arn, id)?).await? else { return Ok(None) };
        let record: MaterialRecord = store::decode_record(&entry)?;
        let domain = Domain::region(arn.region);
        Ok(Some(self.domain_keys.open(&domain, &binding(arn, id), &record.sealed).await?))
    }
}

/// An operation reached for material of another kind than it had checked.
const WRONG_KIND: KmsError = KmsError::Bug("the material is of another kind than the key");

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
