//! Keys and aliases from a seed file: made with a given id, never changed when they exist.

use std::collections::BTreeMap;

use base::{KeyArn, SecretArray, Timestamp};
use crypto::KeyMaterial;
use wire::kms::{KeySpec, KeyUsageType, OriginType, Tag};

use crate::alias::AliasName;
use crate::change::{Attempts, Committed, Edit};
use crate::error::{KmsError, NotFound};
use crate::key_policy::KeyPolicy;
use crate::kind::KeyKind;
use crate::materials::NewMaterial;
use crate::ops::NewKey;
use crate::record::{KeyState, RotationKind};
use crate::{Kms, tags};

/// A symmetric encryption key with a given id.
pub struct SeedKey<'a> {
    /// Account, Region and id.
    pub arn: KeyArn,
    /// The description.
    pub description: &'a str,
    /// The policy document; the default one if absent.
    pub policy: Option<&'a str>,
    /// Tags, each key once.
    pub tags: &'a [(String, String)],
    /// Materials, oldest first; the last one encrypts. Empty: material is drawn at random.
    pub material: &'a [SecretArray<32>],
    /// Whether the key is made enabled.
    pub enabled: bool,
}

/// An alias of a key that exists.
pub struct SeedAlias<'a> {
    /// The key.
    pub target: KeyArn,
    /// The name with its `alias/`.
    pub name: &'a str,
}

/// What became of a seed entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// It was not there and is now.
    Created,
    /// It was there and was not touched.
    Existed,
}

impl Kms {
    /// Makes the key, complete in one commit, unless a key with this id is there.
    ///
    /// # Errors
    /// Policy or tags break the rules of CreateKey, or the store or the keyring fails.
    pub async fn seed_key(&self, seed: &SeedKey<'_>, now: Timestamp) -> Result<Seeded, KmsError> {
        let policy = match seed.policy {
            Some(policy) => self.policy_of_seed(policy).await?,
            None => KeyPolicy::default_of(seed.arn.account, seed.arn.region),
        };
        let new = NewKey::from_seed(seed, policy, now)?;
        let mut attempts = Attempts::new();
        loop {
            if self.keys.load(&seed.arn).await?.is_some() {
                return Ok(Seeded::Existed);
            }
            // A key of this name may have been deleted without its remains being gone yet.
            self.remove_remains(&seed.arn).await?;
            let mut edit = Edit::create(seed.arn, new.record(&seed.arn))?;
            for (number, material) in self.seed_materials(seed).await?.iter().enumerate() {
                match number {
                    0 => edit.begin_with(material)?,
                    _ => edit.rotate_to(material, RotationKind::OnDemand, now)?,
                }
            }
            if !seed.enabled {
                edit.record.state = KeyState::Disabled;
            }
            let turn = self.count_shards.take().await;
            self.count_shards.count_new_key(&mut edit, &turn).await?;
            let record = self.service_record("CreateKey", &seed.arn, now)?;
            match self.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(Seeded::Created),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    /// Makes the alias, unless one with this name is there, whatever key it points to.
    ///
    /// # Errors
    /// The name breaks the rules of CreateAlias, the key is not there or has too many aliases, or the store fails.
    pub async fn seed_alias(&self, seed: &SeedAlias<'_>, now: Timestamp) -> Result<Seeded, KmsError> {
        let name = AliasName::parse(seed.name)?;
        let mut attempts = Attempts::new();
        loop {
            if self.alias(&seed.target.into(), name).await?.is_some() {
                return Ok(Seeded::Existed);
            }
            let key = self.keys.load(&seed.target).await?.ok_or(NotFound::Key(seed.target))?;
            let mut edit = Edit::of(&key)?;
            edit.add_alias(name, now, self.settings.aliases_per_key_max)?;
            let record = self.service_record("CreateAlias", &seed.target, now)?;
            match self.commit(edit.into_transaction(record)?).await? {
                Committed::Yes => return Ok(Seeded::Created),
                Committed::Conflict => attempts.again().await?,
            }
        }
    }

    async fn seed_materials(&self, seed: &SeedKey<'_>) -> Result<Vec<NewMaterial>, KmsError> {
        if seed.material.is_empty() {
            return Ok(vec![self.materials.generate(&seed.arn, KeyKind::Symmetric).await?]);
        }
        let mut materials = Vec::with_capacity(seed.material.len());
        for secret in seed.material {
            let copy =
                SecretArray::copy_from(secret.expose()).ok_or(KmsError::Bug("256 bits are 32 bytes"))?;
            materials.push(
                self.materials
                    .seal_symmetric(&seed.arn, KeyMaterial::from_secret(&seed.arn.id, copy))
                    .await?,
            );
        }
        Ok(materials)
    }
}

impl NewKey {
    fn from_seed(seed: &SeedKey<'_>, policy: KeyPolicy, now: Timestamp) -> Result<Self, KmsError> {
        let given: Vec<Tag> = seed
            .tags
            .iter()
            .map(|(key, value)| Tag { tag_key: key.clone(), tag_value: value.clone() })
            .collect();
        let mut held = BTreeMap::new();
        tags::add(&mut held, &given)?;
        Ok(Self {
            spec: KeySpec::SymmetricDefault,
            usage: KeyUsageType::EncryptDecrypt,
            origin: OriginType::AwsKms,
            created_at: now.millis(),
            description: seed.description.to_owned(),
            policy,
            tags: held,
        })
    }
}
