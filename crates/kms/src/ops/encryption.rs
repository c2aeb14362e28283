//! Encrypting and decrypting with a key of either kind: what Encrypt, Decrypt and ReEncrypt share.

use std::collections::BTreeMap;

use base::{Call, KeyArn, SecretBytes};
use crypto::{Ciphertext, RsaEncryption};
use wire::kms::EncryptionAlgorithmSpec;

use super::request::encryption_context;
use crate::Kms;
use crate::authorize::{Authorized, CryptographicAction, KeyAction, Usable};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::kind::{self, KeyKind};
use crate::paths::Place;

/// The encryption context of a request.
pub(super) type Context<'a> = Option<&'a BTreeMap<String, String>>;

/// A ciphertext and the authorized key that it belongs to.
pub(super) struct Located<'a, A> {
    pub(super) key: Authorized<A>,
    pub(super) ciphertext: Blob<'a>,
}

/// A ciphertext, by how it was made.
pub(super) enum Blob<'a> {
    Symmetric(Ciphertext<'a>),
    Rsa(EncryptionAlgorithmSpec, RsaEncryption, &'a [u8]),
}

/// What a decryption gives.
pub(super) struct Opened {
    pub(super) plaintext: SecretBytes,
    /// Of symmetric keys only.
    pub(super) material_id: Option<String>,
}

/// What an encryption gives.
pub(super) struct Sealed {
    pub(super) blob: Vec<u8>,
    /// Of symmetric keys only.
    pub(super) material_id: Option<String>,
}

impl Kms {
    /// Finds and authorizes the key of a ciphertext. A symmetric ciphertext names its key, and `key_id` can only confirm
    /// it; an RSA ciphertext names none, so `key_id` must.
    pub(super) async fn locate<'a, A: KeyAction>(
        &self,
        call: &Call,
        key_id: Option<&str>,
        algorithm: Option<EncryptionAlgorithmSpec>,
        facts: &Facts<'_>,
        blob: &'a [u8],
    ) -> Result<Located<'a, A>, KmsError> {
        let named = match key_id {
            Some(key_id) => Some(self.authorized::<A>(call, key_id, facts).await?),
            None => None,
        };
        let algorithm = algorithm.unwrap_or(EncryptionAlgorithmSpec::SymmetricDefault);
        if let Some(rsa) = kind::rsa_encryption(algorithm) {
            let key = named.ok_or(InvalidRequest::Missing("keyId"))?;
            return Ok(Located { key, ciphertext: Blob::Rsa(algorithm, rsa, blob) });
        }
        let ciphertext = Ciphertext::parse(blob).map_err(|_| KmsError::InvalidCiphertext)?;
        let arn = key_of(call, &ciphertext);
        let key = match named {
            Some(key) if key.arn() == arn => key,
            Some(_) => return Err(KmsError::IncorrectKey),
            // A key out of reach is not told apart from one that never was.
            None => {
                let missing = || KmsError::ciphertext_key_gone(&call.caller, A::NAME, arn);
                let key = self.keys.cached(&arn).await?.ok_or_else(missing)?;
                let key = self.authorize(self.keys.unchecked(key), call, facts).await;
                key.map_err(|refusal| refusal.of_ciphertext_key(&call.caller, A::NAME))?
            }
        };
        Ok(Located { key, ciphertext: Blob::Symmetric(ciphertext) })
    }

    /// Decrypts a located ciphertext.
    pub(super) async fn open<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        blob: &Blob<'_>,
        context: Context<'_>,
    ) -> Result<Opened, KmsError> {
        match (key.kind()?, blob) {
            (KeyKind::Symmetric, Blob::Symmetric(ciphertext)) => {
                let context = encryption_context(context);
                let plaintext = self.materials.decrypt(key, ciphertext, &context).await?;
                Ok(Opened { plaintext, material_id: Some(ciphertext.material_id().to_string()) })
            }
            (KeyKind::Pair(_), Blob::Rsa(_, rsa, bytes)) => {
                without_context(context)?;
                let (rsa, bytes) = (*rsa, bytes.to_vec());
                let opened =
                    self.materials.with_private_key(key, move |key| key.decrypt(rsa, &bytes)).await?;
                let plaintext = opened.map_err(|_| KmsError::InvalidCiphertext)?;
                Ok(Opened { plaintext, material_id: None })
            }
            (_, Blob::Rsa(algorithm, ..)) => Err(key.incompatible(algorithm.as_str())),
            (_, Blob::Symmetric(_)) => Err(KmsError::IncorrectKey),
        }
    }

    /// Encrypts under a key of either kind.
    pub(super) async fn seal<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        algorithm: EncryptionAlgorithmSpec,
        context: Context<'_>,
        plaintext: SecretBytes,
    ) -> Result<Sealed, KmsError> {
        match (checked(key, algorithm, context, plaintext.len())?, kind::rsa_encryption(algorithm)) {
            (KeyKind::Symmetric, _) => {
                let blob =
                    self.materials.encrypt(key, &encryption_context(context), plaintext.expose()).await?;
                Ok(Sealed { blob, material_id: key.record().current_material.clone() })
            }
            (_, Some(rsa)) => {
                let work = move |key: &crypto::PrivateKey| key.public_key().encrypt(rsa, plaintext.expose());
                let blob = self.materials.with_private_key(key, work).await?;
                let blob = blob.map_err(|_| KmsError::Bug("a plaintext within the limit was refused"))?;
                Ok(Sealed { blob, material_id: None })
            }
            (_, None) => Err(key.incompatible(algorithm.as_str())),
        }
    }
}

/// Checks all that an encryption depends on, also for a dry run.
pub(super) fn checked<A: CryptographicAction>(
    key: &Usable<A>,
    algorithm: EncryptionAlgorithmSpec,
    context: Context<'_>,
    length: usize,
) -> Result<KeyKind, KmsError> {
    let kind = key.kind()?;
    match (kind, kind::rsa_encryption(algorithm)) {
        (KeyKind::Symmetric, None) if algorithm == EncryptionAlgorithmSpec::SymmetricDefault => Ok(kind),
        (KeyKind::Pair(pair), Some(rsa)) => {
            without_context(context)?;
            let limit = rsa.max_plaintext(pair).ok_or_else(|| key.incompatible(algorithm.as_str()))?;
            if length > limit {
                let (algorithm, spec) = (algorithm.as_str(), key.record().spec.as_str());
                return Err(InvalidRequest::RsaPlaintext { algorithm, spec, limit }.into());
            }
            Ok(kind)
        }
        _ => Err(key.incompatible(algorithm.as_str())),
    }
}

/// The key that a symmetric ciphertext names, in the Region that was called.
pub(super) fn key_of(call: &Call, ciphertext: &Ciphertext<'_>) -> KeyArn {
    Place { account: ciphertext.account(), region: call.region }.key_arn(ciphertext.key_id())
}

fn without_context(context: Context<'_>) -> Result<(), KmsError> {
    if context.is_none_or(BTreeMap::is_empty) {
        Ok(())
    } else {
        Err(InvalidRequest::ContextOfAsymmetricKey.into())
    }
}
